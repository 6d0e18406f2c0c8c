/**
 * Paired Moonlight clients.
 *
 * @module
 */
import { z } from "@hono/zod-openapi";
import type { ApiApp } from "../app.ts";
import { requireJson } from "../body.ts";
import type { HostFacade } from "../host_facade.ts";
import { Fingerprint, PairedClient, RenameClient, Unpaired } from "../schemas.ts";
import {
  BODY_ERRORS,
  defineRoute,
  errorAnswers,
  jsonAnswer,
  jsonBody,
  UNAUTHORISED,
} from "./route.ts";

const parameters = z.object({ fingerprint: Fingerprint });
const noSuchClient = errorAnswers({
  400: "The fingerprint is not 64 hex digits",
  404: "No such client",
});

const listClients = defineRoute({
  method: "get",
  path: "/api/v1/clients",
  operationId: "listClients",
  tags: ["clients"],
  summary: "Paired Moonlight clients",
  responses: { 200: jsonAnswer(z.array(PairedClient), "Every paired client"), ...UNAUTHORISED },
});

const unpairAllClients = defineRoute({
  method: "delete",
  path: "/api/v1/clients",
  operationId: "unpairAllClients",
  tags: ["clients"],
  summary: "Unpair every Moonlight client and end their sessions",
  responses: { 200: jsonAnswer(Unpaired, "How many were unpaired"), ...UNAUTHORISED },
});

const renameClient = defineRoute({
  method: "patch",
  path: "/api/v1/clients/{fingerprint}",
  operationId: "renameClient",
  tags: ["clients"],
  summary: "Set or clear the name a client is shown under",
  middleware: [requireJson] as const,
  request: { params: parameters, body: jsonBody(RenameClient) },
  responses: {
    200: jsonAnswer(PairedClient, "The client as it is now"),
    ...UNAUTHORISED,
    ...BODY_ERRORS,
    ...noSuchClient,
  },
});

const unpairClient = defineRoute({
  method: "delete",
  path: "/api/v1/clients/{fingerprint}",
  operationId: "unpairClient",
  tags: ["clients"],
  summary: "Unpair one Moonlight client and end its session",
  request: { params: parameters },
  responses: { 204: { description: "Unpaired" }, ...UNAUTHORISED, ...noSuchClient },
});

export function addClientRoutes(app: ApiApp, facade: HostFacade): void {
  app.openapi(listClients, async (context) => context.json(await facade.clients(), 200));
  app.openapi(
    unpairAllClients,
    async (context) => context.json({ unpaired: await facade.unpairAllClients() }, 200),
  );
  app.openapi(renameClient, async (context) => {
    const { fingerprint } = context.req.valid("param");
    const client = await facade.renameClient(fingerprint, context.req.valid("json").label);
    return context.json(client, 200);
  });
  app.openapi(unpairClient, async (context) => {
    await facade.unpairClient(context.req.valid("param").fingerprint);
    return context.body(null, 204);
  });
}

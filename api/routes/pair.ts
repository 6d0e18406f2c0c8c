/**
 * Moonlight handshakes that wait for their PIN.
 *
 * @module
 */
import type { ApiApp } from "../app.ts";
import { requireJson } from "../body.ts";
import type { HostFacade } from "../host_facade.ts";
import { PairStatus, SubmitPin } from "../schemas.ts";
import {
  BODY_ERRORS,
  defineRoute,
  errorAnswers,
  jsonAnswer,
  jsonBody,
  UNAUTHORISED,
} from "./route.ts";

const getPairStatus = defineRoute({
  method: "get",
  path: "/api/v1/pair",
  operationId: "getPairStatus",
  tags: ["pairing"],
  summary: "Handshakes that wait for a PIN",
  responses: { 200: jsonAnswer(PairStatus, "Every waiting handshake"), ...UNAUTHORISED },
});

const submitPin = defineRoute({
  method: "post",
  path: "/api/v1/pair/pin",
  operationId: "submitPin",
  tags: ["pairing"],
  summary: "Deliver the PIN that a Moonlight client shows",
  middleware: [requireJson] as const,
  request: { body: jsonBody(SubmitPin) },
  responses: {
    204: { description: "Delivered" },
    ...BODY_ERRORS,
    ...UNAUTHORISED,
    ...errorAnswers({ 409: "None waits, or several do and none was named" }),
  },
});

export function addPairRoutes(app: ApiApp, facade: HostFacade): void {
  app.openapi(getPairStatus, (context) => context.json(facade.pairStatus(), 200));
  app.openapi(submitPin, async (context) => {
    await facade.submitPin(context.req.valid("json"));
    return context.body(null, 204);
  });
}

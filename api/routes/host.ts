/**
 * What this host is and does.
 *
 * @module
 */
import { z } from "@hono/zod-openapi";
import type { ApiApp } from "../app.ts";
import type { HostFacade } from "../host_facade.ts";
import { Compositor, Health, HostInfo, RuntimeStatus } from "../schemas.ts";
import { defineRoute, jsonAnswer, UNAUTHORISED } from "./route.ts";

const getHealth = defineRoute({
  method: "get",
  path: "/api/v1/health",
  operationId: "getHealth",
  tags: ["host"],
  summary: "Whether the host is alive, and its version",
  responses: { 200: jsonAnswer(Health, "Alive") },
});

const getHost = defineRoute({
  method: "get",
  path: "/api/v1/host",
  operationId: "getHost",
  tags: ["host"],
  summary: "Identity, versions, codecs and ports",
  responses: { 200: jsonAnswer(HostInfo, "The host"), ...UNAUTHORISED },
});

const getStatus = defineRoute({
  method: "get",
  path: "/api/v1/status",
  operationId: "getStatus",
  tags: ["host"],
  summary: "What streams now, and to whom",
  responses: { 200: jsonAnswer(RuntimeStatus, "The live state"), ...UNAUTHORISED },
});

const listCompositors = defineRoute({
  method: "get",
  path: "/api/v1/compositors",
  operationId: "listCompositors",
  tags: ["display"],
  summary: "Display backends, and which of them could serve now",
  responses: { 200: jsonAnswer(z.array(Compositor), "Every backend"), ...UNAUTHORISED },
});

export function addHostRoutes(app: ApiApp, facade: HostFacade): void {
  app.openapi(getHealth, (context) => context.json(facade.health(), 200));
  app.openapi(getHost, async (context) => context.json(await facade.hostInfo(), 200));
  app.openapi(getStatus, (context) => context.json(facade.status(), 200));
  app.openapi(listCompositors, async (context) => context.json(await facade.compositors(), 200));
}

/**
 * What runs now.
 *
 * @module
 */
import type { ApiApp } from "../app.ts";
import type { HostFacade } from "../host_facade.ts";
import { defineRoute, errorAnswers, UNAUTHORISED } from "./route.ts";

const stopSessions = defineRoute({
  method: "delete",
  path: "/api/v1/session",
  operationId: "stopSessions",
  tags: ["session"],
  summary: "Stop every session",
  responses: { 204: { description: "None runs any more" }, ...UNAUTHORISED },
});

const requestIdr = defineRoute({
  method: "post",
  path: "/api/v1/session/idr",
  operationId: "requestIdr",
  tags: ["session"],
  summary: "Ask the encoder for a key frame",
  responses: {
    202: { description: "Asked for" },
    ...UNAUTHORISED,
    ...errorAnswers({ 409: "Nothing streams" }),
  },
});

export function addSessionRoutes(app: ApiApp, facade: HostFacade): void {
  app.openapi(stopSessions, async (context) => {
    await facade.stopSessions();
    return context.body(null, 204);
  });
  app.openapi(requestIdr, (context) => {
    facade.requestIdr();
    return context.body(null, 202);
  });
}

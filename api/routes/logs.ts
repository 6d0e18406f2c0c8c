/**
 * The host's newest log lines.
 *
 * @module
 */
import type { ApiApp } from "../app.ts";
import type { HostFacade } from "../host_facade.ts";
import { LogPage, LogQuery } from "../schemas.ts";
import { defineRoute, errorAnswers, jsonAnswer, UNAUTHORISED } from "./route.ts";

const PAGE_LINES = 200;

const getLogs = defineRoute({
  method: "get",
  path: "/api/v1/logs",
  operationId: "getLogs",
  tags: ["logs"],
  summary: "Log lines after a cursor, oldest first",
  request: { query: LogQuery },
  responses: {
    200: jsonAnswer(LogPage, "Read on with `next`; `dropped` says that lines were lost in between"),
    ...UNAUTHORISED,
    ...errorAnswers({ 400: "A query value is no number or out of range" }),
  },
});

export function addLogRoutes(app: ApiApp, facade: HostFacade): void {
  app.openapi(getLogs, (context) => {
    const { after = 0, limit = PAGE_LINES } = context.req.valid("query");
    return context.json(facade.logs(after, limit), 200);
  });
}

/**
 * What runs now.
 *
 * @module
 */
import { z } from "@hono/zod-openapi";
import type { ApiApp } from "../app.ts";
import { requireJson } from "../body.ts";
import type { HostFacade } from "../host_facade.ts";
import { SessionAccess, SessionId, SetSessionAccess, SetSessionAudio } from "../schemas.ts";
import {
  BODY_ERRORS,
  defineRoute,
  errorAnswers,
  jsonAnswer,
  jsonBody,
  UNAUTHORISED,
} from "./route.ts";

const sessionParameters = z.object({ id: SessionId });
const NO_SUCH_SESSION = errorAnswers({
  400: "The id is no number, or the request makes no sense",
  404: "No such session",
});
const NOT_NATIVE = errorAnswers({ 409: "It is a Moonlight session" });

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

const stopOne = defineRoute({
  method: "delete",
  path: "/api/v1/session/{id}",
  operationId: "stopSession",
  tags: ["session"],
  summary: "Stop one session",
  request: { params: sessionParameters },
  responses: { 204: { description: "It is over" }, ...UNAUTHORISED, ...NO_SUCH_SESSION },
});

const requestOneIdr = defineRoute({
  method: "post",
  path: "/api/v1/session/{id}/idr",
  operationId: "requestSessionIdr",
  tags: ["session"],
  summary: "Ask for a key frame on one session",
  request: { params: sessionParameters },
  responses: { 202: { description: "Asked for" }, ...UNAUTHORISED, ...NO_SUCH_SESSION },
});

const setAudio = defineRoute({
  method: "put",
  path: "/api/v1/session/{id}/audio",
  operationId: "setSessionAudio",
  tags: ["session"],
  summary: "Mute or unmute one session",
  middleware: [requireJson] as const,
  request: { params: sessionParameters, body: jsonBody(SetSessionAudio) },
  responses: {
    204: { description: "Done, and the client is told" },
    ...UNAUTHORISED,
    ...BODY_ERRORS,
    ...NO_SUCH_SESSION,
    ...NOT_NATIVE,
  },
});

const setAccess = defineRoute({
  method: "put",
  path: "/api/v1/session/{id}/access",
  operationId: "setSessionAccess",
  tags: ["session"],
  summary: "Change what a live session may do, within what its device may",
  middleware: [requireJson] as const,
  request: { params: sessionParameters, body: jsonBody(SetSessionAccess) },
  responses: {
    200: jsonAnswer(SessionAccess, "As it is now"),
    ...UNAUTHORISED,
    ...BODY_ERRORS,
    ...NO_SUCH_SESSION,
    ...NOT_NATIVE,
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
  app.openapi(stopOne, async (context) => {
    await facade.stopSession(context.req.valid("param").id);
    return context.body(null, 204);
  });
  app.openapi(requestOneIdr, (context) => {
    facade.requestSessionIdr(context.req.valid("param").id);
    return context.body(null, 202);
  });
  app.openapi(setAudio, (context) => {
    facade.muteSession(context.req.valid("param").id, context.req.valid("json").muted);
    return context.body(null, 204);
  });
  app.openapi(setAccess, (context) =>
    context.json(
      facade.setSessionAccess(context.req.valid("param").id, context.req.valid("json")),
      200,
    ));
}

/**
 * Native devices: the PIN window, the devices that knock, and those that are paired.
 *
 * @module
 */
import { z } from "@hono/zod-openapi";
import type { ApiApp } from "../app.ts";
import { requireJson } from "../body.ts";
import type { HostFacade } from "../host_facade.ts";
import {
  ApproveDevice,
  ArmNativePairing,
  ChangeNativeClient,
  NativeClient,
  NativePairStatus,
  PendingDevice,
  PendingId,
} from "../native_schemas.ts";
import { Fingerprint, Unpaired } from "../schemas.ts";
import {
  BODY_ERRORS,
  defineRoute,
  errorAnswers,
  jsonAnswer,
  jsonBody,
  UNAUTHORISED,
} from "./route.ts";

const tags = ["native"];
const clientParameters = z.object({ fingerprint: Fingerprint });
const pendingParameters = z.object({ id: PendingId });
const NOT_STORED = errorAnswers({ 500: "It could not be stored, and nothing has changed" });
const NO_SUCH_DEVICE = errorAnswers({
  400: "The fingerprint is not 64 hex digits, or the access makes no sense",
  404: "No such device",
});
const NOBODY_WAITS = errorAnswers({
  400: "The id is no number, or the access makes no sense",
  404: "No such device waits",
  409: "It is being decided already, or it knocks from the internet",
});

const getPairing = defineRoute({
  method: "get",
  path: "/api/v1/native/pair",
  operationId: "getNativePairing",
  tags,
  summary: "Whether a PIN window is open, and its PIN",
  responses: { 200: jsonAnswer(NativePairStatus, "The window"), ...UNAUTHORISED },
});

const armPairing = defineRoute({
  method: "post",
  path: "/api/v1/native/pair/arm",
  operationId: "armNativePairing",
  tags,
  summary: "Open a window for one guess at a new PIN",
  middleware: [requireJson] as const,
  request: { body: jsonBody(ArmNativePairing) },
  responses: {
    200: jsonAnswer(NativePairStatus, "The window with its PIN"),
    ...UNAUTHORISED,
    ...BODY_ERRORS,
  },
});

const disarmPairing = defineRoute({
  method: "delete",
  path: "/api/v1/native/pair",
  operationId: "disarmNativePairing",
  tags,
  summary: "Close the PIN window",
  responses: { 204: { description: "None is open any more" }, ...UNAUTHORISED },
});

const listClients = defineRoute({
  method: "get",
  path: "/api/v1/native/clients",
  operationId: "listNativeClients",
  tags,
  summary: "Paired native devices, expired ones too",
  responses: { 200: jsonAnswer(z.array(NativeClient), "Every paired device"), ...UNAUTHORISED },
});

const unpairAll = defineRoute({
  method: "delete",
  path: "/api/v1/native/clients",
  operationId: "unpairAllNativeClients",
  tags,
  summary: "Unpair every native device and end their sessions",
  responses: {
    200: jsonAnswer(Unpaired, "How many were unpaired"),
    ...UNAUTHORISED,
    ...NOT_STORED,
  },
});

const changeClient = defineRoute({
  method: "patch",
  path: "/api/v1/native/clients/{fingerprint}",
  operationId: "changeNativeClient",
  tags,
  summary: "Rename a native device or edit what it may do and until when; live sessions follow",
  middleware: [requireJson] as const,
  request: { params: clientParameters, body: jsonBody(ChangeNativeClient) },
  responses: {
    200: jsonAnswer(NativeClient, "The device as it is now"),
    ...UNAUTHORISED,
    ...BODY_ERRORS,
    ...NO_SUCH_DEVICE,
    ...NOT_STORED,
  },
});

const unpair = defineRoute({
  method: "delete",
  path: "/api/v1/native/clients/{fingerprint}",
  operationId: "unpairNativeClient",
  tags,
  summary: "Unpair one native device and end its sessions",
  request: { params: clientParameters },
  responses: {
    204: { description: "Unpaired" },
    ...UNAUTHORISED,
    ...NO_SUCH_DEVICE,
    ...NOT_STORED,
  },
});

const listPending = defineRoute({
  method: "get",
  path: "/api/v1/native/pending",
  operationId: "listPendingDevices",
  tags,
  summary: "Devices that knock and are not paired",
  responses: { 200: jsonAnswer(z.array(PendingDevice), "Every waiting device"), ...UNAUTHORISED },
});

const approve = defineRoute({
  method: "post",
  path: "/api/v1/native/pending/{id}/approve",
  operationId: "approvePendingDevice",
  tags,
  summary: "Pair a waiting device without a PIN; its connection goes on",
  middleware: [requireJson] as const,
  request: { params: pendingParameters, body: jsonBody(ApproveDevice) },
  responses: {
    200: jsonAnswer(NativeClient, "The device as it is paired"),
    ...UNAUTHORISED,
    ...BODY_ERRORS,
    ...NOBODY_WAITS,
    ...NOT_STORED,
  },
});

const deny = defineRoute({
  method: "post",
  path: "/api/v1/native/pending/{id}/deny",
  operationId: "denyPendingDevice",
  tags,
  summary: "Refuse a waiting device this once",
  request: { params: pendingParameters },
  responses: { 204: { description: "Refused" }, ...UNAUTHORISED, ...NOBODY_WAITS },
});

export function addNativeRoutes(app: ApiApp, facade: HostFacade): void {
  addPairingRoutes(app, facade);
  addDeviceRoutes(app, facade);
  addPendingRoutes(app, facade);
}

function addPairingRoutes(app: ApiApp, facade: HostFacade): void {
  app.openapi(getPairing, (context) => context.json(facade.native.pairStatus(), 200));
  app.openapi(
    armPairing,
    (context) => context.json(facade.native.arm(context.req.valid("json")), 200),
  );
  app.openapi(disarmPairing, (context) => {
    facade.native.disarm();
    return context.body(null, 204);
  });
}

function addDeviceRoutes(app: ApiApp, facade: HostFacade): void {
  app.openapi(listClients, (context) => context.json(facade.native.clients(), 200));
  app.openapi(
    unpairAll,
    async (context) => context.json({ unpaired: await facade.native.unpairAll() }, 200),
  );
  app.openapi(changeClient, async (context) => {
    const { fingerprint } = context.req.valid("param");
    const client = await facade.native.changeClient(fingerprint, context.req.valid("json"));
    return context.json(client, 200);
  });
  app.openapi(unpair, async (context) => {
    await facade.native.unpair(context.req.valid("param").fingerprint);
    return context.body(null, 204);
  });
}

function addPendingRoutes(app: ApiApp, facade: HostFacade): void {
  app.openapi(listPending, (context) => context.json(facade.native.pending(), 200));
  app.openapi(approve, async (context) => {
    const { id } = context.req.valid("param");
    return context.json(await facade.native.approve(id, context.req.valid("json")), 200);
  });
  app.openapi(deny, (context) => {
    facade.native.deny(context.req.valid("param").id);
    return context.body(null, 204);
  });
}

/**
 * Sway's IPC, which is i3's: one message, either way.
 *
 *     offset  size  field
 *     0       6     magic "i3-ipc"
 *     6       4     size of the payload in bytes   machine's byte order
 *     10      4     type                           machine's byte order
 *     14      …     payload: a command's text, or JSON in every reply
 *
 * The types used: 0 RUN_COMMAND, 3 GET_OUTPUTS, 7 GET_VERSION. A reply has its request's type. Every machine that this
 * program runs on is little-endian.
 *
 * @module
 */
import { concatBytes, viewOf } from "../lib/bytes.ts";
import { ProtocolError } from "../lib/errors.ts";

export const IPC_HEADER_SIZE_BYTES = 14;

/** Sixteen outputs with hundreds of modes are 100 KB; a command reply is far smaller. */
export const IPC_PAYLOAD_SIZE_BYTES_MAX = 4 * 1024 * 1024;

const MAGIC = new TextEncoder().encode("i3-ipc");

export const IPC_RUN_COMMAND = 0;
export const IPC_GET_OUTPUTS = 3;
export const IPC_GET_VERSION = 7;

export type IpcRequestType =
  | typeof IPC_RUN_COMMAND
  | typeof IPC_GET_OUTPUTS
  | typeof IPC_GET_VERSION;

export interface IpcHeader {
  readonly type: number;
  readonly payloadSizeBytes: number;
}

/** One output, as far as anyone here asks. Rectangles are in the layout's logical pixels. */
export interface SwayOutput {
  readonly name: string;
  readonly isActive: boolean;
  readonly isFocused: boolean;
  readonly x: number;
  readonly y: number;
  readonly widthLogical: number;
  readonly heightLogical: number;
  /** Physical pixels to one logical; 1 while the output is off. */
  readonly scale: number;
  /** Maker, model and serial number as the screen tells them, at most 100 characters; "" when it tells none. */
  readonly description: string;
  /** Undefined while the output is off. A fresh one may have a refresh of 0. */
  readonly mode:
    | {
      readonly widthPixels: number;
      readonly heightPixels: number;
      readonly refreshMilliHz: number;
    }
    | undefined;
}

export interface SwayVersion {
  readonly major: number;
  readonly minor: number;
  /** For people, e.g. "1.7-6". */
  readonly text: string;
}

/** What became of one command of a RUN_COMMAND. */
export interface SwayCommandResult {
  readonly isDone: boolean;
  /** Sway's own words when it is not. */
  readonly error: string | undefined;
}

/** One whole message. */
export function encodeIpcMessage(type: IpcRequestType, payload: string): Uint8Array<ArrayBuffer> {
  const body = new TextEncoder().encode(payload);
  const header = new Uint8Array(IPC_HEADER_SIZE_BYTES);
  header.set(MAGIC);
  const view = viewOf(header);
  view.setUint32(6, body.byteLength, true);
  view.setUint32(10, type, true);
  return concatBytes(header, body);
}

/** Decode a header: exactly its 14 bytes. */
export function decodeIpcHeader(bytes: Uint8Array): IpcHeader {
  if (bytes.byteLength !== IPC_HEADER_SIZE_BYTES) {
    throw new ProtocolError(
      bytes.byteLength < IPC_HEADER_SIZE_BYTES ? "short" : "trailing",
      `Cannot decode IPC header: expected ${IPC_HEADER_SIZE_BYTES} bytes, got ${bytes.byteLength}`,
    );
  }
  if (MAGIC.some((byte, index) => bytes[index] !== byte)) {
    throw new ProtocolError("malformed", "Cannot decode IPC header: the magic is wrong");
  }
  const view = viewOf(bytes);
  const payloadSizeBytes = view.getUint32(6, true);
  if (payloadSizeBytes > IPC_PAYLOAD_SIZE_BYTES_MAX) {
    throw new ProtocolError(
      "limit",
      `Cannot decode IPC header: payload of ${payloadSizeBytes} bytes, allowed are ${IPC_PAYLOAD_SIZE_BYTES_MAX}`,
    );
  }
  return { type: view.getUint32(10, true), payloadSizeBytes };
}

/** Decode the payload of a GET_OUTPUTS reply. */
export function decodeOutputs(payload: Uint8Array): SwayOutput[] {
  return arrayOf(parseJson(payload), "outputs").map((value) => {
    const output = recordOf(value, "output");
    const rect = recordOf(output["rect"], "rect");
    const name = output["name"];
    if (typeof name !== "string" || name === "") throw malformed("name");
    return {
      name,
      isActive: output["active"] === true,
      isFocused: output["focused"] === true,
      x: integerOf(rect["x"], "x"),
      y: integerOf(rect["y"], "y"),
      widthLogical: integerOf(rect["width"], "width"),
      heightLogical: integerOf(rect["height"], "height"),
      scale: decodeScale(output["scale"]),
      description: describeScreen(output),
      mode: decodeMode(output["current_mode"]),
    };
  });
}

/** Sway leaves it out, or has -1, where there is nothing to scale. */
function decodeScale(value: unknown): number {
  return typeof value === "number" && value > 0 ? value : 1;
}

/** Printed on terminals: what a screen says of itself is kept to what can be seen. */
function describeScreen(output: Readonly<Record<string, unknown>>): string {
  return ["make", "model", "serial"].map((key) => output[key])
    .filter((part) => typeof part === "string" && part !== "" && part !== "Unknown")
    .join(" ").replace(/\p{C}/gu, "").slice(0, 100);
}

function decodeMode(value: unknown): SwayOutput["mode"] {
  if (value === undefined || value === null) return undefined;
  const mode = recordOf(value, "current_mode");
  return {
    widthPixels: integerOf(mode["width"], "width"),
    heightPixels: integerOf(mode["height"], "height"),
    refreshMilliHz: integerOf(mode["refresh"], "refresh"),
  };
}

/** Decode the payload of a RUN_COMMAND reply: one result for each command in the text. */
export function decodeCommandResults(payload: Uint8Array): SwayCommandResult[] {
  return arrayOf(parseJson(payload), "results").map((value) => {
    const result = recordOf(value, "result");
    if (typeof result["success"] !== "boolean") throw malformed("success");
    const error = result["error"];
    return {
      isDone: result["success"],
      error: typeof error === "string" ? error.slice(0, 200) : undefined,
    };
  });
}

/** Decode the payload of a GET_VERSION reply. */
export function decodeVersion(payload: Uint8Array): SwayVersion {
  const version = recordOf(parseJson(payload), "version");
  const text = version["human_readable"];
  if (typeof text !== "string") throw malformed("human_readable");
  return {
    major: integerOf(version["major"], "major"),
    minor: integerOf(version["minor"], "minor"),
    text: text.slice(0, 100),
  };
}

function parseJson(payload: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
  } catch {
    throw new ProtocolError("malformed", "Cannot decode IPC reply: it is not JSON");
  }
}

function recordOf(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw malformed(what);
  return value as Record<string, unknown>;
}

function arrayOf(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw malformed(what);
  return value;
}

function integerOf(value: unknown, what: string): number {
  if (!Number.isSafeInteger(value)) throw malformed(what);
  return value as number;
}

function malformed(what: string): ProtocolError {
  return new ProtocolError("malformed", `Cannot decode IPC reply: "${what}" is missing or unfit`);
}

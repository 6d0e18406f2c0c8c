/**
 * Control messages from client to host (GameStream specification 5.9). Payloads are little-endian, but for the FEC status.
 *
 *     0x0302  request-idr             2 zeros
 *     0x0307  start-b                 1 zero
 *     0x0301  invalidate-references   u64 first, u64 last, u64 0
 *     0x0350  acknowledge-reference   u32 frame, u32 0
 *     0x0200  ping                    u16 4, u32 0, 2 undefined
 *     0x0206  input                   see input.ts
 *     0x5502  frame-fec-status        u32 frame, u16×7 counts, u8×3, big-endian
 *
 * @module
 */
import { viewOf } from "../../lib/bytes.ts";
import { ProtocolError } from "../../lib/errors.ts";
import type { InputEvent } from "../input_event.ts";
import { decodeMessage, encodeMessage, payloadOf, requireSize } from "./control_message_frame.ts";

/** Frames are counted as the packetiser counts them. Both ends belong to the range. */
export interface InvalidateReferences {
  readonly type: "invalidate-references";
  readonly firstFrame: number;
  readonly lastFrame: number;
}

/** What became of a frame that did not arrive whole. */
export interface FrameFecStatus {
  readonly type: "frame-fec-status";
  readonly frameIndex: number;
  readonly highestSequence: number;
  readonly nextSequence: number;
  readonly missingCount: number;
  readonly dataCount: number;
  readonly parityCount: number;
  readonly receivedDataCount: number;
  readonly receivedParityCount: number;
  readonly fecPercent: number;
  readonly blockIndex: number;
  readonly blockCount: number;
}

type PlainClientMessage =
  /** The first one is "start A". */
  | { readonly type: "request-idr" }
  | { readonly type: "start-b" }
  | InvalidateReferences
  | { readonly type: "acknowledge-reference"; readonly frame: number }
  | { readonly type: "ping" }
  | FrameFecStatus
  /** To be ignored. */
  | { readonly type: "unknown"; readonly code: number };

/** A client's message as it is on the wire; `packet` is for `decodeInput`. */
export type ClientControlPacket =
  | PlainClientMessage
  | { readonly type: "input"; readonly packet: Uint8Array };

/** A client's message as the stream gets it. */
export type ClientControlMessage =
  | PlainClientMessage
  | { readonly type: "input"; readonly events: readonly InputEvent[] };

const CLIENT_TYPES = {
  "request-idr": 0x0302,
  "start-b": 0x0307,
  "invalidate-references": 0x0301,
  "acknowledge-reference": 0x0350,
  "ping": 0x0200,
  "input": 0x0206,
  "frame-fec-status": 0x5502,
} as const;

/** Decode a message from a client. An unknown type is a message of its own. */
export function decodeClientControl(bytes: Uint8Array): ClientControlPacket {
  const { type, payload } = decodeMessage(bytes);
  const view = viewOf(payload);
  switch (type) {
    case CLIENT_TYPES["request-idr"]:
      requireSize(payload, 2, "request-idr");
      return { type: "request-idr" };
    case CLIENT_TYPES["start-b"]:
      requireSize(payload, 1, "start-b");
      return { type: "start-b" };
    case CLIENT_TYPES["invalidate-references"]:
      requireSize(payload, 24, "invalidate-references");
      return decodeInvalidation(view);
    case CLIENT_TYPES["acknowledge-reference"]:
      requireSize(payload, 8, "acknowledge-reference");
      return { type: "acknowledge-reference", frame: view.getUint32(0, true) };
    case CLIENT_TYPES.ping:
      requireSize(payload, 8, "ping");
      return { type: "ping" };
    case CLIENT_TYPES.input:
      return { type: "input", packet: payload };
    case CLIENT_TYPES["frame-fec-status"]:
      requireSize(payload, 21, "frame-fec-status");
      return decodeFecStatus(view);
    default:
      return { type: "unknown", code: type };
  }
}

/** Encode a client's message, as stock clients write it. */
export function encodeClientControl(message: ClientControlPacket): Uint8Array {
  switch (message.type) {
    case "request-idr":
      return encodeMessage(CLIENT_TYPES["request-idr"], new Uint8Array(2));
    case "start-b":
      return encodeMessage(CLIENT_TYPES["start-b"], new Uint8Array(1));
    case "invalidate-references":
      return encodeMessage(
        CLIENT_TYPES["invalidate-references"],
        payloadOf(24, (view) => {
          view.setUint32(0, message.firstFrame, true);
          view.setUint32(8, message.lastFrame, true);
        }),
      );
    case "acknowledge-reference":
      return encodeMessage(
        CLIENT_TYPES["acknowledge-reference"],
        payloadOf(8, (view) => view.setUint32(0, message.frame, true)),
      );
    case "ping":
      return encodeMessage(CLIENT_TYPES.ping, payloadOf(8, (view) => view.setUint16(0, 4, true)));
    case "input":
      return encodeMessage(CLIENT_TYPES.input, message.packet);
    case "frame-fec-status":
      return encodeMessage(CLIENT_TYPES["frame-fec-status"], encodeFecStatus(message));
    case "unknown":
      return encodeMessage(message.code, new Uint8Array(0));
  }
}

function decodeInvalidation(view: DataView): InvalidateReferences {
  const firstFrame = view.getUint32(0, true);
  const lastFrame = view.getUint32(8, true);
  if (view.getUint32(4, true) !== 0 || view.getUint32(12, true) !== 0 || firstFrame > lastFrame) {
    throw new ProtocolError("malformed", "Cannot decode invalidate-references: no such range");
  }
  return { type: "invalidate-references", firstFrame, lastFrame };
}

function decodeFecStatus(view: DataView): FrameFecStatus {
  return {
    type: "frame-fec-status",
    frameIndex: view.getUint32(0),
    highestSequence: view.getUint16(4),
    nextSequence: view.getUint16(6),
    missingCount: view.getUint16(8),
    dataCount: view.getUint16(10),
    parityCount: view.getUint16(12),
    receivedDataCount: view.getUint16(14),
    receivedParityCount: view.getUint16(16),
    fecPercent: view.getUint8(18),
    blockIndex: view.getUint8(19),
    blockCount: view.getUint8(20),
  };
}

function encodeFecStatus(status: FrameFecStatus): Uint8Array {
  return payloadOf(21, (view) => {
    view.setUint32(0, status.frameIndex);
    view.setUint16(4, status.highestSequence);
    view.setUint16(6, status.nextSequence);
    view.setUint16(8, status.missingCount);
    view.setUint16(10, status.dataCount);
    view.setUint16(12, status.parityCount);
    view.setUint16(14, status.receivedDataCount);
    view.setUint16(16, status.receivedParityCount);
    view.setUint8(18, status.fecPercent);
    view.setUint8(19, status.blockIndex);
    view.setUint8(20, status.blockCount);
  });
}

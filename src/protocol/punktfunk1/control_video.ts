/**
 * Control messages about the picture and its rate (punktfunk/1 specification 6). Behind the type, little-endian:
 *
 *     01  reconfigure        u32 width, u32 height, u32 Hz
 *     02  reconfigured       u8 accepted, u32 width, u32 height, u32 Hz
 *     03  request-keyframe
 *     04  loss-report        u32 ppm
 *     05  set-bitrate        u32 kbit/s
 *     06  bitrate-changed    u32 kbit/s, maybe u8 reason
 *     07  rfi-request        u32 first, u32 last
 *     0A  pipeline-gap       u32 ms
 *
 * @module
 */
import { viewOf } from "../../lib/bytes.ts";
import { streamMode } from "./enums.ts";
import { choice, flag, structOf, u32 } from "./fields.ts";
import { fixedMessage, variableMessage } from "./message_codec.ts";

export const BITRATE_REASONS = {
  "granted": 0,
  "encoder-limit": 1,
  /** Encoding does not keep up with the frames. */
  "encoder-behind": 2,
  "shared-path": 3,
  "pinned": 4,
} as const;
const bitrateReason = choice(BITRATE_REASONS, undefined);
export type BitrateReason = keyof typeof BITRATE_REASONS;

export interface BitrateChanged {
  readonly kbps: number;
  /** Only toward a client that reads it (StartExtensions.readsBitrateReason); unknown ones are none. */
  readonly reason: BitrateReason | undefined;
}

const plainRate = structOf({ kbps: u32 });
const reasonedRate = structOf({ kbps: u32, reason: bitrateReason });

export const VIDEO_MESSAGES = {
  "reconfigure": fixedMessage(0x01, { mode: streamMode }),
  "reconfigured": fixedMessage(0x02, { isAccepted: flag, mode: streamMode }),
  "request-keyframe": fixedMessage(0x03, {}),
  "loss-report": fixedMessage(0x04, { lossPpm: u32 }),
  "set-bitrate": fixedMessage(0x05, {
    /** 0 is the host's default. */
    kbps: u32,
  }),
  "bitrate-changed": variableMessage<BitrateChanged>(0x06, {
    decode: decodeBitrateChanged,
    encode: encodeBitrateChanged,
  }),
  "rfi-request": fixedMessage(0x07, {
    /** Indices of lost frames, both included; they wrap. */
    firstFrame: u32,
    lastFrame: u32,
  }),
  "pipeline-gap": fixedMessage(0x0a, {
    /** No frames for about this long. */
    gapMs: u32,
  }),
};

function decodeBitrateChanged(bytes: Uint8Array): BitrateChanged | undefined {
  const view = viewOf(bytes);
  switch (bytes.byteLength) {
    case plainRate.sizeBytes:
      return { ...plainRate.read(view, 0), reason: undefined };
    case reasonedRate.sizeBytes:
      return reasonedRate.read(view, 0);
    default:
      return undefined;
  }
}

function encodeBitrateChanged(body: BitrateChanged): Uint8Array {
  const field = body.reason === undefined ? plainRate : reasonedRate;
  const bytes = new Uint8Array(field.sizeBytes);
  field.write(viewOf(bytes), 0, body);
  return bytes;
}

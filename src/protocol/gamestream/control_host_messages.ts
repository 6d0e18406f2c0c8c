/**
 * Control messages from host to client (GameStream specification 5.10). Payloads are little-endian, but for the reason.
 *
 *     0x010b  rumble              u32 0, u16 pad, u16 low, u16 high
 *     0x5500  trigger-rumble      u16 pad, u16 left, u16 right
 *     0x5501  motion-rate         u16 pad, u16 Hz, u8 sensor: 1 accelerometer, 2 gyroscope
 *     0x5502  led                 u16 pad, u8 red, u8 green, u8 blue
 *     0x5503  adaptive-triggers   u16 pad, u8 flags, u8 left type, u8 right type, u8×10 left, u8×10 right
 *     0x010e  hdr-mode            u8 on, then nothing or 13 u16: red, green, blue, white x and y; five luminances
 *     0x0109  termination         u32 reason, big-endian
 *
 * @module
 */
import { concatBytes, viewOf } from "../../lib/bytes.ts";
import { ProtocolError } from "../../lib/errors.ts";
import type { PadFeedback } from "../input_event.ts";
import { decodeMessage, encodeMessage, payloadOf, requireSize } from "./control_message_frame.ts";

/** Mastering metadata of an HDR picture. Chromaticities are x, y times 50 000. */
export interface HdrMetadata {
  readonly red: readonly [x: number, y: number];
  readonly green: readonly [x: number, y: number];
  readonly blue: readonly [x: number, y: number];
  readonly white: readonly [x: number, y: number];
  readonly maxDisplayNits: number;
  /** In units of 1/10 000 nit. */
  readonly minDisplayNits10000: number;
  readonly maxContentNits: number;
  readonly maxFrameAverageNits: number;
  readonly maxFullFrameNits: number;
}

/** Feedback that this protocol can carry. */
export type CarriedFeedback = Exclude<PadFeedback, { kind: "player-leds" | "microphone-led" }>;

export type HostControlMessage =
  | { readonly type: "pad-feedback"; readonly feedback: CarriedFeedback }
  | {
    readonly type: "hdr-mode";
    readonly isEnabled: boolean;
    readonly metadata: HdrMetadata | undefined;
  }
  /** `reason` is shown to the user unless it is a known one, e.g. 0x80030023 for a graceful end. */
  | { readonly type: "termination"; readonly reason: number };

const HOST_TYPES = {
  "rumble": 0x010b,
  "trigger-rumble": 0x5500,
  "motion-rate": 0x5501,
  "led": 0x5502,
  "adaptive-triggers": 0x5503,
  "hdr-mode": 0x010e,
  "termination": 0x0109,
} as const;

const TRIGGER_EFFECT_BYTES = 10;
const SENSORS = ["accelerometer", "gyroscope"] as const;

/** Decode a message from a host, as a client reads it. Undefined for an unknown type, which is to be ignored. */
export function decodeHostControl(bytes: Uint8Array): HostControlMessage | undefined {
  const { type, payload } = decodeMessage(bytes);
  const view = viewOf(payload);
  switch (type) {
    case HOST_TYPES["hdr-mode"]:
      return decodeHdrMode(payload);
    case HOST_TYPES.termination:
      requireSize(payload, 4, "termination");
      return { type: "termination", reason: view.getUint32(0) };
    default: {
      const feedback = decodeFeedback(type, payload);
      return feedback === undefined ? undefined : { type: "pad-feedback", feedback };
    }
  }
}

/** Encode a host's message. Throws RangeError when trigger effects are not ten bytes each. */
export function encodeHostControl(message: HostControlMessage): Uint8Array {
  switch (message.type) {
    case "pad-feedback":
      return encodeMessage(HOST_TYPES[message.feedback.kind], encodeFeedback(message.feedback));
    case "hdr-mode":
      return encodeMessage(HOST_TYPES["hdr-mode"], encodeHdrMode(message));
    case "termination":
      return encodeMessage(
        HOST_TYPES.termination,
        payloadOf(4, (view) => view.setUint32(0, message.reason)),
      );
  }
}

function decodeFeedback(type: number, payload: Uint8Array): CarriedFeedback | undefined {
  const view = viewOf(payload);
  const u16 = (offset: number) => view.getUint16(offset, true);
  switch (type) {
    case HOST_TYPES.rumble:
      requireSize(payload, 10, "rumble");
      return { kind: "rumble", pad: u16(4), low: u16(6), high: u16(8) };
    case HOST_TYPES["trigger-rumble"]:
      requireSize(payload, 6, "trigger-rumble");
      return { kind: "trigger-rumble", pad: u16(0), left: u16(2), right: u16(4) };
    case HOST_TYPES["motion-rate"]: {
      requireSize(payload, 5, "motion-rate");
      const sensor = SENSORS[view.getUint8(4) - 1];
      if (sensor === undefined) {
        throw new ProtocolError("malformed", "Cannot decode motion-rate: no such sensor");
      }
      return { kind: "motion-rate", pad: u16(0), sensor, rateHz: u16(2) };
    }
    case HOST_TYPES.led: {
      requireSize(payload, 5, "led");
      const [red = 0, green = 0, blue = 0] = payload.subarray(2);
      return { kind: "led", pad: u16(0), red, green, blue };
    }
    case HOST_TYPES["adaptive-triggers"]:
      requireSize(payload, 5 + 2 * TRIGGER_EFFECT_BYTES, "adaptive-triggers");
      return {
        kind: "adaptive-triggers",
        pad: u16(0),
        flags: view.getUint8(2),
        leftType: view.getUint8(3),
        rightType: view.getUint8(4),
        left: payload.slice(5, 5 + TRIGGER_EFFECT_BYTES),
        right: payload.slice(5 + TRIGGER_EFFECT_BYTES),
      };
    default:
      return undefined;
  }
}

function encodeFeedback(feedback: CarriedFeedback): Uint8Array {
  switch (feedback.kind) {
    case "rumble":
      return payloadOf(10, (view) => {
        view.setUint16(4, feedback.pad, true);
        view.setUint16(6, feedback.low, true);
        view.setUint16(8, feedback.high, true);
      });
    case "trigger-rumble":
      return payloadOf(6, (view) => {
        view.setUint16(0, feedback.pad, true);
        view.setUint16(2, feedback.left, true);
        view.setUint16(4, feedback.right, true);
      });
    case "motion-rate":
      return payloadOf(5, (view) => {
        view.setUint16(0, feedback.pad, true);
        view.setUint16(2, feedback.rateHz, true);
        view.setUint8(4, SENSORS.indexOf(feedback.sensor) + 1);
      });
    case "led":
      return payloadOf(5, (view) => {
        view.setUint16(0, feedback.pad, true);
        view.setUint8(2, feedback.red);
        view.setUint8(3, feedback.green);
        view.setUint8(4, feedback.blue);
      });
    case "adaptive-triggers":
      return encodeAdaptiveTriggers(feedback);
  }
}

function encodeAdaptiveTriggers(
  feedback: Extract<PadFeedback, { kind: "adaptive-triggers" }>,
): Uint8Array {
  const { left, right } = feedback;
  if (left.byteLength !== TRIGGER_EFFECT_BYTES || right.byteLength !== TRIGGER_EFFECT_BYTES) {
    throw new RangeError(
      `Cannot encode trigger effects of ${left.byteLength} and ${right.byteLength} bytes`,
    );
  }
  const head = payloadOf(5, (view) => {
    view.setUint16(0, feedback.pad, true);
    view.setUint8(2, feedback.flags);
    view.setUint8(3, feedback.leftType);
    view.setUint8(4, feedback.rightType);
  });
  return concatBytes(head, left, right);
}

function decodeHdrMode(payload: Uint8Array): HostControlMessage {
  if (payload.byteLength !== 1) requireSize(payload, 27, "hdr-mode");
  const view = viewOf(payload);
  const isEnabled = view.getUint8(0) !== 0;
  if (payload.byteLength === 1) return { type: "hdr-mode", isEnabled, metadata: undefined };
  const u16 = (index: number) => view.getUint16(1 + 2 * index, true);
  return {
    type: "hdr-mode",
    isEnabled,
    metadata: {
      red: [u16(0), u16(1)],
      green: [u16(2), u16(3)],
      blue: [u16(4), u16(5)],
      white: [u16(6), u16(7)],
      maxDisplayNits: u16(8),
      minDisplayNits10000: u16(9),
      maxContentNits: u16(10),
      maxFrameAverageNits: u16(11),
      maxFullFrameNits: u16(12),
    },
  };
}

function encodeHdrMode(message: Extract<HostControlMessage, { type: "hdr-mode" }>): Uint8Array {
  const { isEnabled, metadata } = message;
  if (metadata === undefined) return new Uint8Array([isEnabled ? 1 : 0]);
  const numbers = [
    ...metadata.red,
    ...metadata.green,
    ...metadata.blue,
    ...metadata.white,
    metadata.maxDisplayNits,
    metadata.minDisplayNits10000,
    metadata.maxContentNits,
    metadata.maxFrameAverageNits,
    metadata.maxFullFrameNits,
  ];
  return payloadOf(27, (view) => {
    view.setUint8(0, isEnabled ? 1 : 0);
    for (const [index, number] of numbers.entries()) view.setUint16(1 + 2 * index, number, true);
  });
}

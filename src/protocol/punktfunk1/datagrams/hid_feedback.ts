/**
 * What games do to a pad besides rumble, datagram cd (specification 7.7). Little-endian; offset 1 is the kind.
 *
 *     1 LED              2 player LEDs      3 trigger effect        4 trackpad haptic
 *     2  1  pad          2  1  pad          2  1     pad            2  1  pad
 *     3  3  r, g, b      3  1  bits         3  1     0 L2, 1 R2     3  1  side
 *                                           4  1…11  mode and       4  6  amplitude, period,
 *                                                    parameters           count: u16 each
 *
 *     5 raw report       6 audio control    7 microphone LED
 *     2  1  pad          2  2  pad          2  1  pad
 *     3  1  0 output,    4  1  flags        3  1  mode: 0 off, 1 on, 2 pulse
 *           1 feature    5  6  raw
 *     4  n  report, at
 *           most 64
 *
 * @module
 */
import type { MicrophoneLedMode, PadFeedback } from "../../input_event.ts";
import { openDatagram, PAD_COUNT_MAX, startDatagram } from "./tags.ts";

export type HidFeedback =
  | {
    readonly kind: "led";
    readonly pad: number;
    readonly red: number;
    readonly green: number;
    readonly blue: number;
  }
  | { readonly kind: "player-leds"; readonly pad: number; readonly bits: number }
  | {
    readonly kind: "trigger";
    readonly pad: number;
    readonly trigger: "left" | "right";
    /** 1…11 bytes as a DualSense takes them: the mode, then parameters. */
    readonly effect: Uint8Array;
  }
  | {
    readonly kind: "trackpad-haptic";
    readonly pad: number;
    readonly side: number;
    readonly amplitude: number;
    readonly period: number;
    readonly count: number;
  }
  | {
    readonly kind: "report";
    readonly pad: number;
    readonly reportKind: "output" | "feature";
    /** At most 64 bytes. */
    readonly report: Uint8Array;
  }
  | {
    readonly kind: "audio-control";
    readonly pad: number;
    readonly flags: number;
    /** Six bytes. */
    readonly raw: Uint8Array;
  }
  | { readonly kind: "microphone-led"; readonly pad: number; readonly mode: MicrophoneLedMode };

type HidFeedbackOf<Kind extends HidFeedback["kind"]> = Extract<HidFeedback, { kind: Kind }>;

const KINDS = {
  "led": 1,
  "player-leds": 2,
  "trigger": 3,
  "trackpad-haptic": 4,
  "report": 5,
  "audio-control": 6,
  "microphone-led": 7,
} as const;

const TRIGGERS = ["left", "right"] as const;
const REPORT_KINDS = ["output", "feature"] as const;
const MICROPHONE_LED_MODES: readonly MicrophoneLedMode[] = ["off", "on", "pulse"];
const EFFECT_BYTES_MAX = 11;
const REPORT_BYTES_MAX = 64;
const AUDIO_CONTROL_BYTES = 6;
const HEADER_BYTES = 4;

/** Undefined for what is short, unknown or against a rule: it is to be dropped. Its byte arrays are views. */
export function decodeHidFeedback(bytes: Uint8Array): HidFeedback | undefined {
  const view = openDatagram(bytes, "hid-feedback", HEADER_BYTES);
  if (view === undefined) return undefined;
  const kind = view.getUint8(1);
  const pad = kind === KINDS["audio-control"] ? view.getUint16(2, true) : view.getUint8(2);
  if (pad >= PAD_COUNT_MAX) return undefined;
  switch (kind) {
    case KINDS.led: {
      if (bytes.byteLength < 6) return undefined;
      const [red = 0, green = 0, blue = 0] = bytes.subarray(3, 6);
      return { kind: "led", pad, red, green, blue };
    }
    case KINDS["player-leds"]:
      return { kind: "player-leds", pad, bits: view.getUint8(3) };
    case KINDS.trigger:
      return decodeTrigger(bytes, pad);
    case KINDS["trackpad-haptic"]:
      if (bytes.byteLength < 10) return undefined;
      return {
        kind: "trackpad-haptic",
        pad,
        side: view.getUint8(3),
        amplitude: view.getUint16(4, true),
        period: view.getUint16(6, true),
        count: view.getUint16(8, true),
      };
    case KINDS.report:
      return decodeReport(bytes, pad);
    case KINDS["audio-control"]:
      if (bytes.byteLength < 5 + AUDIO_CONTROL_BYTES) return undefined;
      return {
        kind: "audio-control",
        pad,
        flags: view.getUint8(4),
        raw: bytes.subarray(5, 5 + AUDIO_CONTROL_BYTES),
      };
    case KINDS["microphone-led"]: {
      const mode = MICROPHONE_LED_MODES[view.getUint8(3)];
      return mode && { kind: "microphone-led", pad, mode };
    }
    default:
      return undefined;
  }
}

/** Throws RangeError for an effect, a report or raw bytes of a size that cannot be. */
export function encodeHidFeedback(feedback: HidFeedback): Uint8Array<ArrayBuffer> {
  switch (feedback.kind) {
    case "led":
      return encodeBody(feedback, [feedback.red, feedback.green, feedback.blue]);
    case "player-leds":
      return encodeBody(feedback, [feedback.bits]);
    case "trigger": {
      const { effect, trigger } = feedback;
      requireSize(effect, 1, EFFECT_BYTES_MAX);
      return encodeBody(feedback, [TRIGGERS.indexOf(trigger), ...effect]);
    }
    case "trackpad-haptic": {
      const { amplitude, period, count } = feedback;
      const numbers = [amplitude, period, count].flatMap((value) => [value & 0xff, value >> 8]);
      return encodeBody(feedback, [feedback.side, ...numbers]);
    }
    case "report": {
      const { report, reportKind } = feedback;
      requireSize(report, 0, REPORT_BYTES_MAX);
      return encodeBody(feedback, [REPORT_KINDS.indexOf(reportKind), ...report]);
    }
    case "audio-control":
      requireSize(feedback.raw, AUDIO_CONTROL_BYTES, AUDIO_CONTROL_BYTES);
      // The high byte of the pad's number comes first.
      return encodeBody(feedback, [0, feedback.flags, ...feedback.raw]);
    case "microphone-led":
      return encodeBody(feedback, [MICROPHONE_LED_MODES.indexOf(feedback.mode)]);
  }
}

/** The datagrams of what a game did; none for what another datagram carries, or none at all. */
export function hidFeedbackOf(feedback: PadFeedback): readonly HidFeedback[] {
  switch (feedback.kind) {
    case "led":
    case "player-leds":
    case "microphone-led":
      return [feedback];
    case "adaptive-triggers":
      return triggersOf(feedback);
    case "rumble":
    case "trigger-rumble":
    case "motion-rate":
      return [];
  }
}

/** What a datagram means in the common model, where that has a word for it. */
export function padFeedbackOf(feedback: HidFeedback): PadFeedback | undefined {
  switch (feedback.kind) {
    case "led":
    case "player-leds":
    case "microphone-led":
      return feedback;
    case "trigger":
      return adaptiveTriggerOf(feedback);
    default:
      return undefined;
  }
}

type AdaptiveTriggers = Extract<PadFeedback, { kind: "adaptive-triggers" }>;

const FLAG_RIGHT_TRIGGER = 0x04;
const FLAG_LEFT_TRIGGER = 0x08;
const EFFECT_PARAMETER_BYTES = 10;

function triggersOf(feedback: AdaptiveTriggers): HidFeedback[] {
  const { pad, flags, leftType, rightType, left, right } = feedback;
  const triggers: HidFeedback[] = [];
  const add = (trigger: "left" | "right", type: number, parameters: Uint8Array) =>
    triggers.push({ kind: "trigger", pad, trigger, effect: new Uint8Array([type, ...parameters]) });
  if ((flags & FLAG_LEFT_TRIGGER) !== 0) add("left", leftType, left);
  if ((flags & FLAG_RIGHT_TRIGGER) !== 0) add("right", rightType, right);
  return triggers;
}

function adaptiveTriggerOf({ pad, trigger, effect }: HidFeedbackOf<"trigger">): AdaptiveTriggers {
  const isLeft = trigger === "left";
  const [type = 0] = effect;
  const parameters = new Uint8Array(EFFECT_PARAMETER_BYTES);
  parameters.set(effect.subarray(1));
  const none = new Uint8Array(EFFECT_PARAMETER_BYTES);
  return {
    kind: "adaptive-triggers",
    pad,
    flags: isLeft ? FLAG_LEFT_TRIGGER : FLAG_RIGHT_TRIGGER,
    leftType: isLeft ? type : 0,
    rightType: isLeft ? 0 : type,
    left: isLeft ? parameters : none,
    right: isLeft ? none : parameters,
  };
}

function decodeTrigger(bytes: Uint8Array, pad: number): HidFeedback | undefined {
  const trigger = TRIGGERS[bytes[3] ?? -1];
  const effectBytes = bytes.byteLength - HEADER_BYTES;
  if (trigger === undefined || effectBytes < 1 || effectBytes > EFFECT_BYTES_MAX) return undefined;
  return { kind: "trigger", pad, trigger, effect: bytes.subarray(HEADER_BYTES) };
}

function decodeReport(bytes: Uint8Array, pad: number): HidFeedback | undefined {
  const reportKind = REPORT_KINDS[bytes[3] ?? -1];
  if (reportKind === undefined || bytes.byteLength > HEADER_BYTES + REPORT_BYTES_MAX) {
    return undefined;
  }
  return { kind: "report", pad, reportKind, report: bytes.subarray(HEADER_BYTES) };
}

function encodeBody({ kind, pad }: HidFeedback, body: readonly number[]): Uint8Array<ArrayBuffer> {
  const { bytes } = startDatagram("hid-feedback", 3 + body.length);
  bytes[1] = KINDS[kind];
  bytes[2] = pad;
  bytes.set(body, 3);
  return bytes;
}

function requireSize(part: Uint8Array, sizeBytesMin: number, sizeBytesMax: number): void {
  if (part.byteLength >= sizeBytesMin && part.byteLength <= sizeBytesMax) return;
  throw new RangeError(`Cannot encode HID feedback: a part has ${part.byteLength} bytes`);
}

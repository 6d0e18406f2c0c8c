/**
 * Pads among the input events (specification 7.1, kinds 7, 8, 12, 13 and 14).
 *
 *     kind  event      code            x            y            flags
 *     7     button     button bit      0: released               pad
 *     8     axis       0…5             value                     pad
 *     12    snapshot   button bits     LX<<16 | LY  RX<<16 | RY  sequence<<24 | LT<<16 | RT<<8 | pad
 *     13    removed                                              sequence<<24 | pad
 *     14    announced  kind of gamepad                           pad | 1<<8 haptics | 1<<9 speaker
 *
 * Axes: 0 LX, 1 LY, 2 RX, 3 RY (-32768…32767, up-positive), 4 LT, 5 RT (0…255). Snapshots and removals of one pad share
 * a sequence. Buttons have the bits of the common model.
 *
 * @module
 */
import type { PadStateEvent } from "../../input_event.ts";
import { PAD_KINDS, type PadKind, padKindOfCode } from "../enums.ts";
import { encodeInputFields, INPUT_KINDS, type InputFields } from "./input_fields.ts";
import { PAD_COUNT_MAX } from "./tags.ts";

export type PadAxis = "leftX" | "leftY" | "rightX" | "rightY" | "leftTrigger" | "rightTrigger";

export interface PadButtonInput {
  readonly kind: "pad-button";
  readonly pad: number;
  /** Bits that change, as a rule one. */
  readonly buttons: number;
  readonly isDown: boolean;
}

export interface PadAxisInput {
  readonly kind: "pad-axis";
  readonly pad: number;
  readonly axis: PadAxis;
  readonly value: number;
}

export interface PadSnapshotInput {
  readonly kind: "pad-snapshot";
  /** 0…255, of the pad. */
  readonly sequence: number;
  readonly state: PadStateEvent;
}

export interface PadRemovedInput {
  readonly kind: "pad-removed";
  readonly pad: number;
  /** Of the same count as the snapshots'. */
  readonly sequence: number;
}

export interface PadAnnouncedInput {
  readonly kind: "pad-announced";
  readonly pad: number;
  /** "auto" stands for a kind that is not known, too. */
  readonly padKind: PadKind;
  /** What the client plays of datagram d1 for this pad. */
  readonly playsHaptics: boolean;
  readonly playsSpeaker: boolean;
}

export type PadInput =
  | PadButtonInput
  | PadAxisInput
  | PadSnapshotInput
  | PadRemovedInput
  | PadAnnouncedInput;

/** By their number on the wire. */
const AXES: readonly PadAxis[] = [
  "leftX",
  "leftY",
  "rightX",
  "rightY",
  "leftTrigger",
  "rightTrigger",
];
const STICK_AXES = 4;
const FLAG_HAPTICS = 1 << 8;
const FLAG_SPEAKER = 1 << 9;

/** Undefined for a pad or an axis that cannot be. `fields.kind` is one of those drawn above. */
export function decodePad(fields: InputFields): PadInput | undefined {
  const { kind, code, x, y, flags } = fields;
  const hasPadOnly = kind === INPUT_KINDS.padButton || kind === INPUT_KINDS.padAxis;
  const pad = hasPadOnly ? flags : flags & 0xff;
  if (pad >= PAD_COUNT_MAX) return undefined;
  switch (kind) {
    case INPUT_KINDS.padButton:
      return { kind: "pad-button", pad, buttons: code, isDown: x !== 0 };
    case INPUT_KINDS.padAxis: {
      const axis = AXES[code];
      if (axis === undefined) return undefined;
      return { kind: "pad-axis", pad, axis, value: clampAxis(code, x) };
    }
    case INPUT_KINDS.padSnapshot:
      return {
        kind: "pad-snapshot",
        sequence: flags >>> 24,
        state: {
          kind: "pad-state",
          pad,
          buttons: code,
          leftTrigger: flags >>> 16 & 0xff,
          rightTrigger: flags >>> 8 & 0xff,
          leftX: x >> 16,
          leftY: x << 16 >> 16,
          rightX: y >> 16,
          rightY: y << 16 >> 16,
        },
      };
    case INPUT_KINDS.padRemoved:
      return { kind: "pad-removed", pad, sequence: flags >>> 24 };
    case INPUT_KINDS.padAnnounced:
      return {
        kind: "pad-announced",
        pad,
        padKind: padKindOfCode(code),
        playsHaptics: (flags & FLAG_HAPTICS) !== 0,
        playsSpeaker: (flags & FLAG_SPEAKER) !== 0,
      };
    default:
      return undefined;
  }
}

export function encodePad(input: PadInput): Uint8Array<ArrayBuffer> {
  switch (input.kind) {
    case "pad-button":
      return encodeInputFields(INPUT_KINDS.padButton, {
        code: input.buttons,
        x: input.isDown ? 1 : 0,
        flags: input.pad,
      });
    case "pad-axis":
      return encodeInputFields(INPUT_KINDS.padAxis, {
        code: AXES.indexOf(input.axis),
        x: input.value,
        flags: input.pad,
      });
    case "pad-snapshot": {
      const { state, sequence } = input;
      return encodeInputFields(INPUT_KINDS.padSnapshot, {
        code: state.buttons,
        x: state.leftX << 16 | state.leftY & 0xffff,
        y: state.rightX << 16 | state.rightY & 0xffff,
        flags: sequence << 24 | state.leftTrigger << 16 | state.rightTrigger << 8 | state.pad,
      });
    }
    case "pad-removed":
      return encodeInputFields(INPUT_KINDS.padRemoved, { flags: input.sequence << 24 | input.pad });
    case "pad-announced":
      return encodeInputFields(INPUT_KINDS.padAnnounced, {
        code: PAD_KINDS[input.padKind],
        flags: input.pad | (input.playsHaptics ? FLAG_HAPTICS : 0) |
          (input.playsSpeaker ? FLAG_SPEAKER : 0),
      });
  }
}

function clampAxis(axis: number, value: number): number {
  const [min, max] = axis < STICK_AXES ? [-32_768, 32_767] : [0, 255];
  return Math.min(Math.max(value, min), max);
}

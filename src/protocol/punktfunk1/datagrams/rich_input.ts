/**
 * What pads and pens say beyond buttons, datagram cc (specification 7.6). Little-endian; offset 1 is the kind.
 *
 *     1 touchpad            2 motion                     3 surface                    4 HID report
 *     2  1  pad             2   1  pad                   2   1  pad                   2  1  pad
 *     3  1  finger          3   6  gyro: pitch, yaw,     3   1  surface: 0 only,      3  1  size, 0…64
 *     4  1  active                 roll, signed                 1 left, 2 right       4  n  report, id first
 *     5  4  x, y: 0…65535   9   6  acceleration: x, y,   4   1  finger
 *                                  z, signed             5   1  1 touch, 2 click      5 pen: see pen_batch.ts
 *                                                        6   4  x, y, signed, 0 is
 *                                                               the centre
 *                                                        10  2  pressure, 0 none
 *
 * Gyro counts 20 a degree per second, acceleration 10000 a g; a pad at rest reads 0, 10000, 0. y of both touch kinds grows
 * downwards.
 *
 * @module
 */
import { decodePenBatch, encodePenBatch, type PenBatch } from "./pen_batch.ts";
import { openDatagram, PAD_COUNT_MAX, startDatagram } from "./tags.ts";

export interface PadTouchInput {
  readonly kind: "pad-touch";
  readonly pad: number;
  readonly finger: number;
  readonly isTouching: boolean;
  /** 0…65535 over the pad, origin top left. */
  readonly x: number;
  readonly y: number;
}

export interface PadMotionInput {
  readonly kind: "pad-motion";
  readonly pad: number;
  /** -32768…32767 each; 20 a degree per second. */
  readonly gyro: readonly [pitch: number, yaw: number, roll: number];
  /** -32768…32767 each; 10000 a g. */
  readonly acceleration: readonly [x: number, y: number, z: number];
}

export type PadSurface = "only" | "left" | "right";

export interface PadSurfaceInput {
  readonly kind: "pad-surface";
  readonly pad: number;
  readonly surface: PadSurface;
  readonly finger: number;
  readonly isTouching: boolean;
  readonly isClicked: boolean;
  /** -32768…32767, 0 is the centre. */
  readonly x: number;
  readonly y: number;
  /** 0…65535. */
  readonly pressure: number;
}

export interface PadReportInput {
  readonly kind: "pad-hid-report";
  readonly pad: number;
  /** At most 64 bytes, the report's id first. A view of what was decoded. */
  readonly report: Uint8Array;
}

export type RichInput =
  | PadTouchInput
  | PadMotionInput
  | PadSurfaceInput
  | PadReportInput
  | PenBatch;

export const HID_REPORT_SIZE_BYTES_MAX = 64;

const KINDS = { touch: 1, motion: 2, surface: 3, hidReport: 4, pen: 5 } as const;
const TOUCH_BYTES = 9;
const MOTION_BYTES = 15;
const SURFACE_BYTES = 12;
const HID_REPORT_HEADER_BYTES = 4;
/** By their number on the wire. */
const SURFACES: readonly PadSurface[] = ["only", "left", "right"];
const STATE_TOUCHING = 1;
const STATE_CLICKED = 2;

/** Undefined for what is short, unknown or against a rule: it is to be dropped. */
export function decodeRichInput(bytes: Uint8Array): RichInput | undefined {
  const view = openDatagram(bytes, "rich-input", HID_REPORT_HEADER_BYTES);
  if (view === undefined) return undefined;
  if (view.getUint8(1) === KINDS.pen) return decodePenBatch(bytes);
  const pad = view.getUint8(2);
  if (pad >= PAD_COUNT_MAX) return undefined;
  switch (view.getUint8(1)) {
    case KINDS.touch:
      return decodeTouch(view, pad);
    case KINDS.motion:
      return decodeMotion(view, pad);
    case KINDS.surface:
      return decodeSurface(view, pad);
    case KINDS.hidReport: {
      const end = HID_REPORT_HEADER_BYTES + view.getUint8(3);
      if (end > HID_REPORT_HEADER_BYTES + HID_REPORT_SIZE_BYTES_MAX || bytes.byteLength < end) {
        return undefined;
      }
      return { kind: "pad-hid-report", pad, report: bytes.subarray(HID_REPORT_HEADER_BYTES, end) };
    }
    default:
      return undefined;
  }
}

/** Throws RangeError for a report or a pen batch that is too long. */
export function encodeRichInput(input: RichInput): Uint8Array<ArrayBuffer> {
  switch (input.kind) {
    case "pad-touch": {
      const { bytes, view } = start(KINDS.touch, input.pad, TOUCH_BYTES);
      view.setUint8(3, input.finger);
      view.setUint8(4, input.isTouching ? 1 : 0);
      view.setUint16(5, input.x, true);
      view.setUint16(7, input.y, true);
      return bytes;
    }
    case "pad-motion": {
      const { bytes, view } = start(KINDS.motion, input.pad, MOTION_BYTES);
      for (const [index, value] of [...input.gyro, ...input.acceleration].entries()) {
        view.setInt16(3 + 2 * index, value, true);
      }
      return bytes;
    }
    case "pad-surface":
      return encodeSurface(input);
    case "pad-hid-report": {
      const { report } = input;
      if (report.byteLength > HID_REPORT_SIZE_BYTES_MAX) {
        throw new RangeError(`Cannot encode HID report of ${report.byteLength} bytes`);
      }
      const { bytes, view } = start(
        KINDS.hidReport,
        input.pad,
        HID_REPORT_HEADER_BYTES + report.byteLength,
      );
      view.setUint8(3, report.byteLength);
      bytes.set(report, HID_REPORT_HEADER_BYTES);
      return bytes;
    }
    case "pen":
      return encodePenBatch(input);
  }
}

function decodeTouch(view: DataView, pad: number): PadTouchInput | undefined {
  if (view.byteLength < TOUCH_BYTES) return undefined;
  return {
    kind: "pad-touch",
    pad,
    finger: view.getUint8(3),
    isTouching: view.getUint8(4) !== 0,
    x: view.getUint16(5, true),
    y: view.getUint16(7, true),
  };
}

function decodeMotion(view: DataView, pad: number): PadMotionInput | undefined {
  if (view.byteLength < MOTION_BYTES) return undefined;
  const i16 = (offset: number) => view.getInt16(offset, true);
  return {
    kind: "pad-motion",
    pad,
    gyro: [i16(3), i16(5), i16(7)],
    acceleration: [i16(9), i16(11), i16(13)],
  };
}

function decodeSurface(view: DataView, pad: number): PadSurfaceInput | undefined {
  if (view.byteLength < SURFACE_BYTES) return undefined;
  const surface = SURFACES[view.getUint8(3)];
  if (surface === undefined) return undefined;
  const state = view.getUint8(5);
  return {
    kind: "pad-surface",
    pad,
    surface,
    finger: view.getUint8(4),
    isTouching: (state & STATE_TOUCHING) !== 0,
    isClicked: (state & STATE_CLICKED) !== 0,
    x: view.getInt16(6, true),
    y: view.getInt16(8, true),
    pressure: view.getUint16(10, true),
  };
}

function encodeSurface(input: PadSurfaceInput): Uint8Array<ArrayBuffer> {
  const { bytes, view } = start(KINDS.surface, input.pad, SURFACE_BYTES);
  view.setUint8(3, SURFACES.indexOf(input.surface));
  view.setUint8(4, input.finger);
  view.setUint8(
    5,
    (input.isTouching ? STATE_TOUCHING : 0) | (input.isClicked ? STATE_CLICKED : 0),
  );
  view.setInt16(6, input.x, true);
  view.setInt16(8, input.y, true);
  view.setUint16(10, input.pressure, true);
  return bytes;
}

function start(kind: number, pad: number, sizeBytes: number) {
  const datagram = startDatagram("rich-input", sizeBytes);
  datagram.view.setUint8(1, kind);
  datagram.view.setUint8(2, pad);
  return datagram;
}

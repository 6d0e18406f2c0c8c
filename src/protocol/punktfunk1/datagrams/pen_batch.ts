/**
 * A batch of pen samples, kind 5 of datagram cc (specification 7.6). Little-endian.
 *
 *     offset  size  batch                        offset  size  sample
 *     2       1     flags, 0                     0       1     state: 1 in range, 2 touching, 4 and 8 barrel
 *     3       1     count, 1…8                                 buttons, 80 predicted
 *     4       2     sequence                     1       1     tool: 0 pen, 1 eraser
 *     6       21×n  samples                      2       8     x, y: f32, 0…1 of the picture
 *                                                10      2     pressure
 *                                                12      2     distance, ffff unknown
 *                                                14      1     tilt in degrees, ff unknown
 *                                                15      2     azimuth in degrees, ffff unknown
 *                                                17      2     roll in degrees, ffff unknown
 *                                                19      2     microseconds since the sample before
 *
 * @module
 */
import { openDatagram, startDatagram } from "./tags.ts";

export const PEN_SAMPLES_MAX = 8;
const HEADER_BYTES = 6;
const SAMPLE_BYTES = 21;

const STATE_IN_RANGE = 0x01;
const STATE_TOUCHING = 0x02;
const STATE_BARREL_FIRST = 0x04;
const STATE_BARREL_SECOND = 0x08;
const STATE_PREDICTED = 0x80;
const TOOLS = ["pen", "eraser"] as const;
const UNKNOWN_U16 = 0xffff;
const UNKNOWN_U8 = 0xff;

export interface PenSample {
  readonly isInRange: boolean;
  readonly isTouching: boolean;
  readonly isFirstButtonDown: boolean;
  readonly isSecondButtonDown: boolean;
  /** A guess of the client's at where the pen will be. */
  readonly isPredicted: boolean;
  readonly tool: "pen" | "eraser";
  /** Fractions of the picture. */
  readonly x: number;
  readonly y: number;
  /** 0…65535. */
  readonly pressure: number;
  /** 0…65534. */
  readonly distance: number | undefined;
  /** From the surface normal. */
  readonly tiltDegrees: number | undefined;
  readonly azimuthDegrees: number | undefined;
  readonly rollDegrees: number | undefined;
  /** 0…65535, since the sample before. */
  readonly deltaUs: number;
}

export interface PenBatch {
  readonly kind: "pen";
  /** 0…65535. */
  readonly sequence: number;
  /** 1…8. */
  readonly samples: readonly PenSample[];
}

/** Undefined unless all of the batch can be read and every coordinate is a number. */
export function decodePenBatch(bytes: Uint8Array): PenBatch | undefined {
  const view = openDatagram(bytes, "rich-input", HEADER_BYTES);
  if (view === undefined || view.getUint8(2) !== 0) return undefined;
  const count = view.getUint8(3);
  if (count < 1 || count > PEN_SAMPLES_MAX) return undefined;
  if (bytes.byteLength < HEADER_BYTES + count * SAMPLE_BYTES) return undefined;
  const samples: PenSample[] = [];
  for (let index = 0; index < count; index++) {
    const sample = readSample(view, HEADER_BYTES + index * SAMPLE_BYTES);
    if (sample === undefined) return undefined;
    samples.push(sample);
  }
  return { kind: "pen", sequence: view.getUint16(4, true), samples };
}

/** Throws RangeError unless there are 1…8 samples. */
export function encodePenBatch({ sequence, samples }: PenBatch): Uint8Array<ArrayBuffer> {
  if (samples.length < 1 || samples.length > PEN_SAMPLES_MAX) {
    throw new RangeError(`Cannot encode pen batch: ${samples.length} samples`);
  }
  const { bytes, view } = startDatagram(
    "rich-input",
    HEADER_BYTES + samples.length * SAMPLE_BYTES,
  );
  view.setUint8(1, 5);
  view.setUint8(3, samples.length);
  view.setUint16(4, sequence, true);
  for (const [index, sample] of samples.entries()) {
    writeSample(view, HEADER_BYTES + index * SAMPLE_BYTES, sample);
  }
  return bytes;
}

function readSample(view: DataView, offset: number): PenSample | undefined {
  const state = view.getUint8(offset);
  const tool = TOOLS[view.getUint8(offset + 1)];
  const x = view.getFloat32(offset + 2, true);
  const y = view.getFloat32(offset + 6, true);
  if (tool === undefined || !Number.isFinite(x) || !Number.isFinite(y)) return undefined;
  const tilt = view.getUint8(offset + 14);
  return {
    isInRange: (state & STATE_IN_RANGE) !== 0,
    isTouching: (state & STATE_TOUCHING) !== 0,
    isFirstButtonDown: (state & STATE_BARREL_FIRST) !== 0,
    isSecondButtonDown: (state & STATE_BARREL_SECOND) !== 0,
    isPredicted: (state & STATE_PREDICTED) !== 0,
    tool,
    x: clampFraction(x),
    y: clampFraction(y),
    pressure: view.getUint16(offset + 10, true),
    distance: readKnown(view, offset + 12),
    tiltDegrees: tilt === UNKNOWN_U8 ? undefined : tilt,
    azimuthDegrees: readKnown(view, offset + 15),
    rollDegrees: readKnown(view, offset + 17),
    deltaUs: view.getUint16(offset + 19, true),
  };
}

function writeSample(view: DataView, offset: number, sample: PenSample): void {
  const state = (sample.isInRange ? STATE_IN_RANGE : 0) |
    (sample.isTouching ? STATE_TOUCHING : 0) |
    (sample.isFirstButtonDown ? STATE_BARREL_FIRST : 0) |
    (sample.isSecondButtonDown ? STATE_BARREL_SECOND : 0) |
    (sample.isPredicted ? STATE_PREDICTED : 0);
  view.setUint8(offset, state);
  view.setUint8(offset + 1, TOOLS.indexOf(sample.tool));
  view.setFloat32(offset + 2, sample.x, true);
  view.setFloat32(offset + 6, sample.y, true);
  view.setUint16(offset + 10, sample.pressure, true);
  view.setUint16(offset + 12, sample.distance ?? UNKNOWN_U16, true);
  view.setUint8(offset + 14, sample.tiltDegrees ?? UNKNOWN_U8);
  view.setUint16(offset + 15, sample.azimuthDegrees ?? UNKNOWN_U16, true);
  view.setUint16(offset + 17, sample.rollDegrees ?? UNKNOWN_U16, true);
  view.setUint16(offset + 19, sample.deltaUs, true);
}

function readKnown(view: DataView, offset: number): number | undefined {
  const value = view.getUint16(offset, true);
  return value === UNKNOWN_U16 ? undefined : value;
}

function clampFraction(value: number): number {
  return Math.min(Math.max(value, 0), 1);
}

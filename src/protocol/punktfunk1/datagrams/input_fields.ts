/**
 * The frame that all input events of punktfunk/1 share (specification 7.1). Little-endian.
 *
 *     offset  size  field
 *     0       1     tag c8
 *     1       1     kind
 *     2       4     code, unsigned
 *     6       4     x, signed
 *     10      4     y, signed
 *     14      4     flags, unsigned
 *
 * @module
 */
import { openDatagram, startDatagram } from "./tags.ts";

export const INPUT_SIZE_BYTES = 18;

export const INPUT_KINDS = {
  keyDown: 0,
  keyUp: 1,
  pointerMotion: 2,
  pointerPosition: 3,
  buttonDown: 4,
  buttonUp: 5,
  scrollSteps: 6,
  padButton: 7,
  padAxis: 8,
  touchDown: 9,
  touchMove: 10,
  touchUp: 11,
  padSnapshot: 12,
  padRemoved: 13,
  padAnnounced: 14,
  text: 15,
  scroll: 16,
} as const;

export interface InputFields {
  readonly kind: number;
  readonly code: number;
  readonly x: number;
  readonly y: number;
  readonly flags: number;
}

/** Undefined when `bytes` are too short or carry another tag. */
export function decodeInputFields(bytes: Uint8Array): InputFields | undefined {
  const view = openDatagram(bytes, "input", INPUT_SIZE_BYTES);
  if (view === undefined) return undefined;
  return {
    kind: view.getUint8(1),
    code: view.getUint32(2, true),
    x: view.getInt32(6, true),
    y: view.getInt32(10, true),
    flags: view.getUint32(14, true),
  };
}

/** Fields that are left out are zero. */
export function encodeInputFields(
  kind: number,
  fields: Partial<Omit<InputFields, "kind">>,
): Uint8Array<ArrayBuffer> {
  const { bytes, view } = startDatagram("input", INPUT_SIZE_BYTES);
  view.setUint8(1, kind);
  view.setUint32(2, fields.code ?? 0, true);
  view.setInt32(6, fields.x ?? 0, true);
  view.setInt32(10, fields.y ?? 0, true);
  view.setUint32(14, fields.flags ?? 0, true);
  return bytes;
}

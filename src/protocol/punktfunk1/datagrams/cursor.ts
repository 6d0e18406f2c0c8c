/**
 * Where the pointer is and which of the shapes sent before it has, datagram d0 (specification 7.8, 8.5). Little-endian.
 *
 *     offset  size  field
 *     0       1     tag d0
 *     1       4     serial of the shape
 *     5       1     flags: 1 visible, 2 an application wants relative motion
 *     6       8     x, y of the hot spot, signed, in pixels of the frame
 *
 * @module
 */
import { openDatagram, startDatagram } from "./tags.ts";

export const CURSOR_SIZE_BYTES = 14;
const FLAG_VISIBLE = 1;
const FLAG_RELATIVE = 2;

export interface CursorState {
  readonly serial: number;
  readonly isVisible: boolean;
  readonly isRelative: boolean;
  readonly x: number;
  readonly y: number;
}

/** Undefined when `bytes` are short. */
export function decodeCursor(bytes: Uint8Array): CursorState | undefined {
  const view = openDatagram(bytes, "cursor", CURSOR_SIZE_BYTES);
  if (view === undefined) return undefined;
  const flags = view.getUint8(5);
  return {
    serial: view.getUint32(1, true),
    isVisible: (flags & FLAG_VISIBLE) !== 0,
    isRelative: (flags & FLAG_RELATIVE) !== 0,
    x: view.getInt32(6, true),
    y: view.getInt32(10, true),
  };
}

export function encodeCursor(state: CursorState): Uint8Array<ArrayBuffer> {
  const { bytes, view } = startDatagram("cursor", CURSOR_SIZE_BYTES);
  view.setUint32(1, state.serial, true);
  view.setUint8(
    5,
    (state.isVisible ? FLAG_VISIBLE : 0) | (state.isRelative ? FLAG_RELATIVE : 0),
  );
  view.setInt32(6, state.x, true);
  view.setInt32(10, state.y, true);
  return bytes;
}

/**
 * Control messages about the pointer's shape (punktfunk/1 specification 6, 8.5). Behind the type, little-endian:
 *
 *     50  cursor-shape    u32 serial, u16 w, u16 h, u16 hot x, u16 hot y, RGBA[w·h·4]
 *     51  cursor-render   u8: the client draws
 *
 * @module
 */
import { concatBytes, viewOf } from "../../lib/bytes.ts";
import { flag, structOf, u16, u32, type ValueOf } from "./fields.ts";
import { fixedMessage, variableMessage } from "./message_codec.ts";

/** Of both sides; larger shapes are scaled down before they are sent. */
export const CURSOR_SIDE_PIXELS_MAX = 120;
const PIXEL_BYTES = 4;

const head = structOf({
  serial: u32,
  /** 1…120. */
  width: u16,
  height: u16,
  hotX: u16,
  hotY: u16,
});
type CursorHead = ValueOf<typeof head>;

export type CursorShape = CursorHead & {
  /** Rows without padding, alpha not multiplied in. Decoded: a view of the message. */
  readonly rgba: Uint8Array;
};

export const CURSOR_MESSAGES = {
  "cursor-shape": variableMessage<CursorShape>(0x50, { decode: decodeShape, encode: encodeShape }),
  "cursor-render": fixedMessage(0x51, { isDrawnByClient: flag }),
};

function decodeShape(bytes: Uint8Array): CursorShape | undefined {
  if (bytes.byteLength < head.sizeBytes) return undefined;
  const shape = { ...head.read(viewOf(bytes), 0), rgba: bytes.subarray(head.sizeBytes) };
  return isLegal(shape) ? shape : undefined;
}

function encodeShape(shape: CursorShape): Uint8Array {
  if (!isLegal(shape)) {
    throw new RangeError(
      `Cannot encode a cursor of ${shape.width}×${shape.height} in ${shape.rgba.byteLength} bytes`,
    );
  }
  const bytes = new Uint8Array(head.sizeBytes);
  head.write(viewOf(bytes), 0, shape);
  return concatBytes(bytes, shape.rgba);
}

function isLegal({ width, height, rgba }: CursorShape): boolean {
  const isSide = (side: number) => side >= 1 && side <= CURSOR_SIDE_PIXELS_MAX;
  return isSide(width) && isSide(height) && rgba.byteLength === width * height * PIXEL_BYTES;
}

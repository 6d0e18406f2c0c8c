/**
 * Writes PNG pictures, 8 bits a channel, RGB (ISO/IEC 15948).
 *
 *     signature 89 50 4e 47 0d 0a 1a 0a
 *     chunk     length BE32 | type, 4 ASCII letters | data | CRC-32 BE32 of type and data
 *     IHDR      width BE32 | height BE32 | depth 8 | colour type 2 | 0 | 0 | 0
 *     IDAT      zlib of every row: filter byte, then 3 bytes a pixel
 *     IEND
 *
 * @module
 */
import { crc32, deflateSync } from "node:zlib";
import { concatBytes, viewOf } from "../lib/bytes.ts";

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
/** Each row as its difference from the row above: a smooth picture becomes almost nothing. */
const FILTER_UP = 2;

/** `rgb` holds `widthPixels * heightPixels` pixels of 3 bytes, rows from the top. */
export function encodePng(
  rgb: Uint8Array,
  size: { readonly widthPixels: number; readonly heightPixels: number },
): Uint8Array<ArrayBuffer> {
  const rowBytes = size.widthPixels * 3;
  if (rgb.byteLength !== rowBytes * size.heightPixels) {
    throw new RangeError(`Cannot encode picture: ${rgb.byteLength} bytes do not fill it`);
  }
  const rows = new Uint8Array((rowBytes + 1) * size.heightPixels);
  for (let row = 0; row < size.heightPixels; row++) {
    const target = row * (rowBytes + 1);
    rows[target] = FILTER_UP;
    for (let index = 0; index < rowBytes; index++) {
      const at = row * rowBytes + index;
      const above = row === 0 ? 0 : rgb[at - rowBytes] ?? 0;
      rows[target + 1 + index] = (rgb[at] ?? 0) - above;
    }
  }
  const header = new Uint8Array(13);
  const view = viewOf(header);
  view.setUint32(0, size.widthPixels);
  view.setUint32(4, size.heightPixels);
  header.set([8, 2, 0, 0, 0], 8);
  return concatBytes(
    SIGNATURE,
    encodeChunk("IHDR", header),
    encodeChunk("IDAT", deflateSync(rows)),
    encodeChunk("IEND", new Uint8Array()),
  );
}

function encodeChunk(type: string, data: Uint8Array): Uint8Array {
  const body = concatBytes(new TextEncoder().encode(type), data);
  const chunk = new Uint8Array(body.byteLength + 8);
  const view = viewOf(chunk);
  view.setUint32(0, data.byteLength);
  chunk.set(body, 4);
  view.setUint32(4 + body.byteLength, crc32(body));
  return chunk;
}

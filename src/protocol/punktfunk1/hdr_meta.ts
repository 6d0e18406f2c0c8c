/**
 * HdrMeta, what a display shows or what a picture holds (punktfunk/1 specification 2.8). Little-endian.
 *
 *     offset  size  field
 *     0       12    primaries green, blue, red: x u16, y u16 each
 *     12      4     white point x u16, y u16
 *     16      4     luminance at most
 *     20      4     luminance at least
 *     24      2     MaxCLL
 *     26      2     MaxFALL
 *
 * @module
 */
import { viewOf } from "../../lib/bytes.ts";
import { ProtocolError } from "../../lib/errors.ts";
import { structOf, u16, u32, type ValueOf } from "./fields.ts";

const chromaticity = structOf({ x: u16, y: u16 });

export const hdrMeta = structOf({
  /** Chromaticities are in units of 1/50 000. */
  green: chromaticity,
  blue: chromaticity,
  red: chromaticity,
  white: chromaticity,
  /** In units of 1/10 000 cd/m². */
  maxLuminance10000: u32,
  minLuminance10000: u32,
  /** cd/m². */
  maxContentNits: u16,
  maxFrameAverageNits: u16,
});
export type HdrMeta = ValueOf<typeof hdrMeta>;

/** Decode HdrMeta. The whole of `bytes` must be it. */
export function decodeHdrMeta(bytes: Uint8Array): HdrMeta {
  if (bytes.byteLength !== hdrMeta.sizeBytes) {
    throw new ProtocolError(
      bytes.byteLength < hdrMeta.sizeBytes ? "short" : "trailing",
      `Cannot decode HdrMeta: expected ${hdrMeta.sizeBytes} bytes, got ${bytes.byteLength}`,
    );
  }
  return hdrMeta.read(viewOf(bytes), 0);
}

export function encodeHdrMeta(meta: HdrMeta): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(hdrMeta.sizeBytes);
  hdrMeta.write(viewOf(bytes), 0, meta);
  return bytes;
}

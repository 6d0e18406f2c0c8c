/**
 * The lowest level of H.264 that holds a stream (ITU-T H.264, table A-1, High profile).
 *
 * @module
 */

/** level_idc, macroblocks a second, macroblocks a picture, macroblocks of references, kbit/s. */
const LEVELS = [
  [30, 40_500, 1_620, 8_100, 12_500],
  [31, 108_000, 3_600, 18_000, 17_500],
  [32, 216_000, 5_120, 20_480, 25_000],
  [40, 245_760, 8_192, 32_768, 25_000],
  [41, 245_760, 8_192, 32_768, 62_500],
  [42, 522_240, 8_704, 34_816, 62_500],
  [50, 589_824, 22_080, 110_400, 168_750],
  [51, 983_040, 36_864, 184_320, 300_000],
  [52, 2_073_600, 36_864, 184_320, 300_000],
] as const;

export interface H264StreamShape {
  readonly widthPixels: number;
  readonly heightPixels: number;
  readonly refreshMilliHz: number;
  readonly bitrateKbps: number;
  readonly referenceFrames: number;
}

/** level_idc, 30…52. A stream beyond the highest gets the highest: decoders try it anyway. */
export function h264Level(shape: H264StreamShape): number {
  const columns = Math.ceil(shape.widthPixels / 16);
  const rows = Math.ceil(shape.heightPixels / 16);
  const blocks = columns * rows;
  const fits = LEVELS.find(([, perSecond, perPicture, references, kbps]) =>
    blocks <= perPicture && Math.max(columns, rows) <= Math.sqrt(8 * perPicture) &&
    blocks * shape.refreshMilliHz / 1000 <= perSecond &&
    blocks * shape.referenceFrames <= references && shape.bitrateKbps <= kbps
  );
  return fits?.[0] ?? 52;
}

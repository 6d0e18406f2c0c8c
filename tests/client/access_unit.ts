/**
 * What a decoder would look at first in an access unit.
 *
 * @module
 */

export type ClientCodec = "h264" | "hevc" | "av1";

export interface NalUnit {
  readonly type: number;
  /** Of the start code's first zero that belongs to it: the three-byte form. */
  readonly offset: number;
}

/** The NAL units of an Annex B access unit. */
export function listNalUnits(au: Uint8Array, codec: "h264" | "hevc"): NalUnit[] {
  const units: NalUnit[] = [];
  for (let at = au.indexOf(1); at !== -1; at = au.indexOf(1, at + 1)) {
    const header = au[at + 1];
    if (at < 2 || au[at - 1] !== 0 || au[at - 2] !== 0 || header === undefined) continue;
    units.push({ type: codec === "h264" ? header & 0x1f : (header >> 1) & 0x3f, offset: at - 2 });
  }
  return units;
}

/** Whether decoding can start here: parameter sets, then a slice of a key picture; for AV1 a sequence header. */
export function isKeyAccessUnit(au: Uint8Array, codec: ClientCodec): boolean {
  if (codec === "av1") return hasSequenceHeader(au);
  const types = listNalUnits(au, codec).map(({ type }) => type);
  const parameterSets = codec === "h264" ? [7, 8] : [32, 33, 34];
  const isKeySlice = (type: number) => codec === "h264" ? type === 5 : type >= 16 && type <= 21;
  return parameterSets.every((type) => types.includes(type)) && types.some(isKeySlice);
}

/** Offset of the first slice of a key picture, or undefined. */
export function keySliceOffset(au: Uint8Array, codec: "h264" | "hevc"): number | undefined {
  return listNalUnits(au, codec).find(({ type }) =>
    codec === "h264" ? type === 5 : type >= 16 && type <= 21
  )?.offset;
}

/** OBU type 1, looked for in a low-overhead stream that may start with a temporal delimiter. */
function hasSequenceHeader(au: Uint8Array): boolean {
  const SEQUENCE_HEADER = 1;
  const TEMPORAL_DELIMITER = 2;
  for (let at = 0; at < au.length;) {
    const header = au[at] ?? 0;
    const type = (header >> 3) & 0xf;
    if (type === SEQUENCE_HEADER) return true;
    // A delimiter is empty: its header, perhaps one extension byte, and a size of 0.
    if (type !== TEMPORAL_DELIMITER) return false;
    at += (header & 4) !== 0 ? 3 : 2;
  }
  return false;
}

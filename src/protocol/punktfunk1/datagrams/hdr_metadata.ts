/**
 * What the picture holds, datagram ce (specification 7.8): the tag, then HdrMeta, 28 bytes.
 *
 * @module
 */
import { decodeHdrMeta, encodeHdrMeta, type HdrMeta, hdrMeta } from "../hdr_meta.ts";
import { openDatagram, startDatagram } from "./tags.ts";

export const HDR_METADATA_SIZE_BYTES = 1 + hdrMeta.sizeBytes;

/** Undefined when `bytes` are short. */
export function decodeHdrMetadata(bytes: Uint8Array): HdrMeta | undefined {
  const view = openDatagram(bytes, "hdr-metadata", HDR_METADATA_SIZE_BYTES);
  return view && decodeHdrMeta(bytes.subarray(1, HDR_METADATA_SIZE_BYTES));
}

export function encodeHdrMetadata(meta: HdrMeta): Uint8Array<ArrayBuffer> {
  const { bytes } = startDatagram("hdr-metadata", HDR_METADATA_SIZE_BYTES);
  bytes.set(encodeHdrMeta(meta), 1);
  return bytes;
}

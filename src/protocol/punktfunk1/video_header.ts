/**
 * Head of every video packet of punktfunk/1 (specification 4.2). Little-endian; `shard_bytes` bytes of payload follow.
 *
 *     offset  size  field
 *     0       8     capture time, nanoseconds of the host's wall clock since 1970
 *     8       4     frame index, from 0, wraps
 *     12      4     packet number of the stream, wraps; nobody relies on it
 *     16      4     size of the access unit; of a streamed block that is not the last: 0, or where the block begins
 *     20      4     user flags
 *     24      2     block
 *     26      2     blocks of the frame, 0 while not known
 *     28      2     k, data shards of the block
 *     30      2     m, parity shards of the block
 *     32      2     shard: 0 … k−1 data, k … k+m−1 parity
 *     34      2     shard_bytes
 *     36      1     0xc9
 *     37      1     1, not checked
 *     38      1     FEC scheme, not checked
 *     39      1     0x01 always, 0x02 last shard of the frame, 0x04 its first; not checked
 *
 * A receiver reads into one object again and again, so nothing is allocated for a packet; that is why the capture time is
 * kept in halves.
 *
 * @module
 */
import { ProtocolError } from "../../lib/errors.ts";

export const VIDEO_HEADER_SIZE_BYTES = 40;
export const VIDEO_MAGIC = 0xc9;
export const VIDEO_VERSION = 1;

export const USER_FLAG_PICTURE = 0x001;
export const USER_FLAG_KEY = 0x004;
/** Filler of a probe: counted, never decoded. */
export const USER_FLAG_PROBE = 0x008;
/** Start or end of an intra-refresh wave. */
export const USER_FLAG_RECOVERY_MARK = 0x010;
/** Predicts only from pictures that the client has: clean from here on. */
export const USER_FLAG_RECOVERY_ANCHOR = 0x020;
export const USER_FLAG_CHUNK_ALIGNED = 0x040;
export const USER_FLAG_SLICE_STREAMED = 0x080;
/** The unchanged picture once more. */
export const USER_FLAG_REPEAT = 0x100;
/** Beside USER_FLAG_RECOVERY_MARK on the access unit that ends a wave. */
export const USER_FLAG_WAVE_CLOSE = 0x200;

export const PACKET_FLAG_PICTURE = 0x01;
export const PACKET_FLAG_END = 0x02;
export const PACKET_FLAG_START = 0x04;

const MAGIC_OFFSET = 36;

export interface VideoHeader {
  /** Low and high 32 bits of the capture time. */
  ptsLow: number;
  ptsHigh: number;
  frameIndex: number;
  streamSequence: number;
  frameBytes: number;
  userFlags: number;
  blockIndex: number;
  blockCount: number;
  dataCount: number;
  parityCount: number;
  shardIndex: number;
  shardBytes: number;
  version: number;
  fecScheme: number;
  packetFlags: number;
}

/** A header of zeros to decode into. */
export function createVideoHeader(): VideoHeader {
  return {
    ptsLow: 0,
    ptsHigh: 0,
    frameIndex: 0,
    streamSequence: 0,
    frameBytes: 0,
    userFlags: 0,
    blockIndex: 0,
    blockCount: 0,
    dataCount: 0,
    parityCount: 0,
    shardIndex: 0,
    shardBytes: 0,
    version: 0,
    fecScheme: 0,
    packetFlags: 0,
  };
}

/** Whether `packet`, unsealed, can be video at all: the question before {@link decodeVideoHeader}. */
export function looksLikeVideo(packet: Uint8Array): boolean {
  return packet.byteLength >= VIDEO_HEADER_SIZE_BYTES && packet[MAGIC_OFFSET] === VIDEO_MAGIC;
}

/**
 * Read the head of `packet` into `header` and return it. What follows the head is the payload's business. Throws
 * ProtocolError "short", or "malformed" for another magic.
 */
export function decodeVideoHeader(
  packet: Uint8Array,
  header: VideoHeader = createVideoHeader(),
): VideoHeader {
  if (packet.byteLength < VIDEO_HEADER_SIZE_BYTES) {
    throw new ProtocolError(
      "short",
      `Cannot decode video header: expected ${VIDEO_HEADER_SIZE_BYTES} bytes, got ${packet.byteLength}`,
    );
  }
  if (packet[MAGIC_OFFSET] !== VIDEO_MAGIC) {
    throw new ProtocolError("malformed", "Cannot decode video header: magic is missing");
  }
  header.ptsLow = readU32(packet, 0);
  header.ptsHigh = readU32(packet, 4);
  header.frameIndex = readU32(packet, 8);
  header.streamSequence = readU32(packet, 12);
  header.frameBytes = readU32(packet, 16);
  header.userFlags = readU32(packet, 20);
  header.blockIndex = readU16(packet, 24);
  header.blockCount = readU16(packet, 26);
  header.dataCount = readU16(packet, 28);
  header.parityCount = readU16(packet, 30);
  header.shardIndex = readU16(packet, 32);
  header.shardBytes = readU16(packet, 34);
  header.version = packet[37] ?? 0;
  header.fecScheme = packet[38] ?? 0;
  header.packetFlags = packet[39] ?? 0;
  return header;
}

/** Write `header` into `target` at `offset`; return the offset after it. */
export function encodeVideoHeader(header: VideoHeader, target: DataView, offset = 0): number {
  target.setUint32(offset, header.ptsLow, true);
  target.setUint32(offset + 4, header.ptsHigh, true);
  target.setUint32(offset + 8, header.frameIndex, true);
  target.setUint32(offset + 12, header.streamSequence, true);
  target.setUint32(offset + 16, header.frameBytes, true);
  target.setUint32(offset + 20, header.userFlags, true);
  target.setUint16(offset + 24, header.blockIndex, true);
  target.setUint16(offset + 26, header.blockCount, true);
  target.setUint16(offset + 28, header.dataCount, true);
  target.setUint16(offset + 30, header.parityCount, true);
  target.setUint16(offset + 32, header.shardIndex, true);
  target.setUint16(offset + 34, header.shardBytes, true);
  target.setUint8(offset + MAGIC_OFFSET, VIDEO_MAGIC);
  target.setUint8(offset + 37, header.version);
  target.setUint8(offset + 38, header.fecScheme);
  target.setUint8(offset + 39, header.packetFlags);
  return offset + VIDEO_HEADER_SIZE_BYTES;
}

/** Capture time as nanoseconds since 1970. */
export function ptsNsOf(header: Pick<VideoHeader, "ptsLow" | "ptsHigh">): bigint {
  return BigInt(header.ptsHigh) << 32n | BigInt(header.ptsLow);
}

/** The same as a number, a few hundred nanoseconds off. */
export function ptsApproximateNsOf(header: Pick<VideoHeader, "ptsLow" | "ptsHigh">): number {
  return header.ptsHigh * 2 ** 32 + header.ptsLow;
}

/** Write the capture time; `ptsNs` is taken modulo 2^64. */
export function setPtsNs(header: Pick<VideoHeader, "ptsLow" | "ptsHigh">, ptsNs: bigint): void {
  const wrapped = BigInt.asUintN(64, ptsNs);
  header.ptsLow = Number(wrapped & 0xffff_ffffn);
  header.ptsHigh = Number(wrapped >> 32n);
}

/** Reading by index, because a DataView would have to be made for every packet. */
function readU16(bytes: Uint8Array, offset: number): number {
  return (bytes[offset] ?? 0) | (bytes[offset + 1] ?? 0) << 8;
}

function readU32(bytes: Uint8Array, offset: number): number {
  return (readU16(bytes, offset) | readU16(bytes, offset + 2) << 16) >>> 0;
}

/**
 * One video datagram as a client reads it (GameStream specification 7.2, 7.6), written without the host's packetiser.
 *
 * @module
 */
import { createDecipheriv } from "node:crypto";

const HEADER_SIZE_BYTES = 32;
const SEAL_SIZE_BYTES = 32;
/** Data and parity of a block with parity. */
const BLOCK_PACKETS_MAX = 255;

export interface VideoDatagram {
  readonly sequence: number;
  readonly timestamp: number;
  /** Of a parity datagram: what the code made of it. */
  readonly packetNumber: number;
  readonly frameIndex: number;
  readonly flags: number;
  readonly blockIndex: number;
  readonly lastBlockIndex: number;
  readonly dataCount: number;
  readonly parityCount: number;
  readonly shardIndex: number;
  readonly percent: number;
  /** The whole plain datagram: a shard of its block. */
  readonly bytes: Uint8Array;
}

/** Undefined for what a client drops: another size, other constants, a block that cannot be. */
export function readVideoDatagram(
  bytes: Uint8Array,
  packetSizeBytes: number,
): VideoDatagram | undefined {
  if (bytes.byteLength !== packetSizeBytes + 16) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint16(0) !== 0x9000 || view.getUint32(8) !== 0) return undefined;
  const fecInfo = view.getUint32(28, true);
  const blocks = view.getUint8(27);
  const dataCount = fecInfo >>> 22;
  const percent = fecInfo >>> 4 & 0xff;
  const parityCount = Math.floor((dataCount * percent + 99) / 100);
  const shardIndex = fecInfo >>> 12 & 0x3ff;
  if (
    dataCount === 0 || shardIndex >= dataCount + parityCount ||
    (parityCount > 0 && dataCount + parityCount > BLOCK_PACKETS_MAX)
  ) return undefined;
  return {
    sequence: view.getUint16(2),
    timestamp: view.getUint32(4),
    packetNumber: view.getUint32(16, true) >>> 8,
    frameIndex: view.getUint32(20, true),
    flags: view.getUint8(24),
    blockIndex: blocks >> 4 & 3,
    lastBlockIndex: blocks >> 6,
    dataCount,
    parityCount,
    shardIndex,
    percent,
    bytes,
  };
}

/** The shard as the code saw it: without the fields that were filled in afterwards. */
export function shardOf(bytes: Uint8Array): Uint8Array {
  const shard = bytes.slice();
  shard.fill(0, 0, 16);
  shard.fill(0, 28, HEADER_SIZE_BYTES);
  return shard;
}

export function payloadOf(shard: Uint8Array): Uint8Array {
  return shard.subarray(HEADER_SIZE_BYTES);
}

export interface OpenedVideoDatagram {
  readonly plain: Uint8Array;
  /** 24 hex digits. */
  readonly nonce: string;
  /** As it stands outside the ciphertext. */
  readonly frameIndex: number;
}

/** Undefined when the key does not open it. */
export function openVideoDatagram(
  bytes: Uint8Array,
  key: Uint8Array,
): OpenedVideoDatagram | undefined {
  if (bytes.byteLength <= SEAL_SIZE_BYTES) return undefined;
  const nonce = bytes.subarray(0, 12);
  const decipher = createDecipheriv("aes-128-gcm", key, nonce, { authTagLength: 16 });
  decipher.setAuthTag(bytes.subarray(16, SEAL_SIZE_BYTES));
  const plain = new Uint8Array(decipher.update(bytes.subarray(SEAL_SIZE_BYTES)));
  try {
    decipher.final();
  } catch {
    return undefined;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { plain, nonce: nonce.toHex(), frameIndex: view.getUint32(12, true) };
}

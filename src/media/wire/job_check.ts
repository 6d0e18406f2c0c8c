/**
 * The limits of the wire kernel, checked alike for every implementation. native/wire checks again what its memory depends
 * on.
 *
 * @module
 */
import { OperationError } from "../../lib/errors.ts";
import { GF256_SHARDS_MAX } from "../../protocol/fec/gf256.ts";
import { leopard16Supports } from "../../protocol/fec/leopard16.ts";
import { SEAL_KEY_SIZE_BYTES, type WireBlock } from "../../protocol/wire_job.ts";
import type { PacketStreamSpec, SealRule, WireJob } from "./kernel.ts";

/** 64 MiB in shards of 512 bytes, and nine parity shards to ten of them, are 249037. */
export const PACKETS_MAX = 262144;
export const BLOCKS_MAX = 65535;
/** Data or parity packets of one block. */
export const BLOCK_PACKETS_MAX = 65535;
export const SHARD_SIZE_BYTES_MAX = 9216;
export const HEADER_SIZE_BYTES_MAX = 64;
export const PREFIX_SIZE_BYTES_MAX = 64;
export const STREAM_SHARDS_MAX = 32;

const NONCE_SIZE_BYTES = 12;
/** Of every cipher. */
export const TAG_SIZE_BYTES = 16;
const CBC_KEY_SIZE_BYTES = 16;
const CBC_BLOCK_SIZE_BYTES = 16;
const COUNTER_MAX = (1n << 64n) - 1n;

function requireThat(condition: boolean, reason: string): void {
  if (!condition) throw new OperationError("invalid", `Cannot build frame: ${reason}`);
}

/** Check `job` against the limits and itself; the size of each of its datagrams as sent. */
export function checkJob(job: WireJob, auSizeBytes: number): number {
  const { shardSizeBytes, headerSizeBytes, packetCount } = job;
  requireThat(
    headerSizeBytes >= 0 && headerSizeBytes < shardSizeBytes &&
      shardSizeBytes <= SHARD_SIZE_BYTES_MAX && headerSizeBytes <= HEADER_SIZE_BYTES_MAX,
    `shard is ${shardSizeBytes} bytes with a header of ${headerSizeBytes}`,
  );
  requireThat(
    packetCount >= 1 && packetCount <= PACKETS_MAX,
    `${packetCount} packets, at most ${PACKETS_MAX}`,
  );
  requireThat(
    job.fecOffsetBytes >= 0 && job.fecOffsetBytes <= headerSizeBytes,
    `FEC starts at ${job.fecOffsetBytes}, behind the header`,
  );
  requireThat(
    job.headers.byteLength >= packetCount * headerSizeBytes &&
      job.dataHeaderMask.byteLength === headerSizeBytes &&
      job.parityHeaderMask.byteLength === headerSizeBytes,
    "headers or masks have another size than the job says",
  );
  requireThat(
    auSizeBytes === job.auSizeBytes,
    `access unit is ${auSizeBytes} bytes, planned were ${job.auSizeBytes}`,
  );
  checkBlocks(job);
  if (job.seal === null) return shardSizeBytes;
  checkSeal(job, job.seal);
  const trailing = job.seal.tagOffset < 0 ? TAG_SIZE_BYTES : 0;
  return shardSizeBytes + job.seal.prefixSizeBytes + trailing;
}

function checkBlocks(job: WireJob): void {
  requireThat(
    job.blockCount >= 1 && job.blockCount <= BLOCKS_MAX && job.blockCount <= job.blocks.length,
    `${job.blockCount} blocks, at most ${BLOCKS_MAX}`,
  );
  let dataCount = 0;
  let packetCount = 0;
  for (let index = 0; index < job.blockCount; index++) {
    const block = job.blocks[index] ?? { dataCount: 0, parityCount: 0 };
    requireThat(
      hasCode(job.fieldBits, block),
      `block ${index} has ${block.dataCount} data and ${block.parityCount} parity packets`,
    );
    dataCount += block.dataCount;
    packetCount += block.dataCount + block.parityCount;
  }
  requireThat(
    packetCount === job.packetCount,
    `${job.packetCount} packets, its blocks have ${packetCount}`,
  );
  requireThat(
    job.fieldBits === 8 || packetCount === dataCount ||
      (job.shardSizeBytes - job.fecOffsetBytes) % 2 === 0,
    "GF(2^16) covers an odd number of bytes",
  );
  const streamSizeBytes = job.prologue.byteLength + job.auSizeBytes;
  const payloadSizeBytes = job.shardSizeBytes - job.headerSizeBytes;
  // An empty stream is one packet of zeros.
  const needed = Math.max(1, Math.ceil(streamSizeBytes / payloadSizeBytes));
  requireThat(dataCount === needed, `${dataCount} data packets planned, ${needed} are needed`);
}

function hasCode(fieldBits: 8 | 16, { dataCount, parityCount }: WireBlock): boolean {
  if (
    dataCount < 1 || dataCount > BLOCK_PACKETS_MAX || parityCount < 0 ||
    parityCount > BLOCK_PACKETS_MAX
  ) {
    return false;
  }
  if (parityCount === 0) return true;
  return fieldBits === 16
    ? leopard16Supports(dataCount, parityCount)
    : dataCount + parityCount <= GF256_SHARDS_MAX;
}

function checkSeal(job: WireJob, seal: SealRule): void {
  const { prefixSizeBytes, prefixNonceFrom, prefixNonceLength, tagOffset, aadSizeBytes } = seal;
  requireThat(
    seal.key.byteLength === SEAL_KEY_SIZE_BYTES[seal.cipher] &&
      seal.nonceTemplate.byteLength === NONCE_SIZE_BYTES &&
      (seal.nonceCounterOffset === 0 || seal.nonceCounterOffset === 4),
    "key or nonce of the seal has another form",
  );
  requireThat(
    prefixSizeBytes >= 0 && prefixSizeBytes <= PREFIX_SIZE_BYTES_MAX &&
      job.sealPrefix.byteLength === prefixSizeBytes &&
      prefixNonceFrom >= 0 && prefixNonceLength >= 0 &&
      prefixNonceFrom + prefixNonceLength <= NONCE_SIZE_BYTES &&
      prefixNonceLength <= prefixSizeBytes &&
      aadSizeBytes >= 0 && aadSizeBytes <= prefixSizeBytes,
    "prefix of the seal has another size than its parts",
  );
  requireThat(
    tagOffset === -1 ||
      (tagOffset >= aadSizeBytes && tagOffset >= prefixNonceLength &&
        tagOffset + TAG_SIZE_BYTES <= prefixSizeBytes),
    `tag lies at ${tagOffset} of the seal's prefix`,
  );
  requireThat(
    job.sealCounter >= 0n && job.sealCounter <= COUNTER_MAX - BigInt(job.packetCount),
    "the seal's counter would repeat",
  );
}

/** Check the spec of a packet stream. */
export function checkStreamSpec(spec: PacketStreamSpec): void {
  const { dataCount, parityCount, parityMatrix, cbcKey } = spec;
  if (
    dataCount < 1 || dataCount > STREAM_SHARDS_MAX || parityCount < 0 ||
    parityCount > STREAM_SHARDS_MAX || parityMatrix.byteLength !== dataCount * parityCount ||
    (cbcKey !== null && cbcKey.byteLength !== CBC_KEY_SIZE_BYTES)
  ) {
    throw new OperationError(
      "invalid",
      `Cannot open packet stream: ${dataCount} data and ${parityCount} parity packets with a matrix of ` +
        `${parityMatrix.byteLength} bytes`,
    );
  }
}

/** Check one packet of a stream; its payload's size as sent. */
export function checkPacket(
  spec: PacketStreamSpec,
  packet: {
    readonly payloadSizeBytes: number;
    readonly header: Uint8Array;
    readonly iv: Uint8Array | null;
    readonly parityHeaders: Uint8Array;
  },
): number {
  const { payloadSizeBytes, header, iv, parityHeaders } = packet;
  const padding = spec.cbcKey === null
    ? 0
    : CBC_BLOCK_SIZE_BYTES - payloadSizeBytes % CBC_BLOCK_SIZE_BYTES;
  const sentSizeBytes = payloadSizeBytes + padding;
  if (
    payloadSizeBytes < 1 || sentSizeBytes + HEADER_SIZE_BYTES_MAX > SHARD_SIZE_BYTES_MAX ||
    header.byteLength > HEADER_SIZE_BYTES_MAX ||
    parityHeaders.byteLength > spec.parityCount * HEADER_SIZE_BYTES_MAX ||
    (spec.parityCount > 0 && parityHeaders.byteLength % spec.parityCount !== 0) ||
    (spec.cbcKey !== null && iv?.byteLength !== CBC_BLOCK_SIZE_BYTES)
  ) {
    throw new OperationError(
      "invalid",
      `Cannot build packet: payload is ${payloadSizeBytes} bytes, header ${header.byteLength}, parity ` +
        `headers ${parityHeaders.byteLength}`,
    );
  }
  return sentSizeBytes;
}

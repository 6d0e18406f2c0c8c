/**
 * How an access unit is cut into FEC blocks, and the limits both ends must keep (punktfunk/1 specification 2.3, 4.5).
 *
 *     P = shard_payload, K = max_data_per_block, len = size of the access unit
 *
 *     data shards   t = max(1, ceil(len / P))
 *     blocks        ceil(t / K), all but the last of exactly K data shards
 *     parity        m = ceil(k · percent / 100), at least 2 where percent is not 0, of hosts like this one
 *     caps          k + m ≤ K + ceil(K · Welcome.fec_percent / 100), which is what older receivers have room for;
 *                   k + m ≤ 255 over GF(2^8)
 *
 * @module
 */
import { ProtocolError } from "../../lib/errors.ts";
import { GF256_SHARDS_MAX } from "../fec/gf256.ts";
import { leopard16Supports } from "../fec/leopard16.ts";
import type { WireBlock } from "../wire_job.ts";
import type { FecScheme } from "./enums.ts";

export const SHARD_PAYLOAD_BYTES_MIN = 512;
export const SHARD_PAYLOAD_BYTES_MAX = 9152;
export const FEC_PERCENT_MAX = 90;
/** Data shards of a block whose parity fits the code at every percentage. */
export const BLOCK_DATA_SHARDS_SAFE_MAX = 4096;
/** What the headers' block count can say. */
export const FRAME_BLOCKS_MAX = 65_535;

const PARITY_SHARDS_MIN = 2;
const FRAME_BYTES_FLOOR = 8 * 1024 * 1024;
const FRAME_BYTES_CEILING = 64 * 1024 * 1024;
/** An access unit may be this many times the mean. */
const FRAME_BYTES_FACTOR = 4;

/** What Welcome says of FEC. */
export interface FecTerms {
  readonly scheme: FecScheme;
  /** Welcome.fec_percent, 0…90. */
  readonly percent: number;
  /** K. */
  readonly blockDataShardsMax: number;
}

/** Whether a shard may carry this many bytes under a ceiling that is itself no more than the protocol's. */
export function isShardPayload(sizeBytes: number, ceilingBytes = SHARD_PAYLOAD_BYTES_MAX): boolean {
  return sizeBytes % 2 === 0 && sizeBytes >= SHARD_PAYLOAD_BYTES_MIN &&
    sizeBytes <= Math.min(ceilingBytes, SHARD_PAYLOAD_BYTES_MAX);
}

/** ceil(k · percent / 100): what every host of the first generation sends, and what receivers derive their room from. */
export function proportionalParityCount(dataCount: number, percent: number): number {
  return Math.ceil(dataCount * percent / 100);
}

/** Parity shards that `dataCount` data shards get before caps: two at least, because one burst seldom takes only one. */
export function wantedParityCount(dataCount: number, percent: number): number {
  if (percent === 0) return 0;
  return Math.max(PARITY_SHARDS_MIN, proportionalParityCount(dataCount, percent));
}

/** Whether the code of `scheme` has such blocks. */
export function isBlockSupported(
  { dataCount, parityCount }: Readonly<WireBlock>,
  scheme: FecScheme,
): boolean {
  return scheme === "gf256"
    ? parityCount === 0 || dataCount + parityCount <= GF256_SHARDS_MAX
    : leopard16Supports(dataCount, parityCount);
}

/** Data and parity shards of a block that every receiver has room for. */
export function blockShardsMax({ scheme, percent, blockDataShardsMax }: FecTerms): number {
  const room = blockDataShardsMax + proportionalParityCount(blockDataShardsMax, percent);
  return scheme === "gf256" ? Math.min(room, GF256_SHARDS_MAX) : room;
}

/** The same for the receiver of this generation, which has room for every percentage. */
export function receiverBlockShardsMax({ scheme, blockDataShardsMax }: FecTerms): number {
  const room = blockDataShardsMax + proportionalParityCount(blockDataShardsMax, FEC_PERCENT_MAX);
  return scheme === "gf256" ? Math.min(room, GF256_SHARDS_MAX) : room;
}

/** The terms that a client lets pass. Throws ProtocolError "limit" for others. */
export function checkFecTerms(terms: FecTerms): void {
  const { scheme, percent, blockDataShardsMax } = terms;
  const parityCount = proportionalParityCount(blockDataShardsMax, percent);
  const isLegal = Number.isInteger(percent) && percent >= 0 && percent <= FEC_PERCENT_MAX &&
    Number.isInteger(blockDataShardsMax) && blockDataShardsMax >= 1 &&
    (scheme === "gf256"
      ? blockDataShardsMax + parityCount <= GF256_SHARDS_MAX
      : leopard16Supports(blockDataShardsMax, parityCount));
  if (isLegal) return;
  throw new ProtocolError(
    "limit",
    `Cannot agree on FEC: ${blockDataShardsMax} data shards a block at ${percent} %`,
  );
}

/** The largest access unit that a client takes at this rate; `bitrateKbps` 0 is unknown. */
export function frameBytesMaxOf(bitrateKbps: number, refreshHz: number): number {
  if (bitrateKbps === 0 || refreshHz === 0) return FRAME_BYTES_CEILING;
  const bytes = Math.floor(FRAME_BYTES_FACTOR * bitrateKbps * 125 / refreshHz);
  return Math.min(Math.max(bytes, FRAME_BYTES_FLOOR), FRAME_BYTES_CEILING);
}

/** t for an access unit of `sizeBytes`. */
export function dataShardsOf(sizeBytes: number, shardPayloadBytes: number): number {
  return Math.max(1, Math.ceil(sizeBytes / shardPayloadBytes));
}

export interface BlockPlanOptions {
  readonly terms: FecTerms;
  /** Of this frame, 0…90; may differ from Welcome's. */
  readonly percent: number;
  /** Data and parity shards of the frame together. Parity is cut to fit; data that does not is refused. */
  readonly packetsMax: number;
}

/**
 * Plan `dataCount` data shards into `blocks`, which grows as needed; return how many entries are used. Throws
 * ProtocolError "limit" when they cannot be sent at all.
 */
export function planBlocks(
  dataCount: number,
  blocks: WireBlock[],
  { terms, percent, packetsMax }: BlockPlanOptions,
): number {
  const blockCount = Math.ceil(dataCount / terms.blockDataShardsMax);
  if (dataCount < 1 || dataCount > packetsMax || blockCount > FRAME_BLOCKS_MAX) {
    throw new ProtocolError(
      "limit",
      `Cannot send a frame of ${dataCount} packets: allowed is 1 to ${packetsMax}`,
    );
  }
  let spare = packetsMax - dataCount;
  for (let index = 0; index < blockCount; index++) {
    const block = blocks[index] ??= { dataCount: 0, parityCount: 0 };
    block.dataCount = Math.min(
      terms.blockDataShardsMax,
      dataCount - index * terms.blockDataShardsMax,
    );
    block.parityCount = parityCountOf(block.dataCount, percent, terms);
    // What is left for parity goes to the blocks alike, so that none stands without.
    block.parityCount = Math.min(block.parityCount, Math.floor(spare / (blockCount - index)));
    spare -= block.parityCount;
  }
  return blockCount;
}

function parityCountOf(dataCount: number, percent: number, terms: FecTerms): number {
  const capped = Math.min(
    wantedParityCount(dataCount, percent),
    blockShardsMax(terms) - dataCount,
  );
  return isBlockSupported({ dataCount, parityCount: capped }, terms.scheme) ? capped : 0;
}

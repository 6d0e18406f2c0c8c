/**
 * How a frame's packets are cut into FEC blocks (GameStream specification 7.4).
 *
 *     data per block   at most floor(25500 / (100 + F)), 212 for F = 20
 *     blocks           at most 4, filled evenly, the last one may be shorter
 *     parity of k      p = ceil(k·F / 100), at least the client's minimum
 *
 * The client never sees p. It computes it from k and the declared percentage f as floor((k·f + 99) / 100), and the code's
 * matrix depends on it; so f is chosen to give back p. A frame too large for four blocks goes without parity.
 *
 * @module
 */
import { ProtocolError } from "../../lib/errors.ts";

export const VIDEO_BLOCKS_MAX = 4;
/** The field is 10 bits wide. */
export const VIDEO_BLOCK_DATA_PACKETS_MAX = 1023;
export const VIDEO_FRAME_PACKETS_MAX = VIDEO_BLOCKS_MAX * VIDEO_BLOCK_DATA_PACKETS_MAX;
export const FEC_PERCENT_MAX = 255;
/** Data and parity of a block that has parity: the size of the field. */
const BLOCK_PACKETS_MAX = 255;

export interface VideoBlock {
  dataCount: number;
  parityCount: number;
  /** As declared in every packet of the block, 0…255. */
  percent: number;
}

export interface ParitySettings {
  /** F, 0…255. 0 turns parity off. */
  readonly fecPercent: number;
  /** Parity packets the client wants at least, unless parity is off. */
  readonly minParityPackets: number;
}

/**
 * Plan `packetCount` data packets into `blocks`, which has VIDEO_BLOCKS_MAX entries to write to; return how many are used.
 * Throws ProtocolError "limit" above VIDEO_FRAME_PACKETS_MAX packets, or for none.
 */
export function planVideoBlocks(
  packetCount: number,
  blocks: VideoBlock[],
  settings: ParitySettings,
): number {
  if (packetCount < 1 || packetCount > VIDEO_FRAME_PACKETS_MAX) {
    throw new ProtocolError(
      "limit",
      `Cannot send a frame of ${packetCount} packets: allowed is 1 to ${VIDEO_FRAME_PACKETS_MAX}`,
    );
  }
  let fecPercent = settings.fecPercent;
  const dataCountMax = Math.floor(BLOCK_PACKETS_MAX * 100 / (100 + fecPercent));
  let blockCount = Math.ceil(packetCount / dataCountMax);
  if (blockCount > VIDEO_BLOCKS_MAX) {
    fecPercent = 0;
    blockCount = VIDEO_BLOCKS_MAX;
  }
  const dataCount = Math.ceil(packetCount / blockCount);
  blockCount = Math.ceil(packetCount / dataCount);
  for (let index = 0; index < blockCount; index++) {
    const block = blocks[index];
    if (block === undefined) throw new RangeError("Cannot plan blocks: too few to write to");
    block.dataCount = Math.min(dataCount, packetCount - index * dataCount);
    chooseParity(block, fecPercent, settings.minParityPackets);
  }
  return blockCount;
}

/** What the client computes from a packet's fields. */
export function parityCountOf(dataCount: number, percent: number): number {
  return Math.floor((dataCount * percent + 99) / 100);
}

function chooseParity(block: VideoBlock, fecPercent: number, minParityPackets: number): void {
  const { dataCount } = block;
  block.parityCount = parityCountOf(dataCount, fecPercent);
  block.percent = fecPercent;
  if (fecPercent === 0) return;
  const wantedCount = Math.min(minParityPackets, BLOCK_PACKETS_MAX - dataCount);
  for (let count = wantedCount; count > block.parityCount; count--) {
    // The largest percentage that does not give more than `count`; if this one gives less, none gives `count`.
    const percent = Math.min(Math.floor(count * 100 / dataCount), FEC_PERCENT_MAX);
    if (parityCountOf(dataCount, percent) === count) {
      block.parityCount = count;
      block.percent = percent;
      return;
    }
  }
}

/**
 * One access unit under assembly (punktfunk/1 specification 4.5 to 4.7). Data shards are written straight to their place in
 * the access unit; parity shards are kept apart, and only while their block needs them.
 *
 *     frame   first packet fixes shard_bytes and whether it is sliced; the first with a block count fixes the totals
 *     block   first packet fixes k, m and where it begins; it is ready with any k of its k + m shards
 *
 * @module
 */
import type { FramePool } from "./frame_pool.ts";
import {
  ptsApproximateNsOf,
  ptsNsOf,
  USER_FLAG_SLICE_STREAMED,
  VIDEO_HEADER_SIZE_BYTES,
  type VideoHeader,
} from "./video_header.ts";

/** Memory charged for a block besides its shards and one byte for each of them. */
const BLOCK_STATE_BYTES = 256;
const ARRIVED = 1;
const REBUILT = 2;

/** What became of a packet. One that is "stuck" may be offered again when memory is free. */
export type ShardFate = "stored" | "unneeded" | "duplicate" | "late-data" | "refused" | "stuck";

/** A block of which enough arrived, and not all data. */
export interface LossyBlock {
  readonly dataCount: number;
  readonly parityCount: number;
  /** Shards of either sort lie back to back; what is lost has arbitrary content. */
  readonly data: Uint8Array<ArrayBuffer>;
  readonly parity: Uint8Array<ArrayBuffer>;
  /** A byte for each data and then each parity shard, 0 where it is lost. */
  readonly present: Uint8Array<ArrayBuffer>;
}

/** Writes the lost data shards of a block to their places. */
export type BlockDecoder = (block: LossyBlock) => void;

interface Block {
  readonly baseShard: number;
  readonly dataCount: number;
  readonly parityCount: number;
  /** How each shard came to be there; 0 while it is not. */
  readonly present: Uint8Array<ArrayBuffer>;
  parity: Uint8Array<ArrayBuffer> | null;
  arrivedCount: number;
  arrivedDataCount: number;
  isReady: boolean;
}

export class FrameAssembly {
  readonly frameIndex: number;
  readonly ptsNs: bigint;
  /** The same as a number, a few hundred nanoseconds off. */
  readonly ptsApproximateNs: number;
  readonly userFlags: number;
  readonly firstPacketAtUs: number;
  readonly #shardBytes: number;
  readonly #isSliced: boolean;
  readonly #pool: FramePool;
  readonly #decode: BlockDecoder;
  readonly #blocks = new Map<number, Block>();
  #lastBlockIndex = -1;
  #lastBlock: Block | undefined;
  #chargedBytes = 0;
  #data: Uint8Array<ArrayBuffer> | null = null;
  /** 0 while no packet said it. */
  #blockCount = 0;
  #frameBytes = 0;
  #readyCount = 0;
  #isBroken = false;
  /** Data shards that were rebuilt, and those of them that have not arrived since. */
  recoveredCount = 0;
  missingCount = 0;
  /** Packets that were used. */
  packetCount = 0;

  constructor(
    header: VideoHeader,
    { pool, decode, nowUs }: {
      readonly pool: FramePool;
      readonly decode: BlockDecoder;
      readonly nowUs: number;
    },
  ) {
    this.frameIndex = header.frameIndex;
    this.ptsNs = ptsNsOf(header);
    this.ptsApproximateNs = ptsApproximateNsOf(header);
    this.userFlags = header.userFlags;
    this.firstPacketAtUs = nowUs;
    this.#shardBytes = header.shardBytes;
    this.#isSliced = (header.userFlags & USER_FLAG_SLICE_STREAMED) !== 0;
    this.#pool = pool;
    this.#decode = decode;
  }

  get blockCount(): number {
    return this.#blockCount;
  }

  /** Every block is ready, and the blocks cover the access unit. */
  get isComplete(): boolean {
    return this.#blockCount !== 0 && this.#readyCount === this.#blockCount && !this.#isBroken;
  }

  /** Its blocks contradict each other: it will never be complete. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** The access unit; valid until `release`. Only of a complete frame. */
  get data(): Uint8Array {
    return (this.#data ?? new Uint8Array(0)).subarray(0, this.#frameBytes);
  }

  /**
   * Take the shard in `packet`, whose header has been checked by itself. `baseShard` is the first data shard of its block,
   * counted over the frame.
   */
  accept(packet: Uint8Array, header: VideoHeader, baseShard: number): ShardFate {
    if (!this.#agreesWithFrame(header)) return "refused";
    let block = header.blockIndex === this.#lastBlockIndex
      ? this.#lastBlock
      : this.#blocks.get(header.blockIndex);
    if (block === undefined) {
      block = this.#openBlock(header, baseShard);
      if (block === undefined) return "stuck";
    } else if (
      block.dataCount !== header.dataCount || block.parityCount !== header.parityCount ||
      block.baseShard !== baseShard
    ) return "refused";
    this.#lastBlockIndex = header.blockIndex;
    this.#lastBlock = block;
    if (block.isReady) return this.#acceptAfterReady(block, header);
    if (block.present[header.shardIndex] !== 0) return "duplicate";
    if (!this.#store(block, packet, header)) return "stuck";
    this.#learnTotals(header);
    block.present[header.shardIndex] = ARRIVED;
    block.arrivedCount++;
    this.packetCount++;
    if (header.shardIndex < block.dataCount) block.arrivedDataCount++;
    if (block.arrivedCount === block.dataCount) this.#finishBlock(block);
    return "stored";
  }

  /** Give all memory back. Once. */
  release(): void {
    for (const block of this.#blocks.values()) this.#releaseParity(block);
    this.#blocks.clear();
    this.#lastBlock = undefined;
    this.#lastBlockIndex = -1;
    if (this.#data !== null) this.#pool.release(this.#data);
    this.#data = null;
    this.#pool.refund(this.#chargedBytes);
    this.#chargedBytes = 0;
  }

  #acceptAfterReady(block: Block, header: VideoHeader): ShardFate {
    this.#learnTotals(header);
    if (header.shardIndex >= block.dataCount) return "unneeded";
    if (block.present[header.shardIndex] !== REBUILT) return "duplicate";
    block.present[header.shardIndex] = ARRIVED;
    this.missingCount--;
    return "late-data";
  }

  #agreesWithFrame(header: VideoHeader): boolean {
    const isSliced = (header.userFlags & USER_FLAG_SLICE_STREAMED) !== 0;
    if (header.shardBytes !== this.#shardBytes || isSliced !== this.#isSliced) return false;
    if (header.blockCount === 0) {
      return this.#blockCount === 0 || header.blockIndex < this.#blockCount - 1;
    }
    if (this.#blockCount !== 0) {
      return header.blockCount === this.#blockCount && header.frameBytes === this.#frameBytes;
    }
    // The last block of a streamed frame: all seen before lie in front of it.
    for (const index of this.#blocks.keys()) {
      if (index >= header.blockCount - 1) return false;
    }
    return true;
  }

  #learnTotals(header: VideoHeader): void {
    if (header.blockCount === 0) return;
    this.#blockCount = header.blockCount;
    this.#frameBytes = header.frameBytes;
  }

  #openBlock(header: VideoHeader, baseShard: number): Block | undefined {
    const { dataCount, parityCount } = header;
    const stateBytes = BLOCK_STATE_BYTES + dataCount + parityCount;
    const totalShards = header.blockCount === 0
      ? baseShard + dataCount
      : Math.max(baseShard + dataCount, Math.ceil(header.frameBytes / this.#shardBytes));
    if (!this.#fitData(totalShards * this.#shardBytes) || !this.#pool.charge(stateBytes)) {
      return undefined;
    }
    this.#chargedBytes += stateBytes;
    const block: Block = {
      baseShard,
      dataCount,
      parityCount,
      present: new Uint8Array(dataCount + parityCount),
      parity: null,
      arrivedCount: 0,
      arrivedDataCount: 0,
      isReady: false,
    };
    this.#blocks.set(header.blockIndex, block);
    return block;
  }

  /** Room for `sizeBytes` of data. Only a streamed frame grows, whose size the first packets do not tell. */
  #fitData(sizeBytes: number): boolean {
    const old = this.#data;
    if (old !== null && old.byteLength >= sizeBytes) return true;
    const wanted = old === null ? sizeBytes : Math.max(sizeBytes, old.byteLength * 2);
    const data = this.#pool.acquire(wanted) ?? this.#pool.acquire(sizeBytes);
    if (data === undefined) return false;
    if (old !== null) {
      data.set(old);
      this.#pool.release(old);
    }
    this.#data = data;
    return true;
  }

  #store(block: Block, packet: Uint8Array, header: VideoHeader): boolean {
    const { shardIndex, shardBytes } = header;
    let target = this.#data;
    let offset = (block.baseShard + shardIndex) * shardBytes;
    if (shardIndex >= block.dataCount) {
      block.parity ??= this.#pool.acquire(block.parityCount * shardBytes) ?? null;
      target = block.parity;
      offset = (shardIndex - block.dataCount) * shardBytes;
    }
    if (target === null) return false;
    target.set(
      packet.subarray(VIDEO_HEADER_SIZE_BYTES, VIDEO_HEADER_SIZE_BYTES + shardBytes),
      offset,
    );
    return true;
  }

  #finishBlock(block: Block): void {
    if (block.arrivedDataCount < block.dataCount) this.#recover(block);
    this.#releaseParity(block);
    block.isReady = true;
    this.#readyCount++;
    if (this.#isSliced && this.#blockCount !== 0 && this.#readyCount === this.#blockCount) {
      this.#isBroken = !this.#doBlocksTile();
    }
  }

  #recover({ baseShard, dataCount, parityCount, present, parity }: Block): void {
    if (this.#data === null || parity === null) return;
    const from = baseShard * this.#shardBytes;
    this.#decode({
      dataCount,
      parityCount,
      data: this.#data.subarray(from, from + dataCount * this.#shardBytes),
      parity: parity.subarray(0, parityCount * this.#shardBytes),
      present,
    });
    for (let index = 0; index < dataCount; index++) {
      if (present[index] !== 0) continue;
      present[index] = 2;
      this.recoveredCount++;
      this.missingCount++;
    }
  }

  #releaseParity(block: Block): void {
    if (block.parity !== null) this.#pool.release(block.parity);
    block.parity = null;
  }

  /** Whether the sliced blocks follow one another without a gap. */
  #doBlocksTile(): boolean {
    let nextShard = 0;
    for (let index = 0; index < this.#blockCount; index++) {
      const block = this.#blocks.get(index);
      if (block === undefined || block.baseShard !== nextShard) return false;
      nextShard += block.dataCount;
    }
    return true;
  }
}

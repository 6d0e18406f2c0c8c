/**
 * From unsealed video packets to access units in order: the client's side (punktfunk/1 specification 4.7).
 *
 *     packet → checked by itself → its frame → its block → frame complete → delivered in index order
 *
 *     dropped     no video, other sizes than agreed, a place that its frame cannot have, contradiction to its frame or block
 *     given up    an incomplete frame when the newest is more than 64 indices or 120 ms of capture time ahead, or when
 *                 4 × the largest frame are in flight; a frame of which nothing came is as old as the one before it
 *     late        packets of frames that were delivered or given up
 *
 * One packet costs one copy of its payload and one short-lived view of it; buffers of frames are reused.
 *
 * @module
 */
import { ProtocolError } from "../../lib/errors.ts";
import { cauchyCode, reconstruct } from "../fec/gf256.ts";
import { reconstructLeopard16 } from "../fec/leopard16.ts";
import {
  dataShardsOf,
  type FecTerms,
  FRAME_BLOCKS_MAX,
  isBlockSupported,
  isShardPayload,
  receiverBlockShardsMax,
  SHARD_PAYLOAD_BYTES_MIN,
} from "./fec_plan.ts";
import { type BlockDecoder, FrameAssembly, type LossyBlock } from "./frame_assembly.ts";
import { FramePool } from "./frame_pool.ts";
import {
  createVideoHeader,
  decodeVideoHeader,
  looksLikeVideo,
  ptsApproximateNsOf,
  USER_FLAG_PROBE,
  USER_FLAG_SLICE_STREAMED,
  VIDEO_HEADER_SIZE_BYTES,
  type VideoHeader,
} from "./video_header.ts";

export const FRAMES_AHEAD_MAX = 64;
export const FRAME_PATIENCE_MS = 120;
/** In flight, in units of the largest frame. */
export const FRAMES_IN_FLIGHT_BYTES_FACTOR = 4;

/** A power of two above FRAMES_AHEAD_MAX, so that no two frames in flight share a slot. */
const SLOTS = 128;

export interface ReceivedVideoFrame {
  readonly frameIndex: number;
  /** Capture time, the host's wall clock. */
  readonly ptsNs: bigint;
  readonly userFlags: number;
  /** The access unit: valid during the call only. */
  readonly data: Uint8Array;
  /** When its first packet came, and now: the frames before it may have held it back. */
  readonly firstPacketAtUs: number;
  readonly deliveredAtUs: number;
  readonly blockCount: number;
  /** Packets that were used. */
  readonly packetCount: number;
  /** Data shards rebuilt from parity. */
  readonly recoveredCount: number;
}

/** Frames that will not be delivered, both ends included; the index wraps. */
export interface VideoGap {
  readonly first: number;
  readonly last: number;
}

export interface VideoReassemblerOptions {
  readonly terms: FecTerms;
  /** The larger of Welcome.shard_payload and what Hello allowed. */
  readonly shardPayloadCeilingBytes: number;
  readonly frameBytesMax: number;
  readonly onFrame: (frame: ReceivedVideoFrame) => void;
  readonly onGap: (gap: VideoGap) => void;
  readonly firstFrameIndex?: number;
  /** Capture time that an incomplete frame is waited for; 120. */
  readonly patienceMs?: number;
  /** Instead of the reference decoder of the scheme. */
  readonly decodeBlock?: BlockDecoder;
}

/** Counters since the start. */
export interface VideoReceiveStats {
  /** Valid video packets, late and surplus ones included. */
  packets: number;
  /** Not video, or not what was agreed. */
  refusedPackets: number;
  /** Of frames delivered or given up. */
  latePackets: number;
  duplicatePackets: number;
  /** Data shards rebuilt from parity, and those of them that arrived after all. */
  recoveredShards: number;
  lateRecoveredShards: number;
  frames: number;
  lostFrames: number;
  probePackets: number;
  /** Unsealed bytes of probe packets, header included. */
  probeBytes: number;
}

export class VideoReassembler {
  readonly stats: VideoReceiveStats = {
    packets: 0,
    refusedPackets: 0,
    latePackets: 0,
    duplicatePackets: 0,
    recoveredShards: 0,
    lateRecoveredShards: 0,
    frames: 0,
    lostFrames: 0,
    probePackets: 0,
    probeBytes: 0,
  };
  readonly #options: VideoReassemblerOptions;
  readonly #blockShardsMax: number;
  readonly #patienceNs: number;
  readonly #decode: BlockDecoder;
  readonly #pool: FramePool;
  readonly #header = createVideoHeader();
  readonly #slots: (FrameAssembly | undefined)[] = Array.from({ length: SLOTS }, () => undefined);
  /** Shards of the last finished frames that were rebuilt and have not arrived. */
  readonly #missingShards = new Uint32Array(SLOTS);
  #inFlightCount = 0;
  /** The frame to deliver next. */
  #next: number;
  /** Highest index seen, and its capture time. */
  #newest: number;
  #newestPtsNs = Number.NaN;
  /** Capture time of the frame before `#next`, as far as known. */
  #passedPtsNs = Number.NaN;

  /** Throws ProtocolError "limit" when the largest frame has more blocks than a header can count. */
  constructor(options: VideoReassemblerOptions) {
    const { terms, frameBytesMax } = options;
    const shardsMax = dataShardsOf(frameBytesMax, SHARD_PAYLOAD_BYTES_MIN);
    if (Math.ceil(shardsMax / terms.blockDataShardsMax) > FRAME_BLOCKS_MAX) {
      throw new ProtocolError("limit", "Cannot receive video: frames may have too many blocks");
    }
    this.#options = options;
    this.#blockShardsMax = receiverBlockShardsMax(terms);
    this.#patienceNs = (options.patienceMs ?? FRAME_PATIENCE_MS) * 1_000_000;
    this.#decode = options.decodeBlock ?? referenceDecoder(terms);
    this.#pool = new FramePool(FRAMES_IN_FLIGHT_BYTES_FACTOR * frameBytesMax);
    this.#next = options.firstFrameIndex ?? 0;
    this.#newest = (this.#next - 1) >>> 0;
  }

  /** Memory of frames in flight; never above 4 × the largest frame. */
  get inFlightBytes(): number {
    return this.#pool.usedBytes;
  }

  /** Take one unsealed packet. It is read during the call only; frames it completes are delivered before it returns. */
  accept(packet: Uint8Array, nowUs: number): void {
    if (!looksLikeVideo(packet)) {
      this.stats.refusedPackets++;
      return;
    }
    const header = decodeVideoHeader(packet, this.#header);
    if ((header.userFlags & USER_FLAG_PROBE) !== 0) {
      this.stats.probePackets++;
      this.stats.probeBytes += packet.byteLength;
      return;
    }
    const baseShard = this.#baseShardOf(header, packet.byteLength);
    if (baseShard < 0) {
      this.stats.refusedPackets++;
      return;
    }
    this.stats.packets++;
    if (((header.frameIndex - this.#next) | 0) < 0) this.#countLate(header);
    else this.#acceptForFrame(packet, baseShard, nowUs);
  }

  /**
   * First data shard of the packet's block, or −1 for a packet that no frame can have: everything that is told from the
   * packet alone.
   */
  #baseShardOf(header: VideoHeader, sizeBytes: number): number {
    const { dataCount, parityCount, shardBytes } = header;
    const { terms, frameBytesMax, shardPayloadCeilingBytes } = this.#options;
    if (
      !isShardPayload(shardBytes, shardPayloadCeilingBytes) ||
      sizeBytes < VIDEO_HEADER_SIZE_BYTES + shardBytes ||
      dataCount < 1 || dataCount > terms.blockDataShardsMax ||
      dataCount + parityCount > this.#blockShardsMax ||
      header.shardIndex >= dataCount + parityCount ||
      header.frameBytes > frameBytesMax ||
      !isBlockSupported(header, terms.scheme)
    ) return -1;
    const isSliced = (header.userFlags & USER_FLAG_SLICE_STREAMED) !== 0;
    return isSliced ? this.#slicedBase(header) : this.#uniformBase(header);
  }

  #uniformBase(header: VideoHeader): number {
    const { blockIndex, blockCount, dataCount, shardBytes, frameBytes } = header;
    const { terms, frameBytesMax } = this.#options;
    const perBlock = terms.blockDataShardsMax;
    const baseShard = blockIndex * perBlock;
    if (blockCount === 0) {
      const isLegal = frameBytes === 0 && dataCount === perBlock &&
        (baseShard + perBlock) * shardBytes <= frameBytesMax;
      return isLegal ? baseShard : -1;
    }
    const total = dataShardsOf(frameBytes, shardBytes);
    const isLegal = blockCount === Math.ceil(total / perBlock) && blockIndex < blockCount &&
      dataCount === Math.min(perBlock, total - baseShard);
    return isLegal ? baseShard : -1;
  }

  #slicedBase(header: VideoHeader): number {
    const { blockIndex, blockCount, dataCount, shardBytes, frameBytes } = header;
    let baseShard = frameBytes / shardBytes;
    if (blockCount === 0) {
      if ((baseShard + dataCount) * shardBytes > this.#options.frameBytesMax) return -1;
    } else {
      // Only the last block knows the totals.
      if (blockIndex !== blockCount - 1) return -1;
      baseShard = dataShardsOf(frameBytes, shardBytes) - dataCount;
    }
    // Every block in front has one shard at least.
    const isLegal = Number.isInteger(baseShard) && baseShard >= blockIndex &&
      (baseShard === 0) === (blockIndex === 0);
    return isLegal ? baseShard : -1;
  }

  #acceptForFrame(packet: Uint8Array, baseShard: number, nowUs: number): void {
    const header = this.#header;
    if (((header.frameIndex - this.#newest) | 0) > 0) this.#moveNewest(header, nowUs);
    const frame = this.#slots[header.frameIndex % SLOTS] ?? this.#openFrame(header, nowUs);
    const recoveredBefore = frame.recoveredCount;
    let fate = frame.accept(packet, header, baseShard);
    while (fate === "stuck" && this.#giveUpBefore(header.frameIndex, nowUs)) {
      fate = frame.accept(packet, header, baseShard);
    }
    if (fate === "stored") {
      this.stats.recoveredShards += frame.recoveredCount - recoveredBefore;
      if (frame.isComplete || frame.isBroken) this.#settle(nowUs);
    } else if (fate === "duplicate") this.stats.duplicatePackets++;
    else if (fate === "late-data") this.stats.lateRecoveredShards++;
    else if (fate !== "unneeded") this.stats.refusedPackets++;
  }

  #openFrame(header: VideoHeader, nowUs: number): FrameAssembly {
    const frame = new FrameAssembly(header, { pool: this.#pool, decode: this.#decode, nowUs });
    this.#slots[header.frameIndex % SLOTS] = frame;
    this.#inFlightCount++;
    return frame;
  }

  #countLate(header: VideoHeader): void {
    this.stats.latePackets++;
    const slot = header.frameIndex % SLOTS;
    const isRemembered = ((this.#next - header.frameIndex) | 0) <= FRAMES_AHEAD_MAX;
    const missing = this.#missingShards[slot] ?? 0;
    if (!isRemembered || missing === 0 || header.shardIndex >= header.dataCount) return;
    this.#missingShards[slot] = missing - 1;
    this.stats.lateRecoveredShards++;
  }

  #moveNewest(header: VideoHeader, nowUs: number): void {
    this.#newest = header.frameIndex;
    this.#newestPtsNs = ptsApproximateNsOf(header);
    if (Number.isNaN(this.#passedPtsNs)) this.#passedPtsNs = this.#newestPtsNs;
    this.#settle(nowUs);
  }

  /** Deliver what is complete and give up what is hopeless, in order, as far as that goes. */
  #settle(nowUs: number): void {
    let gapFirst = -1;
    for (;;) {
      const frame = this.#slots[this.#next % SLOTS];
      if (frame?.isComplete === true) {
        if (gapFirst >= 0) this.#reportGap(gapFirst);
        gapFirst = -1;
        this.#deliver(frame, nowUs);
      } else if (this.#isHopeless(frame)) {
        if (gapFirst < 0) gapFirst = this.#next;
        this.#giveUp(frame);
      } else break;
    }
    if (gapFirst >= 0) this.#reportGap(gapFirst);
  }

  /** Whether `frame`, the next to deliver and incomplete, is waited for no longer. Undefined: nothing of it came. */
  #isHopeless(frame: FrameAssembly | undefined): boolean {
    const ahead = (this.#newest - this.#next) | 0;
    // Of the newest something came, even if it is not stored yet.
    if (ahead <= 0) return frame?.isBroken === true;
    const ptsNs = frame?.ptsApproximateNs ?? this.#passedPtsNs;
    return frame?.isBroken === true || ahead > FRAMES_AHEAD_MAX ||
      this.#newestPtsNs - ptsNs > this.#patienceNs;
  }

  #deliver(frame: FrameAssembly, nowUs: number): void {
    this.#missingShards[this.#next % SLOTS] = frame.missingCount;
    this.#pass(frame);
    this.stats.frames++;
    try {
      this.#options.onFrame({
        frameIndex: frame.frameIndex,
        ptsNs: frame.ptsNs,
        userFlags: frame.userFlags,
        data: frame.data,
        firstPacketAtUs: frame.firstPacketAtUs,
        deliveredAtUs: nowUs,
        blockCount: frame.blockCount,
        packetCount: frame.packetCount,
        recoveredCount: frame.recoveredCount,
      });
    } finally {
      frame.release();
    }
  }

  #giveUp(frame: FrameAssembly | undefined): void {
    this.#missingShards[this.#next % SLOTS] = 0;
    if (frame !== undefined) {
      this.#pass(frame);
      frame.release();
      return;
    }
    // With nothing in flight, all frames too far behind are missing alike, however many.
    const ahead = (this.#newest - this.#next) | 0;
    const count = this.#inFlightCount === 0 ? Math.max(1, ahead - FRAMES_AHEAD_MAX) : 1;
    if (count > 1) this.#missingShards.fill(0);
    this.#next = (this.#next + count) >>> 0;
  }

  #pass(frame: FrameAssembly): void {
    this.#slots[this.#next % SLOTS] = undefined;
    this.#inFlightCount--;
    this.#passedPtsNs = frame.ptsApproximateNs;
    this.#next = (this.#next + 1) >>> 0;
  }

  /** For memory: give up the oldest frame in front of `frameIndex`; false when there is none. */
  #giveUpBefore(frameIndex: number, nowUs: number): boolean {
    if (this.#next === frameIndex) return false;
    const first = this.#next;
    this.#giveUp(this.#slots[first % SLOTS]);
    this.#reportGap(first);
    this.#settle(nowUs);
    return true;
  }

  /** Tell that the frames from `first` up to the next to deliver are lost. */
  #reportGap(first: number): void {
    this.stats.lostFrames += (this.#next - first) >>> 0;
    this.#options.onGap({ first, last: (this.#next - 1) >>> 0 });
  }
}

function referenceDecoder({ scheme }: FecTerms): BlockDecoder {
  return (block) => {
    const { dataCount, parityCount, data, present } = block;
    const sizeBytes = data.byteLength / dataCount;
    const shards = shardsOf(block, sizeBytes);
    const rebuilt = scheme === "gf65536"
      ? reconstructLeopard16(shards, block)
      : reconstruct(shards, cauchyCode(dataCount, parityCount));
    for (const [index, shard] of rebuilt.entries()) {
      if (present[index] === 0) data.set(shard, index * sizeBytes);
    }
  };
}

/** Data then parity, undefined where lost. */
function shardsOf(
  { dataCount, data, parity, present }: LossyBlock,
  sizeBytes: number,
): (Uint8Array | undefined)[] {
  return Array.from(present, (isPresent, index) => {
    if (isPresent === 0) return undefined;
    const [shards, at] = index < dataCount ? [data, index] : [parity, index - dataCount];
    return shards.subarray(at * sizeBytes, (at + 1) * sizeBytes);
  });
}

/**
 * From planned blocks to a wire job: writes the headers of a frame, or of one streamed part of it, and takes its numbers.
 * Video and probe filler each have a writer; what they share is the counter of the seal.
 *
 *     packets in send order: data of all blocks, then parity of all blocks
 *
 * @module
 */
import { viewOf } from "../../lib/bytes.ts";
import type { SealRule, WireBlock, WireJob } from "../wire_job.ts";
import { FEC_SCHEMES, type FecScheme } from "./enums.ts";
import {
  createVideoHeader,
  encodeVideoHeader,
  PACKET_FLAG_END,
  PACKET_FLAG_PICTURE,
  PACKET_FLAG_START,
  setPtsNs,
  VIDEO_HEADER_SIZE_BYTES,
  VIDEO_VERSION,
} from "./video_header.ts";
import {
  hostSealRule,
  SEAL_PREFIX_SIZE_BYTES,
  type SealCounter,
  type SealSecrets,
} from "./video_seal.ts";

const U32_MODULUS = 2 ** 32;

export interface VideoSeal {
  readonly secrets: SealSecrets;
  /** One for everything sealed with these secrets. */
  readonly counter: SealCounter;
}

export interface VideoJobWriterOptions {
  readonly scheme: FecScheme;
  readonly shardPayloadBytes: number;
  /** null sends plain packets. */
  readonly seal: VideoSeal | null;
  readonly firstStreamSequence?: number;
}

/** A frame, or the part of it that one job carries. */
export interface VideoJobFrame {
  readonly ptsNs: bigint;
  readonly frameIndex: number;
  readonly userFlags: number;
  /** What the header says, which of a streamed part is not the size. */
  readonly frameBytes: number;
  /** Index of the job's first block, and what the header says of their number. */
  readonly firstBlockIndex: number;
  readonly blockCount: number;
  readonly isFirstPart: boolean;
  readonly isLastPart: boolean;
  /** Bytes that the kernel is given with the job. */
  readonly sizeBytes: number;
}

export class VideoJobWriter {
  readonly #header = createVideoHeader();
  readonly #counter: SealCounter | null;
  readonly #job: WireJob;
  #view = viewOf(new Uint8Array(0));
  #streamSequence: number;

  constructor(options: VideoJobWriterOptions) {
    const { scheme, seal } = options;
    this.#header.version = VIDEO_VERSION;
    this.#header.fecScheme = FEC_SCHEMES[scheme];
    this.#counter = seal?.counter ?? null;
    this.#streamSequence = options.firstStreamSequence ?? 0;
    const rule: SealRule | null = seal === null ? null : hostSealRule(seal.secrets);
    this.#job = {
      shardSizeBytes: VIDEO_HEADER_SIZE_BYTES + options.shardPayloadBytes,
      headerSizeBytes: VIDEO_HEADER_SIZE_BYTES,
      headers: new Uint8Array(0),
      packetCount: 0,
      prologue: new Uint8Array(0),
      auSizeBytes: 0,
      blocks: [],
      blockCount: 0,
      fieldBits: scheme === "gf256" ? 8 : 16,
      order: "data-first",
      fecOffsetBytes: VIDEO_HEADER_SIZE_BYTES,
      // The code does not see the header at all; a parity packet has one of its own.
      dataHeaderMask: new Uint8Array(VIDEO_HEADER_SIZE_BYTES),
      parityHeaderMask: new Uint8Array(VIDEO_HEADER_SIZE_BYTES).fill(0xff),
      seal: rule,
      sealCounter: 0n,
      sealPrefix: new Uint8Array(rule === null ? 0 : SEAL_PREFIX_SIZE_BYTES),
    };
  }

  get shardPayloadBytes(): number {
    return this.#job.shardSizeBytes - VIDEO_HEADER_SIZE_BYTES;
  }

  setShardPayload(sizeBytes: number): void {
    this.#job.shardSizeBytes = VIDEO_HEADER_SIZE_BYTES + sizeBytes;
  }

  /** Where the blocks of the next job are planned. */
  get blocks(): WireBlock[] {
    return this.#job.blocks;
  }

  /** The job of the first `plannedCount` of `blocks`; valid until the next call. */
  write(frame: VideoJobFrame, plannedCount: number): WireJob {
    const job = this.#job;
    job.blockCount = plannedCount;
    job.auSizeBytes = frame.sizeBytes;
    job.packetCount = 0;
    for (let index = 0; index < plannedCount; index++) {
      const block = job.blocks[index];
      if (block !== undefined) job.packetCount += block.dataCount + block.parityCount;
    }
    this.#fitHeaders(job.packetCount);
    this.#fillHeader(frame);
    this.#writeHeaders(frame);
    if (this.#counter !== null) job.sealCounter = this.#counter.take(job.packetCount);
    return job;
  }

  #fillHeader(frame: VideoJobFrame): void {
    const header = this.#header;
    setPtsNs(header, frame.ptsNs);
    header.frameIndex = frame.frameIndex;
    header.frameBytes = frame.frameBytes;
    header.userFlags = frame.userFlags;
    header.blockCount = frame.blockCount;
    header.shardBytes = this.shardPayloadBytes;
  }

  #writeHeaders(frame: VideoJobFrame): void {
    const { blocks, blockCount } = this.#job;
    let offset = 0;
    for (let pass = 0; pass < 2; pass++) {
      for (let index = 0; index < blockCount; index++) {
        const block = blocks[index];
        if (block === undefined) continue;
        const { dataCount, parityCount } = block;
        const isLast = frame.isLastPart && index === blockCount - 1;
        this.#header.blockIndex = frame.firstBlockIndex + index;
        this.#header.dataCount = dataCount;
        this.#header.parityCount = parityCount;
        offset = pass === 0
          ? this.#writeShards(offset, {
            from: 0,
            to: dataCount,
            isStart: frame.isFirstPart && index === 0,
            isEnd: isLast && parityCount === 0,
          })
          : this.#writeShards(offset, {
            from: dataCount,
            to: dataCount + parityCount,
            isStart: false,
            isEnd: isLast,
          });
      }
    }
  }

  /** Headers of shards `from` to `to` of the block in the header. */
  #writeShards(
    offset: number,
    { from, to, isStart, isEnd }: {
      readonly from: number;
      readonly to: number;
      readonly isStart: boolean;
      readonly isEnd: boolean;
    },
  ): number {
    const header = this.#header;
    for (let shard = from; shard < to; shard++) {
      header.shardIndex = shard;
      header.packetFlags = PACKET_FLAG_PICTURE |
        (isStart && shard === 0 ? PACKET_FLAG_START : 0) |
        (isEnd && shard === to - 1 ? PACKET_FLAG_END : 0);
      header.streamSequence = this.#streamSequence;
      this.#streamSequence = (this.#streamSequence + 1) % U32_MODULUS;
      offset = encodeVideoHeader(header, this.#view, offset);
    }
    return offset;
  }

  /** Makes `headers` of the job exactly as large as the frame; every byte is written afterwards. */
  #fitHeaders(packetCount: number): void {
    const sizeBytes = packetCount * VIDEO_HEADER_SIZE_BYTES;
    if (this.#job.headers.byteLength === sizeBytes) return;
    if (this.#view.byteLength < sizeBytes) this.#view = viewOf(new Uint8Array(sizeBytes * 2));
    this.#job.headers = new Uint8Array(this.#view.buffer, 0, sizeBytes);
  }
}

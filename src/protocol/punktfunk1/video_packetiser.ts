/**
 * Cuts access units into video packets of punktfunk/1 (specification 4.2 to 4.6). Layouts stand at `video_header.ts` and
 * `video_seal.ts`, the cut at `fec_plan.ts`.
 *
 *     plan(facts)                                   one job a frame
 *     beginStreamed(facts), planPart(…) … last      one job a block, before the encoder is done with the frame
 *
 * A streamed block that is not the last does not know the frame's size:
 *
 *                     block_count   frame_bytes                k
 *     uniform         0             0                          K exactly
 *     slice           0             where the block begins     1 … K, whole shards
 *     last of both    true          true                       what is left
 *
 * A part is a job like any other to the wire kernel, whose access unit is the part's bytes.
 *
 * @module
 */
import { ProtocolError } from "../../lib/errors.ts";
import type { AccessUnitFacts, Packetiser, WireJob } from "../wire_job.ts";
import {
  BLOCK_DATA_SHARDS_SAFE_MAX,
  checkFecTerms,
  dataShardsOf,
  FEC_PERCENT_MAX,
  type FecTerms,
  isShardPayload,
  planBlocks,
} from "./fec_plan.ts";
import {
  USER_FLAG_KEY,
  USER_FLAG_PICTURE,
  USER_FLAG_RECOVERY_ANCHOR,
  USER_FLAG_RECOVERY_MARK,
  USER_FLAG_REPEAT,
  USER_FLAG_SLICE_STREAMED,
  USER_FLAG_WAVE_CLOSE,
} from "./video_header.ts";
import { VideoJobWriter, type VideoSeal } from "./video_job.ts";

/** Packets of one job, as many as the wire kernel takes. */
export const FRAME_PACKETS_MAX = 262_144;

const U32_MODULUS = 2 ** 32;
const NS_PER_US = 1000n;

export interface VideoPacketiserOptions {
  /** As Welcome says them. */
  readonly terms: FecTerms;
  readonly shardPayloadBytes: number;
  /** Largest size that `setShardPayload` may choose later. */
  readonly shardPayloadCeilingBytes: number;
  /** What the client takes: `frameBytesMaxOf`. */
  readonly frameBytesMax: number;
  /** null sends plain packets, for tests on loopback. */
  readonly seal: VideoSeal | null;
  /** Wall clock less monotonic clock. */
  readonly wallOffsetNs: bigint;
  /** 0 unless a test continues a stream. */
  readonly firstFrameIndex?: number;
  readonly firstStreamSequence?: number;
}

export type StreamedFacts = Omit<AccessUnitFacts, "sizeBytes">;

interface StreamedFrame {
  readonly ptsNs: bigint;
  readonly userFlags: number;
  readonly isSliced: boolean;
  blockIndex: number;
  sentBytes: number;
}

export class VideoPacketiser implements Packetiser {
  readonly #options: VideoPacketiserOptions;
  readonly #writer: VideoJobWriter;
  #percent: number;
  #frameIndex: number;
  #ptsUs = 0;
  #streamed: StreamedFrame | null = null;

  /** Throws ProtocolError "limit" for terms or a size that no client accepts. */
  constructor(options: VideoPacketiserOptions) {
    checkFecTerms(options.terms);
    if (options.terms.blockDataShardsMax > BLOCK_DATA_SHARDS_SAFE_MAX) {
      throw new ProtocolError(
        "limit",
        `Cannot send blocks of ${options.terms.blockDataShardsMax} data packets: allowed is ` +
          `${BLOCK_DATA_SHARDS_SAFE_MAX}`,
      );
    }
    this.#options = options;
    this.#percent = options.terms.percent;
    this.#frameIndex = options.firstFrameIndex ?? 0;
    this.#writer = new VideoJobWriter({
      scheme: options.terms.scheme,
      shardPayloadBytes: options.shardPayloadBytes,
      seal: options.seal,
      firstStreamSequence: options.firstStreamSequence ?? 0,
    });
    this.setShardPayload(options.shardPayloadBytes);
  }

  get nextFrameIndex(): number {
    return this.#frameIndex;
  }

  get fecPercent(): number {
    return this.#percent;
  }

  get shardPayloadBytes(): number {
    return this.#writer.shardPayloadBytes;
  }

  /** Recovery of the next frames, 0…90. Receivers read it from every packet. Throws RangeError. */
  setFecPercent(percent: number): void {
    if (!Number.isInteger(percent) || percent < 0 || percent > FEC_PERCENT_MAX) {
      throw new RangeError(`Cannot set FEC: ${percent} %, allowed is 0 to ${FEC_PERCENT_MAX}`);
    }
    this.#percent = percent;
  }

  /**
   * Payload of the next frames' packets. To grow, the client's acknowledgement must have come. Throws ProtocolError "limit"
   * for an odd size, or one outside 512 and the ceiling.
   */
  setShardPayload(sizeBytes: number): void {
    this.#requireWholeFrame();
    if (!isShardPayload(sizeBytes, this.#options.shardPayloadCeilingBytes)) {
      throw new ProtocolError("limit", `Cannot send shards of ${sizeBytes} bytes`);
    }
    this.#writer.setShardPayload(sizeBytes);
  }

  plan(facts: AccessUnitFacts): WireJob {
    this.#requireWholeFrame();
    const { sizeBytes } = facts;
    this.#requireFrameBytes(sizeBytes);
    const blockCount = this.#planBlocks(sizeBytes);
    const job = this.#writer.write({
      ptsNs: this.#ptsNsOf(facts.capturedAtUs),
      frameIndex: this.#frameIndex,
      userFlags: userFlagsOf(facts),
      frameBytes: sizeBytes,
      firstBlockIndex: 0,
      blockCount,
      isFirstPart: true,
      isLastPart: true,
      sizeBytes,
    }, blockCount);
    this.#endFrame();
    return job;
  }

  /** Bytes of a full block: what `planPart` takes at most, and of a uniform frame's parts exactly. */
  get partBytesMax(): number {
    return this.#options.terms.blockDataShardsMax * this.shardPayloadBytes;
  }

  /** Start a frame that is sent in parts. Only toward a client of STREAMED_AU, sliced only toward MULTI_SLICE as well. */
  beginStreamed(facts: StreamedFacts, { isSliced }: { readonly isSliced: boolean }): void {
    this.#requireWholeFrame();
    this.#streamed = {
      ptsNs: this.#ptsNsOf(facts.capturedAtUs),
      userFlags: userFlagsOf(facts) | (isSliced ? USER_FLAG_SLICE_STREAMED : 0),
      isSliced,
      blockIndex: 0,
      sentBytes: 0,
    };
  }

  /**
   * The job of the frame's next block. A part that is not the last is whole shards, and of a uniform frame exactly
   * `partBytesMax`; the last one is anything from 1 byte. Throws RangeError for other sizes, ProtocolError "limit" when the
   * frame gets too large for the client; `abandonStreamed` then.
   */
  planPart(sizeBytes: number, { isLast }: { readonly isLast: boolean }): WireJob {
    const frame = this.#streamed;
    if (frame === null) throw new RangeError("Cannot plan part: no frame was begun");
    const isWhole = sizeBytes % this.shardPayloadBytes === 0 &&
      (frame.isSliced || sizeBytes === this.partBytesMax);
    if (sizeBytes < 1 || sizeBytes > this.partBytesMax || !(isLast || isWhole)) {
      throw new RangeError(`Cannot plan part: it has ${sizeBytes} bytes`);
    }
    const endBytes = frame.sentBytes + sizeBytes;
    this.#requireFrameBytes(endBytes);
    const plannedCount = this.#planBlocks(sizeBytes);
    const job = this.#writer.write({
      ptsNs: frame.ptsNs,
      frameIndex: this.#frameIndex,
      userFlags: frame.userFlags,
      frameBytes: isLast ? endBytes : frame.isSliced ? frame.sentBytes : 0,
      firstBlockIndex: frame.blockIndex,
      blockCount: isLast ? frame.blockIndex + 1 : 0,
      isFirstPart: frame.blockIndex === 0,
      isLastPart: isLast,
      sizeBytes,
    }, plannedCount);
    frame.sentBytes = endBytes;
    frame.blockIndex++;
    if (isLast) this.#endFrame();
    return job;
  }

  /** Leave the frame that was begun unfinished: the client gives it up and asks for recovery. */
  abandonStreamed(): void {
    if (this.#streamed !== null) this.#endFrame();
  }

  #planBlocks(sizeBytes: number): number {
    return planBlocks(dataShardsOf(sizeBytes, this.shardPayloadBytes), this.#writer.blocks, {
      terms: this.#options.terms,
      percent: this.#percent,
      packetsMax: FRAME_PACKETS_MAX,
    });
  }

  #requireWholeFrame(): void {
    if (this.#streamed !== null) throw new RangeError("Cannot plan frame: another is in parts");
  }

  #requireFrameBytes(sizeBytes: number): void {
    const { frameBytesMax } = this.#options;
    if (sizeBytes <= frameBytesMax) return;
    throw new ProtocolError(
      "limit",
      `Cannot send a frame of ${sizeBytes} bytes: allowed is ${frameBytesMax}`,
    );
  }

  /** A repeated picture keeps its capture time; the client's clock must not run backwards for one. */
  #ptsNsOf(capturedAtUs: number): bigint {
    this.#ptsUs = Math.max(this.#ptsUs, Math.round(capturedAtUs));
    return BigInt(this.#ptsUs) * NS_PER_US + this.#options.wallOffsetNs;
  }

  #endFrame(): void {
    this.#streamed = null;
    this.#frameIndex = (this.#frameIndex + 1) % U32_MODULUS;
  }
}

function userFlagsOf({ kind, isRepeat, wave }: StreamedFacts): number {
  return USER_FLAG_PICTURE |
    (kind === "idr" ? USER_FLAG_KEY : 0) |
    (kind === "p-after-invalidation" ? USER_FLAG_RECOVERY_ANCHOR : 0) |
    (isRepeat === true ? USER_FLAG_REPEAT : 0) |
    (wave === undefined ? 0 : USER_FLAG_RECOVERY_MARK) |
    (wave === "close" ? USER_FLAG_WAVE_CLOSE : 0);
}

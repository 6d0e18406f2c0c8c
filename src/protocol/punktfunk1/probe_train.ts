/**
 * Bandwidth probes: which are run, and the filler they send (punktfunk/1 specification 4.9, 6.2).
 *
 *     ProbeGate.admit(request) → plan → ProbeTrain.next(now) → wire job, again and again → result
 *
 *     refused     no answer     within 10 s of the last one's start, while one runs, before the punch
 *                 all zeros     zero arguments, or a client whose probes have no frame indices of their own
 *     clamped     5 s, 10 Gbit/s; between punch and first frame 50 ms, and as often as the client likes
 *
 *     smooth      rate · t bytes at t
 *     shaped      at every 1/burstHz s a burst of rate/burstHz bytes, in groups of groupBytes at groupRate, 0 at once
 *
 * Filler has frame indices of its own and shares the seal's counter with the video.
 *
 * @module
 */
import type { WireJob } from "../wire_job.ts";
import type { FecScheme } from "./enums.ts";
import { USER_FLAG_PROBE, VIDEO_HEADER_SIZE_BYTES } from "./video_header.ts";
import { VideoJobWriter, type VideoSeal } from "./video_job.ts";
import { SEAL_OVERHEAD_BYTES } from "./video_seal.ts";

export const PROBE_DURATION_MS_MAX = 5_000;
export const PROBE_RATE_KBPS_MAX = 10_000_000;
export const PROBE_INTERVAL_MS = 10_000;
export const RAMP_DURATION_MS_MAX = 50;

const BYTES_PER_KBIT = 125;
const U32_MODULUS = 2 ** 32;
/** One job: what leaves in one system call where segments are offloaded. */
const JOB_PACKETS_MAX = 64;
/** A sender that falls behind catches up for this part of the duration, then stops. */
const OVERTIME_RATIO = 0.25;

export interface ProbeShape {
  /** 0 is a smooth train. */
  readonly burstHz: number;
  readonly groupBytes: number;
  /** 0 is as fast as the line is. */
  readonly groupRateKbps: number;
}

export interface ProbeRequest extends Partial<ProbeShape> {
  readonly targetKbps: number;
  readonly durationMs: number;
}

/** A request within its limits. */
export interface ProbePlan extends ProbeShape {
  readonly targetKbps: number;
  readonly durationMs: number;
}

export type ProbeVerdict =
  | { readonly kind: "run"; readonly plan: ProbePlan }
  /** Answer with a result of zeros. */
  | { readonly kind: "empty" }
  /** Do not answer. */
  | { readonly kind: "ignore" };

/** Decides over the probes of one session. */
export class ProbeGate {
  readonly #hasOwnIndices: boolean;
  #phase: "closed" | "ramp" | "stream" = "closed";
  #isRunning = false;
  #lastStartUs = Number.NEGATIVE_INFINITY;

  /** `hasOwnIndices`: the client's PROBE_SEQ. */
  constructor({ hasOwnIndices }: { readonly hasOwnIndices: boolean }) {
    this.#hasOwnIndices = hasOwnIndices;
  }

  /** The punch came, and Welcome offered the ramp. */
  openRamp(): void {
    if (this.#phase === "closed") this.#phase = "ramp";
  }

  /** The first frame leaves. */
  startStream(): void {
    this.#phase = "stream";
  }

  admit(request: ProbeRequest, nowUs: number): ProbeVerdict {
    const { targetKbps, durationMs } = request;
    if (targetKbps === 0 || durationMs === 0 || !this.#hasOwnIndices) return { kind: "empty" };
    const isEarly = this.#phase === "stream" &&
      nowUs < this.#lastStartUs + PROBE_INTERVAL_MS * 1000;
    if (this.#phase === "closed" || this.#isRunning || isEarly) return { kind: "ignore" };
    this.#isRunning = true;
    if (this.#phase === "stream") this.#lastStartUs = nowUs;
    const durationMsMax = this.#phase === "ramp" ? RAMP_DURATION_MS_MAX : PROBE_DURATION_MS_MAX;
    return {
      kind: "run",
      plan: {
        targetKbps: Math.min(targetKbps, PROBE_RATE_KBPS_MAX),
        durationMs: Math.min(durationMs, durationMsMax),
        burstHz: request.burstHz ?? 0,
        groupBytes: request.groupBytes ?? 0,
        groupRateKbps: request.groupRateKbps ?? 0,
      },
    };
  }

  /** The train that was admitted is done, its result sent. */
  finish(): void {
    this.#isRunning = false;
  }
}

export interface ProbeTrainOptions {
  readonly scheme: FecScheme;
  readonly shardPayloadBytes: number;
  /** K: filler keeps to the blocks of the video. */
  readonly blockDataShardsMax: number;
  /** With the video's counter. */
  readonly seal: VideoSeal | null;
  readonly wallOffsetNs: bigint;
  readonly startUs: number;
  /** Continues where the session's last train ended. */
  readonly firstFrameIndex: number;
}

/** What the wire kernel did with a job. */
export interface ProbeSendResult {
  readonly packetCount: number;
  readonly bytes: number;
  readonly refusedPackets: number;
}

/** The numbers of the message ProbeResult. */
export interface ProbeTotals {
  /** On the wire, sealed. */
  readonly bytes: bigint;
  readonly packets: number;
  readonly durationMs: number;
  readonly wireSent: number;
  readonly dropped: number;
}

export class ProbeTrain {
  readonly #plan: ProbePlan;
  readonly #options: ProbeTrainOptions;
  readonly #writer: VideoJobWriter;
  readonly #filler: Uint8Array;
  readonly #packetBytes: number;
  readonly #packetsTotal: number;
  #frameIndex: number;
  #plannedPackets = 0;
  #refusedPackets = 0;
  #sentBytes = 0;
  #lastSentAtUs: number;

  constructor(plan: ProbePlan, options: ProbeTrainOptions) {
    const { shardPayloadBytes, seal } = options;
    this.#plan = plan;
    this.#options = options;
    this.#writer = new VideoJobWriter(options);
    this.#filler = new Uint8Array(
      Math.min(JOB_PACKETS_MAX, options.blockDataShardsMax) * shardPayloadBytes,
    );
    this.#packetBytes = shardPayloadBytes + VIDEO_HEADER_SIZE_BYTES +
      (seal === null ? 0 : SEAL_OVERHEAD_BYTES);
    const bytesTotal = plan.targetKbps * BYTES_PER_KBIT * plan.durationMs / 1000;
    this.#packetsTotal = Math.floor(bytesTotal / this.#packetBytes);
    this.#frameIndex = options.firstFrameIndex;
    this.#lastSentAtUs = options.startUs;
  }

  get nextFrameIndex(): number {
    return this.#frameIndex;
  }

  /** Everything was planned, or time is up. */
  isDone(nowUs: number): boolean {
    const limitUs = this.#plan.durationMs * 1000 * (1 + OVERTIME_RATIO);
    return this.#plannedPackets >= this.#packetsTotal || nowUs - this.#options.startUs > limitUs;
  }

  /** The filler due at `nowUs` and not yet planned, at most 64 packets of it, or null. Job and unit last until the next call. */
  next(nowUs: number): { readonly job: WireJob; readonly unit: Uint8Array } | null {
    if (this.isDone(nowUs)) return null;
    const { shardPayloadBytes, wallOffsetNs, startUs } = this.#options;
    const duePackets = Math.min(
      Math.floor(this.#dueBytes(nowUs - startUs) / this.#packetBytes),
      this.#packetsTotal,
    );
    const packets = Math.min(
      duePackets - this.#plannedPackets,
      this.#filler.byteLength / shardPayloadBytes,
    );
    if (packets < 1) return null;
    const sizeBytes = packets * shardPayloadBytes;
    this.#writer.blocks[0] = { dataCount: packets, parityCount: 0 };
    const job = this.#writer.write({
      ptsNs: BigInt(Math.round(nowUs)) * 1000n + wallOffsetNs,
      frameIndex: this.#frameIndex,
      userFlags: USER_FLAG_PROBE,
      frameBytes: sizeBytes,
      firstBlockIndex: 0,
      blockCount: 1,
      isFirstPart: true,
      isLastPart: true,
      sizeBytes,
    }, 1);
    this.#frameIndex = (this.#frameIndex + 1) % U32_MODULUS;
    this.#plannedPackets += packets;
    return { job, unit: this.#filler.subarray(0, sizeBytes) };
  }

  /** What became of the last job. */
  sent({ packetCount, bytes, refusedPackets }: ProbeSendResult, nowUs: number): void {
    this.#refusedPackets += refusedPackets;
    this.#sentBytes += bytes - refusedPackets * (bytes / packetCount);
    this.#lastSentAtUs = nowUs;
  }

  get totals(): ProbeTotals {
    const elapsedMs = Math.ceil((this.#lastSentAtUs - this.#options.startUs) / 1000);
    return {
      bytes: BigInt(Math.round(this.#sentBytes)),
      packets: this.#plannedPackets,
      // The last packets are due at the end, and may leave a little before.
      durationMs: Math.max(this.#plan.durationMs, elapsedMs),
      wireSent: this.#plannedPackets - this.#refusedPackets,
      dropped: this.#refusedPackets,
    };
  }

  /** Bytes that shall have left `elapsedUs` after the start. */
  #dueBytes(elapsedUs: number): number {
    const { targetKbps, burstHz, groupBytes, groupRateKbps } = this.#plan;
    const bytesPerUs = targetKbps * BYTES_PER_KBIT / 1e6;
    if (burstHz === 0) return bytesPerUs * elapsedUs;
    const periodUs = 1e6 / burstHz;
    const burstBytes = bytesPerUs * periodUs;
    const bursts = Math.floor(elapsedUs / periodUs);
    const groupUs = groupBytes / (groupRateKbps * BYTES_PER_KBIT / 1e6);
    const groups = 1 + Math.floor((elapsedUs - bursts * periodUs) / groupUs);
    const isAtOnce = groupRateKbps === 0 || groupBytes === 0;
    return bursts * burstBytes +
      (isAtOnce ? burstBytes : Math.min(burstBytes, groups * groupBytes));
  }
}

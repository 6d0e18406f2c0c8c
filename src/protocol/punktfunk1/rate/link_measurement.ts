/**
 * The link measurement of a client: what the path carries, from the host's probe filler (punktfunk/1 specification 6.2).
 *
 *     ramp    before the first frame, of hosts that offer it: 5, 10, 20, … Mbit/s for 25 ms or 16 MB each, until a step does not
 *             come through, 1.25 × the ceiling is reached, or video comes; 1.5 s a step
 *     burst   800 ms, once, 2 s after the first frame, beside the video; 15 s
 *
 *     step    request → filler … → ProbeResult → until all that left came, 100 ms at most → judged
 *     rate    bytes received · 8 ÷ duration, or by the time between first and last arrival where that is less: a queue takes a
 *             short burst at any rate, and gives it back at its own
 *     through at least 85 % of what the host sent, at most 5 % lost, and the host kept to its rate
 *
 * @module
 */
import { BITRATE_KBPS_MAX } from "../../../lib/limits.ts";
import type { ProbeResult } from "../control_link.ts";
import { PROBE_RATE_KBPS_MAX } from "../probe_train.ts";

export const RAMP_START_KBPS = 5_000;
export const RAMP_STEP_MS = 25;
export const RAMP_STEP_BYTES_MAX = 16_000_000;
export const RAMP_TIMEOUT_MS = 1_500;
export const BURST_MS = 800;
export const BURST_DELAY_MS = 2_000;
export const BURST_TIMEOUT_MS = 15_000;

const CEILING_FACTOR = 1.25;
const THROUGH_SHARE = 0.85;
const LOSS_MAX = 0.05;
const SETTLE_US = 100_000;
const KBPS_PER_BYTE_US = 8_000;

export interface LinkOutcome {
  /** 0: nothing is known. */
  readonly provenKbps: number;
  /** The path was asked for more and did not carry it. */
  readonly isLimit: boolean;
}

/** A ProbeRequest to send. */
export interface ProbeWish {
  readonly targetKbps: number;
  readonly durationMs: number;
}

export interface LinkMeasurementOptions {
  readonly kind: "ramp" | "burst";
  /** Ramp: when requests may go. Burst: when the first frame came. */
  readonly startUs: number;
  /** More is of no use. */
  readonly ceilingKbps: number;
  /** Of the burst. */
  readonly burstKbps?: number;
}

interface Step extends ProbeWish {
  readonly deadlineUs: number;
  fillerPackets: number;
  bytes: number;
  firstBytes: number;
  firstAtUs: number;
  lastAtUs: number;
}

export class LinkMeasurement {
  readonly #kind: "ramp" | "burst";
  readonly #startUs: number;
  readonly #targetKbpsMax: number;
  #nextKbps: number;
  #step: Step | undefined;
  #result: { readonly message: ProbeResult; readonly atUs: number } | undefined;
  #provenKbps = 0;
  #outcome: LinkOutcome | undefined;

  constructor({ kind, startUs, ceilingKbps, burstKbps }: LinkMeasurementOptions) {
    this.#kind = kind;
    this.#startUs = kind === "ramp" ? startUs : startUs + BURST_DELAY_MS * 1000;
    const usefulKbps = Math.min(ceilingKbps, BITRATE_KBPS_MAX) * CEILING_FACTOR;
    this.#targetKbpsMax = Math.round(Math.min(usefulKbps, PROBE_RATE_KBPS_MAX));
    const firstKbps = kind === "ramp" ? RAMP_START_KBPS : burstKbps ?? usefulKbps;
    this.#nextKbps = Math.round(Math.min(firstKbps, this.#targetKbpsMax));
  }

  /** Undefined while it runs. */
  get outcome(): LinkOutcome | undefined {
    return this.#outcome;
  }

  /** Filler is on its way, or in the path's queue. */
  get isFilling(): boolean {
    return this.#step !== undefined;
  }

  /** A packet of filler came. */
  filler(sizeBytes: number, nowUs: number): void {
    const step = this.#step;
    if (step === undefined) return;
    if (step.fillerPackets++ === 0) {
      step.firstAtUs = nowUs;
      step.firstBytes = sizeBytes;
    }
    step.bytes += sizeBytes;
    step.lastAtUs = nowUs;
  }

  /** A packet of video came. Between filler it takes its part of the path; the ramp is over. */
  video(sizeBytes: number): void {
    if (this.#kind === "ramp") this.#finish(false);
    else if (this.#step !== undefined && this.#step.fillerPackets > 0) {
      this.#step.bytes += sizeBytes;
    }
  }

  /** ProbeResult came. */
  result(message: ProbeResult, nowUs: number): void {
    if (this.#step === undefined || this.#result !== undefined) return;
    if (message.packets === 0) return this.#finish(false);
    this.#result = { message, atUs: nowUs };
  }

  /** The request to send now, if any. Ask every few milliseconds. */
  poll(nowUs: number): ProbeWish | undefined {
    if (this.#outcome !== undefined || nowUs < this.#startUs) return undefined;
    const step = this.#step;
    if (step === undefined) return this.#request(nowUs);
    if (this.#result === undefined) {
      if (nowUs > step.deadlineUs) this.#finish(false);
      return undefined;
    }
    const { message, atUs } = this.#result;
    const isComplete = message.wireSent > 0 && step.fillerPackets >= message.wireSent;
    if (!isComplete && nowUs < atUs + SETTLE_US) return undefined;
    return this.#judge(step, message, nowUs);
  }

  #request(nowUs: number): ProbeWish {
    const targetKbps = this.#nextKbps;
    const isRamp = this.#kind === "ramp";
    const byteMs = Math.floor(RAMP_STEP_BYTES_MAX * 8 / targetKbps);
    const durationMs = isRamp ? Math.min(RAMP_STEP_MS, byteMs) : BURST_MS;
    const timeoutMs = isRamp ? RAMP_TIMEOUT_MS : BURST_TIMEOUT_MS;
    this.#step = {
      targetKbps,
      durationMs,
      deadlineUs: nowUs + timeoutMs * 1000,
      fillerPackets: 0,
      bytes: 0,
      firstBytes: 0,
      firstAtUs: 0,
      lastAtUs: 0,
    };
    return { targetKbps, durationMs };
  }

  #judge(step: Step, message: ProbeResult, nowUs: number): ProbeWish | undefined {
    this.#step = undefined;
    this.#result = undefined;
    const sentPackets = message.wireSent > 0 ? message.wireSent : message.packets;
    const durationUs = Math.max(message.durationMs, step.durationMs) * 1000;
    const sentKbps = Number(message.bytes) * KBPS_PER_BYTE_US / durationUs;
    const arrivalUs = Math.max(step.lastAtUs - step.firstAtUs, 1);
    const receivedKbps = Math.min(
      step.bytes * KBPS_PER_BYTE_US / durationUs,
      (step.bytes - step.firstBytes) * KBPS_PER_BYTE_US / arrivalUs,
    );
    this.#provenKbps = Math.max(this.#provenKbps, Math.round(receivedKbps));
    const isHostSlow = sentKbps < step.targetKbps * THROUGH_SHARE;
    const isThrough = receivedKbps >= sentKbps * THROUGH_SHARE &&
      step.fillerPackets >= sentPackets * (1 - LOSS_MAX);
    const isLast = this.#kind === "burst" || step.targetKbps >= this.#targetKbpsMax;
    if (!isThrough || isHostSlow || isLast) {
      this.#finish(!isThrough);
      return undefined;
    }
    this.#nextKbps = Math.min(step.targetKbps * 2, this.#targetKbpsMax);
    return this.#request(nowUs);
  }

  #finish(isLimit: boolean): void {
    this.#step = undefined;
    this.#outcome ??= { provenKbps: this.#provenKbps, isLimit };
  }
}

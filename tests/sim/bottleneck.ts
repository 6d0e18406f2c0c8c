/**
 * One direction of a path with a bottleneck, computed packet by packet without a clock of its own: a rate that changes over time,
 * a queue that drops at its tail, a base delay, jitter and random loss. Packets keep their order. The same seed makes the same
 * path.
 *
 *     send(now) → lost by chance → dropped, the queue is full → served at the rate of that moment → delay + jitter → arrival
 *
 * @module
 */
import type { SeededRandom } from "../fuzz/seeded_random.ts";

export interface RateStep {
  readonly fromMs: number;
  readonly kbps: number;
}

export interface BottleneckOptions {
  readonly random: SeededRandom;
  /** In order of time, the first from 0. */
  readonly rate: readonly RateStep[];
  readonly delayMs: number;
  readonly queueBytes: number;
  readonly lossRatio?: number;
  /** Each 8 ms draws what it adds to the delay, 0 up to this. */
  readonly jitterMs?: number;
}

const JITTER_US = 8_000;

export class Bottleneck {
  readonly #options: BottleneckOptions;
  /** When the last byte in the queue will have left. */
  #freeAtUs = 0;
  #lastArrivalUs = 0;
  #jitterUs = 0;
  #nextJitterUs = 0;
  droppedPackets = 0;

  constructor(options: BottleneckOptions) {
    this.#options = options;
  }

  /** Until a packet sent now would leave. */
  queueUs(nowUs: number): number {
    return Math.max(0, this.#freeAtUs - nowUs);
  }

  kbpsAt(nowUs: number): number {
    const { rate } = this.#options;
    return (rate.findLast(({ fromMs }) => fromMs * 1000 <= nowUs) ?? rate[0])?.kbps ?? 0;
  }

  /** When the packet arrives, or undefined. Calls come in order of time. */
  send(sizeBytes: number, nowUs: number): number | undefined {
    const { random, delayMs, queueBytes, lossRatio = 0, jitterMs = 0 } = this.#options;
    if (lossRatio > 0 && random.next() < lossRatio) return undefined;
    if (this.#waitingBytes(nowUs) + sizeBytes > queueBytes) {
      this.droppedPackets++;
      return undefined;
    }
    this.#freeAtUs = this.#serve(Math.max(this.#freeAtUs, nowUs), sizeBytes);
    if (jitterMs > 0 && this.#freeAtUs >= this.#nextJitterUs) {
      this.#jitterUs = random.next() * jitterMs * 1000;
      this.#nextJitterUs = this.#freeAtUs + JITTER_US;
    }
    const arrivalUs = this.#freeAtUs + delayMs * 1000 + this.#jitterUs;
    this.#lastArrivalUs = Math.max(this.#lastArrivalUs, arrivalUs);
    return this.#lastArrivalUs;
  }

  #waitingBytes(nowUs: number): number {
    let bytes = 0;
    for (let atUs = nowUs; atUs < this.#freeAtUs;) {
      const endUs = Math.min(this.#stepEndUs(atUs), this.#freeAtUs);
      bytes += (endUs - atUs) * this.kbpsAt(atUs) / 8_000;
      atUs = endUs;
    }
    return bytes;
  }

  /** When `sizeBytes`, begun at `fromUs`, are through. */
  #serve(fromUs: number, sizeBytes: number): number {
    let atUs = fromUs;
    let restBytes = sizeBytes;
    for (;;) {
      const endUs = this.#stepEndUs(atUs);
      const bytesPerUs = this.kbpsAt(atUs) / 8_000;
      const doneUs = atUs + restBytes / bytesPerUs;
      if (doneUs <= endUs) return doneUs;
      restBytes -= (endUs - atUs) * bytesPerUs;
      atUs = endUs;
    }
  }

  #stepEndUs(atUs: number): number {
    const next = this.#options.rate.find(({ fromMs }) => fromMs * 1000 > atUs);
    return next === undefined ? Number.POSITIVE_INFINITY : next.fromMs * 1000;
  }
}

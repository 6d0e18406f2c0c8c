/**
 * What a client reports of the network every 750 ms (punktfunk/1 specification 4.10, 6.2). A packet counts as lost when
 * parity had to stand in for it and it did not come after all.
 *
 *     LossReport       10^6 · lost / (received + lost), of the window
 *     DeliveryReport   packets received since the start
 *
 * @module
 */
import type { VideoReceiveStats } from "./video_reassembler.ts";

export const LOSS_WINDOW_MS = 750;

const PPM = 1_000_000;

export type LossCounters = Pick<
  VideoReceiveStats,
  "packets" | "recoveredShards" | "lateRecoveredShards"
>;

export interface LinkReports {
  /** Undefined for a window that was discarded. */
  readonly lossPpm: number | undefined;
  readonly packetsReceived: bigint;
}

export class LossMeter {
  #windowEndUs: number;
  #isDiscarded = false;
  #packets = 0;
  #lost = 0;

  constructor(startUs: number) {
    this.#windowEndUs = startUs + LOSS_WINDOW_MS * 1000;
  }

  /** Do not report the window that runs: the host said that its stream paused. */
  discard(): void {
    this.#isDiscarded = true;
  }

  /** What to report now, or undefined while the window runs. After a long pause one window stands for all of it. */
  poll(counters: LossCounters, nowUs: number): LinkReports | undefined {
    if (nowUs < this.#windowEndUs) return undefined;
    const lostTotal = counters.recoveredShards - counters.lateRecoveredShards;
    const received = counters.packets - this.#packets;
    // A shard of the window before that came in this one makes it negative.
    const lost = Math.max(0, lostTotal - this.#lost);
    const lossPpm = lost === 0 ? 0 : Math.round(PPM * lost / (received + lost));
    const isDiscarded = this.#isDiscarded;
    this.#packets = counters.packets;
    this.#lost = lostTotal;
    this.#isDiscarded = false;
    this.#windowEndUs = nowUs + LOSS_WINDOW_MS * 1000;
    return {
      lossPpm: isDiscarded ? undefined : lossPpm,
      packetsReceived: BigInt(counters.packets),
    };
  }
}

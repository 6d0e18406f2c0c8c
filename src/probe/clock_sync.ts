/**
 * The host's clock as a client learns it: eight rounds at connect, and again every minute (punktfunk/1 specification 8.1).
 *
 * @module
 */
import {
  CLOCK_RESYNC_INTERVAL_MS,
  ClockBatch,
  ClockEstimate,
} from "../protocol/punktfunk1/clock_sync.ts";
import type { ControlMessage, ControlMessageOf } from "../protocol/punktfunk1/control.ts";

export interface ClockSyncOptions {
  readonly send: (message: ControlMessage) => void;
  /** Nanoseconds since 1970 on this machine's clock. */
  readonly nowNs: () => bigint;
}

export class ClockSync {
  readonly estimate = new ClockEstimate();
  readonly #options: ClockSyncOptions;
  #batch: ClockBatch | undefined = new ClockBatch("connect");
  #nextBatchAtUs = 0;

  constructor(options: ClockSyncOptions) {
    this.#options = options;
  }

  /** Whether the rounds at connect are over, answered or not. */
  get isSettled(): boolean {
    return this.#nextBatchAtUs > 0;
  }

  /** Whether the host ever answered: offsets are a guess otherwise. */
  get isKnown(): boolean {
    return this.estimate.rttNs !== undefined;
  }

  /** Send what is due; on any clock that does not jump. */
  tick(nowUs: number): void {
    if (this.#batch === undefined) {
      if (nowUs < this.#nextBatchAtUs) return;
      this.#batch = new ClockBatch("later");
    }
    const step = this.#batch.poll(nowUs);
    if (step === "done") {
      this.estimate.take(this.#batch);
      this.#batch = undefined;
      this.#nextBatchAtUs = nowUs + CLOCK_RESYNC_INTERVAL_MS * 1000;
    } else if (step === "send") {
      const sentNs = this.#options.nowNs();
      this.#batch.sent(sentNs, nowUs);
      this.#options.send({ kind: "clock-probe", sentNs });
    }
  }

  /** An echo that came just now. */
  answered(echo: ControlMessageOf<"clock-echo">): void {
    this.#batch?.answered({
      t1: echo.probeSentNs,
      t2: echo.probeReceivedNs,
      t3: echo.echoSentNs,
      t4: this.#options.nowNs(),
    });
  }

  /** Microseconds from `hostNs` on the host's clock to `localNs` on this one; undefined while the host's is not known. */
  betweenUs(hostNs: bigint, localNs: bigint): number | undefined {
    if (!this.isKnown) return undefined;
    return Number(localNs + this.estimate.offsetNs - hostNs) / 1000;
  }
}

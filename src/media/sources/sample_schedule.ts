/**
 * When a block of samples is due: the nth sample at start + n / 48 000 s, computed from n each time.
 *
 * A caller that stalled gets at most BACKLOG_US worth of sound at once; what is older is dropped by moving the start.
 *
 * @module
 */
import { SAMPLE_RATE_HZ } from "./tone.ts";

export const BACKLOG_US = 100_000;

export class SampleSchedule {
  #startUs: number;
  #position = 0;

  constructor(startUs: number) {
    this.#startUs = startUs;
  }

  /** When the last of the next `samples` will have sounded: CLOCK_MONOTONIC, microseconds. */
  dueAtUs(samples: number): number {
    return this.#startUs + Math.round((this.#position + samples) * 1e6 / SAMPLE_RATE_HZ);
  }

  /** Hand out `samples` at `nowUs`, not before they are due. */
  take(samples: number, nowUs: number): void {
    const lateUs = nowUs - this.dueAtUs(samples);
    this.#position += samples;
    if (lateUs > BACKLOG_US) this.#startUs += lateUs - BACKLOG_US;
  }
}

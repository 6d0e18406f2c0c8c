/**
 * Round-trip estimate of a peer and the retransmission time it gives (GameStream specification 5.5).
 *
 * @module
 */
import { PEER_TIMEOUT_MS } from "./limits.ts";

const ROUND_TRIP_MS_INITIAL = 500;
/** Timers of an event loop are not finer; a shorter wait would only send everything twice on a fast network. */
const TIMEOUT_MS_MIN = 20;
/** Retransmissions lengthen the wait up to this factor, as the client sets it. */
const ATTEMPTS_FACTOR_MAX = 2;

export class RoundTrip {
  #meanMs = ROUND_TRIP_MS_INITIAL;
  #varianceMs = 0;
  #hasSample = false;

  /** Smoothed round trip in whole milliseconds. */
  get meanMs(): number {
    return this.#meanMs;
  }

  /** Take the echo of a sent-time, both as the low 16 bits of one clock in milliseconds. */
  addEcho(sentTime: number, nowTime: number): void {
    const elapsedMs = (nowTime - sentTime) & 0xffff;
    // A time from the future is a peer's invention.
    if (elapsedMs >= 0x8000) return;
    const sampleMs = Math.max(elapsedMs, 1);
    if (!this.#hasSample) {
      this.#hasSample = true;
      this.#meanMs = sampleMs;
      this.#varianceMs = Math.trunc((sampleMs + 1) / 2);
      return;
    }
    const differenceMs = Math.abs(sampleMs - this.#meanMs);
    this.#varianceMs -= Math.trunc((this.#varianceMs + 3) / 4);
    this.#varianceMs += Math.trunc((differenceMs + 3) / 4);
    const step = Math.trunc((differenceMs + 7) / 8);
    this.#meanMs += sampleMs >= this.#meanMs ? step : -step;
  }

  /** How long to wait for the acknowledgement of a transmission that is the `attempt`-th, from 1. */
  timeoutMs(attempt: number): number {
    const slackMs = Math.min(this.#meanMs, 4 * Math.max(1, this.#varianceMs));
    const onceMs = Math.min(
      Math.max(this.#meanMs + slackMs, TIMEOUT_MS_MIN),
      PEER_TIMEOUT_MS / 5,
    );
    return onceMs * Math.min(attempt, ATTEMPTS_FACTOR_MAX);
  }
}

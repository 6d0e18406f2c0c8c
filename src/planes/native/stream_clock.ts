/**
 * The one clock that a session's times are told on: the wall clock as it stood when the plane opened, moved on by the
 * monotonic one. Capture times, sound and clock echoes agree on it, and a step of the machine's clock moves none of them.
 *
 * @module
 */
import type { Clock } from "../../lib/clock.ts";

const NS_PER_US = 1000n;
const NS_PER_MS = 1_000_000n;

export class StreamClock {
  readonly #clock: Clock;
  /** Wall clock less monotonic clock. */
  readonly wallOffsetNs: bigint;

  constructor(clock: Clock) {
    this.#clock = clock;
    const monotonicNs = BigInt(Math.round(clock.monotonicUs())) * NS_PER_US;
    this.wallOffsetNs = BigInt(Math.round(clock.wallMs())) * NS_PER_MS - monotonicNs;
  }

  /** Nanoseconds since the Unix epoch. */
  nowNs(): bigint {
    return this.atUs(this.#clock.monotonicUs());
  }

  /** The moment that the monotonic clock told as `monotonicUs`. */
  atUs(monotonicUs: number): bigint {
    return BigInt(Math.round(monotonicUs)) * NS_PER_US + this.wallOffsetNs;
  }
}

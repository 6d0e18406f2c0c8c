/**
 * Counts attempts per address within a sliding window.
 *
 * @module
 */
import type { Clock } from "../../lib/clock.ts";

export class AttemptLimit {
  readonly #clock: Clock;
  readonly #limits: {
    readonly attemptsMax: number;
    readonly windowMs: number;
    readonly addressesMax: number;
  };
  /** Times of the attempts inside the window, oldest first, in microseconds. */
  readonly #attempts = new Map<string, number[]>();

  constructor(clock: Clock, limits: {
    readonly attemptsMax: number;
    readonly windowMs: number;
    /** Addresses remembered at once; a new one beyond is refused. */
    readonly addressesMax: number;
  }) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Record an attempt of `address` unless it has used up its share. */
  tryTake(address: string): boolean {
    this.#forgetOld();
    const attempts = this.#attempts.get(address);
    if (attempts === undefined) {
      if (this.#attempts.size >= this.#limits.addressesMax) return false;
      this.#attempts.set(address, [this.#clock.monotonicUs()]);
      return true;
    }
    if (attempts.length >= this.#limits.attemptsMax) return false;
    attempts.push(this.#clock.monotonicUs());
    return true;
  }

  #forgetOld(): void {
    const oldestUs = this.#clock.monotonicUs() - this.#limits.windowMs * 1000;
    for (const [address, attempts] of this.#attempts) {
      const kept = attempts.filter((atUs) => atUs > oldestUs);
      if (kept.length === 0) this.#attempts.delete(address);
      else if (kept.length < attempts.length) this.#attempts.set(address, kept);
    }
  }
}

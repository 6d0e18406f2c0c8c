/**
 * Randomness that a seed repeats.
 *
 * @module
 */

/** Numbers in 0…1, drawn from a 32-bit state. */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Uniform in 0 ≤ x < 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ this.#state >>> 15, this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61);
    return ((mixed ^ mixed >>> 14) >>> 0) / 0x1_0000_0000;
  }

  /** Uniform integer in 0…bound − 1. */
  below(bound: number): number {
    return Math.floor(this.next() * bound);
  }
}

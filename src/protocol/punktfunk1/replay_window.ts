/**
 * Which sequence numbers of a sealed stream have been seen (punktfunk/1 specification 4.4): the highest, and one bit for
 * each of the 131072 up to it. Numbers of 64 bits come as two halves, so that no BigInt is made for a packet.
 *
 * @module
 */

export const REPLAY_WINDOW_SIZE = 131_072;

const HALF = 2 ** 32;
const WORD_BITS = 32;

export class ReplayWindow {
  readonly #words = new Uint32Array(REPLAY_WINDOW_SIZE / WORD_BITS);
  #topHigh = 0;
  /** −1 before the first number. */
  #topLow = -1;

  /** Whether the number is neither seen nor too old. Both halves are unsigned 32-bit. */
  isFresh(high: number, low: number): boolean {
    const ahead = this.#distance(high, low);
    if (ahead > 0) return true;
    return ahead > -REPLAY_WINDOW_SIZE && (this.#wordOf(low) >>> low % WORD_BITS & 1) === 0;
  }

  /** Remember a fresh number. Only one whose packet was authentic, or anyone could move the window. */
  add(high: number, low: number): void {
    const ahead = this.#distance(high, low);
    if (ahead >= REPLAY_WINDOW_SIZE) this.#words.fill(0);
    else {
      for (let step = 1; step < ahead; step++) this.#setBit((this.#topLow + step) >>> 0, 0);
    }
    if (ahead > 0) {
      this.#topHigh = high;
      this.#topLow = low;
    }
    this.#setBit(low, 1);
  }

  /** Exact where it matters: halves that differ much give a distance far outside the window. */
  #distance(high: number, low: number): number {
    return (high - this.#topHigh) * HALF + (low - this.#topLow);
  }

  #wordOf(low: number): number {
    return this.#words[low % REPLAY_WINDOW_SIZE / WORD_BITS | 0] ?? 0;
  }

  #setBit(low: number, bit: 0 | 1): void {
    const at = low % REPLAY_WINDOW_SIZE / WORD_BITS | 0;
    const mask = 1 << low % WORD_BITS;
    const word = this.#words[at] ?? 0;
    this.#words[at] = bit === 1 ? word | mask : word & ~mask;
  }
}

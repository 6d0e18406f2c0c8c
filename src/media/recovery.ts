/**
 * When a loss report leads to an IDR. Pure.
 *
 * A request that arrives before the last IDR could have reached the client and been answered tells nothing new and is
 * dropped. One that comes soon after is real, but waits until IDR_INTERVAL_MIN_US has passed, because a link that loses
 * packets is not helped by one large frame after another.
 *
 * @module
 */

export const IDR_INTERVAL_MIN_US = 100_000;
/** Round trips above this are estimates from before the first sample. */
const ROUND_TRIP_US_MAX = 200_000;

export class IdrGovernor {
  #isWanted = true;
  #lastIdrAtUs = Number.NEGATIVE_INFINITY;

  /** A client, or a lost reference, asks for an IDR. */
  request(nowUs: number, roundTripUs: number): void {
    if (nowUs < this.#lastIdrAtUs + Math.min(roundTripUs, ROUND_TRIP_US_MAX)) return;
    this.#isWanted = true;
  }

  /** The host itself needs one, e.g. after a rebuild. */
  force(): void {
    this.#isWanted = true;
    this.#lastIdrAtUs = Number.NEGATIVE_INFINITY;
  }

  /** Whether the frame encoded at `nowUs` shall be one. The stream's first always is. */
  isDue(nowUs: number): boolean {
    return this.#isWanted && nowUs >= this.#lastIdrAtUs + IDR_INTERVAL_MIN_US;
  }

  /** An IDR left the encoder, asked for or not. */
  sent(nowUs: number): void {
    this.#isWanted = false;
    this.#lastIdrAtUs = nowUs;
  }
}

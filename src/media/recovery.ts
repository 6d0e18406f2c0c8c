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
  readonly #answerDelayUs: number;
  #isWanted = true;
  #notBeforeUs = Number.NEGATIVE_INFINITY;
  #lastIdrAtUs = Number.NEGATIVE_INFINITY;

  /** `answerDelayUs`: what a slow encoder would take to answer a request, for tests. */
  constructor({ answerDelayUs = 0 }: { readonly answerDelayUs?: number } = {}) {
    this.#answerDelayUs = answerDelayUs;
  }

  /** A client, or a lost reference, asks for an IDR. */
  request(nowUs: number, roundTripUs: number): void {
    if (nowUs < this.#lastIdrAtUs + Math.min(roundTripUs, ROUND_TRIP_US_MAX)) return;
    if (this.#isWanted) return;
    this.#isWanted = true;
    this.#notBeforeUs = nowUs + this.#answerDelayUs;
  }

  /** The host itself needs one, e.g. after a rebuild. */
  force(): void {
    this.#isWanted = true;
    this.#notBeforeUs = Number.NEGATIVE_INFINITY;
    this.#lastIdrAtUs = Number.NEGATIVE_INFINITY;
  }

  /** Whether the frame encoded at `nowUs` shall be one. The stream's first always is. */
  isDue(nowUs: number): boolean {
    const fromUs = Math.max(this.#lastIdrAtUs + IDR_INTERVAL_MIN_US, this.#notBeforeUs);
    return this.#isWanted && nowUs >= fromUs;
  }

  /** An IDR left the encoder, asked for or not. */
  sent(nowUs: number): void {
    this.#isWanted = false;
    this.#lastIdrAtUs = nowUs;
  }
}

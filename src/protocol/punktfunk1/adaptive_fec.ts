/**
 * How much parity the host adds, from what its client reports of each window of about 750 ms (punktfunk/1 specification
 * 4.10, and the later controller of host-product 12). The rule followed here:
 *
 *     need      ceil(loss % × 1.4) + 1, of the last window                     4.10
 *     history   max(min(need, 25), history − 1); 10 at the start               the later controller
 *     boost     +3 for a window in which something was not repaired, 12 at most; −1 for every other       the later one
 *     percent   max(need, history) + boost, within 5 … 50                      host-product 6.2
 *
 * The floor of 4.10, which rises from 1 to 5 % after a loss, lies under the band's lower end and so never shows.
 *
 * @module
 */

export const ADAPTIVE_FEC_PERCENT_MIN = 5;
export const ADAPTIVE_FEC_PERCENT_MAX = 50;
export const ADAPTIVE_FEC_PERCENT_START = 10;

const PPM_PER_PERCENT = 10_000;
const LOSS_FACTOR = 1.4;
const HISTORY_PERCENT_MAX = 25;
const BOOST_POINTS = 3;
const BOOST_POINTS_MAX = 12;

export class AdaptiveFec {
  #history = ADAPTIVE_FEC_PERCENT_START;
  #boost = 0;
  #isUnrepaired = false;
  #percent = ADAPTIVE_FEC_PERCENT_START;

  get percent(): number {
    return this.#percent;
  }

  /** The client asked for recovery: parity was too little in this window, whatever its report will say. */
  noteUnrepaired(): void {
    this.#isUnrepaired = true;
  }

  /** A window's report, in millionths; above a million is all. Returns the percentage from now on. */
  report(lossPpm: number): number {
    const lossPercent = Math.min(lossPpm / PPM_PER_PERCENT, 100);
    const need = Math.ceil(lossPercent * LOSS_FACTOR) + 1;
    this.#history = Math.max(Math.min(need, HISTORY_PERCENT_MAX), this.#history - 1);
    this.#boost = this.#isUnrepaired
      ? Math.min(this.#boost + BOOST_POINTS, BOOST_POINTS_MAX)
      : Math.max(this.#boost - 1, 0);
    this.#isUnrepaired = false;
    this.#percent = Math.min(
      Math.max(need, this.#history, ADAPTIVE_FEC_PERCENT_MIN) + this.#boost,
      ADAPTIVE_FEC_PERCENT_MAX,
    );
    return this.#percent;
  }
}

/**
 * How a rate rises: the memory of where it failed, and steps of half a second.
 *
 *     after a back-off       wait 1.5 s; longer each time the climb ends at about the same rate, up to 12 s
 *     below 95 % of failed   +2 % a step
 *     up to 106 %            +1 % a step: here it failed
 *     beyond, or no memory   +2, 3, 4.5, … 12 % a step: the path is another one now
 *
 * A step is that part of what the path carries, not of the rate, up to fourfold: of two sessions on one path the smaller
 * gains on the larger.
 *
 * @module
 */

export const CLIMB_STEP_US = 500_000;

const HOLD_US_MIN = 1_500_000;
const HOLD_US_MAX = 12_000_000;
const HOLD_GROWTH = 1.6;
/** Failures this near to each other are of one path. */
const SAME_FAILURE_RATIO = 0.08;
const NEAR_FROM = 0.95;
const NEAR_TO = 1.06;
const FAR_GAIN = 0.02;
const NEAR_GAIN = 0.01;
const FREE_GAIN_MIN = 0.02;
const FREE_GAIN_MAX = 0.12;
const FREE_GAIN_GROWTH = 1.5;
const SCALE_MAX = 4;

export class Climb {
  #failedKbps: number | undefined;
  #holdUs = HOLD_US_MIN;
  #holdUntilUs = Number.NEGATIVE_INFINITY;
  #freeGain = FREE_GAIN_MIN;
  #hasClimbed = false;

  /** What the path carried when it failed last; undefined when that is history. */
  get failedKbps(): number | undefined {
    return this.#failedKbps;
  }

  /** The path carried `kbps` and no more. */
  failed(kbps: number, nowUs: number): void {
    const before = this.#failedKbps;
    const isSame = before !== undefined && Math.abs(kbps / before - 1) < SAME_FAILURE_RATIO;
    // Who did not climb was pushed: the path is shared, and its shares are not settled.
    this.#holdUs = isSame && this.#hasClimbed
      ? Math.min(this.#holdUs * HOLD_GROWTH, HOLD_US_MAX)
      : HOLD_US_MIN;
    this.#failedKbps = kbps;
    this.#freeGain = FREE_GAIN_MIN;
    this.#hasClimbed = false;
    this.hold(nowUs + this.#holdUs);
  }

  /** No step before `untilUs`. */
  hold(untilUs: number): void {
    this.#holdUntilUs = untilUs;
  }

  /** The rate after one more step from `rateKbps`, at which all is well; `pathKbps` is what the path may carry, 0 is unknown. */
  next(rateKbps: number, pathKbps: number, nowUs: number): number {
    if (nowUs < this.#holdUntilUs) return rateKbps;
    this.#hasClimbed = true;
    const scale = Math.min(Math.max(pathKbps / rateKbps, 1), SCALE_MAX);
    const failed = this.#failedKbps;
    if (failed !== undefined && rateKbps < failed * NEAR_TO) {
      const isNear = rateKbps >= failed * NEAR_FROM;
      return rateKbps * (1 + scale * (isNear ? NEAR_GAIN : FAR_GAIN));
    }
    this.#failedKbps = undefined;
    const gain = this.#freeGain;
    this.#freeGain = Math.min(gain * FREE_GAIN_GROWTH, FREE_GAIN_MAX);
    return rateKbps * (1 + scale * gain);
  }
}

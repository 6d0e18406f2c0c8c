/**
 * The seam of automatic bitrate (punktfunk/1 specification 8.2): asked once a report window, it may wish for another rate.
 *
 * @module
 */

/** What a client knows about the last report window. */
export interface RateSample {
  /** Undefined for a window in which the host paused. */
  readonly lossPpm: number | undefined;
  readonly frames: number;
  /** Frames that never came. */
  readonly lostFrames: number;
  /** From capture to here, greatest of the window; undefined while the host's clock is not known. */
  readonly latencyMaxUs: number | undefined;
  /** What the host last said it grants; 0 while unknown. */
  readonly grantedKbps: number;
}

export interface RateController {
  /** The rate to ask for from now on, or undefined to leave it. */
  sample(sample: RateSample, nowUs: number): number | undefined;
  /** The host's answer. */
  granted(kbps: number, nowUs: number): void;
}

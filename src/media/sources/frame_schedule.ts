/**
 * When pictures are due: picture n at start + n / refresh, computed from n each time, so that rounding never adds up.
 *
 * @module
 */

export interface DueFrame {
  /** Counts missed pictures too. */
  readonly index: number;
  /** CLOCK_MONOTONIC, microseconds. */
  readonly dueAtUs: number;
}

export class FrameSchedule {
  readonly #startUs: number;
  readonly #refreshMilliHz: number;
  #nextIndex = 0;

  /** The first picture is due at `startUs`. */
  constructor(startUs: number, refreshMilliHz: number) {
    this.#startUs = startUs;
    this.#refreshMilliHz = refreshMilliHz;
  }

  /** The picture to show next at `nowUs`: the newest that is due, or else the one to wait for. Takes nothing. */
  peek(nowUs: number): DueFrame {
    const elapsedIndex = Math.floor((nowUs - this.#startUs) * this.#refreshMilliHz / 1e9);
    const index = Math.max(this.#nextIndex, elapsedIndex);
    return { index, dueAtUs: this.#startUs + Math.ceil(index * 1e9 / this.#refreshMilliHz) };
  }

  /** `frame` has been shown; what comes next is later. */
  take(frame: DueFrame): void {
    this.#nextIndex = frame.index + 1;
  }
}

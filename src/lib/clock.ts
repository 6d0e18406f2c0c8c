/**
 * Time, passed in wherever logic depends on it, so that tests move it by hand.
 *
 * @module
 */

/** A pending timer. `cancel()` twice is legal. */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** CLOCK_MONOTONIC in microseconds: the same clock the shims stamp frames with. */
  monotonicUs(): number;
  /** Milliseconds since 1970, UTC. */
  wallMs(): number;
  /** Call `callback` once, `delayMs` from now. */
  after(delayMs: number, callback: () => void): Timer;
}

/** A clock that moves only when told to. */
export class FakeClock implements Clock {
  #nowUs: number;
  #timers: { atUs: number; order: number; callback: () => void }[] = [];
  #order = 0;

  constructor(startUs = 1_000_000) {
    this.#nowUs = startUs;
  }

  monotonicUs(): number {
    return this.#nowUs;
  }

  wallMs(): number {
    return Math.floor(this.#nowUs / 1000);
  }

  after(delayMs: number, callback: () => void): Timer {
    const timer = { atUs: this.#nowUs + delayMs * 1000, order: this.#order++, callback };
    this.#timers.push(timer);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
      },
    };
  }

  /** Timers that wait. A closed owner leaves none. */
  get pendingTimers(): number {
    return this.#timers.length;
  }

  /** Move forward by `durationMs`, running every timer due on the way in its order. */
  advance(durationMs: number): void {
    const endUs = this.#nowUs + durationMs * 1000;
    for (;;) {
      const due = this.#timers.filter((timer) => timer.atUs <= endUs)
        .sort((a, b) => a.atUs - b.atUs || a.order - b.order)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      this.#nowUs = Math.max(this.#nowUs, due.atUs);
      due.callback();
    }
    this.#nowUs = endUs;
  }
}

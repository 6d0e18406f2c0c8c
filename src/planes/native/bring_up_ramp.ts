/**
 * How long video waits for a client that measures its link first (native specification 6.2).
 *
 *     begin                    → 150 ms without a request                      ┐
 *     request … result         → 150 ms and a round trip without the next one  ├→ over
 *     LinkReport, or the limit → at once                                       ┘
 *
 * A client that does not measure waits 150 ms longer for its first frame, once.
 *
 * @module
 */
import type { Clock, Timer } from "../../lib/clock.ts";

/** Of the whole ramp, unless somebody says otherwise: a client starts to wonder after three seconds. */
export const RAMP_MS_MAX = 2_500;

const QUIET_MS = 150;

export interface BringUpRampOptions {
  readonly clock: Clock;
  readonly limitMs: number;
  readonly roundTripMs: () => number;
}

export class BringUpRamp implements Disposable {
  readonly #options: BringUpRampOptions;
  readonly #over = Promise.withResolvers<void>();
  #limit: Timer | undefined;
  #quiet: Timer | undefined;
  #isOver = false;

  constructor(options: BringUpRampOptions) {
    this.#options = options;
  }

  /** Resolves when video shall begin. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** Requests are answered from now on. */
  begin(): void {
    if (this.#isOver) return;
    const { clock, limitMs } = this.#options;
    this.#limit = clock.after(limitMs, () => this.end());
    this.#quiet = clock.after(QUIET_MS, () => this.end());
  }

  /** Filler leaves. */
  asked(): void {
    this.#quiet?.cancel();
  }

  /** The client has its result, and may ask for more. */
  answered(): void {
    if (this.#isOver) return;
    const { clock, roundTripMs } = this.#options;
    this.#quiet?.cancel();
    this.#quiet = clock.after(QUIET_MS + roundTripMs(), () => this.end());
  }

  /** Twice is legal. */
  end(): void {
    this.#isOver = true;
    this.#limit?.cancel();
    this.#quiet?.cancel();
    this.#over.resolve();
  }

  [Symbol.dispose](): void {
    this.end();
  }
}

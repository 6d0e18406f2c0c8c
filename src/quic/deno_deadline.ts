/**
 * A time limit on what the runtime's stack cannot be told to give up.
 *
 * @module
 */
import type { Clock } from "../lib/clock.ts";

export interface Deadline<T> {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** Gets what comes after all, so that it is let go of. */
  discard(late: T): void;
}

/** What `promise` gives, or undefined when it takes longer. Rejects as it does, if in time. */
export function within<T>(
  promise: Promise<T>,
  { clock, timeoutMs, discard }: Deadline<T>,
): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    let isLate = false;
    const timer = clock.after(timeoutMs, () => {
      isLate = true;
      resolve(undefined);
    });
    promise.then((value) => {
      timer.cancel();
      if (isLate) discard(value);
      else resolve(value);
    }, (error) => {
      timer.cancel();
      reject(error);
    });
  });
}

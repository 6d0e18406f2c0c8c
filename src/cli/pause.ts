import type { Clock } from "../lib/clock.ts";

/** Resolves `durationMs` from now by `clock`. */
export function pause(clock: Clock, durationMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(durationMs, resolve);
  });
}

/**
 * The real clock. CLOCK_MONOTONIC is read through libc, because `performance.now()` starts anew in every isolate and
 * shims, compositors and Workers must agree on one origin.
 *
 * @module
 */
import type { Clock, Timer } from "../lib/clock.ts";

const SYMBOLS = {
  clock_gettime: {
    parameters: [
      "i32", // clockid_t clock
      "buffer", // struct timespec *time
    ],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;

const CLOCK_MONOTONIC = 1;

/** Open the machine's clock. Elsewhere than on Linux the origin is this isolate's start. */
export function openSystemClock(): Clock {
  const read = Deno.build.os === "linux" ? openMonotonic() : () => performance.now() * 1000;
  return {
    monotonicUs: read,
    wallMs: () => Date.now(),
    after(delayMs: number, callback: () => void): Timer {
      const id = setTimeout(callback, delayMs);
      return { cancel: () => clearTimeout(id) };
    },
  };
}

function openMonotonic(): () => number {
  const libc = Deno.dlopen("libc.so.6", SYMBOLS);
  // struct timespec of 64-bit Linux: i64 seconds, i64 nanoseconds. Below 2^53 µs both are exact as doubles.
  const time = new BigInt64Array(2);
  const bytes = new Uint8Array(time.buffer);
  return () => {
    libc.symbols.clock_gettime(CLOCK_MONOTONIC, bytes);
    return Number(time[0]) * 1e6 + Math.floor(Number(time[1]) / 1000);
  };
}

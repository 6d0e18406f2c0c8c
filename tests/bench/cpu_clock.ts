/**
 * What threads and the process have used of the processors.
 *
 * @module
 */

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
const CLOCK_PROCESS_CPUTIME_ID = 2;
const CLOCK_THREAD_CPUTIME_ID = 3;

export class CpuClock implements Disposable {
  readonly #libc = Deno.dlopen("libc.so.6", SYMBOLS);
  readonly #time = new BigInt64Array(2);
  readonly #bytes = new Uint8Array(this.#time.buffer);

  /** The clock that the shims read, so that Workers agree. */
  monotonicUs(): number {
    return this.#read(CLOCK_MONOTONIC);
  }

  processUs(): number {
    return this.#read(CLOCK_PROCESS_CPUTIME_ID);
  }

  /** Of the calling thread: an isolate keeps its own. */
  threadUs(): number {
    return this.#read(CLOCK_THREAD_CPUTIME_ID);
  }

  #read(clock: number): number {
    this.#libc.symbols.clock_gettime(clock, this.#bytes);
    return Number(this.#time[0]) * 1e6 + Number(this.#time[1]) / 1000;
  }

  [Symbol.dispose](): void {
    this.#libc.close();
  }
}

/**
 * Binding of native/picture: the moving test picture, and the sleep that paces synthetic sources.
 *
 * @module
 */
import { NativeError, OperationError } from "../src/lib/errors.ts";
import { openShim } from "./library.ts";

export const ABI = 1;

export const SYMBOLS = {
  pf_picture_abi: { parameters: [], result: "u32" },
  pf_picture_open: {
    parameters: [
      "buffer", // const struct pf_picture_config *config
      "usize", // size_t config_len
      "buffer", // struct pf_picture **out
    ],
    result: "i32",
  },
  pf_picture_draw: {
    parameters: [
      "pointer", // struct pf_picture *picture
      "u64", // uint64_t time_us
      "u32", // uint32_t counter
      "buffer", // struct pf_picture_frame *frame
      "usize", // size_t frame_len
    ],
    result: "i32",
  },
  pf_picture_close: {
    parameters: [
      "pointer", // struct pf_picture *picture
    ],
    result: "void",
  },
  pf_picture_now_us: { parameters: [], result: "u64" },
  pf_picture_sleep_until: {
    parameters: [
      "u64", // uint64_t deadline_us
    ],
    result: "i32",
    nonblocking: true,
  },
} as const satisfies Deno.ForeignLibraryInterface;

const CONFIG_SIZE_BYTES = 12;
const FRAME_SIZE_BYTES = 24;
const CONTENTS = { motion: 0, noise: 1, text: 2 } as const;

export type PictureContent = keyof typeof CONTENTS;

export interface PictureFrame {
  /** BGRX. The drawer's memory: unchanged until the second draw from here, or close. */
  readonly pointer: Deno.PointerObject;
  readonly sizeBytes: number;
  readonly strideBytes: number;
}

export class PictureDrawer implements Disposable {
  readonly #library: Deno.DynamicLibrary<typeof SYMBOLS>;
  #handle: Deno.PointerValue = null;
  readonly #frame = new DataView(new ArrayBuffer(FRAME_SIZE_BYTES));

  /** Both sides 64…8192. Throws OperationError "missing-library" or NativeError. */
  constructor(
    config: {
      readonly widthPixels: number;
      readonly heightPixels: number;
      readonly content: PictureContent;
    },
  ) {
    this.#library = openShim("picture", ABI, SYMBOLS);
    try {
      const out = new BigUint64Array(1);
      const { widthPixels, heightPixels, content } = config;
      check(this.#library.symbols.pf_picture_open(
        new Uint32Array([widthPixels, heightPixels, CONTENTS[content]]),
        BigInt(CONFIG_SIZE_BYTES),
        out,
      ));
      this.#handle = Deno.UnsafePointer.create(out[0] ?? 0n);
    } catch (error) {
      this.#library.close();
      throw error;
    }
  }

  /** Draw picture number `counter` (modulo 2^24) with `timeUs` in its strip. */
  draw(timeUs: number, counter: number): PictureFrame {
    if (this.#handle === null) {
      throw new OperationError("failed", "Cannot draw the test picture: it is closed");
    }
    check(this.#library.symbols.pf_picture_draw(
      this.#handle,
      BigInt(timeUs),
      counter,
      this.#frame,
      BigInt(FRAME_SIZE_BYTES),
    ));
    const pointer = Deno.UnsafePointer.create(this.#frame.getBigUint64(0, true));
    if (pointer === null) throw new NativeError("picture", 0, "Cannot draw: no picture came back");
    return {
      pointer,
      sizeBytes: Number(this.#frame.getBigUint64(8, true)),
      strideBytes: this.#frame.getUint32(16, true),
    };
  }

  close(): void {
    if (this.#handle === null) return;
    this.#library.symbols.pf_picture_close(this.#handle);
    this.#handle = null;
    this.#library.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** CLOCK_MONOTONIC to read and to sleep by, to within the scheduler's tens of microseconds. */
export class PictureTimer implements Disposable {
  readonly #library = openShim("picture", ABI, SYMBOLS);
  #sleepers = 0;
  #isClosed = false;

  nowUs(): number {
    if (this.#isClosed) throw new OperationError("failed", "Cannot read the clock: it is closed");
    return Number(this.#library.symbols.pf_picture_now_us());
  }

  /** Resolves once the clock reads `deadlineUs`, at most 60 s ahead. Not cut short by `close`. */
  async sleepUntil(deadlineUs: number): Promise<void> {
    if (this.#isClosed) throw new OperationError("failed", "Cannot sleep: the clock is closed");
    this.#sleepers++;
    try {
      check(await this.#library.symbols.pf_picture_sleep_until(BigInt(Math.ceil(deadlineUs))));
    } finally {
      this.#sleepers--;
      if (this.#isClosed && this.#sleepers === 0) this.#library.close();
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // A sleeping thread still runs the library's code: the last one to wake unloads it.
    if (this.#sleepers === 0) this.#library.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function check(status: number): void {
  if (status >= 0) return;
  const reason = status === -2 ? "there is no memory" : "an argument is outside its limits";
  throw new NativeError("picture", status, `Cannot draw the test picture: ${reason}`);
}

/**
 * Binding of native/h264: one software H.264 encoder.
 *
 * @module
 */
import { NativeError, OperationError } from "../src/lib/errors.ts";
import { openShim } from "./library.ts";

export const ABI = 1;

export const SYMBOLS = {
  pf_h264_abi: { parameters: [], result: "u32" },
  pf_h264_open: {
    parameters: [
      "buffer", // const struct pf_h264_config *config
      "usize", // size_t config_len
      "buffer", // struct pf_h264_encoder **out
    ],
    result: "i32",
  },
  pf_h264_load: {
    parameters: [
      "pointer", // struct pf_h264_encoder *encoder
      "buffer", // const struct pf_h264_picture *picture
      "usize", // size_t picture_len
      "buffer", // struct pf_h264_complexity *complexity
      "usize", // size_t complexity_len
    ],
    result: "i32",
  },
  pf_h264_encode: {
    parameters: [
      "pointer", // struct pf_h264_encoder *encoder
      "u32", // uint32_t qp
      "u32", // uint32_t is_idr_wanted
      "buffer", // struct pf_h264_unit *unit
      "usize", // size_t unit_len
    ],
    result: "i32",
  },
  pf_h264_close: {
    parameters: [
      "pointer", // struct pf_h264_encoder *encoder
    ],
    result: "void",
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** PF_H264_SIDE_MIN, PF_H264_SIDE_MAX, PF_H264_PIXELS_MAX (after rounding both sides up to 16), … of h264.h. */
export const H264_SIDE_MIN = 64;
export const H264_SIDE_MAX = 8192;
export const H264_PIXELS_MAX = 9_437_184;
export const H264_SLICES_MAX = 4;
export const H264_THREADS_MAX = 4;
export const H264_REFERENCE_FRAMES_MAX = 4;
export const H264_QP_MAX = 51;

const CONFIG_SIZE_BYTES = 36;
const PICTURE_SIZE_BYTES = 32;
const COMPLEXITY_SIZE_BYTES = 24;
const UNIT_SIZE_BYTES = 16;

const FORMATS = { bgrx: 0, rgbx: 1, i420: 2 } as const;

const FAILURES: Readonly<Record<number, string>> = {
  [-1]: "an argument is outside its limits",
  [-2]: "there is no memory",
  [-3]: "OpenH264 refused",
  [-4]: "the access unit does not fit its buffer",
  [-5]: "no picture is loaded",
};

export interface H264Config {
  /** Both even. */
  readonly widthPixels: number;
  readonly heightPixels: number;
  readonly refreshMilliHz: number;
  readonly slices: number;
  readonly threads: number;
  readonly referenceFrames: number;
  /** As in the SPS: 41 is level 4.1. */
  readonly levelIdc: number;
  readonly matrix: "bt601" | "bt709";
  readonly isFullRange: boolean;
}

/** A picture in native memory; one surplus pixel per axis is cropped. */
export interface H264Picture {
  readonly pointer: Deno.PointerObject;
  readonly sizeBytes: number;
  readonly widthPixels: number;
  readonly heightPixels: number;
  readonly strideBytes: number;
  readonly format: keyof typeof FORMATS;
}

/** How hard the loaded picture is, as differences of luma per sample (0…255). */
export interface H264Complexity {
  /** Between neighbours. */
  readonly intra: number;
  /** Between neighbours or to the picture coded last, whichever is smaller, block by block. */
  readonly inter: number;
  /** The lowest quantiser this picture may be coded with. */
  readonly qpMin: number;
}

export interface H264Unit {
  /** The encoder's memory, valid until the next `encode` or `close`. */
  readonly pointer: Deno.PointerObject;
  readonly sizeBytes: number;
  readonly isIdr: boolean;
}

export class H264Encoder implements Disposable {
  readonly #library: Deno.DynamicLibrary<typeof SYMBOLS>;
  #handle: Deno.PointerValue = null;
  readonly #picture = new DataView(new ArrayBuffer(PICTURE_SIZE_BYTES));
  readonly #complexity = new DataView(new ArrayBuffer(COMPLEXITY_SIZE_BYTES));
  readonly #unit = new DataView(new ArrayBuffer(UNIT_SIZE_BYTES));

  /** Throws OperationError "missing-library", or NativeError when a field of `config` is outside its limits. */
  constructor(config: H264Config) {
    this.#library = openShim("h264", ABI, SYMBOLS);
    try {
      const out = new BigUint64Array(1);
      this.#check(this.#library.symbols.pf_h264_open(encodeConfig(config), CONFIG_SIZE, out));
      this.#handle = Deno.UnsafePointer.create(out[0] ?? 0n);
    } catch (error) {
      this.#library.close();
      throw error;
    }
  }

  /** Convert and measure a picture. Its bytes are read only during the call. */
  load(picture: H264Picture): H264Complexity {
    const view = this.#picture;
    view.setBigUint64(0, BigInt(Deno.UnsafePointer.value(picture.pointer)), true);
    view.setBigUint64(8, BigInt(picture.sizeBytes), true);
    view.setUint32(16, picture.widthPixels, true);
    view.setUint32(20, picture.heightPixels, true);
    view.setUint32(24, picture.strideBytes, true);
    view.setUint32(28, FORMATS[picture.format], true);
    this.#check(this.#library.symbols.pf_h264_load(
      this.#open(),
      view,
      BigInt(PICTURE_SIZE_BYTES),
      this.#complexity,
      BigInt(COMPLEXITY_SIZE_BYTES),
    ));
    const samples = this.#complexity.getUint32(16, true);
    return {
      intra: Number(this.#complexity.getBigUint64(0, true)) / samples,
      inter: Number(this.#complexity.getBigUint64(8, true)) / samples,
      qpMin: this.#complexity.getUint32(20, true),
    };
  }

  /** Code the loaded picture with quantiser `qp`, qpMin…H264_QP_MAX. Blocks for the time it takes. */
  encode(qp: number, isIdrWanted: boolean): H264Unit {
    this.#check(this.#library.symbols.pf_h264_encode(
      this.#open(),
      qp,
      isIdrWanted ? 1 : 0,
      this.#unit,
      BigInt(UNIT_SIZE_BYTES),
    ));
    const pointer = Deno.UnsafePointer.create(this.#unit.getBigUint64(0, true));
    if (pointer === null) {
      throw new NativeError("h264", 0, "Cannot encode: no access unit came back");
    }
    return {
      pointer,
      sizeBytes: this.#unit.getUint32(8, true),
      isIdr: this.#unit.getUint32(12, true) !== 0,
    };
  }

  close(): void {
    if (this.#handle === null) return;
    this.#library.symbols.pf_h264_close(this.#handle);
    this.#handle = null;
    this.#library.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #open(): Deno.PointerObject {
    if (this.#handle === null) {
      throw new OperationError("failed", "Cannot use the H.264 encoder: it is closed");
    }
    return this.#handle;
  }

  #check(status: number): void {
    if (status >= 0) return;
    const reason = FAILURES[status] ?? `status ${status}`;
    throw new NativeError("h264", status, `Cannot encode H.264: ${reason}`);
  }
}

const CONFIG_SIZE = BigInt(CONFIG_SIZE_BYTES);

function encodeConfig(config: H264Config): Uint32Array<ArrayBuffer> {
  return new Uint32Array([
    config.widthPixels,
    config.heightPixels,
    config.refreshMilliHz,
    config.slices,
    config.threads,
    config.referenceFrames,
    config.levelIdc,
    config.matrix === "bt709" ? 1 : 0,
    config.isFullRange ? 1 : 0,
  ]);
}

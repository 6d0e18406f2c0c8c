/**
 * Capture of one output through the shim `wlroots`. Waiting happens on a thread of the runtime's own, so that no event
 * loop stands still.
 *
 * @module
 */
import { NativeError, OperationError } from "../src/lib/errors.ts";
import {
  errorOfStatus,
  openWlroots,
  STATUS_INTERRUPTED,
  STATUS_TIMEOUT,
  type WlrootsLibrary,
  type WlrootsPurpose,
  type WlrootsTarget,
} from "./wlroots.ts";

const PURPOSE: WlrootsPurpose = { what: "capture the screen", codeOfLoss: "capture-lost" };

/** struct pf_wlroots_frame, little-endian. */
const FRAME_SIZE_BYTES = 48;
const FORMATS = { 1: "bgrx", 2: "rgbx" } as const;
const PROTOCOLS = ["none", "wlr-screencopy", "ext-image-copy-capture"] as const;

/** A picture in C memory. Shaped like the media layer's VideoFrame. */
export interface WlrootsPicture {
  readonly data: { readonly pointer: Deno.PointerObject; readonly sizeBytes: number };
  readonly widthPixels: number;
  readonly heightPixels: number;
  readonly strideBytes: number;
  readonly format: "bgrx" | "rgbx";
  /** CLOCK_MONOTONIC, microseconds. */
  readonly capturedAtUs: number;
  /** Of the output's mode; 0 when the compositor does not say. */
  readonly refreshMilliHz: number;
}

/** Pictures of one output. One caller; `close` may be called while `next` waits. */
export class WlrootsCapture implements Disposable {
  readonly #library: WlrootsLibrary;
  readonly #handle: Deno.PointerObject;
  readonly #target: WlrootsTarget;
  readonly #frame = new DataView(new ArrayBuffer(FRAME_SIZE_BYTES));
  readonly #frameBytes = new Uint8Array(this.#frame.buffer);
  #pending: Promise<number> | undefined;
  #isClosed = false;

  private constructor(library: WlrootsLibrary, handle: Deno.PointerObject, target: WlrootsTarget) {
    this.#library = library;
    this.#handle = handle;
    this.#target = target;
  }

  /** Connect and prepare. Throws OperationError, within two seconds. */
  static async open(
    target: WlrootsTarget,
    options: { readonly hasCursor: boolean },
  ): Promise<WlrootsCapture> {
    const { library, handle } = await openWlroots(
      target,
      PURPOSE,
      (symbols, address, result) =>
        symbols.pf_wlroots_capture_open(...address, options.hasCursor ? 1 : 0, result),
    );
    return new WlrootsCapture(library, handle, target);
  }

  /** The Wayland protocol in use. */
  get protocol(): string {
    if (this.#isClosed) return PROTOCOLS[0];
    return PROTOCOLS[this.#library.symbols.pf_wlroots_capture_protocol(this.#handle)] ??
      PROTOCOLS[0];
  }

  /**
   * The newest picture not yet returned, or null when none came within `timeoutMs` (0…60000). Its bytes stay as they
   * are until the next call, also through a null. Throws OperationError "capture-lost", or "failed" after `close`.
   */
  async next(timeoutMs: number): Promise<WlrootsPicture | null> {
    if (this.#isClosed) throw closedError();
    this.#pending = this.#library.symbols.pf_wlroots_capture_next(
      this.#handle,
      timeoutMs,
      this.#frameBytes,
    );
    const status = await this.#pending;
    this.#pending = undefined;
    // Closed while waiting: what came back is about to be freed.
    if (this.#isClosed) throw closedError();
    if (status === STATUS_TIMEOUT || status === STATUS_INTERRUPTED) return null;
    if (status !== 0) throw errorOfStatus(status, this.#target, PURPOSE);
    return this.#decodeFrame();
  }

  /** Twice is legal. A waiting `next` ends with OperationError "failed". */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const free = () => {
      this.#library.symbols.pf_wlroots_capture_close(this.#handle);
      this.#library.close();
    };
    if (this.#pending === undefined) return free();
    this.#library.symbols.pf_wlroots_capture_interrupt(this.#handle);
    this.#pending.then(free);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #decodeFrame(): WlrootsPicture {
    const frame = this.#frame;
    const pointer = Deno.UnsafePointer.create(frame.getBigUint64(0, true));
    const format = FORMATS[frame.getUint32(36, true) as keyof typeof FORMATS];
    if (pointer === null || format === undefined) {
      throw new NativeError(
        "wlroots",
        0,
        "Cannot capture the screen: the shim returned no picture",
      );
    }
    return {
      data: { pointer, sizeBytes: Number(frame.getBigUint64(8, true)) },
      capturedAtUs: Number(frame.getBigUint64(16, true)),
      widthPixels: frame.getUint32(24, true),
      heightPixels: frame.getUint32(28, true),
      strideBytes: frame.getUint32(32, true),
      format,
      refreshMilliHz: frame.getUint32(40, true),
    };
  }
}

function closedError(): OperationError {
  return new OperationError("failed", "Cannot use the capture: it is closed");
}

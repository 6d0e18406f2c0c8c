/**
 * Input devices through the shim `wlroots`.
 *
 * @module
 */
import { OperationError } from "../src/lib/errors.ts";
import {
  errorOfStatus,
  openWlroots,
  type WlrootsLibrary,
  type WlrootsPurpose,
  type WlrootsTarget,
} from "./wlroots.ts";

const PURPOSE: WlrootsPurpose = { what: "inject input", codeOfLoss: "unavailable" };

/** Keys that one call taps at most. */
export const TAPS_MAX = 1024;

/** "main" carries keys, "text" a keymap that is made for the text to be typed. */
export type WlrootsKeyboard = "main" | "text";

function keyboardNumber(keyboard: WlrootsKeyboard): number {
  return keyboard === "main" ? 0 : 1;
}

/**
 * A virtual pointer and two virtual keyboards. Every call sends at once; each throws OperationError "unavailable" when
 * the compositor or the output is gone.
 */
export class WlrootsInput implements Disposable {
  readonly #library: WlrootsLibrary;
  readonly #handle: Deno.PointerObject;
  readonly #target: WlrootsTarget;
  #isClosed = false;

  private constructor(library: WlrootsLibrary, handle: Deno.PointerObject, target: WlrootsTarget) {
    this.#library = library;
    this.#handle = handle;
    this.#target = target;
  }

  /** Connect and make the pointer. Throws OperationError, within two seconds. */
  static async open(target: WlrootsTarget): Promise<WlrootsInput> {
    const { library, handle } = await openWlroots(
      target,
      { ...PURPOSE, what: "make input devices" },
      (symbols, address, result) => symbols.pf_wlroots_input_open(...address, result),
    );
    return new WlrootsInput(library, handle, target);
  }

  /** The XKB text that the seat used when this was opened; undefined when it had no keyboard. */
  get seatKeymap(): string | undefined {
    const length = new BigUint64Array(1);
    const lengthBytes = new Uint8Array(length.buffer);
    const read = (target: Uint8Array<ArrayBuffer>) =>
      this.#symbols.pf_wlroots_input_seat_keymap(
        this.#handle,
        target,
        BigInt(target.byteLength),
        lengthBytes,
      );
    read(new Uint8Array(0));
    const text = new Uint8Array(Number(length[0] ?? 0n));
    if (text.byteLength === 0) return undefined;
    this.#require(read(text));
    return new TextDecoder().decode(text);
  }

  /** Give a keyboard its XKB text; the first time makes the keyboard, and its keys come after that only. */
  setKeymap(keyboard: WlrootsKeyboard, text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.#require(
      this.#symbols.pf_wlroots_input_keymap(
        this.#handle,
        keyboardNumber(keyboard),
        bytes,
        BigInt(bytes.byteLength),
      ),
    );
  }

  /** `code` is an evdev key. */
  key(code: number, isDown: boolean): void {
    this.#require(
      this.#symbols.pf_wlroots_input_key(
        this.#handle,
        keyboardNumber("main"),
        code,
        isDown ? 1 : 0,
      ),
    );
  }

  /** Bits of XKB's real modifiers: 1 Shift, 2 Lock, 4 Control, 8…128 Mod1…Mod5. */
  setModifiers(depressed: number, locked: number): void {
    this.#require(
      this.#symbols.pf_wlroots_input_modifiers(
        this.#handle,
        keyboardNumber("main"),
        depressed,
        locked,
      ),
    );
  }

  /** Press and release 1…TAPS_MAX evdev keys of the text keyboard, in order. */
  tap(codes: readonly number[]): void {
    const values = new Uint16Array(codes);
    this.#require(
      this.#symbols.pf_wlroots_input_tap(
        this.#handle,
        keyboardNumber("text"),
        new Uint8Array(values.buffer),
        BigInt(values.length),
      ),
    );
  }

  /** Host pixels, with fractions. */
  move(dx: number, dy: number): void {
    this.#require(this.#symbols.pf_wlroots_input_motion(this.#handle, dx, dy));
  }

  /** To x / extent.x of the output's width and y / extent.y of its height: whole numbers below the extents. */
  moveTo(
    position: { readonly x: number; readonly y: number },
    extent: { readonly x: number; readonly y: number },
  ): void {
    this.#require(
      this.#symbols.pf_wlroots_input_position(
        this.#handle,
        position.x,
        position.y,
        extent.x,
        extent.y,
      ),
    );
  }

  /** `code` is an evdev button. */
  button(code: number, isDown: boolean): void {
    this.#require(this.#symbols.pf_wlroots_input_button(this.#handle, code, isDown ? 1 : 0));
  }

  /** `value` is 15 a detent, positive down or right; `detents` are the whole ones it completes. */
  scroll(axis: "vertical" | "horizontal", value: number, detents: number): void {
    this.#require(
      this.#symbols.pf_wlroots_input_scroll(
        this.#handle,
        axis === "vertical" ? 0 : 1,
        value,
        detents,
      ),
    );
  }

  /** Removes the devices. Twice is legal. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#library.symbols.pf_wlroots_input_close(this.#handle);
    this.#library.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  get #symbols(): WlrootsLibrary["symbols"] {
    if (this.#isClosed) {
      throw new OperationError("failed", "Cannot inject input: the sink is closed");
    }
    return this.#library.symbols;
  }

  #require(status: number): void {
    if (status === 0) return;
    throw errorOfStatus(status, this.#target, PURPOSE);
  }
}

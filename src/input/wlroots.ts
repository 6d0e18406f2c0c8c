/**
 * Input through virtual devices of a wlroots compositor, on one output.
 *
 * The session passes real changes only and releases what is held. What remains to be done here is what a compositor
 * leaves to its virtual keyboards: the state of modifiers and locks.
 *
 * @module
 */
import { TAPS_MAX, WlrootsInput } from "../../ffi/wlroots_input.ts";
import type {
  InputEvent,
  KeyEvent,
  PadEvent,
  PointerButton,
  ScrollEvent,
} from "../protocol/input_event.ts";
import { evdevKeyOf } from "./keymap.ts";
import type { InputAbility, InputSink } from "./ports.ts";
import { KEYMAP_MARK, TextKeymap, usKeymap, XKB_MOD2 } from "./xkb_keymap.ts";
import { type KeymapFacts, readKeymap } from "./xkb_keymap_reader.ts";

export interface WlrootsInputOptions {
  /** Absolute path of the compositor's socket. */
  readonly socketPath: string;
  readonly outputName: string;
  /** Of the output. */
  readonly widthPixels: number;
  readonly heightPixels: number;
}

/** What this sink needs of its devices. */
export type WlrootsDevices = Pick<
  WlrootsInput,
  "setKeymap" | "key" | "setModifiers" | "tap" | "move" | "moveTo" | "button" | "scroll" | "close"
>;

const ABILITIES: readonly InputAbility[] = ["pointer", "keyboard", "text"];

/** Evdev buttons. */
const BUTTONS: Readonly<Record<PointerButton, number>> = {
  left: 0x110,
  right: 0x111,
  middle: 0x112,
  back: 0x113,
  forward: 0x114,
};

/** What one detent of a wheel is to Wayland clients. */
const AXIS_UNITS_PER_DETENT = 15;
const DETENT = 120;

/** Fewer keys than a keyboard has letters make no layout: programs that type make such keymaps. */
const LAYOUT_KEYS_MIN = 40;

/** Steps within a pixel that an absolute position can express. */
const SUBPIXELS = 256;

/** Relative motion beyond this in one event is a fault of the client's; no screen is that large. */
const MOTION_MAX = 32_767;

/** Make the devices. Throws OperationError, and then nothing is left behind. */
export async function openWlrootsInput(options: WlrootsInputOptions): Promise<InputSink> {
  const devices = await WlrootsInput.open(options);
  try {
    return new WlrootsInputSink(devices, options, devices.seatKeymap);
  } catch (error) {
    devices.close();
    throw error;
  }
}

export class WlrootsInputSink implements InputSink {
  readonly description: string;
  readonly #devices: WlrootsDevices;
  readonly #options: WlrootsInputOptions;
  readonly #facts: KeymapFacts;
  readonly #text = new TextKeymap(TAPS_MAX);
  readonly #wheel = { vertical: 0, horizontal: 0 };
  readonly #heldModifiers = new Map<number, number>();
  /** A client means digits by its keypad keys, so Num Lock is on until it is pressed. */
  #lockedMask = XKB_MOD2;

  /** `seatKeymap` is the layout of the seat's own keyboard, where it has one: then that decides. */
  constructor(
    devices: WlrootsDevices,
    options: WlrootsInputOptions,
    seatKeymap: string | undefined,
  ) {
    const isUsers = seatKeymap !== undefined && isLayoutOfUser(seatKeymap);
    const keymap = isUsers ? seatKeymap : usKeymap();
    this.#devices = devices;
    this.#options = options;
    this.#facts = readKeymap(keymap);
    this.description = `virtual devices on ${options.outputName}, ${
      isUsers ? "the seat's own layout" : "US layout"
    }`;
    // Both now, so that no program sees a keyboard change when the first key comes.
    devices.setKeymap("main", keymap);
    devices.setKeymap("text", this.#text.text);
    devices.setModifiers(0, this.#lockedMask);
  }

  can(ability: InputAbility): boolean {
    return ABILITIES.includes(ability);
  }

  inject(event: Exclude<InputEvent, PadEvent>): void {
    switch (event.kind) {
      case "key":
        return this.#key(event);
      case "text":
        return this.#type(event.text);
      case "pointer-motion":
        return this.#devices.move(clampMotion(event.dx), clampMotion(event.dy));
      case "pointer-position":
        return this.#moveTo(event.x, event.y);
      case "pointer-button":
        return this.#devices.button(BUTTONS[event.button], event.isDown);
      case "scroll":
        return this.#scroll(event);
    }
  }

  close(): Promise<void> {
    this.#devices.close();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #key(event: KeyEvent): void {
    const code = this.#codeOf(event);
    if (code === undefined) return;
    this.#devices.key(code, event.isDown);
    const modifier = this.#facts.modifiers.get(code);
    if (modifier === undefined) return;
    if (modifier.isLock) {
      if (event.isDown) this.#lockedMask ^= modifier.mask;
    } else if (event.isDown) {
      this.#heldModifiers.set(code, modifier.mask);
    } else {
      this.#heldModifiers.delete(code);
    }
    // Left and right may both be down: the modifier lasts until neither is.
    const depressed = [...this.#heldModifiers.values()].reduce((mask, bit) => mask | bit, 0);
    this.#devices.setModifiers(depressed, this.#lockedMask);
  }

  /** A place on the keyboard, or for a key of the client's own layout the place where the host's layout has it. */
  #codeOf({ virtualKey, isPositional }: KeyEvent): number | undefined {
    const isLetterOrDigit = (virtualKey >= 0x30 && virtualKey <= 0x39) ||
      (virtualKey >= 0x41 && virtualKey <= 0x5a);
    if (!isPositional && isLetterOrDigit) {
      const symbol = String.fromCharCode(virtualKey).toLowerCase();
      const code = this.#facts.codes.get(symbol);
      if (code !== undefined) return code;
    }
    return evdevKeyOf(virtualKey);
  }

  #type(text: string): void {
    for (const { keymap, codes } of this.#text.plan(text)) {
      if (keymap !== undefined) this.#devices.setKeymap("text", keymap);
      this.#devices.tap(codes);
    }
  }

  /** 0 is the first pixel, 1 the last one. */
  #moveTo(x: number, y: number): void {
    const { widthPixels, heightPixels } = this.#options;
    this.#devices.moveTo(
      { x: toSubpixels(x, widthPixels), y: toSubpixels(y, heightPixels) },
      { x: widthPixels * SUBPIXELS, y: heightPixels * SUBPIXELS },
    );
  }

  #scroll({ axis, amount120, smooth }: ScrollEvent): void {
    // The virtual pointer names no end of a movement; one of no length says nothing else.
    if (amount120 === 0) return;
    if (smooth !== undefined) {
      return this.#devices.scroll(axis, axis === "vertical" ? -smooth.pixels : smooth.pixels, 0);
    }
    // Wayland counts down as positive.
    const amount = axis === "vertical" ? -amount120 : amount120;
    const before = this.#wheel[axis];
    const total = Math.sign(before) === -Math.sign(amount) ? amount : before + amount;
    // Never -0.
    const detents = Math.trunc(total / DETENT) || 0;
    this.#wheel[axis] = total - detents * DETENT;
    this.#devices.scroll(axis, amount * AXIS_UNITS_PER_DETENT / DETENT, detents);
  }
}

/** Another session's keymap is no layout of the user's, and neither is one with a few keys only. */
function isLayoutOfUser(keymap: string): boolean {
  return !keymap.includes(`xkb_symbols "${KEYMAP_MARK}"`) &&
    readKeymap(keymap).keyCount >= LAYOUT_KEYS_MIN;
}

function clampMotion(pixels: number): number {
  return Math.min(Math.max(pixels, -MOTION_MAX), MOTION_MAX);
}

function toSubpixels(fraction: number, sizePixels: number): number {
  return Math.round(Math.min(Math.max(fraction, 0), 1) * (sizePixels - 1) * SUBPIXELS);
}

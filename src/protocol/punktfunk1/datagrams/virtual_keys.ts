/**
 * Keys as punktfunk/1 numbers them (specification 7.1.1): Windows virtual keys by their place on the US layout.
 *
 * Two numbers differ from the common model's: 6c is the keypad's Enter, and the generic Shift, Ctrl and Alt are the left
 * ones. A number without a key is to be ignored.
 *
 * @module
 */
import { VIRTUAL_KEY_KEYPAD_ENTER } from "../../input_event.ts";

/** First and last of each run of numbers that name a key. */
const RUNS: readonly (readonly [first: number, last: number])[] = [
  [0x08, 0x09], // Backspace, Tab
  [0x0d, 0x0d], // Enter
  [0x10, 0x15], // Shift, Ctrl, Alt, Pause, Caps Lock, Hangul
  [0x19, 0x19], // Hanja
  [0x1b, 0x1d], // Escape, Henkan, Muhenkan
  [0x20, 0x28], // Space, Page Up and Down, End, Home, arrows
  [0x2c, 0x2e], // Print, Insert, Delete
  [0x30, 0x39], // digits
  [0x41, 0x5a], // letters
  [0x5b, 0x5d], // Windows left and right, Menu
  [0x60, 0x6f], // keypad
  [0x70, 0x7b], // F1 to F12
  [0x90, 0x91], // Num Lock, Scroll Lock
  [0xa0, 0xa5], // Shift, Ctrl, Alt left and right
  [0xba, 0xc2], // ; = , - . / `, Ro, keypad comma
  [0xdb, 0xde], // [ \ ] '
  [0xe1, 0xe2], // Yen, the key beside left Shift
  [0xf2, 0xf3], // Kana, Zenkaku
];

const WIRE_KEYPAD_ENTER = 0x6c;

const TRANSLATED: ReadonlyMap<number, number> = new Map([
  [0x10, 0xa0],
  [0x11, 0xa2],
  [0x12, 0xa4],
  [WIRE_KEYPAD_ENTER, VIRTUAL_KEY_KEYPAD_ENTER],
]);

const KNOWN: ReadonlySet<number> = new Set(
  RUNS.flatMap(([first, last]) =>
    Array.from({ length: last - first + 1 }, (_, index) => first + index)
  ),
);

/** The common model's number of wire number `code`, or undefined when it names no key. */
export function virtualKeyOfCode(code: number): number | undefined {
  return KNOWN.has(code) ? TRANSLATED.get(code) ?? code : undefined;
}

/** The wire's number of a key of the common model. */
export function codeOfVirtualKey(virtualKey: number): number {
  return virtualKey === VIRTUAL_KEY_KEYPAD_ENTER ? WIRE_KEYPAD_ENTER : virtualKey;
}

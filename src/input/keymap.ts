/**
 * Windows virtual keys to Linux evdev keys, by position on the US layout (GameStream specification 6.2,
 * punktfunk/1 specification 7.1.1). Pure.
 *
 * The number names a place on the keyboard; what is written there is the business of the host's layout.
 *
 * @module
 */

import { VIRTUAL_KEY_KEYPAD_ENTER } from "../protocol/input_event.ts";

/** Runs of virtual keys whose evdev keys follow one another or stand in the list: [first virtual key, …evdev keys]. */
const RUNS: readonly (readonly [first: number, ...codes: number[]])[] = [
  [0x08, 14, 15], // Backspace, Tab
  // Clear is the keypad's 5 without Num Lock.
  [0x0c, 76, 28], // Clear, Enter
  [0x10, 42, 29, 56, 119, 58], // Shift, Ctrl, Alt, Pause, Caps Lock
  [0x15, 122, 122], // Hangul or Kana, IME on
  [0x19, 123, 123, 1, 92, 94], // Hanja or Kanji, IME off, Escape, Convert, Nonconvert
  [0x20, 57, 104, 109, 107, 102], // Space, Page Up, Page Down, End, Home
  [0x25, 105, 103, 106, 108], // Left, Up, Right, Down
  // Select and Execute lie where a USB keyboard has them: KEY_FRONT, KEY_OPEN.
  [0x29, 132],
  [0x2b, 134, 99, 110, 111, 138], // Execute, Print Screen, Insert, Delete, Help
  [0x30, 11, 2, 3, 4, 5, 6, 7, 8, 9, 10], // 0 to 9
  [0x41, 30, 48, 46, 32, 18, 33, 34, 35, 23, 36, 37, 38, 50], // A to M
  [0x4e, 49, 24, 25, 16, 19, 31, 20, 22, 47, 17, 45, 21, 44], // N to Z
  [0x5b, 125, 126, 127], // left and right Windows, Menu
  [0x60, 82, 79, 80, 81, 75, 76, 77, 71, 72, 73], // keypad 0 to 9
  [0x6a, 55, 78, 121, 74, 83, 98], // keypad × + , − . ÷
  [0x70, 59, 60, 61, 62, 63, 64, 65, 66, 67, 68, 87, 88], // F1 to F12
  [0x7c, 183, 184, 185, 186, 187, 188, 189, 190, 191, 192, 193, 194], // F13 to F24
  [0x90, 69, 70], // Num Lock, Scroll Lock
  [0xa0, 42, 54, 29, 97, 56, 100], // left and right Shift, Ctrl, Alt
  [0xa6, 158, 159, 173, 128, 217, 156, 172], // browser: back, forward, refresh, stop, search, favourites, home
  [0xad, 113, 114, 115], // mute, volume down, volume up
  [0xb0, 163, 165, 166, 164], // next, previous, stop, play
  [0xb4, 155, 226, 157, 140], // mail, media, computer, calculator
  [0xba, 39, 13, 51, 12, 52, 53, 41], // ; = , - . / `
  [0xc1, 89, 121], // Brazilian / and keypad .
  [0xdb, 26, 43, 27, 40], // [ \ ] '
  // Yen, the key beside left Shift that US keyboards lack.
  [0xe1, 124, 86],
  [VIRTUAL_KEY_KEYPAD_ENTER, 96],
  [0xf2, 93, 85], // Katakana or Hiragana, Zenkaku or Hankaku
];

const CODES: ReadonlyMap<number, number> = new Map(
  RUNS.flatMap(([first, ...codes]) =>
    codes.map((code, index): [number, number] => [first + index, code])
  ),
);

/** The evdev key at the place of `virtualKey`, or undefined when no keyboard has it. */
export function evdevKeyOf(virtualKey: number): number | undefined {
  return CODES.get(virtualKey);
}

import assert from "node:assert/strict";
import { evdevKeyOf } from "../../../src/input/keymap.ts";

/** Every virtual key of the specifications (GameStream 6.2, punktfunk/1 7.1.1) with the evdev key at its place. */
// deno-fmt-ignore
const EXPECTED: Readonly<Record<number, number>> = {
  0x08: 14, 0x09: 15, 0x0c: 76, 0x0d: 28, 0x10: 42, 0x11: 29, 0x12: 56, 0x13: 119, 0x14: 58,
  0x15: 122, 0x16: 122, 0x19: 123, 0x1a: 123, 0x1b: 1, 0x1c: 92, 0x1d: 94,
  0x20: 57, 0x21: 104, 0x22: 109, 0x23: 107, 0x24: 102, 0x25: 105, 0x26: 103, 0x27: 106, 0x28: 108,
  0x29: 132, 0x2b: 134, 0x2c: 99, 0x2d: 110, 0x2e: 111, 0x2f: 138,
  0x5b: 125, 0x5c: 126, 0x5d: 127,
  0x6a: 55, 0x6b: 78, 0x6c: 121, 0x6d: 74, 0x6e: 83, 0x6f: 98,
  0x90: 69, 0x91: 70, 0xa0: 42, 0xa1: 54, 0xa2: 29, 0xa3: 97, 0xa4: 56, 0xa5: 100,
  0xa6: 158, 0xa7: 159, 0xa8: 173, 0xa9: 128, 0xaa: 217, 0xab: 156, 0xac: 172,
  0xad: 113, 0xae: 114, 0xaf: 115, 0xb0: 163, 0xb1: 165, 0xb2: 166, 0xb3: 164,
  0xb4: 155, 0xb5: 226, 0xb6: 157, 0xb7: 140,
  0xba: 39, 0xbb: 13, 0xbc: 51, 0xbd: 12, 0xbe: 52, 0xbf: 53, 0xc0: 41,
  0xdb: 26, 0xdc: 43, 0xdd: 27, 0xde: 40, 0xe1: 124, 0xe2: 86, 0xe8: 96, 0xf2: 93, 0xf3: 85,
  0xc1: 89, 0xc2: 121,
};

/** evdev numbers keys along the rows of the keyboard. */
const ROWS: readonly (readonly [first: number, keys: string])[] = [
  [2, "1234567890"],
  [16, "QWERTYUIOP"],
  [30, "ASDFGHJKL"],
  [44, "ZXCVBNM"],
];

Deno.test("evdevKeyOf() finds every key of the specifications", () => {
  for (const [virtualKey, code] of Object.entries(EXPECTED)) {
    assert.equal(evdevKeyOf(Number(virtualKey)), code, `virtual key ${virtualKey}`);
  }
});

Deno.test("evdevKeyOf() finds letters and digits in their rows", () => {
  for (const [first, keys] of ROWS) {
    [...keys].forEach((key, index) =>
      assert.equal(evdevKeyOf(key.charCodeAt(0)), first + index, key)
    );
  }
});

Deno.test("evdevKeyOf() finds the keypad's digits and all function keys", () => {
  const keypad = [82, 79, 80, 81, 75, 76, 77, 71, 72, 73];
  keypad.forEach((code, digit) => assert.equal(evdevKeyOf(0x60 + digit), code));
  const functions = [59, 60, 61, 62, 63, 64, 65, 66, 67, 68, 87, 88];
  for (let code = 183; code <= 194; code++) functions.push(code);
  functions.forEach((code, index) => assert.equal(evdevKeyOf(0x70 + index), code));
});

Deno.test("evdevKeyOf() knows no key for numbers without one", () => {
  for (const virtualKey of [0, 1, 4, 7, 0x17, 0x18, 0x3a, 0x5e, 0x5f, 0x88, 0xe0, 0xfe, 255, 256]) {
    assert.equal(evdevKeyOf(virtualKey), undefined, `virtual key ${virtualKey}`);
  }
});

Deno.test("evdevKeyOf() stays within what XKB can number", () => {
  for (let virtualKey = 0; virtualKey < 256; virtualKey++) {
    const code = evdevKeyOf(virtualKey) ?? 1;
    assert.ok(code >= 1 && code <= 247, `virtual key ${virtualKey}`);
  }
});

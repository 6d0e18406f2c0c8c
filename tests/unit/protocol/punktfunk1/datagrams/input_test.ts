import assert from "node:assert/strict";
import { evdevKeyOf } from "../../../../../src/input/keymap.ts";
import {
  decodeInput,
  encodeInput,
  INPUT_SIZE_BYTES,
} from "../../../../../src/protocol/punktfunk1/datagrams/input.ts";
import {
  encodeInputFields,
  INPUT_KINDS,
  type InputFields,
} from "../../../../../src/protocol/punktfunk1/datagrams/input_fields.ts";
import { SCROLL_AMOUNT_MAX } from "../../../../../src/protocol/punktfunk1/datagrams/input_scroll.ts";
import { PAD_COUNT_MAX } from "../../../../../src/protocol/punktfunk1/datagrams/tags.ts";
import { bytesOf } from "./vectors.ts";

function decoded(kind: number, fields: Partial<Omit<InputFields, "kind">> = {}) {
  return decodeInput(encodeInputFields(kind, fields));
}

/** Virtual keys of the specification, section 7.1.1, with their evdev keys. */
// deno-fmt-ignore
const KEYS: Readonly<Record<number, number>> = {
  0x08: 14, 0x09: 15, 0x0d: 28, 0x13: 119, 0x14: 58, 0x1b: 1, 0x20: 57, 0x21: 104, 0x22: 109, 0x23: 107,
  0x24: 102, 0x25: 105, 0x26: 103, 0x27: 106, 0x28: 108, 0x2c: 99, 0x2d: 110, 0x2e: 111, 0x30: 11,
  0x31: 2, 0x32: 3, 0x33: 4, 0x34: 5, 0x35: 6, 0x36: 7, 0x37: 8, 0x38: 9, 0x39: 10,
  0x5b: 125, 0x5c: 126, 0x5d: 127, 0x60: 82, 0x61: 79, 0x62: 80, 0x63: 81, 0x64: 75, 0x65: 76, 0x66: 77,
  0x67: 71, 0x68: 72, 0x69: 73, 0x6a: 55, 0x6b: 78, 0x6c: 96, 0x6d: 74, 0x6e: 83, 0x6f: 98,
  0x70: 59, 0x71: 60, 0x72: 61, 0x73: 62, 0x74: 63, 0x75: 64, 0x76: 65, 0x77: 66, 0x78: 67, 0x79: 68,
  0x7a: 87, 0x7b: 88, 0x90: 69, 0x91: 70, 0xa0: 42, 0xa1: 54, 0xa2: 29, 0xa3: 97, 0xa4: 56, 0xa5: 100,
  0xba: 39, 0xbb: 13, 0xbc: 51, 0xbd: 12, 0xbe: 52, 0xbf: 53, 0xc0: 41, 0xdb: 26, 0xdc: 43, 0xdd: 27,
  0xde: 40, 0xe2: 86, 0x15: 122, 0x19: 123, 0x1c: 92, 0x1d: 94, 0xf2: 93, 0xf3: 85, 0xc1: 89, 0xc2: 121,
  0xe1: 124, 0x10: 42, 0x11: 29, 0x12: 56,
  0x41: 30, 0x42: 48, 0x43: 46, 0x44: 32, 0x45: 18, 0x46: 33, 0x47: 34, 0x48: 35, 0x49: 23, 0x4a: 36,
  0x4b: 37, 0x4c: 38, 0x4d: 50, 0x4e: 49, 0x4f: 24, 0x50: 25, 0x51: 16, 0x52: 19, 0x53: 31, 0x54: 20,
  0x55: 22, 0x56: 47, 0x57: 17, 0x58: 45, 0x59: 21, 0x5a: 44,
};

Deno.test("decodeInput() reads the keys of the specification and no others", () => {
  for (let code = 0; code < 0x200; code++) {
    const input = decoded(INPUT_KINDS.keyDown, { code });
    const evdev = input?.kind === "key" ? evdevKeyOf(input.virtualKey) : undefined;
    assert.equal(evdev, KEYS[code], `virtual key ${code}`);
    assert.equal(input === undefined, KEYS[code] === undefined, `virtual key ${code}`);
  }
  assert.equal(decoded(INPUT_KINDS.keyUp, { code: 0xffff_ff41 }), undefined);
});

Deno.test("decodeInput() takes generic modifiers for the left ones", () => {
  for (const [code, virtualKey] of [[0x10, 0xa0], [0x11, 0xa2], [0x12, 0xa4]] as const) {
    assert.deepEqual(decoded(INPUT_KINDS.keyUp, { code }), {
      kind: "key",
      virtualKey,
      isDown: false,
      modifiers: 0,
      isPositional: true,
    });
  }
});

Deno.test("decodeInput() drops unknown kinds, buttons and what is no character", () => {
  for (let kind = 17; kind < 256; kind++) assert.equal(decoded(kind), undefined, `kind ${kind}`);
  for (const code of [0, 6]) assert.equal(decoded(INPUT_KINDS.buttonDown, { code }), undefined);
  assert.ok(decoded(INPUT_KINDS.buttonUp, { code: 5 }));
  for (const code of [0xd800, 0xdfff, 0x11_0000, 0xffff_ffff]) {
    assert.equal(decoded(INPUT_KINDS.text, { code }), undefined, `${code}`);
  }
  assert.deepEqual(decoded(INPUT_KINDS.text, { code: 0x10_ffff }), {
    kind: "text",
    text: "\u{10ffff}",
  });
});

Deno.test("decodeInput() takes positions to the edge of their surface, and needs one", () => {
  const kinds = [INPUT_KINDS.pointerPosition, INPUT_KINDS.touchDown, INPUT_KINDS.touchMove];
  for (const kind of kinds) {
    const place = (x: number, y: number, flags: number) => {
      const input = decoded(kind, { x, y, flags });
      return input !== undefined && "x" in input ? [input.x, input.y] : undefined;
    };
    assert.deepEqual(place(0, 0, 1920 << 16 | 1080), [0, 0]);
    assert.deepEqual(place(1919, 1079, 1920 << 16 | 1080), [1, 1]);
    assert.deepEqual(place(-5, 5000, 1920 << 16 | 1080), [0, 1]);
    assert.deepEqual(place(0, 7, 1 << 16 | 1), [0, 1]);
    for (const flags of [0, 1920 << 16, 1080]) assert.equal(place(1, 1, flags), undefined);
  }
});

Deno.test("decodeInput() counts wheel steps whole and in 1/256", () => {
  assert.deepEqual(decoded(INPUT_KINDS.scrollSteps, { code: 1, x: -60 }), {
    kind: "scroll",
    axis: "horizontal",
    amount120: -60,
  });
  for (const source of [0, 1]) {
    assert.deepEqual(decoded(INPUT_KINDS.scroll, { x: 30 * 256 + 64, flags: source }), {
      kind: "scroll",
      axis: "vertical",
      amount120: 30.25,
    });
  }
});

Deno.test("decodeInput() turns measured distances into pixels, 60 a detent", () => {
  assert.deepEqual(decoded(INPUT_KINDS.scrollSteps, { x: 120, flags: 1 }), {
    kind: "scroll",
    axis: "vertical",
    amount120: 20,
    smooth: { pixels: 10, source: "unknown", phase: "none" },
  });
  assert.deepEqual(decoded(INPUT_KINDS.scroll, { x: 60 * 256, flags: 3 | 6 << 8 }), {
    kind: "scroll",
    axis: "vertical",
    amount120: 120,
    smooth: { pixels: 60, source: "continuous", phase: "momentum" },
  });
});

Deno.test("decodeInput() takes scrolling back to its limit", () => {
  const amountOf = (kind: number, x: number, flags = 0) => {
    const input = decoded(kind, { x, flags });
    return input?.kind === "scroll" ? [input.amount120, input.smooth?.pixels] : undefined;
  };
  const max = SCROLL_AMOUNT_MAX;
  assert.deepEqual(amountOf(INPUT_KINDS.scrollSteps, max), [max, undefined]);
  assert.deepEqual(amountOf(INPUT_KINDS.scrollSteps, max + 1), [max, undefined]);
  assert.deepEqual(amountOf(INPUT_KINDS.scrollSteps, -max - 1), [-max, undefined]);
  assert.deepEqual(amountOf(INPUT_KINDS.scroll, 2 ** 31 - 1, 2), [max, max]);
});

Deno.test("decodeInput() drops scrolling that breaks a rule, and nothing else of kind 16", () => {
  const isRead = (x: number, source: number, phase: number) =>
    decoded(INPUT_KINDS.scroll, { x, flags: source | phase << 8 }) !== undefined;
  for (let source = 0; source < 8; source++) {
    for (let phase = 0; phase < 10; phase++) {
      const isKnown = source <= 5 && phase <= 7;
      const isWheel = source <= 1;
      const isAllowed = isKnown && (isWheel ? phase === 0 : phase < 5 || source <= 4);
      assert.equal(isRead(0, source, phase), isAllowed, `${source} ${phase}`);
      const isMoving = ![3, 4, 7].includes(phase);
      assert.equal(isRead(256, source, phase), isAllowed && isMoving, `${source} ${phase}`);
    }
  }
  assert.equal(decoded(INPUT_KINDS.scroll, { code: 2 }), undefined);
  assert.equal(decoded(INPUT_KINDS.scrollSteps, { code: 2 }), undefined);
  assert.equal(decoded(INPUT_KINDS.scroll, { y: 1 }), undefined);
  assert.equal(decoded(INPUT_KINDS.scroll, { flags: 1 << 16 }), undefined);
});

Deno.test("decodeInput() knows pads up to the last one", () => {
  const kinds = [
    INPUT_KINDS.padButton,
    INPUT_KINDS.padAxis,
    INPUT_KINDS.padSnapshot,
    INPUT_KINDS.padRemoved,
    INPUT_KINDS.padAnnounced,
  ];
  for (const kind of kinds) {
    assert.ok(decoded(kind, { flags: PAD_COUNT_MAX - 1 }), `kind ${kind}`);
    assert.equal(decoded(kind, { flags: PAD_COUNT_MAX }), undefined, `kind ${kind}`);
  }
  assert.equal(decoded(INPUT_KINDS.padButton, { flags: 0x100 }), undefined);
});

Deno.test("decodeInput() takes axes to what a pad can do and drops unknown ones", () => {
  const valueOf = (code: number, x: number) => {
    const input = decoded(INPUT_KINDS.padAxis, { code, x });
    return input?.kind === "pad-axis" ? [input.axis, input.value] : undefined;
  };
  assert.deepEqual(valueOf(0, 40_000), ["leftX", 32_767]);
  assert.deepEqual(valueOf(3, -40_000), ["rightY", -32_768]);
  assert.deepEqual(valueOf(4, 256), ["leftTrigger", 255]);
  assert.deepEqual(valueOf(5, -1), ["rightTrigger", 0]);
  assert.equal(valueOf(6, 0), undefined);
});

Deno.test("decodeInput() takes an unknown kind of gamepad for one of no kind", () => {
  const input = decoded(INPUT_KINDS.padAnnounced, { code: 19, flags: 4 | 1 << 9 });
  assert.deepEqual(input, {
    kind: "pad-announced",
    pad: 4,
    padKind: "auto",
    playsHaptics: false,
    playsSpeaker: true,
  });
});

Deno.test("decodeInput() reads the event inside an input edge", () => {
  const edge = bytesOf("5cc80141000000000000000000000000000000");
  assert.equal(edge.byteLength, 1 + INPUT_SIZE_BYTES);
  assert.deepEqual(decodeInput(edge.subarray(1)), {
    kind: "key",
    virtualKey: 0x41,
    isDown: false,
    modifiers: 0,
    isPositional: true,
  });
});

Deno.test("encodeInput() writes the keypad's Enter and the first character of a text", () => {
  const enter = { kind: "key", virtualKey: 0xe8, isDown: true, modifiers: 0, isPositional: true };
  assert.equal(encodeInput(enter as Parameters<typeof encodeInput>[0])[2], 0x6c);
  assert.deepEqual(decodeInput(encodeInput({ kind: "text", text: "😀!" })), {
    kind: "text",
    text: "😀",
  });
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { parseHex, toHex } from "../../../../src/lib/bytes.ts";
import { ProtocolError } from "../../../../src/lib/errors.ts";
import {
  decodeInput,
  encodeInput,
  INPUT_TEXT_BYTES_MAX,
  type InputPacket,
} from "../../../../src/protocol/gamestream/input.ts";
import vectors from "../../../vectors/gamestream-input.json" with { type: "json" };

const bytesOf = (text: string) => parseHex(text) ?? assert.fail(`not hexadecimal: ${text}`);
const f32 = Math.fround;

/** In the order of the vectors. */
const MEANINGS: readonly (InputPacket | undefined)[] = [
  undefined,
  { kind: "pointer-motion", dx: 1, dy: 1 },
  { kind: "pointer-motion", dx: -1, dy: -1 },
  { kind: "pointer-motion", dx: 5, dy: -3 },
  { kind: "pointer-position", x: 100 / 1279, y: 200 / 719 },
  { kind: "pointer-button", button: "left", isDown: true },
  { kind: "pointer-button", button: "left", isDown: false },
  { kind: "key", virtualKey: 0x41, isDown: true, modifiers: 1, isPositional: true },
  { kind: "key", virtualKey: 0x41, isDown: false, modifiers: 1, isPositional: false },
  { kind: "text", text: "a" },
  { kind: "text", text: "é" },
  { kind: "text", text: "€" },
  { kind: "scroll", axis: "vertical", amount120: 120 },
  { kind: "scroll", axis: "horizontal", amount120: -60 },
  {
    kind: "pad-arrival",
    pad: 2,
    type: "playstation",
    capabilities: 0x00ba,
    supportedButtons: 0x0030ffff,
  },
  {
    kind: "pad-report",
    activeMask: 4,
    state: {
      kind: "pad-state",
      pad: 2,
      buttons: 0,
      leftTrigger: 0,
      rightTrigger: 0,
      leftX: 0,
      leftY: 0,
      rightX: 0,
      rightY: 0,
    },
  },
  {
    kind: "pad-report",
    activeMask: 4,
    state: {
      kind: "pad-state",
      pad: 2,
      buttons: 0x00011000,
      leftTrigger: 0x80,
      rightTrigger: 0xff,
      leftX: -32768,
      leftY: 32767,
      rightX: 256,
      rightY: -256,
    },
  },
  {
    kind: "pad-touchpad",
    pad: 2,
    touchpad: 1,
    phase: "down",
    pointerId: 7,
    x: 0.25,
    y: 0.5,
    pressure: 1,
  },
  { kind: "pad-motion", pad: 2, sensor: "gyroscope", x: 1.5, y: -2, z: 0 },
  { kind: "pad-battery", pad: 2, state: "charging", percent: 55 },
  {
    kind: "touch",
    phase: "down",
    pointerId: 9,
    x: 0.5,
    y: 0.25,
    pressureOrDistance: 0.75,
    contactMajor: f32(0.01),
    contactMinor: f32(0.02),
    rotationDegrees: 90,
  },
  {
    kind: "touch",
    phase: "move",
    pointerId: 9,
    x: 0.5,
    y: f32(0.3),
    pressureOrDistance: 0.75,
    contactMajor: f32(0.01),
    contactMinor: f32(0.02),
    rotationDegrees: 90,
  },
  {
    kind: "pen",
    phase: "hover",
    tool: "pen",
    buttons: 1,
    x: 0.5,
    y: 0.5,
    pressureOrDistance: 0.5,
    contactMajor: 0,
    contactMinor: 0,
    rotationDegrees: 45,
    tiltDegrees: 30,
  },
];

Deno.test("decodeInput() has a meaning for every vector", () => {
  assert.equal(vectors.packets.length, MEANINGS.length);
});

for (const [index, { type, packet, means }] of vectors.packets.entries()) {
  Deno.test(`decodeInput() and encodeInput() agree with the vector "${type}: ${means}"`, () => {
    const meaning = MEANINGS[index];
    assert.deepEqual(decodeInput(bytesOf(packet)), meaning);
    if (meaning === undefined) return;
    const reference = { widthPixels: 1280, heightPixels: 720 };
    assert.equal(toHex(encodeInput(meaning, reference)), packet);
  });
}

const u8 = fc.integer({ min: 0, max: 0xff });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const s16 = fc.integer({ min: -0x8000, max: 0x7fff });
const fraction = fc.integer({ min: 0, max: 1 << 20 }).map((steps) => steps / (1 << 20));
const finite = fc.float({ noNaN: true, noDefaultInfinity: true });
const pad = fc.integer({ min: 0, max: 15 });
const phase = fc.constantFrom("hover", "down", "up", "move", "hover-leave");
const positionless = fc.constantFrom("cancel", "button-only", "cancel-all");
const of = <Model>(model: { [Key in keyof Model]: fc.Arbitrary<Model[Key]> }) =>
  fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<unknown>;
const optional = (max: number) => fc.option(fc.integer({ min: 0, max }), { nil: undefined });
const nothing = {
  x: fc.constant(0),
  y: fc.constant(0),
  pressureOrDistance: fc.constant(0),
  contactMajor: fc.constant(0),
  contactMinor: fc.constant(0),
};
const place = {
  x: fraction,
  y: fraction,
  pressureOrDistance: fraction,
  contactMajor: fraction,
  contactMinor: fraction,
};
const touch = { kind: fc.constant("touch"), pointerId: u32, rotationDegrees: optional(0xfffe) };
const pen = {
  kind: fc.constant("pen"),
  tool: fc.constantFrom("unknown", "pen", "eraser"),
  buttons: fc.integer({ min: 0, max: 7 }),
  rotationDegrees: optional(0xfffe),
  tiltDegrees: optional(90),
};

const packets = fc.oneof(
  of({
    kind: fc.constant("key"),
    virtualKey: fc.integer({ min: 1, max: 254 }),
    isDown: fc.boolean(),
    modifiers: fc.integer({ min: 0, max: 15 }),
    isPositional: fc.boolean(),
  }),
  of({
    kind: fc.constant("text"),
    text: fc.string({ unit: "binary", minLength: 1, maxLength: 9 }),
  }),
  of({ kind: fc.constant("pointer-motion"), dx: s16, dy: s16 }),
  of({
    kind: fc.constant("pointer-position"),
    x: fc.integer({ min: 0, max: 0x7fff }).map((steps) => steps / 0x7fff),
    y: fc.integer({ min: 0, max: 0x7fff }).map((steps) => steps / 0x7fff),
  }),
  of({
    kind: fc.constant("pointer-button"),
    button: fc.constantFrom("left", "middle", "right", "back", "forward"),
    isDown: fc.boolean(),
  }),
  of({
    kind: fc.constant("scroll"),
    axis: fc.constantFrom("vertical", "horizontal"),
    amount120: s16,
  }),
  of({ ...touch, phase, ...place }),
  of({ ...touch, phase: positionless, ...nothing }),
  of({ ...pen, phase, ...place }),
  of({ ...pen, phase: positionless, ...nothing }),
  of({
    kind: fc.constant("pad-arrival"),
    pad,
    type: fc.constantFrom("unknown", "xbox", "playstation", "nintendo", "steam"),
    capabilities: u16,
    supportedButtons: u32,
  }),
  of({
    kind: fc.constant("pad-report"),
    activeMask: u16,
    state: of({
      kind: fc.constant("pad-state"),
      pad,
      buttons: u32,
      leftTrigger: u8,
      rightTrigger: u8,
      leftX: s16,
      leftY: s16,
      rightX: s16,
      rightY: s16,
    }),
  }),
  of({
    kind: fc.constant("pad-touchpad"),
    pad,
    touchpad: fc.integer({ min: 0, max: 1 }),
    phase,
    pointerId: u32,
    x: fraction,
    y: fraction,
    pressure: fraction,
  }),
  of({
    kind: fc.constant("pad-motion"),
    pad,
    sensor: fc.constantFrom("accelerometer", "gyroscope"),
    x: finite,
    y: finite,
    z: finite,
  }),
  of({
    kind: fc.constant("pad-battery"),
    pad,
    state: fc.constantFrom("unknown", "absent", "discharging", "charging", "not-charging", "full"),
    percent: optional(100),
  }),
) as fc.Arbitrary<InputPacket>;

/** `packet` with its size field made to agree with its bytes. */
function sized(packet: Uint8Array): Uint8Array {
  const copy = packet.slice();
  new DataView(copy.buffer).setUint32(0, copy.byteLength - 4);
  return copy;
}

Deno.test("decodeInput() inverts encodeInput()", () => {
  fc.assert(
    fc.property(packets, (packet) => {
      assert.deepEqual(decodeInput(encodeInput(packet)), packet);
    }),
    { numRuns: 500 },
  );
});

Deno.test("decodeInput() rejects every shortened form, whether or not its size field agrees", () => {
  fc.assert(
    fc.property(packets, (packet) => {
      const bytes = encodeInput(packet);
      for (let length = 0; length < bytes.byteLength; length++) {
        const shortened = bytes.subarray(0, length);
        assert.throws(() => decodeInput(shortened), { code: "short" });
        // Text has no size of its own: what is left of it is either text or not UTF-8.
        if (length < 4 || packet.kind === "text") continue;
        assert.throws(() => decodeInput(sized(shortened)), { code: "short" });
      }
    }),
    { numRuns: 100 },
  );
});

Deno.test("decodeInput() ignores surplus bytes, inside and outside the declared size", () => {
  fc.assert(fc.property(packets, fc.uint8Array({ maxLength: 9 }), (packet, surplus) => {
    const longer = new Uint8Array([...encodeInput(packet), ...surplus]);
    assert.deepEqual(decodeInput(longer), packet);
    if (packet.kind !== "text") assert.deepEqual(decodeInput(sized(longer)), packet);
  }));
});

Deno.test("decodeInput() ignores unknown types, buttons, phases, touchpads and sensors", () => {
  const unknown = [
    "0000000499000000",
    "000000050800000000",
    "000000050800000006",
    "00000018050000550208000107000000" + "0000803e0000003f0000803f",
    "00000018050000550201000207000000" + "0000803e0000003f0000803f",
    "000000140600005502030000" + "0000c03f000000c000000000",
    "000000200200005508005a0009000000" + "00".repeat(20),
    "000000200300005508010100" + "00".repeat(24),
  ];
  for (const packet of unknown) assert.equal(decodeInput(bytesOf(packet)), undefined, packet);
});

Deno.test("decodeInput() refuses NaN and the infinities in every number a client can send", () => {
  const touch = encodeInput(MEANINGS[20] ?? assert.fail());
  const pen = encodeInput(MEANINGS[22] ?? assert.fail());
  const touchpad = encodeInput(MEANINGS[17] ?? assert.fail());
  const motion = encodeInput(MEANINGS[18] ?? assert.fail());
  const places: [Uint8Array, number[]][] = [
    [touch, [16, 20, 24, 28, 32]],
    [pen, [12, 16, 20, 28, 32]],
    [touchpad, [16, 20, 24]],
    [motion, [12, 16, 20]],
  ];
  for (const [packet, offsets] of places) {
    for (const offset of offsets) {
      for (const value of [NaN, Infinity, -Infinity]) {
        const changed = packet.slice();
        new DataView(changed.buffer).setFloat32(offset, value, true);
        assert.throws(() => decodeInput(changed), { code: "malformed" }, `${offset} ${value}`);
      }
    }
  }
});

Deno.test("decodeInput() takes fractions outside the picture to its edge", () => {
  const packet = encodeInput(MEANINGS[20] ?? assert.fail());
  const view = new DataView(packet.buffer);
  view.setFloat32(16, -0.5, true);
  view.setFloat32(20, 1.5, true);
  const touch = decodeInput(packet);
  assert.ok(touch?.kind === "touch");
  assert.deepEqual([touch.x, touch.y], [0, 1]);
  assert.deepEqual(decodeInput(bytesOf("0000000e05000000ffff7fff00000064" + "0064")), {
    kind: "pointer-position",
    x: 0,
    y: 1,
  });
});

Deno.test("decodeInput() refuses an absolute position in a picture without size", () => {
  for (const reference of ["000002cf", "04ff0000"]) {
    assert.throws(() => decodeInput(bytesOf(`0000000e05000000006400c80000${reference}`)), {
      code: "malformed",
    });
  }
});

Deno.test("decodeInput() reads the low byte of a key, 1 to 254, and four modifiers", () => {
  const key = (low: string, modifiers: string) =>
    decodeInput(bytesOf(`0000000a0300000000${low}00${modifiers}0000`));
  assert.deepEqual(key("fe", "ff"), {
    kind: "key",
    virtualKey: 254,
    isDown: true,
    modifiers: 15,
    isPositional: true,
  });
  assert.ok(key("01", "00"));
  for (const low of ["00", "ff"]) assert.throws(() => key(low, "00"), { code: "malformed" });
});

Deno.test("decodeInput() takes pad 15 and refuses pad 16 in every pad packet", () => {
  for (const index of [14, 15, 17, 18, 19]) {
    const packet = bytesOf(vectors.packets[index]?.packet ?? "");
    const offset = index === 15 ? 10 : 8;
    packet[offset] = 15;
    assert.ok(decodeInput(packet));
    packet[offset] = 16;
    assert.throws(() => decodeInput(packet), { code: "limit" });
  }
});

Deno.test("decodeInput() refuses text that is empty, too long, cut, overlong or a surrogate", () => {
  const text = (bytes: Uint8Array) => sized(new Uint8Array([0, 0, 0, 0, 0x17, 0, 0, 0, ...bytes]));
  const longest = new Uint8Array(INPUT_TEXT_BYTES_MAX).fill(0x61);
  assert.deepEqual(decodeInput(text(longest)), {
    kind: "text",
    text: "a".repeat(INPUT_TEXT_BYTES_MAX),
  });
  assert.throws(() => decodeInput(text(new Uint8Array([...longest, 0x61]))), { code: "limit" });
  assert.throws(() => decodeInput(text(new Uint8Array(0))), { code: "short" });
  for (const wrong of ["e282", "c080", "eda080", "f4908080", "ff"]) {
    assert.throws(() => decodeInput(text(bytesOf(wrong))), { code: "malformed" }, wrong);
  }
});

Deno.test("decodeInput() reads unknown rotation, tilt, percentage, tool and battery state as such", () => {
  const pen = bytesOf(vectors.packets[22]?.packet ?? "");
  pen.set([0xff, 0xff, 0xff], 24);
  pen[9] = 3;
  const decoded = decodeInput(pen);
  assert.ok(decoded?.kind === "pen");
  assert.deepEqual(
    [decoded.rotationDegrees, decoded.tiltDegrees, decoded.tool],
    [undefined, undefined, "unknown"],
  );
  const battery = bytesOf(vectors.packets[19]?.packet ?? "");
  battery.set([6, 0xff], 9);
  assert.deepEqual(decodeInput(battery), {
    kind: "pad-battery",
    pad: 2,
    state: "unknown",
    percent: undefined,
  });
});

Deno.test("decodeInput() ignores the position of a cancelled contact, even one that is no number", () => {
  const packet = bytesOf(vectors.packets[20]?.packet ?? "");
  packet[8] = 4;
  new DataView(packet.buffer).setFloat32(16, NaN, true);
  const touch = decodeInput(packet);
  assert.ok(touch?.kind === "touch");
  assert.deepEqual([touch.phase, touch.pointerId, touch.x], ["cancel", 9, 0]);
});

Deno.test("decodeInput() throws only ProtocolError on arbitrary bytes", () => {
  const types = vectors.packets.map(({ packet }) => bytesOf(packet).subarray(4, 8));
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 8, maxLength: 48 }),
      fc.option(fc.constantFrom(...types)),
      (bytes, type) => {
        if (type !== null) bytes.set(type, 4);
        try {
          decodeInput(type === null ? bytes : sized(bytes));
        } catch (error) {
          assert.ok(error instanceof ProtocolError, `${error}`);
        }
      },
    ),
    { numRuns: 500 },
  );
});

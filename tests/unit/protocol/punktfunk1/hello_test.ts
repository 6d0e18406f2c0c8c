import assert from "node:assert/strict";
import fc from "fast-check";
import { concatBytes, viewOf } from "../../../../src/lib/bytes.ts";
import { ProtocolError } from "../../../../src/lib/errors.ts";
import { CLIENT_CAPS, VIDEO_CAPS } from "../../../../src/protocol/punktfunk1/caps.ts";
import {
  CODECS,
  type Compositor,
  COMPOSITORS,
  PAD_KINDS,
  type PadKind,
} from "../../../../src/protocol/punktfunk1/enums.ts";
import {
  decodeHello,
  encodeHello,
  type Hello,
  HELLO_DEFAULTS,
  HELLO_LAUNCH_BYTES_MAX,
  HELLO_NAME_BYTES_MAX,
  HELLO_SIZE_BYTES_MIN,
} from "../../../../src/protocol/punktfunk1/hello.ts";
import { handshakeVector } from "./handshake_vectors.ts";

const MINIMUM: Hello = {
  ...HELLO_DEFAULTS,
  mode: { width: 1920, height: 1080, refreshHz: 60 },
};

const MEANINGS: Record<string, Hello> = {
  "minimum": MINIMUM,
  "name": {
    ...HELLO_DEFAULTS,
    mode: { width: 2560, height: 1440, refreshHz: 120 },
    bitrateKbps: 30_000,
    name: "Deck",
  },
  "session": {
    ...MINIMUM,
    bitrateKbps: 20_000,
    name: "Test client",
    launch: "steam:570",
    videoCaps: VIDEO_CAPS.hostTiming | VIDEO_CAPS.probeSequence | VIDEO_CAPS.streamedAccessUnits,
    videoCodecs: CODECS.h264 | CODECS.hevc | CODECS.av1,
    preferredCodec: CODECS.hevc,
    clientCaps: CLIENT_CAPS.audioRed | CLIENT_CAPS.ext,
    shardPayloadBytesMax: 9152,
  },
  "HDR": {
    ...HELLO_DEFAULTS,
    mode: { width: 3840, height: 2160, refreshHz: 60 },
    name: "TV",
    videoCaps: 0x3b,
    videoCodecs: 7,
    display: {
      green: { x: 8500, y: 39_850 },
      blue: { x: 6550, y: 2300 },
      red: { x: 35_400, y: 14_600 },
      white: { x: 15_635, y: 16_450 },
      maxLuminance10000: 10_000_000,
      minLuminance10000: 50,
      maxContentNits: 1000,
      maxFrameAverageNits: 400,
    },
    clientCaps: CLIENT_CAPS.cursor | CLIENT_CAPS.ext,
  },
};

/** Every field set, so that every byte of the longest form is there: offset 27 begins the name. */
const FULL: Hello = {
  ...MINIMUM,
  compositor: "windows",
  gamepad: "dualsense",
  bitrateKbps: 8_000_000,
  name: "abc",
  launch: "de",
  videoCaps: 0xff,
  audioChannels: 8,
  videoCodecs: 15,
  preferredCodec: 8,
  display: MEANINGS["HDR"]?.display,
  clientCaps: 0x7f,
  shardPayloadBytesMax: 1408,
  audioRateHz: 192_000,
  audioBits: 24,
  audioLayout: 9,
  videoFit: "stretch",
};

Deno.test("decodeHello() reads the specification's messages", () => {
  for (const [name, meaning] of Object.entries(MEANINGS)) {
    assert.deepEqual(decodeHello(handshakeVector("hello", name)), meaning, name);
  }
});

Deno.test("encodeHello() writes the specification's messages, the minimum with 26 bytes", () => {
  for (const [name, meaning] of Object.entries(MEANINGS)) {
    const vector = handshakeVector("hello", name);
    const expected = name === "minimum" ? concatBytes(vector, new Uint8Array(6)) : vector;
    assert.deepEqual(encodeHello(meaning), expected, name);
  }
});

Deno.test("decodeHello() reads every shortened form from byte 20 on with defaults behind the cut", () => {
  const bytes = encodeHello(FULL);
  assert.equal(bytes.byteLength, 28 + 3 + 2 + 4 + 28 + 10);
  const atEnd: [keyof Hello, number][] = [
    ["compositor", 21],
    ["gamepad", 22],
    ["bitrateKbps", 26],
    ["name", 30],
    ["launch", 33],
    ["videoCaps", 34],
    ["audioChannels", 35],
    ["videoCodecs", 36],
    ["preferredCodec", 37],
  ];
  for (let size = HELLO_SIZE_BYTES_MIN; size <= 37; size++) {
    const hello = decodeHello(bytes.subarray(0, size));
    const expected = { ...MINIMUM };
    for (const [key, end] of atEnd) if (size >= end) Object.assign(expected, { [key]: FULL[key] });
    assert.deepEqual(hello, expected, `${size} bytes`);
  }
});

Deno.test("decodeHello() finds the display by what is left, 28 bytes and not 27", () => {
  const bytes = encodeHello(FULL);
  const afterDisplay = 37 + 28;
  const cut = decodeHello(bytes.subarray(0, afterDisplay - 1));
  // The first bytes of a display that is cut read as what follows when there is none.
  assert.equal(cut.display, undefined);
  assert.equal(cut.clientCaps, bytes[37]);
  const expected = { ...FULL };
  const atEnd: [keyof Hello, number][] = [
    ["videoFit", 10],
    ["audioLayout", 9],
    ["audioBits", 8],
    ["audioRateHz", 7],
    ["shardPayloadBytesMax", 3],
    ["clientCaps", 1],
  ];
  for (let size = bytes.byteLength; size >= afterDisplay; size--) {
    for (const [key, end] of atEnd) {
      if (size < afterDisplay + end) Object.assign(expected, { [key]: MINIMUM[key] });
    }
    assert.deepEqual(decodeHello(bytes.subarray(0, size)), expected, `${size} bytes`);
  }
});

Deno.test("decodeHello() ignores bytes past the last field", () => {
  const bytes = encodeHello(FULL);
  assert.deepEqual(decodeHello(concatBytes(bytes, Uint8Array.of(1, 2, 3))), FULL);
});

Deno.test("decodeHello() rejects fewer than 20 bytes and another magic", () => {
  const bytes = handshakeVector("hello", "minimum");
  for (let size = 0; size < HELLO_SIZE_BYTES_MIN; size++) {
    assert.throws(() => decodeHello(bytes.subarray(0, size)), { code: "short" });
  }
  for (let offset = 0; offset < 4; offset++) {
    const other = bytes.slice();
    other[offset] = 0;
    assert.throws(() => decodeHello(other), { code: "unknown-type" });
  }
});

Deno.test("decodeHello() leaves judging the version to its caller", () => {
  const bytes = handshakeVector("hello", "minimum");
  viewOf(bytes).setUint32(4, 3, true);
  assert.equal(decodeHello(bytes).abiVersion, 3);
});

/** A Hello whose name and launch id are `name` and `launch`, and whose video capabilities are 0x38. */
function withLabels(name: Uint8Array, launch: Uint8Array): Uint8Array {
  return concatBytes(
    encodeHello(MINIMUM),
    Uint8Array.of(name.byteLength),
    name,
    Uint8Array.of(launch.byteLength),
    launch,
    Uint8Array.of(0x38),
  );
}

Deno.test("decodeHello() takes labels up to their caps, drops longer ones, and finds the tail behind both", () => {
  const letters = (count: number) => new Uint8Array(count).fill(0x61);
  for (const [nameSize, launchSize] of [[64, 128], [65, 129], [255, 255]] as const) {
    const hello = decodeHello(withLabels(letters(nameSize), letters(launchSize)));
    assert.equal(hello.name?.length, nameSize <= HELLO_NAME_BYTES_MAX ? nameSize : undefined);
    assert.equal(
      hello.launch?.length,
      launchSize <= HELLO_LAUNCH_BYTES_MAX ? launchSize : undefined,
    );
    assert.equal(hello.videoCaps, 0x38);
  }
});

Deno.test("decodeHello() reads labels that are empty, cut or not UTF-8 as none", () => {
  const notText = Uint8Array.of(0xc3);
  const hello = decodeHello(withLabels(notText, new Uint8Array()));
  assert.deepEqual([hello.name, hello.launch, hello.videoCaps], [undefined, undefined, 0x38]);
  const cut = concatBytes(encodeHello(MINIMUM), Uint8Array.of(3, 0x61, 0x62));
  assert.deepEqual(decodeHello(cut), MINIMUM);
});

Deno.test("encodeHello() cuts a name between characters", () => {
  const hello = decodeHello(encodeHello({ ...MINIMUM, name: "x" + "ä".repeat(40) }));
  assert.equal(hello.name, "x" + "ä".repeat(31));
});

Deno.test("encodeHello() refuses numbers that do not fit", () => {
  for (const hello of [{ ...MINIMUM, videoCaps: 256 }, { ...MINIMUM, bitrateKbps: 2 ** 32 }]) {
    assert.throws(() => encodeHello(hello), RangeError);
  }
});

const u8 = fc.integer({ min: 0, max: 0xff });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const point = fc.record({ x: u16, y: u16 }, { noNullPrototype: true });
const label = (bytesMax: number) =>
  fc.option(fc.string({ minLength: 1, maxLength: Math.floor(bytesMax / 4), unit: "binary" }), {
    nil: undefined,
  });

const HELLOS: fc.Arbitrary<Hello> = fc.record({
  kind: fc.constant("hello" as const),
  abiVersion: u32,
  mode: fc.record({ width: u32, height: u32, refreshHz: u32 }, { noNullPrototype: true }),
  compositor: fc.constantFrom(...Object.keys(COMPOSITORS) as Compositor[]),
  gamepad: fc.constantFrom(...Object.keys(PAD_KINDS) as PadKind[]),
  bitrateKbps: u32,
  name: label(HELLO_NAME_BYTES_MAX),
  launch: label(HELLO_LAUNCH_BYTES_MAX),
  videoCaps: u8,
  audioChannels: fc.constantFrom(2, 6, 8),
  videoCodecs: u8,
  preferredCodec: u8,
  display: fc.option(
    fc.record({
      green: point,
      blue: point,
      red: point,
      white: point,
      maxLuminance10000: u32,
      minLuminance10000: u32,
      maxContentNits: u16,
      maxFrameAverageNits: u16,
    }, { noNullPrototype: true }),
    { nil: undefined },
  ),
  clientCaps: u8,
  shardPayloadBytesMax: u16,
  audioRateHz: fc.oneof(fc.constant(48_000), fc.integer({ min: 1, max: 0xffffffff })),
  audioBits: fc.constantFrom(16, 24),
  audioLayout: u8,
  videoFit: fc.constantFrom("fit", "crop", "stretch"),
}, { noNullPrototype: true });

Deno.test("decodeHello() inverts encodeHello()", () => {
  fc.assert(fc.property(HELLOS, (hello) => {
    assert.deepEqual(decodeHello(encodeHello(hello)), hello);
  }));
});

Deno.test("decodeHello() throws only ProtocolError on arbitrary bytes", () => {
  const magic = Uint8Array.of(0x50, 0x4b, 0x46, 0x31);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, hasMagic) => {
    try {
      decodeHello(hasMagic ? concatBytes(magic, bytes) : bytes);
    } catch (error) {
      assert.ok(error instanceof ProtocolError, `${error}`);
    }
  }));
});

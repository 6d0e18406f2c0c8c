import assert from "node:assert/strict";
import fc from "fast-check";
import { concatBytes } from "../../../../src/lib/bytes.ts";
import { ProtocolError } from "../../../../src/lib/errors.ts";
import {
  GRANTS,
  GRANTS_ALL,
  HOST_CAPS,
  HOST_CAPS2,
} from "../../../../src/protocol/punktfunk1/caps.ts";
import {
  AUDIO_RATES_HZ,
  COLOUR_HDR10,
  type Compositor,
  COMPOSITORS,
  PAD_KINDS,
  type PadKind,
} from "../../../../src/protocol/punktfunk1/enums.ts";
import {
  decodeWelcome,
  encodeWelcome,
  type Welcome,
  WELCOME_DEFAULTS,
  WELCOME_SIZE_BYTES_MIN,
} from "../../../../src/protocol/punktfunk1/welcome.ts";
import { handshakeVector } from "./handshake_vectors.ts";

const LEAST: Welcome = {
  ...WELCOME_DEFAULTS,
  udpPort: 50_000,
  mode: { width: 1920, height: 1080, refreshHz: 60 },
  fecScheme: "gf65536",
  fecPercent: 10,
  dataShardsMax: 4096,
  shardPayloadBytes: 1408,
  isEncrypted: true,
  key: Uint8Array.from({ length: 16 }, (_, index) => index),
  salt: Uint8Array.of(0x93, 0x37, 0x42, 0x99),
  frameCount: 0,
};

const SHORT: Welcome = {
  ...LEAST,
  gamepad: "xbox-360",
  bitrateKbps: 20_000,
  hostCaps: HOST_CAPS.gamepadState,
};

const MEANINGS: Record<string, Welcome> = {
  "short": SHORT,
  "management": { ...SHORT, managementPort: 47_990, hostCaps2: HOST_CAPS2.repeatMark },
};

/** Every field differs from its default. */
const FULL: Welcome = {
  ...LEAST,
  compositor: "wlroots",
  gamepad: "dualsense",
  bitrateKbps: 50_000,
  bitDepth: 10,
  colour: { ...COLOUR_HDR10, isFullRange: true },
  chroma: "4:4:4",
  audioChannels: 6,
  codec: "av1",
  hostCaps: 0x81,
  chaChaKey: Uint8Array.from({ length: 32 }, (_, index) => 255 - index),
  managementPort: 47_990,
  grants: GRANTS.gamepad | GRANTS.pointer,
  expiresInSeconds: 3600,
  audioCodec: "pcm",
  audioRateHz: 96_000,
  audioBits: 24,
  audioFrameUs: 2500,
  hostCaps2: HOST_CAPS2.touch,
  audioLayout: 1,
};

/** Where each field of FULL ends. */
const ENDS: readonly [keyof Welcome, number][] = [
  ["compositor", 54],
  ["gamepad", 55],
  ["bitrateKbps", 59],
  ["bitDepth", 60],
  ["chroma", 65],
  ["audioChannels", 66],
  ["codec", 67],
  ["hostCaps", 68],
  ["chaChaKey", 101],
  ["managementPort", 103],
  ["grants", 107],
  ["expiresInSeconds", 111],
  ["audioCodec", 112],
  ["audioRateHz", 116],
  ["audioBits", 117],
  ["audioFrameUs", 119],
  ["hostCaps2", 120],
  ["audioLayout", 121],
];

/** FULL as far as the first `sizeBytes` bytes tell it. */
function fullUpTo(sizeBytes: number): Welcome {
  const colour: Record<string, unknown> = { ...LEAST.colour };
  for (
    const [index, key] of (["primaries", "transfer", "matrix", "isFullRange"] as const).entries()
  ) {
    if (sizeBytes >= 61 + index) colour[key] = FULL.colour[key];
  }
  const expected = { ...LEAST, colour };
  for (const [key, end] of ENDS) {
    if (sizeBytes >= end) Object.assign(expected, { [key]: FULL[key] });
  }
  return expected as unknown as Welcome;
}

Deno.test("decodeWelcome() reads the specification's messages, and encodeWelcome() writes them", () => {
  for (const [name, meaning] of Object.entries(MEANINGS)) {
    const vector = handshakeVector("welcome", name);
    assert.deepEqual(decodeWelcome(vector), meaning, name);
    assert.deepEqual(encodeWelcome(meaning), vector, name);
  }
});

Deno.test("decodeWelcome() reads every shortened form from byte 53 on with defaults behind the cut", () => {
  const bytes = encodeWelcome(FULL);
  assert.equal(bytes.byteLength, 121);
  for (let size = WELCOME_SIZE_BYTES_MIN; size <= bytes.byteLength; size++) {
    const part = bytes.subarray(0, size);
    if (size > 68 && size < 101) assert.throws(() => decodeWelcome(part), { code: "short" });
    else assert.deepEqual(decodeWelcome(part), fullUpTo(size), `${size} bytes`);
  }
});

Deno.test("decodeWelcome() ignores bytes past the last field", () => {
  const bytes = encodeWelcome(FULL);
  assert.deepEqual(decodeWelcome(concatBytes(bytes, Uint8Array.of(1, 2, 3))), FULL);
});

Deno.test("decodeWelcome() rejects fewer than 53 bytes and another magic", () => {
  const bytes = handshakeVector("welcome", "short");
  for (let size = 0; size < WELCOME_SIZE_BYTES_MIN; size++) {
    assert.throws(() => decodeWelcome(bytes.subarray(0, size)), { code: "short" });
  }
  bytes[3] = 0x63;
  assert.throws(() => decodeWelcome(bytes), { code: "unknown-type" });
});

Deno.test("decodeWelcome() fails for a cipher nobody knows", () => {
  for (const cipher of [2, 255]) {
    const bytes = concatBytes(handshakeVector("welcome", "short"), Uint8Array.of(cipher));
    assert.throws(() => decodeWelcome(bytes), { code: "unsupported" });
  }
});

Deno.test("decodeWelcome() takes no PCM frame for shorter than a millisecond", () => {
  const audioFrameUs = (frameUs: number) =>
    decodeWelcome(encodeWelcome({ ...FULL, audioFrameUs: frameUs })).audioFrameUs;
  assert.deepEqual([0, 1, 999, 1000, 1001].map(audioFrameUs), [0, 1000, 1000, 1000, 1001]);
});

Deno.test("encodeWelcome() writes 68 bytes at least, and what a late field forces", () => {
  const size = (fields: Partial<Welcome>) => encodeWelcome({ ...LEAST, ...fields }).byteLength;
  assert.equal(size({}), 68);
  assert.equal(size({ managementPort: 1 }), 71);
  assert.equal(size({ grants: GRANTS_ALL - 1 }), 79);
  assert.equal(size({ expiresInSeconds: 1 }), 79);
  assert.equal(size({ audioCodec: "pcm" }), 87);
  assert.equal(size({ hostCaps2: 1 }), 88);
  assert.equal(size({ audioLayout: 1 }), 89);
  assert.equal(size({ chaChaKey: new Uint8Array(32) }), 101);
});

Deno.test("encodeWelcome() refuses keys and salts of another size", () => {
  for (
    const wrong of [
      { key: new Uint8Array(15) },
      { salt: new Uint8Array(5) },
      { chaChaKey: new Uint8Array(16) },
    ]
  ) {
    assert.throws(() => encodeWelcome({ ...FULL, ...wrong }), RangeError);
  }
});

const u8 = fc.integer({ min: 0, max: 0xff });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const bytes = (size: number) =>
  fc.uint8Array({ minLength: size, maxLength: size }).map((value) => new Uint8Array(value));

const WELCOMES: fc.Arbitrary<Welcome> = fc.record({
  kind: fc.constant("welcome" as const),
  abiVersion: u32,
  udpPort: u16,
  mode: fc.record({ width: u32, height: u32, refreshHz: u32 }, { noNullPrototype: true }),
  fecScheme: fc.constantFrom("gf256", "gf65536"),
  fecPercent: u8,
  dataShardsMax: u16,
  shardPayloadBytes: u16,
  isEncrypted: fc.boolean(),
  key: bytes(16),
  salt: bytes(4),
  frameCount: u32,
  compositor: fc.constantFrom(...Object.keys(COMPOSITORS) as Compositor[]),
  gamepad: fc.constantFrom(...Object.keys(PAD_KINDS) as PadKind[]),
  bitrateKbps: u32,
  bitDepth: fc.constantFrom(8, 10),
  colour: fc.record({ primaries: u8, transfer: u8, matrix: u8, isFullRange: fc.boolean() }, {
    noNullPrototype: true,
  }),
  chroma: fc.constantFrom("4:2:0", "4:4:4"),
  audioChannels: fc.constantFrom(2, 6, 8),
  codec: fc.constantFrom("h264", "hevc", "av1", "pyrowave"),
  hostCaps: u8,
  chaChaKey: fc.option(bytes(32), { nil: undefined }),
  managementPort: u16,
  grants: fc.oneof(u32, fc.constant(GRANTS_ALL)),
  expiresInSeconds: fc.oneof(u32, fc.constant(0)),
  audioCodec: fc.constantFrom("opus", "flac", "pcm"),
  audioRateHz: fc.constantFrom(...AUDIO_RATES_HZ),
  audioBits: fc.constantFrom(16, 24),
  audioFrameUs: fc.oneof(fc.constant(0), fc.integer({ min: 1000, max: 0xffff })),
  hostCaps2: fc.oneof(u8, fc.constant(0)),
  audioLayout: fc.oneof(u8, fc.constant(0)),
}, { noNullPrototype: true });

Deno.test("decodeWelcome() inverts encodeWelcome()", () => {
  fc.assert(fc.property(WELCOMES, (welcome) => {
    assert.deepEqual(decodeWelcome(encodeWelcome(welcome)), welcome);
  }));
});

Deno.test("decodeWelcome() throws only ProtocolError on arbitrary bytes", () => {
  const magic = Uint8Array.of(0x50, 0x4b, 0x46, 0x31);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 140 }), fc.boolean(), (tail, hasMagic) => {
    try {
      decodeWelcome(hasMagic ? concatBytes(magic, tail) : tail);
    } catch (error) {
      assert.ok(error instanceof ProtocolError, `${error}`);
    }
  }));
});

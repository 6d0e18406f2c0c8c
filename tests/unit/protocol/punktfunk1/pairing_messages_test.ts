import assert from "node:assert/strict";
import fc from "fast-check";
import { concatBytes } from "../../../../src/lib/bytes.ts";
import { ProtocolError } from "../../../../src/lib/errors.ts";
import { CLOSE_CODES } from "../../../../src/protocol/punktfunk1/close_codes.ts";
import {
  decodePairing,
  encodePairing,
  type PairingMessage,
} from "../../../../src/protocol/punktfunk1/pairing_messages.ts";
import control from "../../../vectors/punktfunk1-control.json" with { type: "json" };
import pairing from "../../../vectors/punktfunk1-pairing.json" with { type: "json" };

const VECTORS = [...control.pairing, ...pairing.ceremony.messages];
const SPAKE_A = "41d042a6cb55725f7363be59245ab4105fae66eedd4648019988929a05e8f9ed9c";
const SPAKE_B = "42e78fac049a202b70d5df08d47a2f9fcccfac78b12afb25454dea1bf60eb2801c";

const MEANINGS: Record<string, PairingMessage> = {
  'Refused 0x64 "denied"': { kind: "refused", code: CLOSE_CODES.denied, reason: "denied" },
  "PairRequest of a certificate client": {
    kind: "pair-request",
    name: "old client",
    spakeA: new Uint8Array(33).fill(7),
    deviceKey: undefined,
  },
  "PairRequest": {
    kind: "pair-request",
    name: "Test client",
    spakeA: Uint8Array.fromHex(SPAKE_A),
    deviceKey: undefined,
  },
  "PairChallenge": {
    kind: "pair-challenge",
    spakeB: Uint8Array.fromHex(SPAKE_B),
    confirm: Uint8Array.fromHex("83d95cc932c4be507c2ca14183d678d66cd334bbf881599032172156e1e8d304"),
  },
  "PairProof": {
    kind: "pair-proof",
    confirm: Uint8Array.fromHex("b562d7035efe52a160aea19e7dd6e64cad434ddd0734d026125eae2fc0594cea"),
  },
  "PairResult ok": { kind: "pair-result", isPaired: true },
};

const DEVICE_REQUEST: PairingMessage = {
  kind: "pair-request",
  name: "Browser",
  spakeA: new Uint8Array(33).fill(7),
  deviceKey: new Uint8Array(91).fill(3),
};

/** One of each shape. */
const SAMPLES: readonly PairingMessage[] = [
  ...Object.values(MEANINGS),
  DEVICE_REQUEST,
  { kind: "auth-challenge", nonce: new Uint8Array(32).fill(1) },
  {
    kind: "auth-response",
    deviceKey: new Uint8Array(91).fill(3),
    signature: new Uint8Array(71).fill(4),
  },
];

Deno.test("decodePairing() reads the specification's messages, and encodePairing() writes them", () => {
  assert.deepEqual(VECTORS.map(({ name }) => name).sort(), Object.keys(MEANINGS).sort());
  for (const { name, hex } of VECTORS) {
    const meaning = MEANINGS[name] ?? assert.fail(name);
    assert.deepEqual(decodePairing(Uint8Array.fromHex(hex)), meaning, name);
    assert.deepEqual(encodePairing(meaning), Uint8Array.fromHex(hex), name);
  }
});

Deno.test("decodePairing() rejects every shortened and lengthened form", () => {
  for (const sample of SAMPLES) {
    const bytes = encodePairing(sample);
    for (let size = 0; size < bytes.byteLength; size++) {
      // Without its device key, a request is one of a client that has a certificate.
      if (sample === DEVICE_REQUEST && size === bytes.byteLength - 93) continue;
      assert.throws(() => decodePairing(bytes.subarray(0, size)), ProtocolError);
    }
    const longer = concatBytes(bytes, Uint8Array.of(0));
    assert.throws(() => decodePairing(longer), ProtocolError, sample.kind);
  }
});

Deno.test("decodePairing() rejects messages that are not of pairing", () => {
  for (const hex of ["504b463110", "504b46630f", "504b466317", "504b466303"]) {
    assert.throws(() => decodePairing(Uint8Array.fromHex(hex)), { code: "unknown-type" });
  }
});

Deno.test("decodePairing() takes a name of 64 bytes and none of 65", () => {
  const request = (size: number) =>
    concatBytes(
      Uint8Array.of(0x50, 0x4b, 0x46, 0x63, 0x10, size),
      new Uint8Array(size).fill(0x61),
      Uint8Array.of(33, 0),
      new Uint8Array(33),
    );
  const message = decodePairing(request(64));
  assert.ok(message.kind === "pair-request" && message.name.length === 64);
  assert.throws(() => decodePairing(request(65)), { code: "limit" });
});

Deno.test("decodePairing() shows what is no UTF-8 in a name as replacement characters", () => {
  const bytes = encodePairing(MEANINGS["PairRequest"] ?? assert.fail());
  bytes[6] = 0xff;
  const message = decodePairing(bytes);
  assert.ok(message.kind === "pair-request");
  assert.equal(message.name, "\u{fffd}est client");
});

Deno.test("decodePairing() takes shares of 33 bytes only", () => {
  for (const size of [0, 32, 34]) {
    const bytes = concatBytes(
      Uint8Array.of(0x50, 0x4b, 0x46, 0x63, 0x10, 0, size, 0),
      new Uint8Array(size),
    );
    assert.throws(() => decodePairing(bytes), { code: "malformed" });
  }
});

Deno.test("decodePairing() takes a reason of 256 bytes and none of 257", () => {
  const refused = (size: number) =>
    concatBytes(
      Uint8Array.fromHex("504b46631664000000"),
      Uint8Array.of(size & 0xff, size >> 8),
      new Uint8Array(size).fill(0x61),
    );
  const message = decodePairing(refused(256));
  assert.ok(message.kind === "refused" && message.reason.length === 256);
  assert.throws(() => decodePairing(refused(257)), { code: "limit" });
});

Deno.test("encodePairing() cuts names and reasons, and refuses bytes of a wrong size", () => {
  const request = decodePairing(encodePairing({ ...DEVICE_REQUEST, name: "n".repeat(65) }));
  assert.ok(request.kind === "pair-request" && request.name === "n".repeat(64));
  const refused = { kind: "refused", code: 0x68, reason: "r".repeat(257) } as const;
  const read = decodePairing(encodePairing(refused));
  assert.ok(read.kind === "refused" && read.reason === "r".repeat(256));
  const wrong: PairingMessage[] = [
    { ...DEVICE_REQUEST, spakeA: new Uint8Array(32) },
    { kind: "pair-challenge", spakeB: new Uint8Array(34), confirm: new Uint8Array(32) },
    { kind: "pair-proof", confirm: new Uint8Array(31) },
    { kind: "auth-challenge", nonce: new Uint8Array(33) },
  ];
  for (const message of wrong) assert.throws(() => encodePairing(message), RangeError);
});

const bytes = (size: { minLength?: number; maxLength: number }) =>
  fc.uint8Array(size).map((value) => new Uint8Array(value));
const exactly = (size: number) => bytes({ minLength: size, maxLength: size });
const record = <T>(shape: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(shape, { noNullPrototype: true });

const MESSAGES: fc.Arbitrary<PairingMessage> = fc.oneof(
  record({
    kind: fc.constant("pair-request" as const),
    name: fc.string({ maxLength: 16, unit: "binary" }),
    spakeA: exactly(33),
    deviceKey: fc.option(bytes({ maxLength: 100 }), { nil: undefined }),
  }),
  record({
    kind: fc.constant("pair-challenge" as const),
    spakeB: exactly(33),
    confirm: exactly(32),
  }),
  record({ kind: fc.constant("pair-proof" as const), confirm: exactly(32) }),
  record({ kind: fc.constant("pair-result" as const), isPaired: fc.boolean() }),
  record({ kind: fc.constant("auth-challenge" as const), nonce: exactly(32) }),
  record({
    kind: fc.constant("auth-response" as const),
    deviceKey: bytes({ maxLength: 100 }),
    signature: bytes({ maxLength: 80 }),
  }),
  record({
    kind: fc.constant("refused" as const),
    code: fc.integer({ min: 0, max: 0xffffffff }),
    reason: fc.string({ maxLength: 64, unit: "binary" }),
  }),
);

Deno.test("decodePairing() inverts encodePairing()", () => {
  fc.assert(fc.property(MESSAGES, (message) => {
    assert.deepEqual(decodePairing(encodePairing(message)), message);
  }));
});

Deno.test("decodePairing() throws only ProtocolError on arbitrary bytes", () => {
  const type = fc.integer({ min: 0x0f, max: 0x17 });
  fc.assert(fc.property(type, fc.uint8Array({ maxLength: 120 }), (byte, tail) => {
    try {
      decodePairing(concatBytes(Uint8Array.of(0x50, 0x4b, 0x46, 0x63, byte), tail));
    } catch (error) {
      assert.ok(error instanceof ProtocolError, `${error}`);
    }
  }));
});

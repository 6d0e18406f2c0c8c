import assert from "node:assert/strict";
import fc from "fast-check";
import { concatBytes } from "../../../../src/lib/bytes.ts";
import { ProtocolError } from "../../../../src/lib/errors.ts";
import { encodeExtBlock } from "../../../../src/protocol/punktfunk1/ext_block.ts";
import {
  CLIENT_LABEL_BYTES_MAX,
  decodeStart,
  encodeStart,
  type Start,
  START_EXTENSIONS_NONE,
  type StartExtensions,
} from "../../../../src/protocol/punktfunk1/start.ts";
import { handshakeVector } from "./handshake_vectors.ts";

const PLAIN: Start = { kind: "start", udpPort: 51_000, extensions: START_EXTENSIONS_NONE };

const MEANINGS: Record<string, Start> = {
  "plain": PLAIN,
  "EXT": {
    ...PLAIN,
    extensions: { ...START_EXTENSIONS_NONE, clientLabel: "Deck 1.0", readsBitrateReason: true },
  },
};

const encoder = new TextEncoder();

/** What a Start says whose EXT block has one entry. */
function extensionsOf(tag: number, ...value: (number | string)[]): StartExtensions {
  const bytes = concatBytes(
    ...value.map((part) => typeof part === "string" ? encoder.encode(part) : Uint8Array.of(part)),
  );
  const payload = concatBytes(encodeStart(PLAIN), encodeExtBlock(new Map([[tag, bytes]])));
  return decodeStart(payload, { hasExt: true }).extensions;
}

Deno.test("decodeStart() reads the specification's messages, and encodeStart() writes them", () => {
  for (const [name, meaning] of Object.entries(MEANINGS)) {
    const vector = handshakeVector("start", name);
    assert.deepEqual(decodeStart(vector, { hasExt: true }), meaning, name);
    assert.deepEqual(encodeStart(meaning), vector, name);
  }
});

Deno.test("decodeStart() ignores whatever follows the port when no EXT block was asked for", () => {
  const bytes = concatBytes(handshakeVector("start", "plain"), Uint8Array.of(0xff));
  assert.deepEqual(decodeStart(bytes, { hasExt: false }), PLAIN);
});

Deno.test("decodeStart() rejects every shortened form but the plain one, and ignores bytes past EXT", () => {
  const bytes = handshakeVector("start", "EXT");
  for (let size = 0; size < bytes.byteLength; size++) {
    const part = bytes.subarray(0, size);
    if (size === 6) assert.deepEqual(decodeStart(part, { hasExt: true }), PLAIN);
    else assert.throws(() => decodeStart(part, { hasExt: true }), { code: "short" }, `${size}`);
  }
  assert.deepEqual(
    decodeStart(concatBytes(bytes, Uint8Array.of(1)), { hasExt: true }),
    MEANINGS["EXT"],
  );
});

Deno.test("decodeStart() rejects another magic", () => {
  const bytes = handshakeVector("start", "plain");
  bytes[3] = 0x63;
  assert.throws(() => decodeStart(bytes, { hasExt: false }), { code: "unknown-type" });
});

Deno.test("decodeStart() takes a client label of 96 bytes, none of 97 and none that is not text", () => {
  const label = (...value: (number | string)[]) => extensionsOf(2, ...value).clientLabel;
  assert.equal(label("x".repeat(CLIENT_LABEL_BYTES_MAX))?.length, CLIENT_LABEL_BYTES_MAX);
  assert.equal(label("x".repeat(CLIENT_LABEL_BYTES_MAX + 1)), undefined);
  assert.equal(label(), undefined);
  assert.equal(label(0xff), undefined);
});

Deno.test("decodeStart() reads bit 0 of the ABR features and nothing where there are none", () => {
  const features = [[], [0], [0xfe], [0x01], [0xff, 0]];
  assert.deepEqual(
    features.map((value) => extensionsOf(3, ...value).readsBitrateReason),
    [false, false, false, true, true],
  );
});

Deno.test("decodeStart() ignores a preset that is malformed", () => {
  const preset = (...value: (number | string)[]) => extensionsOf(4, ...value).preset;
  const longestId = "i".repeat(32);
  const longestName = "n".repeat(64);
  assert.deepEqual(preset(32, longestId, 64, longestName), { id: longestId, name: longestName });
  assert.deepEqual(preset(1, "~", 0), { id: "~", name: "" });
  assert.deepEqual(preset(1, "a", 1, "b", "later"), { id: "a", name: "b" });
  const malformed = [
    [],
    [2, "a"],
    [1, "a"],
    [1, "a", 2, "b"],
    [0, 1, "b"],
    [33, "i".repeat(33), 0],
    [1, "a", 65, "n".repeat(65)],
    [1, 0x7f, 0],
    [1, 0x1f, 0],
    [2, "é", 0],
    [1, "a", 1, 0xff],
  ];
  for (const value of malformed) assert.equal(preset(...value), undefined, `${value}`);
});

Deno.test("decodeStart() reads a delivery ask of two bytes and none of fewer", () => {
  const ask = (...value: number[]) => extensionsOf(5, ...value).deliveryAsk;
  assert.deepEqual(ask(2, 3), { profile: "smooth", wantsFacts: true, isProbesOnly: true });
  assert.deepEqual(ask(9, 0xfc), { profile: "burst", wantsFacts: false, isProbesOnly: false });
  assert.equal(ask(2), undefined);
  assert.equal(ask(), undefined);
});

Deno.test("decodeStart() skips tags that say nothing here", () => {
  for (const tag of [0, 1, 6, 0xffff]) {
    assert.deepEqual(extensionsOf(tag, 1, 2), START_EXTENSIONS_NONE);
  }
});

Deno.test("encodeStart() refuses a preset id that no host would read", () => {
  for (const id of ["", "i".repeat(33), "é", "\n"]) {
    const extensions = { ...START_EXTENSIONS_NONE, preset: { id, name: "" } };
    assert.throws(() => encodeStart({ ...PLAIN, extensions }), RangeError);
  }
});

const EXTENSIONS: fc.Arbitrary<StartExtensions> = fc.record({
  clientLabel: fc.option(fc.string({ minLength: 1, maxLength: 24, unit: "binary" }), {
    nil: undefined,
  }),
  readsBitrateReason: fc.boolean(),
  preset: fc.option(
    fc.record({
      id: fc.string({ minLength: 1, maxLength: 32, unit: "grapheme-ascii" }),
      name: fc.string({ maxLength: 16, unit: "binary" }),
    }, { noNullPrototype: true }),
    { nil: undefined },
  ),
  deliveryAsk: fc.option(
    fc.record({
      profile: fc.constantFrom("burst", "capped", "smooth"),
      wantsFacts: fc.boolean(),
      isProbesOnly: fc.boolean(),
    }, { noNullPrototype: true }),
    { nil: undefined },
  ),
}, { noNullPrototype: true });

Deno.test("decodeStart() inverts encodeStart()", () => {
  const ports = fc.integer({ min: 0, max: 0xffff });
  fc.assert(fc.property(ports, EXTENSIONS, (udpPort, extensions) => {
    const start: Start = { kind: "start", udpPort, extensions };
    assert.deepEqual(decodeStart(encodeStart(start), { hasExt: true }), start);
  }));
});

Deno.test("decodeStart() throws only ProtocolError on arbitrary bytes", () => {
  const head = handshakeVector("start", "plain");
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), fc.boolean(), (tail, hasHead) => {
    try {
      decodeStart(hasHead ? concatBytes(head, tail) : tail, { hasExt: true });
    } catch (error) {
      assert.ok(error instanceof ProtocolError, `${error}`);
    }
  }));
});

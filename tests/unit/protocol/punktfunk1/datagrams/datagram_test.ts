import assert from "node:assert/strict";
import fc from "fast-check";
import { concatBytes, toHex } from "../../../../../src/lib/bytes.ts";
import {
  decodeDatagram,
  encodeDatagram,
} from "../../../../../src/protocol/punktfunk1/datagrams/datagram.ts";
import {
  DATAGRAM_TAGS,
  type DatagramType,
} from "../../../../../src/protocol/punktfunk1/datagrams/tags.ts";
import { BODIES } from "./arbitraries.ts";
import {
  bytesOf,
  type DatagramVector,
  encodeVector,
  VECTORS,
  withoutUndefined,
} from "./vectors.ts";

const TYPES = Object.keys(DATAGRAM_TAGS) as DatagramType[];

/** What a vector may be cut to and still be read; without a row it is all of it. */
const SIZE_BYTES_MIN: Partial<Record<DatagramType, number>> = {
  "audio": 13,
  "microphone": 13,
  "pcm": 13,
  "rumble": 7,
  "host-timing": 13,
  "pad-audio": 15,
  "redundant-audio": 15 + 3,
};

function sizeBytesMin({ type, body, bytes }: DatagramVector): number {
  if ("effect" in body) return 5;
  return SIZE_BYTES_MIN[type] ?? bytes.byteLength;
}

/** Types whose last field takes what is left. */
const OPEN_ENDED: ReadonlySet<DatagramType> = new Set([
  "audio",
  "microphone",
  "pcm",
  "pad-audio",
  "redundant-audio",
]);

Deno.test("decodeDatagram() reads every vector", () => {
  assert.equal(VECTORS.length, 30);
  for (const { name, bytes, type, body } of VECTORS) {
    assert.deepEqual(withoutUndefined(decodeDatagram(bytes)), { type, body }, name);
  }
});

Deno.test("encodeDatagram() writes every vector", () => {
  for (const vector of VECTORS) {
    assert.equal(toHex(encodeVector(vector)), toHex(vector.bytes), vector.name);
  }
});

Deno.test("the vectors hold every type of datagram", () => {
  assert.deepEqual(new Set(VECTORS.map(({ type }) => type)), new Set(TYPES));
});

Deno.test("decodeDatagram() drops every shortened form that is none of its own", () => {
  for (const vector of VECTORS) {
    for (let length = 0; length < vector.bytes.byteLength; length++) {
      const isRead = decodeDatagram(vector.bytes.subarray(0, length)) !== undefined;
      assert.equal(isRead, length >= sizeBytesMin(vector), `${vector.name} cut to ${length}`);
    }
  }
});

Deno.test("decodeDatagram() ignores what later editions append to a fixed size", () => {
  for (const { name, bytes, type, body } of VECTORS) {
    if (OPEN_ENDED.has(type) || "effect" in body) continue;
    const longer = concatBytes(bytes, new Uint8Array([0xee]));
    assert.deepEqual(decodeDatagram(longer), decodeDatagram(bytes), name);
  }
});

Deno.test("decodeDatagram() reads a torn tail as the shorter form", () => {
  const shortened = (type: DatagramType, from: number, to: number) => {
    const vector = VECTORS.findLast((one) => one.type === type) ?? assert.fail();
    const cut = vector.bytes.subarray(0, from);
    assert.deepEqual(decodeDatagram(cut), decodeDatagram(vector.bytes.subarray(0, to)));
  };
  for (const from of [8, 9]) shortened("rumble", from, 7);
  for (const from of [11, 12, 13]) shortened("rumble", from, 10);
  for (const from of [14, 20, 24]) shortened("host-timing", from, 13);
});

Deno.test("decodeDatagram() drops unknown tags and no bytes at all", () => {
  assert.equal(decodeDatagram(new Uint8Array(0)), undefined);
  const tags: ReadonlySet<number> = new Set(Object.values(DATAGRAM_TAGS));
  for (let tag = 0; tag < 256; tag++) {
    if (tags.has(tag)) continue;
    const bytes = new Uint8Array(64);
    bytes[0] = tag;
    assert.equal(decodeDatagram(bytes), undefined, `tag ${tag}`);
  }
});

Deno.test("decodeDatagram() reads bytes that do not start their buffer", () => {
  for (const { name, bytes } of VECTORS) {
    const inside = concatBytes(new Uint8Array(3), bytes).subarray(3);
    assert.deepEqual(decodeDatagram(inside), decodeDatagram(bytes), name);
  }
});

for (const type of TYPES) {
  Deno.test(`decodeDatagram() inverts encodeDatagram() for ${type}`, () => {
    fc.assert(
      fc.property(BODIES[type], (body) => {
        assert.deepEqual(
          withoutUndefined(decodeDatagram(encodeDatagram(type, body))),
          withoutUndefined({ type, body }),
        );
      }),
    );
  });
}

Deno.test("decodeDatagram() knows pads, outputs, surfaces and reports at their limits only", () => {
  const cases: readonly (readonly [text: string, isReadable: boolean])[] = [
    ["ca0f0000800040", true],
    ["ca100000800040", false],
    ["ca000100800040", false],
    ["cc010f000100800040", true],
    ["cc0110000100800040", false],
    ["cc020f00000000000000000000000000", true],
    ["cc021000000000000000000000000000", false],
    ["cc030f020000000000000000", true],
    ["cc030f0200000000000000", false],
    ["cc030f030000000000000000", false],
    ["cc0310000000000000000000", false],
    ["cc040f00", true],
    ["cc041000", false],
    ["cc0400020102", true],
    ["cc04000201", false],
    [`cc040040${"00".repeat(64)}`, true],
    [`cc040041${"00".repeat(65)}`, false],
    ["cc0000000100800040", false],
    ["cc0600000100800040", false],
    ["d10f01010000000000000000000000", true],
    ["d11001010000000000000000000000", false],
    ["d10f02010000000000000000000000", false],
  ];
  for (const [text, isReadable] of cases) {
    assert.equal(decodeDatagram(bytesOf(text)) !== undefined, isReadable, text);
  }
});

Deno.test("encodeDatagram() refuses a HID report that is too long", () => {
  const body = (sizeBytes: number) =>
    ({ kind: "pad-hid-report", pad: 0, report: new Uint8Array(sizeBytes) }) as const;
  assert.equal(encodeDatagram("rich-input", body(64)).byteLength, 68);
  assert.throws(() => encodeDatagram("rich-input", body(65)), RangeError);
});

Deno.test("decodeDatagram() never throws, and what it reads can be written", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.values(DATAGRAM_TAGS)),
      fc.integer({ min: 0, max: 20 }),
      fc.uint8Array({ maxLength: 200 }),
      (tag, kind, rest) => {
        const datagram = decodeDatagram(concatBytes(new Uint8Array([tag, kind]), rest));
        if (datagram === undefined) return;
        assert.ok(encodeDatagram(datagram.type, datagram.body).byteLength > 0);
      },
    ),
    { numRuns: 1_000 },
  );
});

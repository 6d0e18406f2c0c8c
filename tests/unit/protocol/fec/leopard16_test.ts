import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { concatBytes, toHex } from "../../../../src/lib/bytes.ts";
import { ProtocolError } from "../../../../src/lib/errors.ts";
import { cauchyCode, encodeParity } from "../../../../src/protocol/fec/gf256.ts";
import {
  encodeLeopard16,
  leopard16Supports,
  reconstructLeopard16,
} from "../../../../src/protocol/fec/leopard16.ts";
import { leopard16Tables } from "../../../../src/protocol/fec/leopard16_tables.ts";
import vectors from "../../../vectors/punktfunk1-fec.json" with { type: "json" };

const { gf65536, gf256 } = vectors;

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const hasCode = (code: string) => (error: unknown) =>
  error instanceof ProtocolError && error.code === code;

/** Shard `index` of the vectors' payloadCases. */
function payloadShard(index: number, sizeBytes: number): Uint8Array {
  let state = 1000 * index + 7;
  return Uint8Array.from({ length: sizeBytes }, () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state >> 16;
  });
}

function payloadShards(count: number, sizeBytes: number): Uint8Array[] {
  return Array.from({ length: count }, (_, index) => payloadShard(index, sizeBytes));
}

Deno.test("leopard16Tables() gives the vectors' tables", () => {
  const tables: Readonly<Record<string, Uint16Array>> = { ...leopard16Tables() };
  for (const { name, entryCount, first, sha256: expected } of gf65536.tables) {
    const table = tables[name] ?? new Uint16Array();
    assert.equal(table.length, entryCount, name);
    assert.deepEqual([...table.subarray(0, first.length)], first, name);
    const bytes = new Uint8Array(2 * entryCount);
    const view = new DataView(bytes.buffer);
    table.forEach((entry, index) => view.setUint16(2 * index, entry, true));
    assert.equal(sha256(bytes), expected, name);
  }
});

Deno.test("encodeLeopard16() gives the vectors' small cases", () => {
  for (const { name, data, parity } of gf65536.smallCases) {
    const shards = data.map((shard) => Uint8Array.fromHex(shard));
    assert.deepEqual(encodeLeopard16(shards, parity.length).map(toHex), parity, name);
  }
  const { dataCount, sizeBytes, parity } = gf65536.patternCase;
  const shards = Array.from(
    { length: dataCount },
    (_, i) => Uint8Array.from({ length: sizeBytes }, (_, j) => 37 * i + 11 * j + 5),
  );
  assert.deepEqual(encodeLeopard16(shards, parity.length).map(toHex), parity);
});

Deno.test("encodeLeopard16() gives the vectors' payload cases", () => {
  const starts = payloadShards(2, 16).map(toHex);
  assert.deepEqual(starts, gf65536.payloadShardStarts);
  for (const vector of gf65536.payloadCases) {
    const parity = encodeLeopard16(
      payloadShards(vector.dataCount, vector.sizeBytes),
      vector.parityCount,
    );
    const first = parity[0] ?? new Uint8Array();
    assert.equal(toHex(first.subarray(0, 16)), vector.firstParityStart);
    assert.equal(toHex(first.subarray(-16)), vector.firstParityEnd);
    assert.equal(sha256(concatBytes(...parity)), vector.sha256);
  }
});

Deno.test("cauchyCode() is the GF(2^8) code of punktfunk/1", () => {
  const { dataCount, parityCount, rows, data, parity } = gf256.matrixCase;
  const code = cauchyCode(dataCount, parityCount);
  assert.deepEqual([...code.matrix], rows.flat());
  const bytes = data.map((byte) => Uint8Array.of(byte));
  assert.deepEqual(encodeParity(bytes, code).map(([byte]) => byte), parity);
  const shards = gf256.smallCase.data.map((shard) => Uint8Array.fromHex(shard));
  assert.deepEqual(encodeParity(shards, cauchyCode(3, 2)).map(toHex), gf256.smallCase.parity);
});

Deno.test("encodeLeopard16() of one data shard, or to one parity shard, is a copy or a sum", () => {
  const data = payloadShards(9, 70);
  const [single] = data;
  assert.ok(single !== undefined);
  assert.deepEqual(encodeLeopard16([single], 5), Array(5).fill(single));
  const sum = data.reduce((total, shard) => total.map((byte, at) => byte ^ (shard[at] ?? 0)));
  assert.deepEqual(encodeLeopard16(data, 1), [sum]);
  assert.deepEqual(encodeLeopard16(data, 0), []);
});

Deno.test("leopard16Supports() holds both codes that look small enough and are not", () => {
  const cases: readonly (readonly [number, number, boolean])[] = [
    [1, 0, true],
    [65535, 0, true],
    [65535, 1, true],
    [65536, 1, false],
    [4096, 4096, true],
    [32768, 32768, true],
    [32769, 32768, false],
    [32768, 32769, false],
    [61440, 4096, true],
    [61441, 4096, false],
    [40000, 20000, false],
    [60000, 5535, false],
    [0, 1, false],
    [1, -1, false],
  ];
  for (const [dataCount, parityCount, isSupported] of cases) {
    assert.equal(
      leopard16Supports(dataCount, parityCount),
      isSupported,
      `${dataCount} + ${parityCount}`,
    );
  }
});

Deno.test("encodeLeopard16() refuses odd sizes, unequal sizes and codes that are too large", () => {
  const two = new Uint8Array(2);
  assert.throws(() => encodeLeopard16([], 1), RangeError);
  assert.throws(() => encodeLeopard16([new Uint8Array(3)], 1), RangeError);
  assert.throws(() => encodeLeopard16([two, new Uint8Array(4)], 1), RangeError);
  assert.throws(() => encodeLeopard16(Array(40000).fill(two), 20000), RangeError);
});

Deno.test("reconstructLeopard16() gives back the data whatever shards are lost, up to the parity", () => {
  const shape = fc.tuple(
    fc.integer({ min: 1, max: 70 }),
    fc.integer({ min: 0, max: 40 }),
    fc.integer({ min: 0, max: 70 }).map((half) => 2 * half),
  );
  fc.assert(
    fc.property(shape, fc.infiniteStream(fc.nat()), ([dataCount, parityCount, size], random) => {
      const data = payloadShards(dataCount, size);
      const shards: (Uint8Array | undefined)[] = [...data, ...encodeLeopard16(data, parityCount)];
      for (let lost = 0; lost < parityCount; lost++) {
        shards[Number(random.next().value) % shards.length] = undefined;
      }
      const found = reconstructLeopard16(shards, { dataCount, parityCount });
      assert.deepEqual(found.map(toHex), data.map(toHex));
    }),
    { numRuns: 60 },
  );
});

Deno.test("reconstructLeopard16() needs no more than any dataCount shards of the block", () => {
  const shapes: readonly (readonly [number, number])[] = [
    [1, 2],
    [5, 3],
    [10, 4],
    [3, 7],
    [8, 8],
    [7, 5],
    [20, 40],
    [100, 10],
  ];
  for (const [dataCount, parityCount] of shapes) {
    const data = payloadShards(dataCount, 66);
    const shards = [...data, ...encodeLeopard16(data, parityCount)];
    // The first data shards, then the last ones: as many as there is parity for.
    const lostCount = Math.min(dataCount, parityCount);
    for (const first of [0, dataCount - lostCount]) {
      const arrived = shards.map((shard, index) =>
        (index >= first && index < first + lostCount) || index >= dataCount + lostCount
          ? undefined
          : shard
      );
      assert.deepEqual(reconstructLeopard16(arrived, { dataCount, parityCount }), data);
    }
  }
});

Deno.test("reconstructLeopard16() refuses one shard too few, unequal or odd shards, and no code", () => {
  const code = { dataCount: 3, parityCount: 2 };
  const data = payloadShards(3, 4);
  const [parity] = encodeLeopard16(data, 2);
  assert.throws(
    () => reconstructLeopard16([undefined, undefined, data[2], parity, undefined], code),
    hasCode("short"),
  );
  assert.throws(
    () => reconstructLeopard16([undefined, data[1], data[2], new Uint8Array(6)], code),
    hasCode("malformed"),
  );
  const odd = Array(4).fill(new Uint8Array(3));
  assert.throws(() => reconstructLeopard16(odd, code), hasCode("malformed"));
  assert.throws(
    () => reconstructLeopard16(data, { dataCount: 40000, parityCount: 20000 }),
    hasCode("limit"),
  );
});

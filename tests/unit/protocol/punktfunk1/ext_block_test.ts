import assert from "node:assert/strict";
import fc from "fast-check";
import { concatBytes, viewOf } from "../../../../src/lib/bytes.ts";
import {
  decodeExtBlock,
  encodeExtBlock,
  EXT_BLOCK_BYTES_MAX,
  EXT_ENTRIES_MAX,
} from "../../../../src/protocol/punktfunk1/ext_block.ts";

/** A block that says its body has `sizeBytes`, whatever `body` has. */
function blockOf(sizeBytes: number, ...body: number[]): Uint8Array {
  const length = new Uint8Array(2);
  viewOf(length).setUint16(0, sizeBytes, true);
  return concatBytes(length, Uint8Array.from(body));
}

Deno.test("decodeExtBlock() reads entries in order and ignores what follows the block", () => {
  const block = blockOf(9, 2, 0, 1, 0, 0xaa, 3, 1, 0, 0, 0xff);
  assert.deepEqual([...decodeExtBlock(block)], [[2, Uint8Array.of(0xaa)], [
    0x103,
    new Uint8Array(),
  ]]);
  assert.equal(decodeExtBlock(blockOf(0)).size, 0);
});

Deno.test("decodeExtBlock() rejects every shortened form", () => {
  const block = blockOf(9, 2, 0, 1, 0, 0xaa, 3, 1, 0, 0);
  for (let size = 0; size < block.byteLength; size++) {
    assert.throws(() => decodeExtBlock(block.subarray(0, size)), { code: "short" });
  }
});

Deno.test("decodeExtBlock() rejects an entry that reaches past the block", () => {
  for (const body of [[2], [2, 0, 1], [2, 0, 1, 0], [2, 0, 0, 0, 3]]) {
    const block = concatBytes(blockOf(body.length, ...body), new Uint8Array(9));
    assert.throws(() => decodeExtBlock(block), { code: "short" }, `${body}`);
  }
});

Deno.test("decodeExtBlock() rejects a tag that comes twice, known or not", () => {
  for (const tag of [1, 2, 200]) {
    const block = blockOf(8, tag, 0, 0, 0, tag, 0, 0, 0);
    assert.throws(() => decodeExtBlock(block), { code: "malformed" });
  }
});

Deno.test("decodeExtBlock() takes 64 entries and no 65th", () => {
  const entries = (count: number) =>
    Array.from({ length: count }, (_, tag) => [tag, 0, 0, 0]).flat();
  const most = blockOf(4 * EXT_ENTRIES_MAX, ...entries(EXT_ENTRIES_MAX));
  assert.equal(decodeExtBlock(most).size, EXT_ENTRIES_MAX);
  const more = blockOf(4 * EXT_ENTRIES_MAX + 4, ...entries(EXT_ENTRIES_MAX + 1));
  assert.throws(() => decodeExtBlock(more), { code: "limit" });
});

Deno.test("decodeExtBlock() takes 4096 bytes and no 4097", () => {
  const valueBytes = EXT_BLOCK_BYTES_MAX - 6;
  const block = (size: number) =>
    concatBytes(blockOf(size + 4, 1, 0, size & 0xff, size >> 8), new Uint8Array(size));
  assert.equal(decodeExtBlock(block(valueBytes)).get(1)?.byteLength, valueBytes);
  assert.throws(() => decodeExtBlock(block(valueBytes + 1)), { code: "limit" });
});

Deno.test("encodeExtBlock() refuses what decodeExtBlock() would", () => {
  assert.throws(() => encodeExtBlock(new Map([[1, new Uint8Array(4091)]])), RangeError);
  const tooMany = new Map(Array.from({ length: 65 }, (_, tag) => [tag, new Uint8Array()]));
  assert.throws(() => encodeExtBlock(tooMany), RangeError);
});

Deno.test("decodeExtBlock() inverts encodeExtBlock()", () => {
  const entry = fc.tuple(fc.integer({ min: 0, max: 0xffff }), fc.uint8Array({ maxLength: 40 }));
  fc.assert(fc.property(fc.array(entry, { maxLength: 20 }), (list) => {
    const entries = new Map(list.map(([tag, value]) => [tag, new Uint8Array(value)]));
    assert.deepEqual(decodeExtBlock(encodeExtBlock(entries)), entries);
  }));
});

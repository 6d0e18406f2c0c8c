import assert from "node:assert/strict";
import { viewOf } from "../../../../src/lib/bytes.ts";
import {
  bytesOf,
  choice,
  type Field,
  flag,
  oneOf,
  structOf,
  u16,
  u32,
  u64,
  u8,
} from "../../../../src/protocol/punktfunk1/fields.ts";

function written<Value>(field: Field<Value>, value: Value): Uint8Array {
  const bytes = new Uint8Array(field.sizeBytes);
  field.write(viewOf(bytes), 0, value);
  return bytes;
}

function read<Value>(field: Field<Value>, ...bytes: number[]): Value {
  return field.read(viewOf(Uint8Array.from(bytes)), 0);
}

Deno.test("numbers are little-endian and refuse what does not fit", () => {
  assert.deepEqual(written(u16, 0x1234), Uint8Array.of(0x34, 0x12));
  assert.deepEqual(written(u32, 0x12345678), Uint8Array.of(0x78, 0x56, 0x34, 0x12));
  assert.deepEqual(written(u64, 0x1n << 56n), Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1));
  for (const [field, max] of [[u8, 0xff], [u16, 0xffff], [u32, 0xffffffff]] as const) {
    assert.equal(field.read(viewOf(written(field, max)), 0), max);
    for (const value of [-1, max + 1, 0.5, NaN]) {
      assert.throws(() => written(field, value), RangeError, `${value}`);
    }
  }
  assert.equal(u64.read(viewOf(written(u64, (1n << 64n) - 1n)), 0), (1n << 64n) - 1n);
  for (const value of [-1n, 1n << 64n]) assert.throws(() => written(u64, value), RangeError);
});

Deno.test("flag reads any byte but 0 as true and writes 1", () => {
  assert.deepEqual([read(flag, 0), read(flag, 1), read(flag, 0x80)], [false, true, true]);
  assert.deepEqual([written(flag, false), written(flag, true)], [
    Uint8Array.of(0),
    Uint8Array.of(1),
  ]);
});

Deno.test("bytesOf() copies what it reads and writes nothing of another size", () => {
  const source = Uint8Array.of(9, 1, 2, 9);
  const value = bytesOf(2).read(viewOf(source), 1);
  source.fill(0);
  assert.deepEqual(value, Uint8Array.of(1, 2));
  for (const size of [1, 3]) {
    assert.throws(() => written(bytesOf(2), new Uint8Array(size)), RangeError);
  }
});

Deno.test("choice() reads a byte without a word as the word for that", () => {
  const field = choice({ yes: 1, no: 2 }, "no");
  assert.deepEqual([read(field, 1), read(field, 2), read(field, 3)], ["yes", "no", "no"]);
  assert.deepEqual(written(field, "yes"), Uint8Array.of(1));
  const open = choice({ yes: 1 }, undefined);
  assert.equal(read(open, 0), undefined);
  assert.throws(() => written(open, undefined), RangeError);
});

Deno.test("oneOf() reads a number that is not listed as the one for that", () => {
  const field = oneOf(u16, [300, 400], 400);
  assert.deepEqual([read(field, 0x2c, 1), read(field, 0x2d, 1)], [300, 400]);
});

Deno.test("structOf() lays fields back to back wherever it starts", () => {
  const field = structOf({ first: u8, inner: structOf({ second: u16, third: flag }) });
  assert.equal(field.sizeBytes, 4);
  const bytes = new Uint8Array(5);
  const value = { first: 1, inner: { second: 0x0203, third: true } };
  field.write(viewOf(bytes), 1, value);
  assert.deepEqual(bytes, Uint8Array.of(0, 1, 3, 2, 1));
  assert.deepEqual(field.read(viewOf(bytes), 1), value);
});

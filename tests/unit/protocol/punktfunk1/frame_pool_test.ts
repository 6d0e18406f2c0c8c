import assert from "node:assert/strict";
import fc from "fast-check";
import { FramePool } from "../../../../src/protocol/punktfunk1/frame_pool.ts";

const KIB = 1024;

Deno.test("FramePool gives out no more than its bound, charges included", () => {
  const pool = new FramePool(64 * KIB);
  const first = pool.acquire(32 * KIB);
  assert.ok(first !== undefined);
  assert.equal(pool.charge(16 * KIB), true);
  assert.equal(pool.charge(16 * KIB + 1), false);
  assert.equal(pool.acquire(16 * KIB + 1), undefined);
  assert.notEqual(pool.acquire(16 * KIB), undefined);
  assert.equal(pool.usedBytes, 64 * KIB);
  pool.refund(16 * KIB);
  pool.release(first);
  assert.equal(pool.usedBytes, 16 * KIB);
});

Deno.test("FramePool reuses a buffer for what fits it well", () => {
  const pool = new FramePool(4_096 * KIB);
  const buffer = pool.acquire(200 * KIB);
  assert.ok(buffer !== undefined);
  assert.equal(buffer.byteLength, 208 * KIB);
  pool.release(buffer);
  // Compared by identity alone: a failure would print every byte.
  const isReused = (sizeBytes: number) => pool.acquire(sizeBytes) === buffer;
  assert.equal(isReused(209 * KIB), false, "too small");
  assert.equal(isReused(25 * KIB), false, "too large");
  assert.equal(isReused(26 * KIB), true);
  assert.equal(isReused(26 * KIB), false, "it is out");
});

Deno.test("FramePool keeps no more free buffers than a quarter of its bound", () => {
  const pool = new FramePool(256 * KIB);
  const buffers = [0, 1, 2].map(() => pool.acquire(32 * KIB));
  for (const buffer of buffers) if (buffer !== undefined) pool.release(buffer);
  const again = [0, 1, 2].map(() => pool.acquire(32 * KIB));
  assert.deepEqual(again.map((buffer) => buffers.includes(buffer)), [true, true, false]);
});

Deno.test("FramePool counts what is out, whatever is taken and given back", () => {
  fc.assert(fc.property(
    fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 90 * KIB })), { maxLength: 80 }),
    (steps) => {
      const pool = new FramePool(300 * KIB);
      const out: Uint8Array<ArrayBuffer>[] = [];
      for (const [isTaken, sizeBytes] of steps) {
        const buffer = isTaken ? pool.acquire(sizeBytes) : undefined;
        if (buffer !== undefined) {
          assert.ok(buffer.byteLength >= sizeBytes && !out.includes(buffer));
          out.push(buffer);
        }
        const returned = isTaken ? undefined : out.shift();
        if (returned !== undefined) pool.release(returned);
        assert.equal(pool.usedBytes, out.reduce((sum, { byteLength }) => sum + byteLength, 0));
        assert.ok(pool.usedBytes <= 300 * KIB);
      }
    },
  ));
});

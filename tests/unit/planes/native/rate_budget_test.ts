import assert from "node:assert/strict";
import fc from "fast-check";
import { grantedWireKbps, videoKbps, wireKbps } from "../../../../src/planes/native/rate_budget.ts";

const COSTS = { soundKbps: 256, shardPayloadBytes: 1408, fecPercent: 10 };

Deno.test("grantedWireKbps() defaults and clamps", () => {
  assert.deepEqual(
    [0, 1, 499, 500, 30_000, 8_000_000, 8_000_001].map(grantedWireKbps),
    [20_000, 500, 500, 500, 30_000, 8_000_000, 8_000_000],
  );
});

Deno.test("videoKbps() takes sound, headers and parity off the wire's rate, and keeps a floor", () => {
  // (20000 − 256) × 1408/1472 × 100/110
  assert.equal(videoKbps(20_000, COSTS), 17_168);
  assert.equal(videoKbps(700, COSTS), 500);
});

Deno.test("wireKbps() is what videoKbps() came from", () => {
  fc.assert(fc.property(
    fc.integer({ min: 2_000, max: 8_000_000 }),
    fc.integer({ min: 0, max: 90 }),
    (wire, fecPercent) => {
      const costs = { ...COSTS, fecPercent };
      assert.ok(Math.abs(wireKbps(videoKbps(wire, costs), costs) - wire) <= 3);
    },
  ));
});

import assert from "node:assert/strict";
import fc from "fast-check";
import {
  grantedBitrateKbps,
  videoBitrateKbps,
  wireBitrateKbps,
} from "../../../../src/protocol/punktfunk1/negotiation.ts";

Deno.test("grantedBitrateKbps() has a default and two ends", () => {
  assert.deepEqual(
    [0, 1, 499, 500, 501, 8_000_000, 8_000_001].map(grantedBitrateKbps),
    [20_000, 500, 500, 500, 501, 8_000_000, 8_000_000],
  );
});

Deno.test("videoBitrateKbps() takes sound, packets and recovery off the budget, 500 at least", () => {
  const budget = { wireKbps: 20_000, audioKbps: 128, shardPayloadBytes: 1408, fecPercent: 10 };
  // 19872 · 1408/1472 / 1.1
  assert.equal(videoBitrateKbps(budget), 17_280);
  assert.equal(videoBitrateKbps({ ...budget, audioKbps: 0, fecPercent: 0 }), 19_130);
  assert.equal(videoBitrateKbps({ ...budget, wireKbps: 600 }), 500);
  assert.equal(videoBitrateKbps({ ...budget, wireKbps: 100 }), 500);
});

Deno.test("wireBitrateKbps() inverts videoBitrateKbps() to a kilobit", () => {
  const costs = fc.record({
    audioKbps: fc.integer({ min: 0, max: 8_000 }),
    shardPayloadBytes: fc.integer({ min: 512, max: 9152 }),
    fecPercent: fc.integer({ min: 0, max: 90 }),
  });
  fc.assert(fc.property(fc.integer({ min: 501, max: 8_000_000 }), costs, (videoKbps, cost) => {
    const wireKbps = wireBitrateKbps(videoKbps, cost);
    assert.ok(Math.abs(videoBitrateKbps({ ...cost, wireKbps }) - videoKbps) <= 1);
  }));
});

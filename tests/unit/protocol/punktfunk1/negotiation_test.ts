import assert from "node:assert/strict";
import {
  grantedBitrateKbps,
  videoBitrateKbps,
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

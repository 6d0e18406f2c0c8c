import assert from "node:assert/strict";
import fc from "fast-check";
import {
  grantedBitrateKbps,
  shardPayloadsOf,
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

Deno.test("shardPayloadsOf() starts with Ethernet's packets and grows only as path and client allow", () => {
  const of = (mtuBytes: number | undefined, clientBytesMax: number, family: "ipv4" | "ipv6") =>
    Object.values(shardPayloadsOf({ family, mtuBytes, clientBytesMax }));
  assert.deepEqual(of(undefined, 9152, "ipv4"), [1408, 1408]);
  assert.deepEqual(of(undefined, 9152, "ipv6"), [1388, 1388]);
  assert.deepEqual(of(9000, 9152, "ipv4"), [1408, 8908]);
  assert.deepEqual(of(9000, 4001, "ipv4"), [1408, 4000]);
  assert.deepEqual(of(9000, 0, "ipv4"), [1408, 1408]);
  assert.deepEqual(of(1401, 9152, "ipv4"), [1308, 1308]);
  assert.deepEqual(of(604, 9152, "ipv6"), [512, 512]);
  assert.deepEqual(of(65_535, 9152, "ipv4"), [1408, 9152]);
});

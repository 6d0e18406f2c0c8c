import assert from "node:assert/strict";
import { pacingOf } from "../../../../src/protocol/punktfunk1/pacing_profile.ts";

const KIB = 1024;

Deno.test("pacingOf() lets a burst carry 10 ms of three times the rate, within 16 and 256 KiB", () => {
  assert.deepEqual(pacingOf("burst", { wireKbps: 20_000 }), {
    rateBytesPerSecond: 7_500_000,
    burstBytesMax: 75_000,
    burstPacketsMax: 512,
  });
  assert.equal(pacingOf("burst", { wireKbps: 500 }).burstBytesMax, 16 * KIB);
  assert.equal(pacingOf("burst", { wireKbps: 8_000_000 }).burstBytesMax, 256 * KIB);
});

Deno.test("pacingOf() keeps a capped stream to what the link proved, but above its own rate", () => {
  const rate = (provenKbps?: number) =>
    pacingOf("capped", { wireKbps: 9_000, ...(provenKbps !== undefined && { provenKbps }) })
      .rateBytesPerSecond;
  assert.equal(rate(), 27_000 * 125);
  assert.equal(rate(20_000), 20_000 * 125);
  assert.equal(rate(1_000_000), 27_000 * 125);
  assert.equal(rate(1_000), 10_000 * 125);
  assert.equal(pacingOf("capped", { wireKbps: 200_000 }).burstPacketsMax, 64);
  assert.equal(
    pacingOf("burst", { wireKbps: 9_000, provenKbps: 20_000 }).rateBytesPerSecond,
    27_000 * 125,
  );
});

Deno.test("pacingOf() spreads a smooth stream in groups of 16 packets", () => {
  const pacing = pacingOf("smooth", { wireKbps: 20_000 });
  assert.equal(pacing.burstPacketsMax, 16);
  assert.equal(pacing.rateBytesPerSecond, 30_000 * 125);
});

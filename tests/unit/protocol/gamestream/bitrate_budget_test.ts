import assert from "node:assert/strict";
import fc from "fast-check";
import { encoderBitrateKbps } from "../../../../src/protocol/gamestream/bitrate_budget.ts";

const STEREO = { fecPercent: 20, audioChannels: 2, audioQuality: "normal" } as const;

Deno.test("encoderBitrateKbps() takes off parity, audio and framing in this order", () => {
  assert.equal(encoderBitrateKbps(20_000, STEREO), 16_000 - 192 - 500);
  assert.equal(
    encoderBitrateKbps(50_000, { fecPercent: 0, audioChannels: 8, audioQuality: "high" }),
    50_000 - 2_048 - 500,
  );
});

Deno.test("encoderBitrateKbps() leaves a slow link four fifths and nine tenths", () => {
  assert.equal(encoderBitrateKbps(1_000, { ...STEREO, audioChannels: 8 }), 800 * 0.8 * 0.9);
  assert.equal(encoderBitrateKbps(1_000, STEREO), Math.floor((800 - 160) * 0.9));
});

Deno.test("encoderBitrateKbps() stays above zero and below what was configured", () => {
  fc.assert(fc.property(
    fc.integer({ min: 10, max: 8_000_000 }),
    fc.nat(255),
    fc.constantFrom(2, 6, 8),
    fc.constantFrom("normal" as const, "high" as const),
    (configuredKbps, fecPercent, audioChannels, audioQuality) => {
      const kbps = encoderBitrateKbps(configuredKbps, { fecPercent, audioChannels, audioQuality });
      assert.ok(Number.isInteger(kbps) && kbps > 0 && kbps < configuredKbps);
    },
  ));
});

import assert from "node:assert/strict";
import { chooseSound, type SoundRequest } from "../../../../src/planes/native/sound_ladder.ts";

const REQUEST: SoundRequest = {
  channels: 2,
  layout: 0,
  hasRedundancy: true,
  wireKbps: 20_000,
  tierMax: "high",
};

function rung(change: Partial<SoundRequest>): [number, boolean, number] {
  const { encoder, isRedundant, kbps } = chooseSound({ ...REQUEST, ...change });
  return [encoder.bitrateBps / 1000, isRedundant, kbps];
}

Deno.test("chooseSound() climbs down the ladder as the rate falls", () => {
  assert.deepEqual(rung({ wireKbps: 10_240 }), [256, true, 512]);
  assert.deepEqual(rung({ wireKbps: 10_239 }), [256, false, 256]);
  assert.deepEqual(rung({ wireKbps: 5_120 }), [256, false, 256]);
  assert.deepEqual(rung({ wireKbps: 5_119 }), [128, false, 128]);
  assert.deepEqual(rung({ wireKbps: 2_560 }), [128, false, 128]);
  assert.deepEqual(rung({ wireKbps: 2_559 }), [96, false, 96]);
  assert.deepEqual(rung({ wireKbps: 500 }), [96, false, 96]);
});

Deno.test("chooseSound() prefers redundancy within a tier the host caps", () => {
  assert.deepEqual(rung({ tierMax: "standard", wireKbps: 5_120 }), [128, true, 256]);
  assert.deepEqual(rung({ tierMax: "low" }), [96, false, 96]);
});

Deno.test("chooseSound() sends no packet twice to a client that reads none", () => {
  assert.deepEqual(rung({ hasRedundancy: false }), [256, false, 256]);
});

Deno.test("chooseSound() knows the three layouts and takes the first for any other", () => {
  const layoutOf = (layout: number, channels: 2 | 6 | 8) => {
    const { encoder, layout: given } = chooseSound({ ...REQUEST, layout, channels });
    return [given, encoder.streams, encoder.coupledStreams, encoder.mapping.join("")];
  };
  assert.deepEqual(layoutOf(0, 6), [0, 4, 2, "012345"]);
  assert.deepEqual(layoutOf(1, 6), [1, 4, 2, "014523"]);
  assert.deepEqual(layoutOf(1, 8), [1, 5, 3, "01672345"]);
  assert.deepEqual(layoutOf(2, 8), [2, 8, 0, "01234567"]);
  assert.deepEqual(layoutOf(3, 2), [0, 1, 1, "01"]);
});

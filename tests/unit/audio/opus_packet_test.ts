import assert from "node:assert/strict";
import { opusPacketSamples } from "../../../src/audio/opus_packet.ts";

function samplesOf(...bytes: number[]): number | undefined {
  return opusPacketSamples(Uint8Array.from(bytes));
}

Deno.test("opusPacketSamples() reads every frame size of the three coding modes", () => {
  const sizes = Array.from({ length: 32 }, (_, config) => samplesOf(config << 3));
  const silk = [480, 960, 1920, 2880];
  const celt = [120, 240, 480, 960];
  assert.deepEqual(sizes, [
    ...[...silk, ...silk, ...silk],
    ...[480, 960, 480, 960],
    ...[...celt, ...celt, ...celt, ...celt],
  ]);
});

Deno.test("opusPacketSamples() multiplies by the frames of the packet", () => {
  assert.equal(samplesOf(30 << 3 | 1), 960);
  assert.equal(samplesOf(30 << 3 | 2), 960);
  assert.equal(samplesOf(30 << 3 | 3, 0xc5), 5 * 480);
});

Deno.test("opusPacketSamples() refuses an empty packet, no frames, and more than 120 ms", () => {
  assert.equal(samplesOf(), undefined);
  assert.equal(samplesOf(30 << 3 | 3), undefined);
  assert.equal(samplesOf(30 << 3 | 3, 0x40), undefined);
  assert.equal(samplesOf(31 << 3 | 3, 6), 5760);
  assert.equal(samplesOf(31 << 3 | 3, 7), undefined);
});

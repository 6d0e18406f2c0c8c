import assert from "node:assert/strict";
import {
  TONE_AMPLITUDE,
  TONE_FREQUENCIES_HZ,
  ToneGenerator,
} from "../../../../src/media/sources/tone.ts";

/** Amplitude of `frequencyHz` in one second of channel `channel`. */
function amplitudeOf(samples: Float32Array, channel: number, frequencyHz: number): number {
  const channels = samples.length / 48_000;
  let sine = 0;
  let cosine = 0;
  for (let index = 0; index < 48_000; index++) {
    const sample = samples[index * channels + channel] ?? 0;
    const phase = 2 * Math.PI * frequencyHz * index / 48_000;
    sine += sample * Math.sin(phase);
    cosine += sample * Math.cos(phase);
  }
  return Math.hypot(sine, cosine) / 24_000;
}

for (const channels of [2, 6, 8]) {
  Deno.test(`ToneGenerator gives each of ${channels} channels its own tone at -12 dBFS`, () => {
    const tones = new ToneGenerator(channels);
    const samples = new Float32Array(48_000 * channels);
    for (let at = 0; at < 48_000; at += 240) {
      tones.fill(samples.subarray(at * channels, (at + 240) * channels));
    }
    for (let channel = 0; channel < channels; channel++) {
      for (const [index, frequencyHz] of TONE_FREQUENCIES_HZ.entries()) {
        const expected = index === channel ? TONE_AMPLITUDE : 0;
        const found = amplitudeOf(samples, channel, frequencyHz);
        assert.ok(Math.abs(found - expected) < 1e-3, `${channel} ${frequencyHz}: ${found}`);
      }
    }
  });
}

Deno.test("ToneGenerator goes on where the block before ended", () => {
  const whole = new Float32Array(960);
  new ToneGenerator(2).fill(whole);
  const parts = new Float32Array(960);
  const tones = new ToneGenerator(2);
  for (const [from, to] of [[0, 2], [2, 480], [480, 960]] as const) {
    tones.fill(parts.subarray(from, to));
  }
  assert.deepEqual(parts, whole);
});

import assert from "node:assert/strict";
import { OpusDecoder } from "../../../../ffi/opus.ts";
import { NativeError } from "../../../../src/lib/errors.ts";
import { openAudioEncoder } from "../../../../src/media/encoders/registry.ts";
import { copyNativeBytes } from "../../../../src/media/native_bytes.ts";
import type { AudioEncoderSpec } from "../../../../src/media/ports.ts";
import {
  TONE_AMPLITUDE,
  TONE_FREQUENCIES_HZ,
  ToneGenerator,
} from "../../../../src/media/sources/tone.ts";
import { AUDIO_LAYOUTS, soundFrame, testAudioEncoder } from "../contract_audio_encoder.ts";
import { assertLeavesNothing } from "../process_usage.ts";

testAudioEncoder({ name: "Opus", open: openAudioEncoder });

const BLOCK_SAMPLES = 240;
/** A second, so that every tone fits whole. */
const BLOCKS = 200;

async function roundTrip(spec: AudioEncoderSpec): Promise<Float32Array> {
  using encoder = await openAudioEncoder(spec);
  using decoder = new OpusDecoder({ ...spec, frameSamples: BLOCK_SAMPLES });
  const tones = new ToneGenerator(spec.channels);
  const samples = new Float32Array(BLOCK_SAMPLES * spec.channels);
  const decoded = new Float32Array(BLOCKS * samples.length);
  // The first blocks carry the codec's start.
  for (let block = -10; block < BLOCKS; block++) {
    tones.fill(samples);
    const pointer = Deno.UnsafePointer.of(samples);
    assert.ok(pointer !== null);
    const packet = encoder.encode({
      data: { pointer, sizeBytes: samples.byteLength },
      samplesPerChannel: BLOCK_SAMPLES,
      capturedAtUs: 0,
    });
    const sound = decoder.decode(copyNativeBytes(packet));
    if (block >= 0) decoded.set(sound, block * samples.length);
  }
  return decoded;
}

for (const spec of AUDIO_LAYOUTS) {
  const name = `${spec.channels} channels at ${spec.bitrateBps / 1000} kbit/s`;
  Deno.test(`Opus carries every tone of ${name} on its own channel`, async () => {
    const decoded = await roundTrip(spec);
    for (let channel = 0; channel < spec.channels; channel++) {
      const own = amplitudeOf(decoded, spec.channels, channel, TONE_FREQUENCIES_HZ[channel] ?? 0);
      assert.ok(Math.abs(own / TONE_AMPLITUDE - 1) < 0.1, `channel ${channel}: ${own}`);
      for (let other = 0; other < spec.channels; other++) {
        if (other === channel) continue;
        const leak = amplitudeOf(
          decoded,
          spec.channels,
          channel,
          TONE_FREQUENCIES_HZ[other] ?? 0,
        );
        assert.ok(leak < TONE_AMPLITUDE / 10, `channel ${channel} carries tone ${other}: ${leak}`);
      }
    }
  });
}

function amplitudeOf(
  samples: Float32Array,
  channels: number,
  channel: number,
  frequencyHz: number,
): number {
  let sine = 0;
  let cosine = 0;
  const count = samples.length / channels;
  for (let index = 0; index < count; index++) {
    const sample = samples[index * channels + channel] ?? 0;
    const phase = 2 * Math.PI * frequencyHz * index / 48_000;
    sine += sample * Math.sin(phase);
    cosine += sample * Math.cos(phase);
  }
  return Math.hypot(sine, cosine) / (count / 2);
}

Deno.test("openAudioEncoder() refuses a layout whose parts do not fit each other", async () => {
  const stereo = AUDIO_LAYOUTS[0];
  assert.ok(stereo !== undefined);
  for (
    const change of [
      { mapping: [0] },
      { mapping: [0, 0] },
      { mapping: [0, 2] },
      { streams: 2 },
      { coupledStreams: 2 },
      { bitrateBps: 15_999 },
      { bitrateBps: 4_096_001 },
    ]
  ) {
    await assert.rejects(() => openAudioEncoder({ ...stereo, ...change }), NativeError);
  }
});

Deno.test("OpusDecoder.decode() conceals a lost packet and refuses a damaged one", () => {
  using decoder = new OpusDecoder({
    channels: 2,
    streams: 1,
    coupledStreams: 1,
    mapping: [0, 1],
    bitrateBps: 0,
    frameSamples: BLOCK_SAMPLES,
  });
  assert.equal(decoder.decode(new Uint8Array(0)).length, BLOCK_SAMPLES * 2);
  // A packet of 20 ms: four times as long as this layout's.
  assert.throws(() => decoder.decode(new Uint8Array([0xFC, 1, 2, 3])), NativeError);
});

Deno.test("Opus leaves neither descriptors nor memory behind", async () => {
  const spec = AUDIO_LAYOUTS[5];
  assert.ok(spec !== undefined);
  const frame = soundFrame(spec, 1);
  // One encoder of eight streams takes about 0.4 MB.
  await assertLeavesNothing(async () => {
    using encoder = await openAudioEncoder(spec);
    encoder.encode(frame);
  }, 8e6);
});

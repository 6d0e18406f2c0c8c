/**
 * What every AudioEncoder promises. A backend's test file calls {@link testAudioEncoder} with a way to open one.
 *
 * @module
 */
import assert from "node:assert/strict";
import { OperationError } from "../../../src/lib/errors.ts";
import { copyNativeBytes } from "../../../src/media/native_bytes.ts";
import type { AudioEncoder, AudioEncoderSpec, AudioFrame } from "../../../src/media/ports.ts";

export interface AudioEncoderSubject {
  readonly name: string;
  open(spec: AudioEncoderSpec): Promise<AudioEncoder>;
}

/** The layouts of the GameStream specification, 8.3. */
export const AUDIO_LAYOUTS: readonly AudioEncoderSpec[] = [
  layout(2, 1, [0, 1], 96_000),
  layout(2, 1, [0, 1], 512_000),
  layout(6, 2, [0, 1, 4, 5, 2, 3], 256_000),
  layout(6, 0, [0, 1, 2, 3, 4, 5], 1_536_000),
  layout(8, 3, [0, 1, 2, 3, 4, 5, 6, 7], 450_000),
  layout(8, 0, [0, 1, 2, 3, 4, 5, 6, 7], 2_048_000),
];

function layout(
  channels: AudioEncoderSpec["channels"],
  coupledStreams: number,
  mapping: readonly number[],
  bitrateBps: number,
): AudioEncoderSpec {
  const streams = channels - coupledStreams;
  return { channels, streams, coupledStreams, mapping, bitrateBps, frameDurationMs: 5 };
}

export function testAudioEncoder(subject: AudioEncoderSubject): void {
  for (const spec of AUDIO_LAYOUTS) {
    const name = `${spec.channels} channels at ${spec.bitrateBps / 1000} kbit/s`;
    Deno.test(`${subject.name}: every packet of ${name} has the same size`, async () => {
      for (const frameDurationMs of [5, 10] as const) {
        using encoder = await subject.open({ ...spec, frameDurationMs });
        const sizes = new Set<number>();
        for (let index = 0; index < 12; index++) {
          const packet = encoder.encode(soundFrame({ ...spec, frameDurationMs }, index));
          sizes.add(packet.sizeBytes);
          assert.equal(copyNativeBytes(packet).byteLength, packet.sizeBytes);
        }
        const expected = Math.floor(spec.bitrateBps * frameDurationMs / 8000);
        assert.deepEqual([...sizes], [expected]);
      }
    });
  }

  Deno.test(`${subject.name}: close() twice is legal and encode() fails afterwards`, async () => {
    const [spec] = AUDIO_LAYOUTS;
    assert.ok(spec !== undefined);
    const encoder = await subject.open(spec);
    encoder.close();
    encoder.close();
    assert.throws(
      () => encoder.encode(soundFrame(spec, 0)),
      (error) => error instanceof OperationError && error.code === "failed",
    );
  });
}

/** Silence, a tone on every channel, and noise in turn. The frame holds on to its samples: a bare pointer would not. */
export function soundFrame(
  spec: AudioEncoderSpec,
  index: number,
): AudioFrame & { readonly samples: Float32Array } {
  const samplesPerChannel = spec.frameDurationMs * 48;
  const samples = new Float32Array(samplesPerChannel * spec.channels);
  let random = index + 1;
  for (let at = 0; at < samples.length; at++) {
    random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
    const tone = 0.3 * Math.sin(at * (1 + at % spec.channels) / 40);
    samples[at] = index % 3 === 0 ? 0 : index % 3 === 1 ? tone : random / 2 ** 32 - 0.5;
  }
  const pointer = Deno.UnsafePointer.of(samples);
  assert.ok(pointer !== null);
  return {
    data: { pointer, sizeBytes: samples.byteLength },
    samplesPerChannel,
    capturedAtUs: 1_000_000 + index * spec.frameDurationMs * 1000,
    samples,
  };
}

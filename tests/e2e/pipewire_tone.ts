/**
 * Tones to play and the measuring of what came out.
 *
 * @module
 */
import { copyNativeBytes } from "../../src/media/native_bytes.ts";
import type { AudioSource } from "../../src/media/ports.ts";

export const RATE_HZ = 48_000;

/** FL FR FC LFE RL RR SL SR: the bits that WAVE_FORMAT_EXTENSIBLE names them by. */
const CHANNEL_MASKS: Readonly<Record<number, number>> = { 1: 0x4, 2: 0x3, 6: 0x3f, 8: 0x63f };
const WAVE_FORMAT_EXTENSIBLE = 0xfffe;
const SUBFORMAT_FLOAT = Uint8Array.fromHex("0300000000001000800000aa00389b71");
const WAV_HEADER_SIZE_BYTES = 68;
const WINDOW_SAMPLES = RATE_HZ / 40;

/** Interleaved samples, one tone of amplitude 0.5 per channel. */
export function makeTones(frequenciesHz: readonly number[], durationMs: number): Float32Array {
  const channels = frequenciesHz.length;
  const frames = RATE_HZ * durationMs / 1000;
  const samples = new Float32Array(frames * channels);
  for (let frame = 0; frame < frames; frame++) {
    frequenciesHz.forEach((hz, channel) => {
      samples[frame * channels + channel] = 0.5 * Math.sin(2 * Math.PI * hz * frame / RATE_HZ);
    });
  }
  return samples;
}

/** A WAV file of 32-bit float, 48 kHz. */
export function encodeWav(samples: Float32Array, channels: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(WAV_HEADER_SIZE_BYTES + samples.byteLength);
  const view = new DataView(bytes.buffer);
  const text = (offset: number, value: string) =>
    bytes.set(new TextEncoder().encode(value), offset);
  text(0, "RIFF");
  view.setUint32(4, bytes.byteLength - 8, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 40, true);
  view.setUint16(20, WAVE_FORMAT_EXTENSIBLE, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, RATE_HZ, true);
  view.setUint32(28, RATE_HZ * channels * 4, true);
  view.setUint16(32, channels * 4, true);
  view.setUint16(34, 32, true);
  view.setUint16(36, 22, true);
  view.setUint16(38, 32, true);
  view.setUint32(40, CHANNEL_MASKS[channels] ?? 0, true);
  bytes.set(SUBFORMAT_FLOAT, 44);
  text(60, "data");
  view.setUint32(64, samples.byteLength, true);
  bytes.set(new Uint8Array(samples.buffer), WAV_HEADER_SIZE_BYTES);
  return bytes;
}

/** Samples of a mono WAV file of 32-bit float, whose sizes the recorder may not have filled in. */
export function decodeMonoWav(bytes: Uint8Array<ArrayBuffer>): Float32Array {
  const text = new TextDecoder("latin1").decode(bytes);
  const start = text.indexOf("data") + 8;
  return new Float32Array(bytes.slice(start, start + (bytes.byteLength - start) / 4 * 4).buffer);
}

/** `blocks` blocks of 5 ms from `source`, interleaved. A block that does not come in 100 ms is a failure. */
export async function record(source: AudioSource, blocks: number): Promise<Float32Array[]> {
  const recorded: Float32Array[] = [];
  for (let block = 0; block < blocks; block++) {
    const frame = await source.next(240, 100);
    if (frame === null) throw new Error(`Block ${block} did not come`);
    recorded.push(new Float32Array(copyNativeBytes(frame.data).buffer));
  }
  return recorded;
}

/** Read until a block is full of sound, then record; silence for five seconds is a failure. */
export async function recordSound(source: AudioSource, blocks: number): Promise<Float32Array> {
  for (let waited = 0; waited < 1000; waited++) {
    const [block] = await record(source, 1);
    if (block === undefined || peakOf(block) < 0.1) continue;
    // The first block may begin in the middle.
    await record(source, 4);
    return join(await record(source, blocks));
  }
  throw new Error("No sound came");
}

function join(blocks: readonly Float32Array[]): Float32Array {
  const joined = new Float32Array(blocks.reduce((sum, block) => sum + block.length, 0));
  let offset = 0;
  for (const block of blocks) {
    joined.set(block, offset);
    offset += block.length;
  }
  return joined;
}

export function peakOf(samples: Float32Array): number {
  return samples.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0);
}

/** One channel of interleaved samples. */
export function channelOf(
  samples: Float32Array,
  channel: { readonly index: number; readonly of: number },
): Float32Array {
  return samples.filter((_, index) => index % channel.of === channel.index);
}

function frequencyOf(samples: Float32Array): number {
  const crossings: number[] = [];
  for (let index = 1; index < samples.length; index++) {
    const [before, after] = [samples[index - 1] ?? 0, samples[index] ?? 0];
    if (before < 0 && after >= 0) crossings.push(index - after / (after - before));
  }
  const [first, last] = [crossings[0] ?? 0, crossings.at(-1) ?? 0];
  return crossings.length < 2 ? 0 : (crossings.length - 1) * RATE_HZ / (last - first);
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

/**
 * Frequency by rising zero crossings and peak amplitude, each the median over 25 ms: a busy machine makes gaps, and those
 * are not what is measured.
 */
export function measureTone(samples: Float32Array): { frequencyHz: number; amplitude: number } {
  const windows: Float32Array[] = [];
  for (let start = 0; start + WINDOW_SAMPLES <= samples.length; start += WINDOW_SAMPLES) {
    windows.push(samples.subarray(start, start + WINDOW_SAMPLES));
  }
  return {
    frequencyHz: medianOf(windows.map(frequencyOf)),
    amplitude: medianOf(windows.map(peakOf)),
  };
}

/**
 * How long an Opus packet lasts, from its first bytes (RFC 6716, 3.1). Pure.
 *
 *     TOC   config 5 bits │ stereo 1 │ frame count code 2        code 3: the low six bits of the next byte count the frames
 *
 * @module
 */

/** Samples of one frame at 48 kHz by the two low bits of the configuration. */
const SILK_SAMPLES = [480, 960, 1920, 2880] as const;
const HYBRID_SAMPLES = [480, 960] as const;
const CELT_SAMPLES = [120, 240, 480, 960] as const;
/** 120 ms. */
const PACKET_SAMPLES_MAX = 5760;

/** Samples per channel at 48 kHz, or undefined for what is no Opus packet. */
export function opusPacketSamples(packet: Uint8Array): number | undefined {
  const toc = packet[0];
  if (toc === undefined) return undefined;
  const config = toc >> 3;
  const frameSamples = config < 12
    ? SILK_SAMPLES[config & 3]
    : config < 16
    ? HYBRID_SAMPLES[config & 1]
    : CELT_SAMPLES[config & 3];
  const frames = frameCount(toc & 3, packet[1]);
  const samples = (frameSamples ?? 0) * frames;
  return samples > 0 && samples <= PACKET_SAMPLES_MAX ? samples : undefined;
}

function frameCount(code: number, next: number | undefined): number {
  if (code === 0) return 1;
  if (code < 3) return 2;
  return (next ?? 0) & 0x3f;
}

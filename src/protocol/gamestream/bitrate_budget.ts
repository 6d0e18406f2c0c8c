/**
 * How much of the client's bitrate is left for the encoder (GameStream specification 4.6).
 *
 *     configured × (100 − FEC %) / 100
 *       − audio, channels × 256 kbit/s in high quality or × 96, at most a fifth of what is left
 *       − 500 kbit/s of framing, at most a tenth of what is left
 *
 * @module
 */

const AUDIO_KBPS_PER_CHANNEL = { normal: 96, high: 256 } as const;
const AUDIO_DIVISOR_MIN = 5;
const OVERHEAD_KBPS = 500;
const OVERHEAD_DIVISOR_MIN = 10;
/** The formula turns negative for parity above 100 %: a picture needs some share. */
const FEC_PERCENT_COUNTED_MAX = 80;

/** Kilobits per second for the encoder, a whole number. */
export function encoderBitrateKbps(
  configuredKbps: number,
  options: {
    readonly fecPercent: number;
    readonly audioChannels: number;
    readonly audioQuality: "normal" | "high";
  },
): number {
  const fecPercent = Math.min(options.fecPercent, FEC_PERCENT_COUNTED_MAX);
  const withoutFec = configuredKbps * (100 - fecPercent) / 100;
  const audio = options.audioChannels * AUDIO_KBPS_PER_CHANNEL[options.audioQuality];
  const withoutAudio = withoutFec - Math.min(audio, withoutFec / AUDIO_DIVISOR_MIN);
  return Math.floor(withoutAudio - Math.min(OVERHEAD_KBPS, withoutAudio / OVERHEAD_DIVISOR_MIN));
}

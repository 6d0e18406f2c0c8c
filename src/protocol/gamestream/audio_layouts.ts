/**
 * Opus layouts and how DESCRIBE advertises them (GameStream specification 4.5, 8.3).
 *
 * Channels are FL FR FC LFE BL BR SL SR (the first 2, 6 or 8). A mapping has one entry per channel: which decoded stream
 * channel feeds it, the coupled pairs first. In normal quality front, back and side pairs are coupled.
 *
 *     surround-params = channels streams coupledStreams mapping…      one decimal digit each
 *
 * For 6 and 8 channels the client takes the first line of a channel count for normal quality and moves the last digit of its
 * mapping behind the third; the second line, for high quality, it takes as it is.
 *
 * @module
 */
import { ProtocolError } from "../../lib/errors.ts";

export interface AudioLayout {
  readonly channels: 2 | 6 | 8;
  readonly streams: number;
  readonly coupledStreams: number;
  readonly mapping: readonly number[];
  readonly bitrateBps: number;
}

export type AudioQuality = "normal" | "high";

/** Clients take datagrams of 1400 bytes: a parity header of 24, and at least one byte of padding when encrypted. */
export const OPUS_PACKET_SIZE_BYTES_MAX = 1375;

/** True mappings, as the encoder uses them. */
export const AUDIO_LAYOUTS: Readonly<
  Record<2 | 6 | 8, Readonly<Record<AudioQuality, AudioLayout>>>
> = {
  2: {
    normal: {
      channels: 2,
      streams: 1,
      coupledStreams: 1,
      mapping: [0, 1],
      bitrateBps: 96_000,
    },
    high: {
      channels: 2,
      streams: 1,
      coupledStreams: 1,
      mapping: [0, 1],
      bitrateBps: 512_000,
    },
  },
  6: {
    normal: {
      channels: 6,
      streams: 4,
      coupledStreams: 2,
      mapping: [0, 1, 4, 5, 2, 3],
      bitrateBps: 256_000,
    },
    high: {
      channels: 6,
      streams: 6,
      coupledStreams: 0,
      mapping: [0, 1, 2, 3, 4, 5],
      bitrateBps: 1_536_000,
    },
  },
  8: {
    normal: {
      channels: 8,
      streams: 5,
      coupledStreams: 3,
      mapping: [0, 1, 6, 7, 2, 3, 4, 5],
      bitrateBps: 450_000,
    },
    high: {
      channels: 8,
      streams: 8,
      coupledStreams: 0,
      mapping: [0, 1, 2, 3, 4, 5, 6, 7],
      bitrateBps: 2_048_000,
    },
  },
};

/** The layout a client gave in `/launch?surroundParams=`, as it is advertised. */
export interface CustomAudioLayout {
  readonly channels: 2 | 6 | 8;
  readonly streams: number;
  readonly coupledStreams: number;
  readonly advertisedMapping: readonly number[];
}

/**
 * Parse a `surroundParams` value. Throws ProtocolError "malformed" when it is no layout Opus can code: other channel counts
 * than 2, 6 and 8, more coupled streams than streams, a mapping of the wrong size or to a channel that no stream has.
 */
export function parseSurroundParams(text: string): CustomAudioLayout {
  const [channels = 0, streams = 0, coupledStreams = 0, ...advertisedMapping] =
    /^[0-9]{5,11}$/.test(text) ? Array.from(text, Number) : [];
  const codedChannels = streams + coupledStreams;
  if (
    (channels !== 2 && channels !== 6 && channels !== 8) || streams < 1 ||
    coupledStreams > streams || codedChannels > channels ||
    advertisedMapping.length !== channels ||
    advertisedMapping.some((channel) => channel >= codedChannels)
  ) {
    throw new ProtocolError("malformed", "Cannot use surroundParams: it describes no Opus layout");
  }
  return { channels, streams, coupledStreams, advertisedMapping };
}

/**
 * The layout to encode with, so that the client's decoder, which knows only what DESCRIBE said, puts it right. Its rate is
 * lowered where packets of `packetDurationMs` would grow larger than clients take.
 */
export function chooseAudioLayout(
  channels: 2 | 6 | 8,
  options: {
    readonly quality: AudioQuality;
    readonly custom: CustomAudioLayout | undefined;
    readonly packetDurationMs: 5 | 10;
  },
): AudioLayout {
  const { quality, custom } = options;
  const standard = AUDIO_LAYOUTS[channels][quality];
  const bitrateBps = Math.min(
    standard.bitrateBps,
    OPUS_PACKET_SIZE_BYTES_MAX * 8 * 1000 / options.packetDurationMs,
  );
  if (custom === undefined || custom.channels !== channels) return { ...standard, bitrateBps };
  return {
    channels,
    streams: custom.streams,
    coupledStreams: custom.coupledStreams,
    mapping: quality === "normal"
      ? clientMappingOf(custom.advertisedMapping)
      : custom.advertisedMapping,
    bitrateBps,
  };
}

/** The `surround-params` values of DESCRIBE in their order: for each channel count the normal line, then the high one. */
export function surroundLines(custom: CustomAudioLayout | undefined): string[] {
  const lines: string[] = [];
  if (custom !== undefined) {
    const line = paramsOf(custom, custom.advertisedMapping);
    lines.push(line, line);
  }
  for (const { normal, high } of Object.values(AUDIO_LAYOUTS)) {
    if (normal.channels === custom?.channels) continue;
    lines.push(paramsOf(normal, advertisedMappingOf(normal.mapping)), paramsOf(high, high.mapping));
  }
  return lines;
}

function paramsOf(
  layout: { readonly channels: number; readonly streams: number; readonly coupledStreams: number },
  mapping: readonly number[],
): string {
  return [layout.channels, layout.streams, layout.coupledStreams, ...mapping].join("");
}

/** Fourth entry to the end: what undoes the client's move. Stereo has none. */
function advertisedMappingOf(mapping: readonly number[]): number[] {
  return [...mapping.slice(0, 3), ...mapping.slice(4), ...mapping.slice(3, 4)];
}

/** The client's move: last entry behind the third. */
function clientMappingOf(advertised: readonly number[]): readonly number[] {
  if (advertised.length <= 3) return advertised;
  return [...advertised.slice(0, 3), ...advertised.slice(-1), ...advertised.slice(3, -1)];
}

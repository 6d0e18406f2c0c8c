/**
 * How the channels of surround sound lie in Opus (punktfunk/1 specification 7.4).
 *
 *     layout  stereo   5.1                     7.1
 *     0       1 / 1    4 / 2   0 1 2 3 4 5     5 / 3   0 1 2 3 4 5 6 7    as the first clients have it
 *     1       1 / 1    4 / 2   0 1 4 5 2 3     5 / 3   0 1 6 7 2 3 4 5    standard
 *     2       1 / 1    6 / 0   0 1 2 3 4 5     8 / 0   0 1 2 3 4 5 6 7    without coupled pairs
 *
 * Streams / coupled pairs; then for each channel in FL FR FC LFE RL RR SL SR the decoded channel that feeds it.
 *
 * @module
 */
import type { AudioChannels } from "./enums.ts";

export interface SoundLayout {
  readonly streams: number;
  readonly coupledStreams: number;
  readonly mapping: readonly number[];
}

const STEREO: SoundLayout = { streams: 1, coupledStreams: 1, mapping: [0, 1] };

const LEGACY: Readonly<Record<AudioChannels, SoundLayout>> = {
  2: STEREO,
  6: { streams: 4, coupledStreams: 2, mapping: [0, 1, 2, 3, 4, 5] },
  8: { streams: 5, coupledStreams: 3, mapping: [0, 1, 2, 3, 4, 5, 6, 7] },
};

const LAYOUTS: readonly (typeof LEGACY)[] = [
  LEGACY,
  {
    2: STEREO,
    6: { streams: 4, coupledStreams: 2, mapping: [0, 1, 4, 5, 2, 3] },
    8: { streams: 5, coupledStreams: 3, mapping: [0, 1, 6, 7, 2, 3, 4, 5] },
  },
  {
    2: STEREO,
    6: { streams: 6, coupledStreams: 0, mapping: [0, 1, 2, 3, 4, 5] },
    8: { streams: 8, coupledStreams: 0, mapping: [0, 1, 2, 3, 4, 5, 6, 7] },
  },
];

/** The layout of that number; one that is not known is 0. */
export function soundLayoutOf(
  layout: number,
  channels: AudioChannels,
): SoundLayout & { readonly layout: number } {
  const known = LAYOUTS[layout];
  return known === undefined ? { layout: 0, ...LEGACY[channels] } : { layout, ...known[channels] };
}

/**
 * Which Opus a client gets: layout, bitrate and redundancy (native specification 7.4). Pure.
 *
 *     budget = 5 % of the rate on the wire, at least 96 kbit/s
 *     high + RED → high → standard + RED → standard → low        the first that fits; RED costs its packet twice
 *
 * @module
 */
import type { AudioChannels, AudioEncoderSpec } from "../../media/ports.ts";
import { soundLayoutOf } from "../../protocol/punktfunk1/sound_layouts.ts";

const BUDGET_SHARE = 0.05;
const BUDGET_KBPS_MIN = 96;
const FRAME_DURATION_MS = 5;

const KBPS = {
  2: { low: 96, standard: 128, high: 256 },
  6: { low: 192, standard: 256, high: 448 },
  8: { low: 320, standard: 450, high: 768 },
} as const;

export type SoundTier = keyof (typeof KBPS)[2];

export interface SoundRequest {
  readonly channels: AudioChannels;
  /** As in Hello; one that is not known becomes 0. */
  readonly layout: number;
  readonly hasRedundancy: boolean;
  /** Of the whole stream on the wire. */
  readonly wireKbps: number;
  /** The best the host gives. */
  readonly tierMax: SoundTier;
}

export interface SoundChoice {
  readonly encoder: AudioEncoderSpec;
  readonly layout: number;
  readonly isRedundant: boolean;
  /** What the packets take on the wire, redundancy included. */
  readonly kbps: number;
}

export function chooseSound(request: SoundRequest): SoundChoice {
  const { channels } = request;
  const { layout, ...shape } = soundLayoutOf(request.layout, channels);
  const budgetKbps = Math.max(request.wireKbps * BUDGET_SHARE, BUDGET_KBPS_MIN);
  const { tier, isRedundant } = climb(budgetKbps, request);
  const kbps = KBPS[channels][tier];
  return {
    encoder: {
      channels,
      ...shape,
      bitrateBps: kbps * 1000,
      frameDurationMs: FRAME_DURATION_MS,
    },
    layout,
    isRedundant,
    kbps: isRedundant ? 2 * kbps : kbps,
  };
}

function climb(budgetKbps: number, { channels, hasRedundancy, tierMax }: SoundRequest) {
  const kbps = KBPS[channels];
  const rungs = [
    { tier: "high", isRedundant: true },
    { tier: "high", isRedundant: false },
    { tier: "standard", isRedundant: true },
    { tier: "standard", isRedundant: false },
  ] as const;
  const fits = rungs.find(({ tier, isRedundant }) =>
    kbps[tier] <= kbps[tierMax] && (hasRedundancy || !isRedundant) &&
    kbps[tier] * (isRedundant ? 2 : 1) <= budgetKbps
  );
  return fits ?? { tier: "low", isRedundant: false } as const;
}

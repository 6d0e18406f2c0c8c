/**
 * What a Moonlight client announced, in the terms every plane shares.
 *
 * @module
 */
import { OperationError } from "../../lib/errors.ts";
import type { StreamConfig } from "../../protocol/gamestream/announce.ts";
import {
  type AudioQuality,
  chooseAudioLayout,
  type CustomAudioLayout,
} from "../../protocol/gamestream/audio_layouts.ts";
import { encoderBitrateKbps } from "../../protocol/gamestream/bitrate_budget.ts";
import type { ClientRequest } from "../../session/plan.ts";

/** What the request depends on besides ANNOUNCE's attributes. */
export interface LaunchFacts {
  /** From the RTSP handshake: the client named the host by its address. */
  readonly isHighQualityStereo: boolean;
  /** `localAudioPlayMode` of the launch. */
  readonly isHeardOnHost: boolean;
  /** `surroundParams` of the launch. */
  readonly customAudio: CustomAudioLayout | undefined;
  /** The host's parity setting, which the budget pays for. */
  readonly fecPercent: number;
}

/** Throws OperationError "invalid" for 10-bit and 4:4:4 pictures, which no encoder here makes. */
export function toClientRequest(config: StreamConfig, facts: LaunchFacts): ClientRequest {
  if (config.is10Bit || config.isYuv444) {
    throw new OperationError("invalid", "Cannot stream 10-bit or 4:4:4 pictures: 8-bit 4:2:0 only");
  }
  const isQualityHigh = config.audioChannels === 2
    ? facts.isHighQualityStereo
    : config.isAudioQualityHigh;
  const quality: AudioQuality = isQualityHigh ? "high" : "normal";
  return {
    mode: {
      widthPixels: config.widthPixels,
      heightPixels: config.heightPixels,
      refreshMilliHz: config.refreshMilliHz,
    },
    codec: config.codec,
    bitrateKbps: bitrateOf(config, { fecPercent: facts.fecPercent, audioQuality: quality }),
    slices: config.slices,
    referenceFrames: config.referenceFrames,
    colorSpace: config.colorSpace,
    isFullRange: config.isFullRange,
    audio: {
      ...chooseAudioLayout(config.audioChannels, {
        quality,
        custom: facts.customAudio,
        packetDurationMs: config.audioPacketDurationMs,
      }),
      frameDurationMs: config.audioPacketDurationMs,
    },
    isHeardOnHost: facts.isHeardOnHost,
  };
}

function bitrateOf(
  config: StreamConfig,
  options: { readonly fecPercent: number; readonly audioQuality: AudioQuality },
): number {
  if (config.configuredBitrateKbps === undefined) return config.maximumBitrateKbps ?? 0;
  return encoderBitrateKbps(config.configuredBitrateKbps, {
    ...options,
    audioChannels: config.audioChannels,
  });
}

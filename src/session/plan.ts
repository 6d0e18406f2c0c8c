/**
 * What was asked × what this host can → the plan of a session, with a reason for every reduction. Pure.
 *
 *     plane (ClientRequest) ─┐
 *                            ├→ planSession → Plan → session opens display, source, encoder, sinks in Plan's order
 *     host (Capabilities)  ──┘
 *
 * @module
 */
import { OperationError } from "../lib/errors.ts";
import {
  BITRATE_KBPS_MAX,
  BITRATE_KBPS_MIN,
  MODE_HEIGHT_MAX,
  MODE_HEIGHT_MIN,
  MODE_WIDTH_MAX,
  MODE_WIDTH_MIN,
  REFRESH_MILLIHZ_MAX,
  REFRESH_MILLIHZ_MIN,
} from "../lib/limits.ts";
import type { DisplayMode } from "../display/ports.ts";
import type {
  AudioChannels,
  AudioEncoderSpec,
  VideoCodec,
  VideoEncoderSpec,
} from "../media/ports.ts";

/** What a client asked for, in the planes' common terms. */
export interface ClientRequest {
  readonly mode: DisplayMode;
  readonly codec: VideoCodec;
  /** For the encoder alone: audio, parity and framing are already taken off. */
  readonly bitrateKbps: number;
  readonly slices: number;
  /** 0 leaves it to the host. */
  readonly referenceFrames: number;
  readonly colorSpace: VideoEncoderSpec["colorSpace"];
  readonly isFullRange: boolean;
  readonly audio: AudioEncoderSpec;
  readonly isHeardOnHost: boolean;
}

/** What this host can do now, found at run time. */
export interface HostCapabilities {
  readonly codecs: readonly VideoCodec[];
  /** Of the coded picture, whose sides are multiples of 16. */
  readonly pixelsMax: number;
  readonly bitrateKbpsMax: number;
  readonly slicesMax: number;
  readonly referenceFramesMax: number;
  /** Whether an encoder can go on without frames that a client lost. */
  readonly hasReferenceInvalidation: boolean;
  readonly audioChannels: readonly AudioChannels[];
}

export interface Plan {
  /** What the virtual display is made with: the client's own mode. */
  readonly mode: DisplayMode;
  readonly encoder: VideoEncoderSpec;
  readonly audio: AudioEncoderSpec;
  readonly isHeardOnHost: boolean;
  /** One sentence for each thing the client gets differently than asked. */
  readonly reductions: readonly string[];
}

/** Plan one session. Throws OperationError "invalid" or "refused" when no plan serves the request. */
export function planSession(request: ClientRequest, host: HostCapabilities): Plan {
  requireServable(request, host);
  const { mode } = request;
  const reductions: string[] = [];
  // 4:2:0 cannot express odd sizes; a cropped row is better than a scaled picture.
  const widthPixels = mode.widthPixels & ~1;
  const heightPixels = mode.heightPixels & ~1;
  if (widthPixels !== mode.widthPixels || heightPixels !== mode.heightPixels) {
    reductions.push(
      `${mode.widthPixels}x${mode.heightPixels} is cropped to ${widthPixels}x${heightPixels}: 4:2:0 has no odd sizes`,
    );
  }
  const reduce = (what: string, asked: number, low: number, high: number) => {
    const given = Math.min(Math.max(asked, low), high);
    if (given !== asked) reductions.push(`${what} ${asked} becomes ${given}`);
    return given;
  };
  const bitrateKbpsMax = Math.min(BITRATE_KBPS_MAX, host.bitrateKbpsMax);
  return {
    mode,
    encoder: {
      codec: request.codec,
      widthPixels,
      heightPixels,
      refreshMilliHz: mode.refreshMilliHz,
      bitrateKbps: reduce(
        "bitrate (kbit/s)",
        Math.round(request.bitrateKbps),
        BITRATE_KBPS_MIN,
        bitrateKbpsMax,
      ),
      slices: reduce("slices", request.slices, 1, host.slicesMax),
      referenceFrames: request.referenceFrames === 0
        ? 1
        : reduce("reference frames", request.referenceFrames, 1, host.referenceFramesMax),
      colorSpace: request.colorSpace,
      isFullRange: request.isFullRange,
    },
    audio: request.audio,
    isHeardOnHost: request.isHeardOnHost,
    reductions,
  };
}

function requireServable({ mode, codec, audio }: ClientRequest, host: HostCapabilities): void {
  requireWithin("width", mode.widthPixels, MODE_WIDTH_MIN, MODE_WIDTH_MAX);
  requireWithin("height", mode.heightPixels, MODE_HEIGHT_MIN, MODE_HEIGHT_MAX);
  requireWithin("refresh (mHz)", mode.refreshMilliHz, REFRESH_MILLIHZ_MIN, REFRESH_MILLIHZ_MAX);
  if (!host.codecs.includes(codec)) {
    throw new OperationError(
      "refused",
      `Cannot encode ${codec}: this host offers ${host.codecs.join(", ") || "no codec"}`,
    );
  }
  if (!host.audioChannels.includes(audio.channels)) {
    throw new OperationError("refused", `Cannot encode ${audio.channels} audio channels`);
  }
  const coded = (side: number) => Math.ceil((side & ~1) / 16) * 16;
  if (coded(mode.widthPixels) * coded(mode.heightPixels) > host.pixelsMax) {
    throw new OperationError(
      "refused",
      `Cannot encode ${mode.widthPixels}x${mode.heightPixels}: this host encodes ${host.pixelsMax} pixels at most`,
    );
  }
}

function requireWithin(name: string, value: number, low: number, high: number): void {
  if (!Number.isInteger(value) || value < low || value > high) {
    throw new OperationError(
      "invalid",
      `Cannot use ${name} ${value}: allowed is ${low} to ${high}`,
    );
  }
}

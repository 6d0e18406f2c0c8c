/**
 * Enumerations of punktfunk/1 as they are on the wire, one byte each but where said (specification 2.6, 2.7, 6.1).
 *
 * @module
 */
import { choice, type Fields, flag, oneOf, structOf, u32, u8, type ValueOf } from "./fields.ts";

export const COMPOSITORS = {
  "auto": 0,
  "kwin": 1,
  "wlroots": 2,
  "mutter": 3,
  "gamescope": 4,
  "hyprland": 5,
  "windows": 6,
} as const;
export type Compositor = keyof typeof COMPOSITORS;
export const compositor = choice(COMPOSITORS, "auto");

export const PAD_KINDS = {
  "auto": 0,
  "xbox-360": 1,
  "dualsense": 2,
  "xbox-one": 3,
  "dualshock-4": 4,
  "steam-controller": 5,
  "steam-deck": 6,
  "dualsense-edge": 7,
  "switch-pro": 8,
  "steam-controller-2": 9,
  "steam-controller-2-puck": 10,
  "xbox-elite": 11,
  "8bitdo-ultimate-2": 12,
  "8bitdo-pro-2": 13,
  "8bitdo-pro-3": 14,
  "horipad-steam": 15,
  "joycon-pair": 16,
  "switch-2-pro": 17,
  "switch-2-gamecube": 18,
} as const;
export type PadKind = keyof typeof PAD_KINDS;
export const padKind = choice(PAD_KINDS, "auto");

const PAD_KINDS_WITHOUT_MOTION: ReadonlySet<PadKind> = new Set([
  "xbox-360",
  "xbox-one",
  "xbox-elite",
  "switch-2-gamecube",
]);
const PAD_KIND_OF_CODE: ReadonlyMap<number, PadKind> = new Map(
  Object.entries(PAD_KINDS).map(([kind, code]) => [code, kind as PadKind]),
);

/** The kind that `code` stands for where it is wider than a byte; unknown ones are "auto". */
export function padKindOfCode(code: number): PadKind {
  return PAD_KIND_OF_CODE.get(code) ?? "auto";
}

/** Whether pads of `kind` have motion sensors, as far as the wire is concerned. */
export function hasMotionSensors(kind: PadKind): boolean {
  return !PAD_KINDS_WITHOUT_MOTION.has(kind);
}

/** Codecs by their bit in codec sets, which is also the id of the one chosen. */
export const CODECS = { "h264": 1, "hevc": 2, "av1": 4, "pyrowave": 8 } as const;
export type WireCodec = keyof typeof CODECS;
export const codec = choice(CODECS, "hevc");

/** What to do with a picture of another shape than was asked for. */
export const VIDEO_FITS = { "fit": 0, "crop": 1, "stretch": 2 } as const;
export type VideoFit = keyof typeof VIDEO_FITS;
export const videoFit = choice(VIDEO_FITS, "fit");

/** Named by the field that the code is over. */
export const FEC_SCHEMES = { "gf256": 0, "gf65536": 1 } as const;
export type FecScheme = keyof typeof FEC_SCHEMES;
export const fecScheme = choice(FEC_SCHEMES, "gf256");

export const CHROMA_FORMATS = { "4:2:0": 1, "4:4:4": 3 } as const;
export type ChromaFormat = keyof typeof CHROMA_FORMATS;
export const chroma = choice(CHROMA_FORMATS, "4:2:0");

/** FLAC is reserved: no peer sends it. */
export const AUDIO_CODECS = { "opus": 0, "flac": 1, "pcm": 2 } as const;
export type AudioCodec = keyof typeof AUDIO_CODECS;
export const audioCodec = choice(AUDIO_CODECS, "opus");

export const audioChannels = oneOf(u8, [2, 6, 8], 2);
export type AudioChannels = ValueOf<typeof audioChannels>;

export const audioBits = oneOf(u8, [16, 24], 16);
export type AudioBits = ValueOf<typeof audioBits>;

/** Rates that PCM may have; Opus has 48 000 always. Four bytes. */
export const AUDIO_RATES_HZ = [44_100, 48_000, 88_200, 96_000, 176_400] as const;
export const audioRateHz = oneOf(u32, AUDIO_RATES_HZ, 48_000);
export type AudioRateHz = ValueOf<typeof audioRateHz>;

export const bitDepth = oneOf(u8, [8, 10], 8);
export type BitDepth = ValueOf<typeof bitDepth>;

/** How the host spreads a frame's packets over time. */
export const DELIVERY_PROFILES = { "burst": 0, "capped": 1, "smooth": 2 } as const;
export type DeliveryProfile = keyof typeof DELIVERY_PROFILES;
export const deliveryProfile = choice(DELIVERY_PROFILES, "burst");

/** A mode as it is asked for and granted: pixels and whole hertz, 12 bytes. */
export const streamMode = structOf({ width: u32, height: u32, refreshHz: u32 });
export type StreamMode = ValueOf<typeof streamMode>;

/** How sample values mean colours: code points of ITU-T H.273. */
export const COLOUR_LAYOUT = { primaries: u8, transfer: u8, matrix: u8, isFullRange: flag };
export type Colour = Fields<typeof COLOUR_LAYOUT>;

export const COLOUR_SDR: Colour = { primaries: 1, transfer: 1, matrix: 1, isFullRange: false };
export const COLOUR_HDR10: Colour = { primaries: 9, transfer: 16, matrix: 9, isFullRange: false };

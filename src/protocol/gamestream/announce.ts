/**
 * ANNOUNCE: what the client wants to stream (GameStream specification 4.6).
 *
 *     v=0
 *     o=android 0 14 IN IPv4 ADDRESS
 *     s=NVIDIA Streaming Client
 *     a=NAME:VALUE SP                one line an attribute, any order, unknown names ignored
 *     t=0 0
 *     m=video PORT SP SP
 *
 * Values are decimal. Of a repeated attribute the last counts.
 *
 * @module
 */
import { ProtocolError } from "../../lib/errors.ts";
import { ENCRYPT_AUDIO, ENCRYPT_CONTROL, ENCRYPT_VIDEO } from "./describe.ts";

/** Payload size P of video packets: multiples of 16; the upper end fits a jumbo frame of 9000 with all headers. */
export const VIDEO_PACKET_SIZE_BYTES_MIN = 160;
export const VIDEO_PACKET_SIZE_BYTES_MAX = 8912;
export const VIDEO_PACKET_SIZE_STEP_BYTES = 16;
/** Parity packets a client may insist on for each block. */
export const MIN_PARITY_PACKETS_MAX = 64;
export const SLICES_MAX = 32;
export const REFERENCE_FRAMES_MAX = 16;
export const FRAME_RATE_MAX = 1000;

export interface StreamConfig {
  readonly widthPixels: number;
  readonly heightPixels: number;
  readonly refreshMilliHz: number;
  /** P of section 7, already reduced by the client for encryption. */
  readonly packetSizeBytes: number;
  /** What the user set, including FEC and audio, or undefined. */
  readonly configuredBitrateKbps: number | undefined;
  /** For the picture alone; used when `configuredBitrateKbps` is not there. */
  readonly maximumBitrateKbps: number | undefined;
  readonly codec: "h264" | "hevc" | "av1";
  readonly is10Bit: boolean;
  readonly isYuv444: boolean;
  readonly colorSpace: "bt601" | "bt709" | "bt2020";
  readonly isFullRange: boolean;
  /** 0 leaves it to the host and says that the decoder copes with invalidated references. */
  readonly referenceFrames: number;
  readonly slices: number;
  readonly minParityPackets: number;
  readonly isControlV2: boolean;
  readonly isVideoEncrypted: boolean;
  readonly isAudioEncrypted: boolean;
  readonly sendsFecStatus: boolean;
  /** Clear: match pings and the control connection by address instead of payload. */
  readonly hasSessionPings: boolean;
  readonly audioChannels: 2 | 6 | 8;
  readonly isAudioQualityHigh: boolean;
  readonly audioPacketDurationMs: 5 | 10;
  readonly isVideoTrafficMarked: boolean;
  readonly isAudioTrafficMarked: boolean;
  readonly isIntraRefreshWanted: boolean;
}

/**
 * Parse the body of ANNOUNCE. Throws ProtocolError "malformed" when a mandatory attribute is missing or a value is no number,
 * "limit" when one is outside its range.
 */
export function parseAnnounce(body: Uint8Array): StreamConfig {
  const attributes = new Attributes(new TextDecoder().decode(body));
  const encryption = attributes.number("x-ss-general.encryptionEnabled", { low: 0, fallback: 0 });
  const generalFlags = attributes.number("x-nv-general.featureFlags", { low: 0, fallback: 0x87 });
  const clientFlags = attributes.number("x-ml-general.featureFlags", { low: 0, fallback: 0 });
  const csc = attributes.number("x-nv-video[0].encoderCscMode", { low: 0, high: 5, fallback: 0 });
  return {
    widthPixels: attributes.number("x-nv-video[0].clientViewportWd", { high: 0xffff }),
    heightPixels: attributes.number("x-nv-video[0].clientViewportHt", { high: 0xffff }),
    refreshMilliHz: refreshOf(attributes),
    packetSizeBytes: packetSizeOf(attributes),
    ...bitratesOf(attributes),
    codec: attributes.choice("x-nv-vqos[0].bitStreamFormat", ["h264", "hevc", "av1"]),
    is10Bit: attributes.flag("x-nv-video[0].dynamicRangeMode"),
    isYuv444: attributes.flag("x-ss-video[0].chromaSamplingType"),
    colorSpace: (["bt601", "bt709", "bt2020"] as const)[csc >> 1] ?? "bt601",
    isFullRange: (csc & 1) !== 0,
    referenceFrames: attributes.number("x-nv-video[0].maxNumReferenceFrames", {
      low: 0,
      high: REFERENCE_FRAMES_MAX,
      fallback: 1,
    }),
    slices: attributes.number("x-nv-video[0].videoEncoderSlicesPerFrame", {
      high: SLICES_MAX,
      fallback: 1,
    }),
    minParityPackets: attributes.number("x-nv-vqos[0].fec.minRequiredFecPackets", {
      low: 0,
      high: MIN_PARITY_PACKETS_MAX,
      fallback: 0,
    }),
    isControlV2: (encryption & ENCRYPT_CONTROL) !== 0,
    isVideoEncrypted: (encryption & ENCRYPT_VIDEO) !== 0,
    // The client encrypts by the older bit whatever the newer one says.
    isAudioEncrypted: (encryption & ENCRYPT_AUDIO) !== 0 || (generalFlags & 0x20) !== 0,
    sendsFecStatus: (clientFlags & 1) !== 0,
    hasSessionPings: (clientFlags & 2) !== 0,
    ...audioOf(attributes),
    isVideoTrafficMarked:
      attributes.number("x-nv-vqos[0].qosTrafficType", { low: 0, fallback: 5 }) !== 0,
    isAudioTrafficMarked:
      attributes.number("x-nv-aqos.qosTrafficType", { low: 0, fallback: 4 }) !== 0,
    isIntraRefreshWanted: attributes.flag("x-ss-video[0].intraRefresh"),
  };
}

/**
 * Refuse a client that left off encryption which the host's policy demands. `demanded` has ENCRYPT_* bits.
 * Throws ProtocolError "authentication", which is RTSP status 403.
 */
export function requireEncryption(config: StreamConfig, demanded: number): void {
  const enabled = (config.isControlV2 ? ENCRYPT_CONTROL : 0) |
    (config.isVideoEncrypted ? ENCRYPT_VIDEO : 0) | (config.isAudioEncrypted ? ENCRYPT_AUDIO : 0);
  if ((demanded & ~enabled) !== 0) {
    throw new ProtocolError(
      "authentication",
      `Cannot accept ANNOUNCE: encryption ${enabled} of the demanded ${demanded} is enabled`,
    );
  }
}

function refreshOf(attributes: Attributes): number {
  const frameRate = attributes.number("x-nv-video[0].maxFPS", { high: FRAME_RATE_MAX });
  const exactX100 = attributes.number("x-nv-video[0].clientRefreshRateX100", {
    low: 0,
    fallback: 0,
  });
  // A rate more than one per cent off the nominal one is a client's mistake.
  const isNear = Math.abs(exactX100 - frameRate * 100) <= frameRate;
  return isNear ? exactX100 * 10 : frameRate * 1000;
}

function packetSizeOf(attributes: Attributes): number {
  const sizeBytes = attributes.number("x-nv-video[0].packetSize", {
    low: VIDEO_PACKET_SIZE_BYTES_MIN,
    high: VIDEO_PACKET_SIZE_BYTES_MAX,
  });
  if (sizeBytes % VIDEO_PACKET_SIZE_STEP_BYTES !== 0) {
    throw new ProtocolError(
      "malformed",
      `Cannot parse ANNOUNCE: packet size ${sizeBytes} is no multiple of ${VIDEO_PACKET_SIZE_STEP_BYTES}`,
    );
  }
  return sizeBytes;
}

function bitratesOf(
  attributes: Attributes,
): Pick<StreamConfig, "configuredBitrateKbps" | "maximumBitrateKbps"> {
  const configuredBitrateKbps = attributes.optional("x-ml-video.configuredBitrateKbps", {});
  const maximumBitrateKbps = attributes.optional("x-nv-vqos[0].bw.maximumBitrateKbps", {});
  if (configuredBitrateKbps === undefined && maximumBitrateKbps === undefined) {
    throw new ProtocolError("malformed", "Cannot parse ANNOUNCE: it names no bitrate");
  }
  return { configuredBitrateKbps, maximumBitrateKbps };
}

function audioOf(
  attributes: Attributes,
): Pick<StreamConfig, "audioChannels" | "isAudioQualityHigh" | "audioPacketDurationMs"> {
  const channels = attributes.number("x-nv-audio.surround.numChannels", { fallback: 2 });
  const durationMs = attributes.number("x-nv-aqos.packetDuration", { fallback: 5 });
  if (channels !== 2 && channels !== 6 && channels !== 8) {
    throw new ProtocolError("limit", `Cannot parse ANNOUNCE: ${channels} audio channels`);
  }
  if (durationMs !== 5 && durationMs !== 10) {
    throw new ProtocolError("limit", `Cannot parse ANNOUNCE: audio packets of ${durationMs} ms`);
  }
  return {
    audioChannels: channels,
    isAudioQualityHigh: attributes.flag("x-nv-audio.surround.AudioQuality"),
    audioPacketDurationMs: durationMs,
  };
}

interface Range {
  /** 1 when absent. */
  readonly low?: number;
  /** 2³² − 1 when absent. */
  readonly high?: number;
}

/** The attribute lines by name. Values are checked when they are asked for: nobody's business are the others. */
class Attributes {
  readonly #values = new Map<string, string>();

  constructor(text: string) {
    for (const line of text.split("\n")) {
      const match = /^a=([^:\s]+):(.*)$/.exec(line.trimEnd());
      if (match !== null) this.#values.set(match[1] ?? "", (match[2] ?? "").trim());
    }
  }

  /** The value of `name`, or undefined when it is not there. */
  optional(name: string, range: Range): number | undefined {
    const text = this.#values.get(name);
    if (text === undefined) return undefined;
    if (!/^[0-9]{1,10}$/.test(text)) {
      throw new ProtocolError("malformed", `Cannot parse ANNOUNCE: ${name} is no number`);
    }
    const value = Number(text);
    const { low = 1, high = 0xffff_ffff } = range;
    if (value < low || value > high) {
      throw new ProtocolError(
        "limit",
        `Cannot parse ANNOUNCE: ${name} is ${value}, allowed is ${low} to ${high}`,
      );
    }
    return value;
  }

  /** As `optional`; without `fallback` the attribute is mandatory. */
  number(name: string, options: Range & { readonly fallback?: number }): number {
    const value = this.optional(name, options) ?? options.fallback;
    if (value === undefined) {
      throw new ProtocolError("malformed", `Cannot parse ANNOUNCE: ${name} is missing`);
    }
    return value;
  }

  flag(name: string): boolean {
    return this.number(name, { low: 0, high: 1, fallback: 0 }) === 1;
  }

  /** The choice whose position is the value; the first when it is not there. */
  choice<const T>(name: string, choices: readonly [T, ...T[]]): T {
    const value = this.number(name, { low: 0, high: choices.length - 1, fallback: 0 });
    return choices[value] ?? choices[0];
  }
}

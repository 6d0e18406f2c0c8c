/**
 * What a test asks a host to stream, and how a client says it: the launch query and ANNOUNCE (GameStream specification 2.8,
 * 4.5, 4.6).
 *
 * @module
 */
import type { ClientCodec } from "./access_unit.ts";

export interface StreamSettings {
  readonly appId: number;
  readonly widthPixels: number;
  readonly heightPixels: number;
  readonly fps: number;
  /** 100 × Hz. */
  readonly refreshRateX100: number;
  readonly bitrateKbps: number;
  readonly codec: ClientCodec;
  /** Before the client takes 32 off for encryption. */
  readonly packetSizeBytes: number;
  readonly audioChannels: 2 | 6 | 8;
  readonly isAudioQualityHigh: boolean;
  readonly audioPacketDurationMs: 5 | 10;
  /** What the client wants where the host does not demand it. */
  readonly isVideoEncryptionWanted: boolean;
  readonly isAudioEncryptionWanted: boolean;
  /** `corever`: 1 asks for encrypted RTSP, 0 for plain. */
  readonly corever: 0 | 1;
  readonly slices: number;
  /** 0 says that the decoder copes with invalidated references. */
  readonly referenceFrames: number;
  readonly isHeardOnHost: boolean;
  readonly minParityPackets: number;
  /** (colour space << 1) + full range. */
  readonly cscMode: number;
  readonly isRemote: boolean;
  readonly surroundParams: string | undefined;
  /** Bytes of RTSP written at once. */
  readonly rtspSegmentSizeBytes: number | undefined;
  /** ANNOUNCE attributes to add, change, or take away with undefined. */
  readonly attributes: Readonly<Record<string, string | number | undefined>>;
  /** Ask for an IDR, or invalidate references, after a frame was lost. */
  readonly isRecovering: boolean;
}

export const DEFAULT_SETTINGS: Omit<StreamSettings, "appId"> = {
  widthPixels: 1280,
  heightPixels: 720,
  fps: 60,
  refreshRateX100: 6000,
  bitrateKbps: 10_000,
  codec: "h264",
  packetSizeBytes: 1392,
  audioChannels: 2,
  isAudioQualityHigh: false,
  audioPacketDurationMs: 5,
  isVideoEncryptionWanted: true,
  isAudioEncryptionWanted: true,
  corever: 1,
  slices: 1,
  referenceFrames: 1,
  isHeardOnHost: false,
  minParityPackets: 2,
  cscMode: 2,
  isRemote: false,
  surroundParams: undefined,
  rtspSegmentSizeBytes: undefined,
  attributes: {},
  isRecovering: true,
};

const CODEC_NUMBERS: Readonly<Record<ClientCodec, number>> = { h264: 0, hevc: 1, av1: 2 };
const CHANNEL_MASKS = { 2: 0x3, 6: 0x3f, 8: 0x63f } as const;

/** What DESCRIBE says, searched for as a client does. */
export interface HostOffer {
  readonly featureFlags: number;
  readonly encryptionSupported: number;
  readonly encryptionRequested: number;
  readonly hasReferenceInvalidation: boolean;
  readonly codecs: readonly ClientCodec[];
  /** The decoder's layouts by channel count: [normal, high]. */
  readonly surroundParams: ReadonlyMap<number, readonly string[]>;
}

export function parseOffer(description: string): HostOffer {
  const number = (name: string) =>
    Number(new RegExp(`^a=${name.replaceAll(".", "\\.")}:(\\d+)`, "m").exec(description)?.[1] ?? 0);
  const surroundParams = new Map<number, string[]>();
  for (const match of description.matchAll(/^a=fmtp:97 surround-params=(\d+)/gm)) {
    const params = match[1] ?? "";
    const channels = Number(params[0]);
    surroundParams.set(channels, [...surroundParams.get(channels) ?? [], params]);
  }
  const codecs: ClientCodec[] = ["h264"];
  if (description.includes("sprop-parameter-sets=AAAAAU")) codecs.push("hevc");
  if (description.includes("AV1/90000")) codecs.push("av1");
  return {
    featureFlags: number("x-ss-general.featureFlags"),
    encryptionSupported: number("x-ss-general.encryptionSupported"),
    encryptionRequested: number("x-ss-general.encryptionRequested"),
    hasReferenceInvalidation: description.includes("a=x-nv-video[0].refPicInvalidation:1"),
    codecs,
    surroundParams,
  };
}

/** What was agreed on after DESCRIBE. */
export interface AgreedEncryption {
  readonly isControlV2: boolean;
  readonly isVideoEncrypted: boolean;
  readonly isAudioEncrypted: boolean;
}

export function agreeEncryption(settings: StreamSettings, offer: HostOffer): AgreedEncryption {
  const has = (bit: number, isWanted: boolean) =>
    ((isWanted ? offer.encryptionSupported : 0) | offer.encryptionRequested) & bit;
  return {
    isControlV2: (offer.encryptionSupported & 1) !== 0,
    isVideoEncrypted: has(2, settings.isVideoEncryptionWanted) !== 0,
    isAudioEncrypted: has(4, settings.isAudioEncryptionWanted) !== 0,
  };
}

/** P as announced. */
export function announcedPacketSize(settings: StreamSettings, agreed: AgreedEncryption): number {
  return settings.packetSizeBytes - (agreed.isVideoEncrypted ? 32 : 0);
}

/** The body of ANNOUNCE. */
export function formatAnnounce(
  settings: StreamSettings,
  agreed: AgreedEncryption,
  options: { readonly host: string; readonly videoPort: number },
): string {
  const family = options.host.includes(":") ? "IPv6" : "IPv4";
  const attributes = { ...attributesOf(settings, agreed), ...settings.attributes };
  const lines = Object.entries(attributes).filter(([, value]) => value !== undefined)
    .map(([name, value]) => `a=${name}:${value} `);
  return [
    "v=0",
    `o=android 0 14 IN ${family} ${options.host}`,
    "s=NVIDIA Streaming Client",
    ...lines,
    "t=0 0",
    `m=video ${options.videoPort}  `,
    "",
  ].join("\r\n");
}

function attributesOf(
  settings: StreamSettings,
  agreed: AgreedEncryption,
): Record<string, string | number> {
  const maximumKbps = Math.min(
    Math.floor(settings.bitrateKbps * 0.8) - (settings.isRemote ? 500 : 0),
    100_000,
  );
  const enabled = (agreed.isControlV2 ? 1 : 0) | (agreed.isVideoEncrypted ? 2 : 0) |
    (agreed.isAudioEncrypted ? 4 : 0);
  return {
    "x-ml-general.featureFlags": 3,
    "x-ss-general.encryptionEnabled": enabled,
    "x-ss-video[0].chromaSamplingType": 0,
    "x-nv-video[0].clientViewportWd": settings.widthPixels,
    "x-nv-video[0].clientViewportHt": settings.heightPixels,
    "x-nv-video[0].maxFPS": settings.fps,
    "x-nv-video[0].packetSize": announcedPacketSize(settings, agreed),
    "x-nv-video[0].initialBitrateKbps": maximumKbps,
    "x-nv-video[0].initialPeakBitrateKbps": maximumKbps,
    "x-nv-vqos[0].bw.minimumBitrateKbps": maximumKbps,
    "x-nv-vqos[0].bw.maximumBitrateKbps": maximumKbps,
    "x-ml-video.configuredBitrateKbps": settings.bitrateKbps,
    "x-nv-vqos[0].fec.enable": 1,
    "x-nv-vqos[0].qosTrafficType": settings.isRemote ? 0 : 5,
    "x-nv-aqos.qosTrafficType": settings.isRemote ? 0 : 4,
    "x-nv-general.featureFlags": agreed.isAudioEncrypted ? 167 : 135,
    "x-nv-general.useReliableUdp": 13,
    "x-nv-vqos[0].fec.minRequiredFecPackets": settings.minParityPackets,
    "x-nv-video[0].videoEncoderSlicesPerFrame": settings.slices,
    "x-nv-clientSupportHevc": settings.codec === "hevc" ? 1 : 0,
    "x-nv-vqos[0].bitStreamFormat": CODEC_NUMBERS[settings.codec],
    "x-nv-video[0].dynamicRangeMode": 0,
    "x-nv-video[0].maxNumReferenceFrames": settings.referenceFrames,
    "x-nv-video[0].clientRefreshRateX100": settings.refreshRateX100,
    "x-nv-audio.surround.numChannels": settings.audioChannels,
    "x-nv-audio.surround.channelMask": CHANNEL_MASKS[settings.audioChannels],
    "x-nv-audio.surround.enable": settings.audioChannels > 2 ? 1 : 0,
    "x-nv-audio.surround.AudioQuality": settings.audioChannels > 2 && settings.isAudioQualityHigh
      ? 1
      : 0,
    "x-nv-aqos.packetDuration": settings.audioPacketDurationMs,
    "x-nv-video[0].encoderCscMode": settings.cscMode,
  };
}

/** The query of `/launch`. */
export function launchQuery(
  settings: StreamSettings,
  keys: { readonly rikey: Uint8Array; readonly rikeyId: number },
): Record<string, string> {
  const { widthPixels, heightPixels, fps, audioChannels, surroundParams } = settings;
  return {
    appid: String(settings.appId),
    mode: `${widthPixels}x${heightPixels}x${fps}`,
    additionalStates: "1",
    sops: "0",
    rikey: keys.rikey.toHex(),
    rikeyid: String(keys.rikeyId),
    localAudioPlayMode: settings.isHeardOnHost ? "1" : "0",
    surroundAudioInfo: String(CHANNEL_MASKS[audioChannels] * 0x10000 + audioChannels),
    ...(surroundParams === undefined ? {} : { surroundParams }),
    remoteControllersBitmap: "0",
    gcmap: "0",
    gcpersist: "0",
    corever: String(settings.corever),
  };
}

/**
 * What a client asked for in Hello → what is asked of the session and what Welcome will say (native specification 2.9). Pure.
 *
 *     Hello + host's terms → codec, sound, rate on the wire → ClientRequest → planSession → Welcome
 *
 * @module
 */
import { OperationError } from "../../lib/errors.ts";
import type { VideoCodec } from "../../media/ports.ts";
import {
  CLIENT_CAPS,
  GRANTS,
  hasBits,
  HOST_CAPS,
  HOST_CAPS2,
  VIDEO_CAPS,
} from "../../protocol/punktfunk1/caps.ts";
import { chooseCodec } from "../../protocol/punktfunk1/codec_choice.ts";
import type { Compositor } from "../../protocol/punktfunk1/enums.ts";
import type { FecTerms } from "../../protocol/punktfunk1/fec_plan.ts";
import type { Hello } from "../../protocol/punktfunk1/hello.ts";
import {
  grantedBitrateKbps,
  shardPayloadsOf,
  videoBitrateKbps,
  wireBitrateKbps,
  type WireCosts,
} from "../../protocol/punktfunk1/negotiation.ts";
import { type Welcome, WELCOME_DEFAULTS } from "../../protocol/punktfunk1/welcome.ts";
import type { WelcomeSecrets } from "../../protocol/punktfunk1/welcome_secrets.ts";
import type { SealCipher } from "../../protocol/wire_job.ts";
import type { ClientRequest, HostCapabilities, Plan } from "../../session/plan.ts";
import { chooseSound, type SoundChoice, type SoundTier } from "./sound_ladder.ts";

export interface NativeTerms {
  readonly capabilities: HostCapabilities;
  readonly fec: FecTerms;
  readonly soundTierMax: SoundTier;
  /** Whether a client that asks for ChaCha20-Poly1305 gets it. */
  readonly isChaChaAllowed: boolean;
  /** Whether clients may measure their link before the first frame. */
  readonly isRampAllowed: boolean;
  readonly isIpv6: boolean;
  /** Of the path to clients; undefined is an ordinary one. */
  readonly mtuBytes: number | undefined;
}

/** What both ends agree on, before anything is opened. */
export interface NativeOffer {
  readonly request: ClientRequest;
  readonly codec: VideoCodec;
  readonly cipher: SealCipher;
  /** Probes are answered before the first frame. */
  readonly hasRamp: boolean;
  /** Everything the client gets, as it counts it. */
  readonly wireKbps: number;
  readonly sound: SoundChoice;
  readonly costs: WireCosts;
  /** What packets may grow to once the client agreed. */
  readonly shardPayloadLater: number;
}

/** Throws OperationError "refused" when no codec is shared. */
export function negotiate(hello: Hello, terms: NativeTerms): NativeOffer {
  const codec = requireCodec(hello, terms);
  const askedKbps = grantedBitrateKbps(hello.bitrateKbps);
  const sound = chooseSound({
    channels: hello.audioChannels,
    layout: hello.audioLayout,
    hasRedundancy: hasBits(hello.clientCaps, CLIENT_CAPS.audioRed),
    wireKbps: askedKbps,
    tierMax: terms.soundTierMax,
  });
  const shards = shardPayloadsOf({
    family: terms.isIpv6 ? "ipv6" : "ipv4",
    mtuBytes: terms.mtuBytes,
    clientBytesMax: hello.shardPayloadBytesMax,
  });
  const costs = {
    audioKbps: sound.kbps,
    shardPayloadBytes: shards.first,
    fecPercent: terms.fec.percent,
  };
  const encoderKbps = videoBitrateKbps({ ...costs, wireKbps: askedKbps });
  const cappedKbps = Math.min(encoderKbps, terms.capabilities.bitrateKbpsMax);
  const isChaChaAsked = hasBits(hello.videoCaps, VIDEO_CAPS.chaCha20);
  return {
    codec,
    cipher: isChaChaAsked && terms.isChaChaAllowed ? "chacha20-poly1305" : "aes-128-gcm",
    // Filler that is counted with the video would leave a gap in it.
    hasRamp: terms.isRampAllowed && hasBits(hello.videoCaps, VIDEO_CAPS.probeSequence),
    sound,
    costs,
    shardPayloadLater: shards.later,
    wireKbps: cappedKbps === encoderKbps ? askedKbps : wireBitrateKbps(cappedKbps, costs),
    request: {
      mode: {
        widthPixels: hello.mode.width,
        heightPixels: hello.mode.height,
        refreshMilliHz: hello.mode.refreshHz * 1000,
      },
      codec,
      bitrateKbps: cappedKbps,
      slices: 1,
      referenceFrames: 0,
      colorSpace: "bt709",
      isFullRange: false,
      audio: sound.encoder,
      isHeardOnHost: hasBits(hello.clientCaps, CLIENT_CAPS.keepHostAudio),
    },
  };
}

/** What only the opened session and the sockets know. */
export interface WelcomeFacts {
  readonly plan: Plan;
  readonly udpPort: number;
  readonly secrets: WelcomeSecrets;
  readonly isEncrypted: boolean;
  readonly frameCount: number;
  readonly compositor: Compositor;
  readonly managementPort: number;
  readonly grants: number;
  readonly expiresInSeconds: number;
  readonly can: (ability: "text" | "touch" | "pen") => boolean;
}

export function composeWelcome(
  { codec, sound, wireKbps: bitrateKbps, costs, hasRamp }: NativeOffer,
  { fec }: NativeTerms,
  facts: WelcomeFacts,
): Welcome {
  const { encoder } = facts.plan;
  const caps = HOST_CAPS.gamepadState |
    (facts.can("text") ? HOST_CAPS.textInput : 0) |
    (facts.can("pen") ? HOST_CAPS.pen : 0) |
    (sound.isRedundant ? HOST_CAPS.audioRed : 0);
  const caps2 = HOST_CAPS2.repeatMark | HOST_CAPS2.scroll | HOST_CAPS2.inputEdges |
    (facts.can("touch") ? HOST_CAPS2.touch : 0) |
    (hasRamp ? HOST_CAPS2.ramp : 0);
  return {
    ...WELCOME_DEFAULTS,
    udpPort: facts.udpPort,
    mode: {
      width: encoder.widthPixels,
      height: encoder.heightPixels,
      refreshHz: Math.round(encoder.refreshMilliHz / 1000),
    },
    fecScheme: fec.scheme,
    fecPercent: fec.percent,
    dataShardsMax: fec.blockDataShardsMax,
    shardPayloadBytes: costs.shardPayloadBytes,
    isEncrypted: facts.isEncrypted,
    ...facts.secrets,
    frameCount: facts.frameCount,
    compositor: facts.compositor,
    bitrateKbps,
    audioChannels: sound.encoder.channels,
    codec,
    hostCaps: caps,
    managementPort: facts.managementPort,
    grants: facts.grants,
    expiresInSeconds: facts.expiresInSeconds,
    hostCaps2: caps2,
    audioLayout: sound.layout,
  };
}

/** Whether a launch in Hello is one the device may ask for. */
export function isLaunchPermitted(hello: Hello, grants: number): boolean {
  return hello.launch === undefined || hasBits(grants, GRANTS.launch);
}

function requireCodec(hello: Hello, { capabilities: { codecs } }: NativeTerms): VideoCodec {
  const codec = chooseCodec(hello, codecs);
  // PyroWave is chosen only by hosts that offer it.
  if (codec !== undefined && codec !== "pyrowave") return codec;
  throw new OperationError(
    "refused",
    `Cannot stream: the client decodes none of ${codecs.join(", ")}`,
  );
}

/**
 * What a session is opened with, from what its client asked for and what this host offers. Pure.
 *
 *     Hello × NativeEnvironment → StreamPlan → video of the Session, mode of Welcome
 *
 * @module
 */
import type { DisplayBackendId } from "../../display/ports.ts";
import { plainAddress } from "../../lib/address.ts";
import { OperationError, ProtocolError } from "../../lib/errors.ts";
import type { UdpSocketHandle } from "../../media/wire/kernel.ts";
import type { Compositor, StreamMode } from "../../protocol/punktfunk1/enums.ts";
import { frameBytesMaxOf } from "../../protocol/punktfunk1/fec_plan.ts";
import type { Hello } from "../../protocol/punktfunk1/hello.ts";
import type { SealSecrets } from "../../protocol/punktfunk1/video_seal.ts";
import type { QuicConnection } from "../../quic/ports.ts";
import { type Plan, planSession } from "../../session/plan.ts";
import type { SessionOptions } from "../../session/session.ts";
import type { NativeEnvironment } from "./environment.ts";
import { type NativeOffer, type NativeTerms, negotiate } from "./negotiation.ts";

export interface StreamPlan {
  readonly terms: NativeTerms;
  readonly offer: NativeOffer;
  readonly plan: Plan;
}

/** Throws OperationError "refused" or "invalid" for what the client cannot have. */
export function planStream(
  { hello, connection }: { readonly hello: Hello; readonly connection: QuicConnection },
  environment: NativeEnvironment,
): StreamPlan {
  const { capabilities, fec, soundTierMax, isChaChaAllowed, mtuBytes, rampMsMax } = environment;
  const terms: NativeTerms = {
    capabilities,
    fec,
    soundTierMax,
    isChaChaAllowed,
    isRampAllowed: rampMsMax !== undefined,
    isIpv6: isIpv6Peer(connection),
    mtuBytes,
  };
  const offer = negotiate(hello, terms);
  return { terms, offer, plan: planSession(offer.request, capabilities) };
}

export function isIpv6Peer({ remote }: QuicConnection): boolean {
  return plainAddress(remote.address).includes(":");
}

/** How the session sends its video. */
export function videoOptionsOf(
  { offer, plan }: StreamPlan,
  environment: NativeEnvironment,
  { socket, secrets }: { readonly socket: UdpSocketHandle; readonly secrets: SealSecrets },
): SessionOptions["video"] {
  const { streamClock, test, fec, pacing } = environment;
  const { bitrateKbps, refreshMilliHz } = plan.encoder;
  const frameBytesMax = frameBytesMaxOf(offer.wireKbps, Math.round(refreshMilliHz / 1000));
  const pattern = test?.pattern && {
    ...test.pattern,
    bitrateKbps,
    refreshMilliHz,
    unitBytesMax: frameBytesMax,
  };
  return {
    socket,
    pacing: pacing({ wireKbps: offer.wireKbps }),
    packetiser: {
      plane: "native",
      terms: fec,
      shardPayloadBytes: offer.costs.shardPayloadBytes,
      shardPayloadCeilingBytes: offer.shardPayloadLater,
      frameBytesMax,
      secrets,
      wallOffsetNs: streamClock.wallOffsetNs,
    },
    isHeldBack: offer.hasRamp,
    recoveryMs: test?.recoveryMs ?? 0,
    ...(pattern === undefined ? {} : { pattern }),
    ...(test === undefined || test.frameCount === 0 ? {} : { unitsMax: test.frameCount }),
  };
}

export function modeOf({ encoder }: Plan): StreamMode {
  return {
    width: encoder.widthPixels,
    height: encoder.heightPixels,
    refreshHz: Math.round(encoder.refreshMilliHz / 1000),
  };
}

export function compositorOf(display: DisplayBackendId): Compositor {
  return display === "synthetic" ? "auto" : display;
}

/**
 * What a client may read of an error: which of its wishes or words cannot be. What failed on this machine is for its log,
 * as the product specification has it (6.7).
 */
export function clientReasonOf(error: unknown): string {
  const isAboutClient = error instanceof ProtocolError ||
    (error instanceof OperationError && (error.code === "refused" || error.code === "invalid"));
  return isAboutClient ? error.message : "The host cannot stream; its log says why";
}

/**
 * Puts the native plane together, for `serve` and for `punktfunk1-host`, and says how it is announced.
 *
 *     QUIC stack → listener ┐
 *     stores of trust       ├→ NativePlane
 *     display, sound        ┘
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import type { AudioBackend } from "./audio/ports.ts";
import type { ServiceAdvert } from "./discovery/mdns.ts";
import { instanceNameOf } from "./discovery/mdns.ts";
import type { DisplayBackend } from "./display/ports.ts";
import type { Clock } from "./lib/clock.ts";
import type { Logger } from "./lib/logger.ts";
import type { Pacing } from "./media/wire/kernel.ts";
import type { TestStream } from "./planes/native/environment.ts";
import { NativePlane } from "./planes/native/plane.ts";
import { StreamClock } from "./planes/native/stream_clock.ts";
import { GF256_SHARDS_MAX } from "./protocol/fec/gf256.ts";
import type { FecScheme } from "./protocol/punktfunk1/enums.ts";
import type { FecTerms } from "./protocol/punktfunk1/fec_plan.ts";
import { type DeliveryProfile, pacingOf } from "./protocol/punktfunk1/pacing_profile.ts";
import { openQuicListener } from "./quic/registry.ts";
import type { HostCapabilities } from "./session/plan.ts";
import type { PairingPolicy } from "./trust/admission.ts";
import type { Identity } from "./trust/identity.ts";
import type { NativeTrust } from "./trust/native_trust.ts";

const ALPN = "pkf1";
const FEC_PERCENT_START = 10;
/** Data shards of a block: frames of up to 5.7 MB are one block. */
const BLOCK_DATA_SHARDS_MAX = 4096;
const KEEP_ALIVE_MS_MAX = 4_000;
/** Audio waits in this buffer when the network stalls: its size bounds how stale sound gets. */
const DATAGRAM_SEND_BUFFER_BYTES = 4096;
/** Sessions, parked devices and clients in the queue together, with room for those that only look. */
const CONNECTIONS_MAX = 256;

export interface NativePlaneParts {
  readonly port: number;
  readonly idleTimeoutMs: number;
  readonly policy: PairingPolicy;
  readonly trust: NativeTrust;
  readonly identity: Identity;
  readonly display: DisplayBackend;
  readonly audio: AudioBackend;
  readonly capabilities: HostCapabilities;
  /** Fixed share of parity; undefined adapts it to the loss. */
  readonly fecPercent: number | undefined;
  /** Test loss, 0…90. */
  readonly videoDropPercent: number;
  readonly delivery: DeliveryProfile;
  readonly mtuBytes: number | undefined;
  /** Whether a client that asks for ChaCha20-Poly1305 gets it. */
  readonly isChaChaAllowed: boolean;
  /** How long video may wait for a client that measures its link first; undefined offers no such ramp. */
  readonly rampMsMax: number | undefined;
  readonly fecScheme: FecScheme;
  /** 0 for any. */
  readonly dataPort: number;
  readonly managementPort: () => number;
  readonly sessionsMax: number;
  readonly sessionsTotal: number;
  readonly test: TestStream | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly nextSessionId: () => number;
}

export interface OpenedNativePlane {
  readonly plane: NativePlane;
  /** Which QUIC stack runs and what it means for pairing; one sentence. */
  readonly reason: string;
}

/** Throws OperationError when the port cannot be bound. */
export async function openNativePlane(parts: NativePlaneParts): Promise<OpenedNativePlane> {
  const { trust, identity, policy, clock, logger, idleTimeoutMs } = parts;
  const { listener, reason } = await openQuicListener({
    address: "0.0.0.0",
    port: parts.port,
    alpn: [ALPN],
    identity: { certificatePem: identity.certificatePem, keyPem: identity.keyPem },
    idleTimeoutMs,
    keepAliveMs: Math.min(Math.floor(idleTimeoutMs / 2), KEEP_ALIVE_MS_MAX),
    datagramSendBufferBytes: DATAGRAM_SEND_BUFFER_BYTES,
    connectionsMax: CONNECTIONS_MAX,
  });
  const plane = new NativePlane({
    listener,
    sessionsMax: parts.sessionsMax,
    sessionsTotal: parts.sessionsTotal,
    environment: {
      display: parts.display,
      audio: parts.audio,
      clock,
      logger,
      policy,
      trust,
      interfaces: networkInterfaces,
      identity,
      capabilities: parts.capabilities,
      fec: fecTerms(parts),
      isFecPinned: parts.fecPercent !== undefined,
      videoDropPercent: parts.videoDropPercent,
      soundTierMax: "high",
      isChaChaAllowed: parts.isChaChaAllowed,
      rampMsMax: parts.rampMsMax,
      mtuBytes: parts.mtuBytes,
      pacing: (link): Pacing => pacingOf(parts.delivery, link),
      streamClock: new StreamClock(clock),
      dataPort: parts.dataPort,
      managementPort: parts.managementPort,
      test: parts.test,
      randomBytes: (sizeBytes) => new Uint8Array(randomBytes(sizeBytes)),
      nextSessionId: parts.nextSessionId,
    },
  });
  return { plane, reason };
}

/** What the host's summary says of test loss: a stream that is bad on purpose must not look like a bad network. */
export function testLossLines(videoDropPercent: number): string[] {
  if (videoDropPercent === 0) return [];
  return [`PUNKTFUNK_VIDEO_DROP: ${videoDropPercent} % of all video packets are not sent`];
}

function fecTerms({ fecScheme: scheme, fecPercent }: NativePlaneParts): FecTerms {
  const percent = fecPercent ?? FEC_PERCENT_START;
  // GF(2^8) has no blocks of more than 255 packets, parity included.
  const blockDataShardsMax = scheme === "gf65536"
    ? BLOCK_DATA_SHARDS_MAX
    : Math.floor(GF256_SHARDS_MAX * 100 / (100 + Math.max(percent, 1)));
  return { scheme, percent, blockDataShardsMax };
}

export interface NativeAdvertParts {
  readonly hostName: string;
  readonly port: number;
  readonly fingerprint: string;
  readonly policy: PairingPolicy;
  readonly uniqueId: string;
  /** 0 where no API runs. */
  readonly managementPort: number;
}

/** The service as clients look for it (native specification 1.6). */
export function nativeAdvert(parts: NativeAdvertParts): ServiceAdvert {
  const macs = [...new Set(networkInterfaces().map(({ mac }) => mac).filter(isHardwareAddress))];
  return {
    instanceName: instanceNameOf(parts.hostName),
    type: "punktfunk",
    protocol: "udp",
    port: parts.port,
    txt: {
      proto: "punktfunk/1",
      fp: parts.fingerprint,
      pair: parts.policy === "open" ? "optional" : "required",
      id: parts.uniqueId,
      ...(parts.managementPort === 0 ? {} : { mgmt: String(parts.managementPort) }),
      ...(macs.length === 0 ? {} : { mac: macs.join(",") }),
      os: Deno.build.os,
      wire: "1",
    },
  };
}

function networkInterfaces(): Deno.NetworkInterfaceInfo[] {
  return Deno.networkInterfaces().filter(({ name }) => name !== "lo");
}

function isHardwareAddress(mac: string): boolean {
  return /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(mac) && mac !== "00:00:00:00:00:00";
}

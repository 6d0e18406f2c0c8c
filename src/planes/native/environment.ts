/**
 * What the native plane is opened with, and what its sessions live on.
 *
 * @module
 */
import type { PairingPolicy } from "../../trust/admission.ts";
import type { Identity } from "../../trust/identity.ts";
import type { NativeTrust } from "../../trust/native_trust.ts";
import type { PeerPath } from "../../trust/peer_source.ts";
import type { PatternEncoderSpec } from "../../media/ports.ts";
import type { Pacing } from "../../media/wire/kernel.ts";
import type { FecTerms } from "../../protocol/punktfunk1/fec_plan.ts";
import type { PacedLink } from "../../protocol/punktfunk1/pacing_profile.ts";
import type { HostCapabilities } from "../../session/plan.ts";
import type { SessionEnvironment } from "../../session/session.ts";
import type { SoundTier } from "./sound_ladder.ts";
import type { StreamClock } from "./stream_clock.ts";

/** Who may come in, and who asks. */
export interface NativeAdmission {
  readonly policy: PairingPolicy;
  readonly trust: NativeTrust;
  readonly interfaces: () => PeerPath["interfaces"];
}

/** A test stream in place of a picture's. */
export interface TestStream {
  readonly pattern:
    | Omit<PatternEncoderSpec, "bitrateKbps" | "refreshMilliHz" | "unitBytesMax">
    | undefined;
  /** How long a request for a key frame waits for its answer at least. */
  readonly recoveryMs: number;
  /** 0 has no end. */
  readonly frameCount: number;
  /** Undefined has no end. */
  readonly durationMs: number | undefined;
}

export interface NativeEnvironment extends SessionEnvironment, NativeAdmission {
  readonly identity: Identity;
  readonly capabilities: HostCapabilities;
  readonly fec: FecTerms;
  /** Whether parity stays what `fec` says. */
  readonly isFecPinned: boolean;
  readonly soundTierMax: SoundTier;
  /** Whether a client that asks for ChaCha20-Poly1305 gets it. */
  readonly isChaChaAllowed: boolean;
  /** How long video may wait for a client that measures its link first; undefined offers no such ramp. */
  readonly rampMsMax: number | undefined;
  /** Of the path to clients; undefined is an ordinary one. */
  readonly mtuBytes: number | undefined;
  readonly pacing: (link: PacedLink) => Pacing;
  readonly streamClock: StreamClock;
  /** 0 for any. */
  readonly dataPort: number;
  readonly managementPort: () => number;
  readonly test: TestStream | undefined;
  readonly randomBytes: (sizeBytes: number) => Uint8Array<ArrayBuffer>;
  readonly nextSessionId: () => number;
}

/**
 * What `serve` hands to the host, and what it gets back. Types only: the command line builds them, `host.ts` fills them.
 *
 * @module
 */
import type { Clock } from "./lib/clock.ts";
import type { Logger } from "./lib/logger.ts";
import type { LogReader } from "./log/ring.ts";
import type { DeliveryProfile } from "./protocol/punktfunk1/enums.ts";
import type { PairingPolicy } from "./trust/admission.ts";
import type { Directories } from "./platform/paths.ts";

/** Where pictures come from. "auto" takes a display backend that answers, else the synthetic picture. */
export type SourceChoice = "auto" | "synthetic" | "wlroots";

/** Every setting resolved: flag > environment > host-settings.json > default. */
export interface HostOptions {
  readonly isGamestreamOn: boolean;
  /** HTTP port of the GameStream plane; its other ports lie at fixed distances from it. */
  readonly gamestreamPortBase: number;
  readonly nativePort: number;
  /** UDP port of native video, 0 for any. */
  readonly dataPort: number;
  /** "open" serves devices that nobody paired, and is advertised as such. */
  readonly pairingPolicy: PairingPolicy;
  readonly idleTimeoutMs: number;
  readonly delivery: DeliveryProfile;
  /** MTU of the path to native clients, when it is not an ordinary one. */
  readonly mtuBytes: number | undefined;
  /** Whether native clients that ask for ChaCha20-Poly1305 get it. */
  readonly isChaChaAllowed: boolean;
  readonly managementBind: { readonly address: string; readonly port: number };
  readonly isMdnsOn: boolean;
  readonly source: SourceChoice;
  readonly encoder: "auto" | "software";
  /** Fixed share of parity, or undefined to follow the client. */
  readonly fecPercent: number | undefined;
  /** Test loss: share of video packets that are not sent, 0…90. */
  readonly videoDropPercent: number;
  /** The name clients show; "" takes the machine's. */
  readonly hostName: string;
}

/** The process environment with `host.env` beneath it. */
export interface EnvironmentReader {
  get(name: string): string | undefined;
}

export interface HostEnvironment {
  readonly env: EnvironmentReader;
  readonly directories: Directories;
  readonly logger: Logger;
  readonly ring: LogReader;
  readonly clock: Clock;
}

/** What a person should know once the host runs; printed line by line. */
export interface HostSummary {
  readonly lines: readonly string[];
}

export interface Host {
  readonly summary: HostSummary;
  /** Resolves once the host has ended by itself or by `close`; rejects with the fault that ended it. */
  readonly ended: Promise<void>;
  /** Ends every session and puts back what was changed. Twice is legal. */
  close(): Promise<void>;
}

/** The one export `serve` takes from `host.ts`. Throws OperationError when a primary plane cannot start. */
export type OpenHost = (options: HostOptions, environment: HostEnvironment) => Promise<Host>;

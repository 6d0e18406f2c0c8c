/**
 * The PIN ceremony of both sides, without streams, clocks or stores (native specification 3.2).
 *
 *     client                                          host
 *     PairRequest    name, X [, device key]     ─▶    who is it? admitted? then the one guess is used up
 *     wrong MAC: close 0x01                     ◀─    PairChallenge  Y, host's MAC
 *     PairProof      client's MAC               ─▶    right MAC: store the device
 *     pin the host, close 0x00                  ◀─    PairResult
 *
 *     host's MAC    HMAC-SHA256(key, "punktfunk-pair-host"   ‖ client fingerprint ‖ host fingerprint)
 *     client's MAC  HMAC-SHA256(key, "punktfunk-pair-client" ‖ client fingerprint ‖ host fingerprint)
 *
 * The fingerprints name the two ends of this very connection, so a wrong PIN and somebody in between look the same.
 * `startSpake2` is passed in: its arithmetic is loaded by whoever runs a ceremony, and only then.
 *
 * @module
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { concatBytes, toHex } from "../../lib/bytes.ts";
import { ProtocolError } from "../../lib/errors.ts";
import type { Spake2Run, StartSpake2 } from "../spake2.ts";
import { decodeDeviceKey } from "./device_auth.ts";

/** How long a host waits for each message of the client. */
export const PAIRING_STEP_TIMEOUT_MS = 60_000;
/** How long a host waits for the client's close after PairResult. */
export const PAIRING_CLOSE_WAIT_MS = 5_000;

const FINGERPRINT_SIZE_BYTES = 32;
const CONFIRM_SIZE_BYTES = 32;

export interface PairRequest {
  /** Untrusted text for showing. */
  readonly name: string;
  /** 33 bytes. */
  readonly spakeA: Uint8Array;
  /** 91 bytes; absent for a client that shows a certificate. */
  readonly deviceKey?: Uint8Array | undefined;
}

export interface PairChallenge {
  /** 33 bytes. */
  readonly spakeB: Uint8Array;
  /** 32 bytes. */
  readonly confirm: Uint8Array;
}

export interface PairProof {
  /** 32 bytes. */
  readonly confirm: Uint8Array;
}

/** How a device is known: by the certificate it shows in TLS, or by a key it signs with. */
export type DeviceKind = "certificate" | "device-key";

export interface PairingDevice {
  /** 64 lower-case hexadecimal digits. */
  readonly fingerprint: string;
  readonly kind: DeviceKind;
  /** As sent. */
  readonly name: string;
}

/** A guess that is allowed: `consume` uses it up. */
export interface PairingGuess<Grant> {
  readonly pin: string;
  /** Handed back with the device once the guess was right. */
  readonly grant: Grant;
  consume(): void;
}

export type PairingAdmission<Grant> =
  | { readonly kind: "guess"; readonly guess: PairingGuess<Grant> }
  | { readonly kind: "refused"; readonly reason: "not-armed" | "bound-other" | "rate-limited" };

interface Spake2Parts {
  readonly startSpake2: StartSpake2;
  readonly randomBytes: (sizeBytes: number) => Uint8Array;
}

export interface HostPairingOptions<Grant> extends Spake2Parts {
  /** SHA-256 of the certificate this host shows on this connection, 32 bytes. */
  readonly hostFingerprint: Uint8Array;
  /** SHA-256 of the certificate the client proved in TLS, 32 bytes; undefined when it showed none. */
  readonly certificateFingerprint: Uint8Array | undefined;
  /** Asked once, as soon as it is known who asks. */
  readonly admit: (fingerprint: string) => PairingAdmission<Grant>;
}

export type HostPairingAnswer =
  | { readonly kind: "challenge"; readonly challenge: PairChallenge }
  | {
    readonly kind: "refused";
    readonly reason: "identity-required" | "not-armed" | "bound-other" | "rate-limited";
  };

export type HostPairingOutcome<Grant> =
  | { readonly kind: "paired"; readonly device: PairingDevice; readonly grant: Grant }
  | { readonly kind: "wrong-pin" };

/** The host's side of one ceremony: one request, then one proof. */
export class HostPairing<Grant> {
  readonly #options: HostPairingOptions<Grant>;
  #state:
    | { readonly name: "new" | "ended" }
    | {
      readonly name: "challenged";
      readonly device: PairingDevice;
      readonly expected: Uint8Array;
      readonly grant: Grant;
    } = { name: "new" };

  constructor(options: HostPairingOptions<Grant>) {
    requireFingerprint(options.hostFingerprint);
    if (options.certificateFingerprint !== undefined) {
      requireFingerprint(options.certificateFingerprint);
    }
    this.#options = options;
  }

  /**
   * Answer the client's first message. A challenge has used up the guess; a refusal, and a request that throws
   * ProtocolError, have not.
   */
  receiveRequest(request: PairRequest): HostPairingAnswer {
    if (this.#state.name !== "new") throw outOfOrder();
    this.#state = { name: "ended" };
    const { certificateFingerprint: proved, hostFingerprint } = this.#options;
    // A certificate was proved by the connection already, so it counts before a key that was only sent.
    const clientFingerprint = proved ??
      (request.deviceKey === undefined
        ? undefined
        : decodeDeviceKey(request.deviceKey).fingerprint);
    if (clientFingerprint === undefined) return { kind: "refused", reason: "identity-required" };
    const fingerprint = toHex(clientFingerprint);
    const admission = this.#options.admit(fingerprint);
    if (admission.kind === "refused") return admission;
    const { guess } = admission;
    const names = { clientFingerprint, hostFingerprint };
    const run = start("B", { ...this.#options, pin: guess.pin, ...names });
    const key = run.finish(request.spakeA);
    guess.consume();
    this.#state = {
      name: "challenged",
      device: {
        fingerprint,
        kind: proved === undefined ? "device-key" : "certificate",
        name: request.name,
      },
      expected: confirm("client", key, names),
      grant: guess.grant,
    };
    return {
      kind: "challenge",
      challenge: { spakeB: run.message, confirm: confirm("host", key, names) },
    };
  }

  /** Judge the client's second message. The PairResult to send says yes only once the device is stored. */
  receiveProof(proof: PairProof): HostPairingOutcome<Grant> {
    const state = this.#state;
    if (state.name !== "challenged") throw outOfOrder();
    this.#state = { name: "ended" };
    if (!isConfirm(proof.confirm, state.expected)) return { kind: "wrong-pin" };
    return { kind: "paired", device: state.device, grant: state.grant };
  }
}

export interface ClientPairingOptions extends Spake2Parts {
  readonly pin: string;
  readonly name: string;
  /** SHA-256 of the certificate the host showed on this connection, 32 bytes. */
  readonly hostFingerprint: Uint8Array;
  /** SHA-256 of the certificate this client shows, or the device key it sends instead. */
  readonly identity:
    | { readonly certificateFingerprint: Uint8Array }
    | { readonly deviceKey: Uint8Array };
}

export type ClientPairingAnswer =
  | { readonly kind: "proof"; readonly proof: PairProof }
  /** Close with 0x01. */
  | { readonly kind: "wrong-pin" };

/** The client's side of one ceremony. */
export class ClientPairing {
  readonly #run: Spake2Run;
  readonly #names: Names;
  /** The first message. */
  readonly request: PairRequest;

  constructor(options: ClientPairingOptions) {
    const { identity, name, hostFingerprint } = options;
    const deviceKey = "deviceKey" in identity ? identity.deviceKey : undefined;
    const clientFingerprint = "deviceKey" in identity
      ? decodeDeviceKey(identity.deviceKey).fingerprint
      : identity.certificateFingerprint;
    requireFingerprint(clientFingerprint);
    requireFingerprint(hostFingerprint);
    this.#names = { clientFingerprint, hostFingerprint };
    this.#run = start("A", { ...options, ...this.#names });
    this.request = {
      name,
      spakeA: this.#run.message,
      ...(deviceKey === undefined ? {} : { deviceKey }),
    };
  }

  /** Throws ProtocolError when the host's share is none. */
  receiveChallenge(challenge: PairChallenge): ClientPairingAnswer {
    const key = this.#run.finish(challenge.spakeB);
    if (!isConfirm(challenge.confirm, confirm("host", key, this.#names))) {
      return { kind: "wrong-pin" };
    }
    return { kind: "proof", proof: { confirm: confirm("client", key, this.#names) } };
  }
}

interface Names {
  readonly clientFingerprint: Uint8Array;
  readonly hostFingerprint: Uint8Array;
}

function start(
  side: "A" | "B",
  parts: Spake2Parts & Names & { readonly pin: string },
): Spake2Run {
  return parts.startSpake2(side, {
    password: new TextEncoder().encode(parts.pin),
    idA: parts.clientFingerprint,
    idB: parts.hostFingerprint,
    randomBytes: parts.randomBytes,
  });
}

function confirm(
  side: "client" | "host",
  key: Uint8Array,
  { clientFingerprint, hostFingerprint }: Names,
): Uint8Array<ArrayBuffer> {
  const label = new TextEncoder().encode(`punktfunk-pair-${side}`);
  const text = concatBytes(label, clientFingerprint, hostFingerprint);
  return new Uint8Array(createHmac("sha256", key).update(text).digest());
}

function isConfirm(received: Uint8Array, expected: Uint8Array): boolean {
  return received.byteLength === CONFIRM_SIZE_BYTES && timingSafeEqual(received, expected);
}

function requireFingerprint(bytes: Uint8Array): void {
  if (bytes.byteLength !== FINGERPRINT_SIZE_BYTES) {
    throw new RangeError(`Cannot pair: a fingerprint has ${FINGERPRINT_SIZE_BYTES} bytes`);
  }
}

function outOfOrder(): ProtocolError {
  return new ProtocolError("out-of-order", "Cannot pair: this message has no turn");
}

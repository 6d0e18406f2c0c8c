/**
 * Runs pairings (GameStream specification 3.5; product specification 3.6).
 *
 *     none ──phase 1──▶ pin ──operator's PIN──▶ challenge ──phase 2──▶ hash ──phase 3──▶ secret ──phase 4──▶ none
 *                       5 min                   10 s                   10 s              10 s
 *
 * A handshake is known by (address, uniqueid): several apps share one uniqueid. Whatever comes out of order, malformed
 * or late ends it. A PIN belongs to the one handshake it was entered for and is used up by phase 2, so that a stranger
 * has a single guess for each PIN a person types.
 *
 * @module
 */
import type { KeyObject } from "node:crypto";
import { toHex } from "../../lib/bytes.ts";
import type { Clock, Timer } from "../../lib/clock.ts";
import { describeError, OperationError, ProtocolError } from "../../lib/errors.ts";
import type { Logger } from "../../lib/logger.ts";
import type { XmlElement } from "../../protocol/gamestream/nvhttp_xml.ts";
import {
  answerClientChallenge,
  derivePairingKey,
  isPairingPin,
  openClientHash,
  PAIRING_SECRET_SIZE_BYTES,
  type PairingClient,
  type PairRequest,
  parsePairRequest,
  signServerSecret,
  verifyClientSecret,
} from "../../protocol/gamestream/pairing.ts";
import { isClientLabel } from "../../trust/gamestream_clients.ts";
import { fingerprintOf } from "../../trust/identity.ts";
import { AttemptLimit } from "./attempt_limit.ts";
import { CERTIFICATE_VERSION_PROVED } from "./key_possession.ts";

export const PIN_WAIT_MS = 5 * 60_000;
export const PHASE_WAIT_MS = 10_000;
export const HANDSHAKES_MAX = 32;
export const HANDSHAKES_PER_ADDRESS_MAX = 4;
export const ATTEMPTS_PER_MINUTE_MAX = 10;
export const UNIQUE_ID_CHARACTERS_MAX = 64;
const ADDRESSES_REMEMBERED_MAX = 4096;

export interface PairingOrigin {
  /** Address of the connection, IPv4-mapped ones as plain IPv4. */
  readonly peerIp: string;
  /** As sent; never an identity. */
  readonly uniqueId: string;
  /** For showing: fit for {@link isClientLabel}, or "". */
  readonly deviceName: string;
}

export type PairAnswer =
  | { readonly kind: "answered"; readonly elements: readonly XmlElement[] }
  | { readonly kind: "refused"; readonly statusCode: number; readonly message: string };

/** A handshake that waits for its PIN. */
export interface PendingPairing {
  readonly uniqueId: string;
  /** SHA-256 of the client certificate's DER, lower-case hexadecimal. */
  readonly fingerprint: string;
  readonly peerIp: string;
  readonly deviceName: string;
}

export interface PinEntry {
  readonly pin: string;
  /** These three say which handshake is meant; none is needed while only one waits. */
  readonly uniqueId?: string;
  readonly fingerprint?: string;
  readonly peerIp?: string;
  /** Name for the client; the device's own when absent. */
  readonly label?: string;
}

export interface PairingDeskOptions {
  readonly identity: {
    readonly certificatePem: string;
    readonly certificateSignature: Uint8Array;
    readonly key: KeyObject;
  };
  readonly clients: {
    add(certificateDer: Uint8Array, label: string | undefined): Promise<unknown>;
  };
  readonly clock: Clock;
  readonly logger: Logger;
  /** The list of pending pairings or of paired clients changed. */
  readonly onChange?: () => void;
  readonly randomBytes?: (sizeBytes: number) => Uint8Array;
}

type Stage =
  | { readonly waitsFor: "pin"; readonly answer: (answer: PairAnswer) => void }
  | { readonly waitsFor: "challenge"; readonly key: Uint8Array }
  | {
    readonly waitsFor: "hash";
    readonly key: Uint8Array;
    readonly serverSecret: Uint8Array;
    readonly serverChallenge: Uint8Array;
  }
  | {
    readonly waitsFor: "secret";
    readonly clientHash: Uint8Array;
    readonly serverChallenge: Uint8Array;
  };

interface Handshake {
  readonly name: string;
  readonly origin: PairingOrigin;
  readonly client: PairingClient;
  readonly fingerprint: string;
  readonly salt: Uint8Array;
  label: string | undefined;
  stage: Stage;
  timer: Timer;
}

export class PairingDesk {
  readonly #options: PairingDeskOptions;
  readonly #attempts: AttemptLimit;
  readonly #handshakes = new Map<string, Handshake>();

  constructor(options: PairingDeskOptions) {
    this.#options = options;
    this.#attempts = new AttemptLimit(options.clock, {
      attemptsMax: ATTEMPTS_PER_MINUTE_MAX,
      windowMs: 60_000,
      addressesMax: ADDRESSES_REMEMBERED_MAX,
    });
  }

  /** Answer `/pair` over plain HTTP. Phase 1 resolves when the PIN was entered or the handshake ended. */
  handle(origin: PairingOrigin, query: URLSearchParams): Promise<PairAnswer> {
    const handshake = this.#handshakes.get(nameOf(origin));
    let request: PairRequest;
    try {
      if (origin.uniqueId.length > UNIQUE_ID_CHARACTERS_MAX) {
        throw new ProtocolError("limit", "Cannot pair: parameter uniqueid is too long");
      }
      request = parsePairRequest(query);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return Promise.resolve(this.#fail(handshake, error.message));
    }
    if (request.phase === 1) return this.#begin(origin, request);
    return this.#advance(handshake, request);
  }

  /** `/unpair`: the client gives up. Stored clients stay. */
  abandon(origin: PairingOrigin): void {
    const handshake = this.#handshakes.get(nameOf(origin));
    if (handshake !== undefined) this.#end(handshake, refuse(410, "The client gave up"));
  }

  pending(): PendingPairing[] {
    return [...this.#handshakes.values()]
      .filter(({ stage }) => stage.waitsFor === "pin")
      .map(({ origin, fingerprint }) => ({ ...origin, fingerprint }));
  }

  /**
   * Hand a PIN to the one handshake that `entry` means. Throws OperationError: "invalid" for a PIN or label of the wrong
   * form, "refused" when no handshake waits or several do.
   */
  submitPin(entry: PinEntry): void {
    if (!isPairingPin(entry.pin)) {
      throw new OperationError("invalid", "Cannot pair: a PIN has 4 digits", {
        remedy: "Type the PIN as the client shows it",
      });
    }
    if (entry.label !== undefined && !isClientLabel(entry.label)) {
      throw new OperationError("invalid", "Cannot pair: the client's name is blank or too long");
    }
    const handshake = this.#find(entry);
    if (handshake.stage.waitsFor !== "pin") return;
    const { answer } = handshake.stage;
    handshake.label = entry.label ?? (handshake.origin.deviceName || undefined);
    this.#move(handshake, {
      waitsFor: "challenge",
      key: derivePairingKey(handshake.salt, entry.pin),
    });
    const pem = new TextEncoder().encode(this.#options.identity.certificatePem);
    answer(paired([["plaincert", toHex(pem)]]));
    this.#options.onChange?.();
  }

  /** End every handshake; those that wait are answered. */
  close(): void {
    for (const handshake of [...this.#handshakes.values()]) {
      this.#end(handshake, refuse(503, "The host is shutting down"));
    }
  }

  #begin(origin: PairingOrigin, request: PairRequest & { phase: 1 }): Promise<PairAnswer> {
    const name = nameOf(origin);
    const older = this.#handshakes.get(name);
    if (older !== undefined) this.#end(older, refuse(409, "A newer pairing replaced this one"));
    const refusal = this.#refusalOf(origin, request.client);
    if (refusal !== undefined) return Promise.resolve(refusal);
    const { promise, resolve } = Promise.withResolvers<PairAnswer>();
    const handshake: Handshake = {
      name,
      origin,
      client: request.client,
      fingerprint: fingerprintOf(request.client.certificateDer),
      salt: request.salt,
      label: undefined,
      stage: { waitsFor: "pin", answer: resolve },
      timer: this.#options.clock.after(PIN_WAIT_MS, () => this.#expire(handshake)),
    };
    this.#handshakes.set(name, handshake);
    this.#options.logger.info("pairing.waiting", {
      peerIp: origin.peerIp,
      fingerprint: handshake.fingerprint,
    });
    this.#options.onChange?.();
    return promise;
  }

  #refusalOf(origin: PairingOrigin, client: PairingClient): PairAnswer | undefined {
    if (client.certificate.version !== CERTIFICATE_VERSION_PROVED) {
      return refuse(400, "The client's certificate is not X.509 version 3");
    }
    const all = [...this.#handshakes.values()];
    const ofAddress = all.filter((other) => other.origin.peerIp === origin.peerIp);
    if (all.length >= HANDSHAKES_MAX || ofAddress.length >= HANDSHAKES_PER_ADDRESS_MAX) {
      return refuse(503, "Too many pairings are waiting");
    }
    if (!this.#attempts.tryTake(origin.peerIp)) {
      return refuse(429, "Too many pairing attempts, wait a minute");
    }
    return undefined;
  }

  async #advance(handshake: Handshake | undefined, request: PairRequest): Promise<PairAnswer> {
    const stage = handshake?.stage;
    if (handshake !== undefined && stage !== undefined) {
      if (request.phase === 2 && stage.waitsFor === "challenge") {
        return this.#answerChallenge(handshake, { ...stage, ...request });
      }
      if (request.phase === 3 && stage.waitsFor === "hash") {
        this.#move(handshake, {
          waitsFor: "secret",
          clientHash: openClientHash(stage.key, request.serverChallengeResponse),
          serverChallenge: stage.serverChallenge,
        });
        const secret = signServerSecret(this.#options.identity.key, stage.serverSecret);
        return paired([["pairingsecret", toHex(secret)]]);
      }
      if (request.phase === 4 && stage.waitsFor === "secret") {
        return await this.#finish(handshake, { ...stage, ...request });
      }
    }
    return this.#fail(handshake, `Phase ${request.phase} is out of order`);
  }

  #answerChallenge(handshake: Handshake, parts: {
    readonly key: Uint8Array;
    readonly clientChallenge: Uint8Array;
  }): PairAnswer {
    const random = this.#options.randomBytes ?? randomBytes;
    const serverSecret = random(PAIRING_SECRET_SIZE_BYTES);
    const serverChallenge = random(PAIRING_SECRET_SIZE_BYTES);
    const response = answerClientChallenge(parts.key, {
      clientChallenge: parts.clientChallenge,
      hostSignature: this.#options.identity.certificateSignature,
      serverSecret,
      serverChallenge,
    });
    this.#move(handshake, { waitsFor: "hash", key: parts.key, serverSecret, serverChallenge });
    return paired([["challengeresponse", toHex(response)]]);
  }

  async #finish(handshake: Handshake, parts: {
    readonly clientHash: Uint8Array;
    readonly serverChallenge: Uint8Array;
    readonly clientPairingSecret: Uint8Array;
  }): Promise<PairAnswer> {
    if (!verifyClientSecret(handshake.client, parts)) {
      this.#end(handshake, refuse(400, "The PIN was wrong"));
      return { kind: "answered", elements: [["paired", "0"]] };
    }
    this.#forget(handshake);
    const fields = { peerIp: handshake.origin.peerIp, fingerprint: handshake.fingerprint };
    try {
      await this.#options.clients.add(handshake.client.certificateDer, handshake.label);
    } catch (error) {
      // A pairing that is not on disk is none: the client must not believe otherwise.
      this.#options.logger.error("pairing.unsaved", { ...fields, reason: describeError(error) });
      return refuse(500, "The host cannot store the pairing");
    }
    this.#options.logger.info("pairing.done", fields);
    this.#options.onChange?.();
    return paired([]);
  }

  #find(entry: PinEntry): Handshake {
    const fingerprint = entry.fingerprint?.toLowerCase();
    const waiting = [...this.#handshakes.values()].filter(({ stage }) => stage.waitsFor === "pin");
    const meant = waiting.filter((handshake) =>
      (entry.uniqueId === undefined || entry.uniqueId === handshake.origin.uniqueId) &&
      (entry.peerIp === undefined || entry.peerIp === handshake.origin.peerIp) &&
      (fingerprint === undefined || fingerprint === handshake.fingerprint)
    );
    const [first] = meant;
    if (first === undefined) {
      const who = waiting.length === 0 ? "no client" : "no such client";
      throw new OperationError("refused", `Cannot pair: ${who} waits for a PIN`, {
        remedy: "Start pairing on the client, then enter the PIN it shows",
      });
    }
    if (meant.length > 1) {
      throw new OperationError("refused", `Cannot pair: ${meant.length} clients wait for a PIN`, {
        remedy: "Say which one by its unique id, fingerprint and address",
      });
    }
    return first;
  }

  #move(handshake: Handshake, stage: Stage): void {
    handshake.timer.cancel();
    handshake.stage = stage;
    handshake.timer = this.#options.clock.after(PHASE_WAIT_MS, () => this.#expire(handshake));
  }

  #expire(handshake: Handshake): void {
    this.#end(handshake, refuse(408, "The PIN was not entered in time"));
  }

  #fail(handshake: Handshake | undefined, message: string): PairAnswer {
    const answer = refuse(400, message);
    if (handshake !== undefined) this.#end(handshake, answer);
    return answer;
  }

  /** End a handshake without success. `answer` goes to the request that is held open, if one is. */
  #end(handshake: Handshake, answer: PairAnswer): void {
    const { stage } = handshake;
    this.#forget(handshake);
    if (stage.waitsFor === "pin") stage.answer(answer);
    if (stage.waitsFor === "secret") this.#warn(handshake);
    this.#options.onChange?.();
  }

  #forget(handshake: Handshake): void {
    handshake.timer.cancel();
    this.#handshakes.delete(handshake.name);
  }

  /**
   * After phase 3 the PIN can be found by trying all of them. Somebody between host and client gains from that towards
   * the client, and all the host sees is a pairing that does not end well (GameStream specification 3.7).
   */
  #warn(handshake: Handshake): void {
    this.#options.logger.warn("pairing.unfinished", {
      peerIp: handshake.origin.peerIp,
      fingerprint: handshake.fingerprint,
      advice: "The PIN was mistyped, or somebody stood between host and client: " +
        "check the list of hosts on the client",
    });
  }
}

function nameOf(origin: PairingOrigin): string {
  return `${origin.peerIp} ${origin.uniqueId}`;
}

function paired(elements: readonly XmlElement[]): PairAnswer {
  return { kind: "answered", elements: [["paired", "1"], ...elements] };
}

function refuse(statusCode: number, message: string): PairAnswer {
  return { kind: "refused", statusCode, message };
}

function randomBytes(sizeBytes: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(sizeBytes));
}

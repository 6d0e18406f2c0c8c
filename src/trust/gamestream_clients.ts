/**
 * Paired GameStream clients (product specification 2.2, 3.6): `paired.json`, an array of certificates as arrays of byte
 * values, and beside it `client-labels.json`, an object of fingerprint to the name a person gave.
 *
 * A client is known by its certificate, compared whole.
 *
 * @module
 */
import { X509Certificate } from "node:crypto";
import { OperationError } from "../lib/errors.ts";
import { decodeCertificate } from "../protocol/x509_certificate.ts";
import { JsonStore } from "../store/json_store.ts";
import type { writeFileAtomic } from "../store/file.ts";
import { fingerprintOf } from "./identity.ts";

export const CLIENT_LABEL_CHARACTERS_MAX = 64;
/** More than any household; keeps a flood of pairings out of memory and disk. */
export const PAIRED_CLIENTS_MAX = 1024;

export interface GameStreamClient {
  /** SHA-256 of the certificate's DER, lower-case hexadecimal. */
  readonly fingerprint: string;
  readonly label: string | undefined;
  /** Of the certificate, where it can be read; for showing only. */
  readonly subject: string | undefined;
  readonly notBeforeUnix: number | undefined;
  readonly notAfterUnix: number | undefined;
}

type Labels = ReadonlyMap<string, string>;

interface Pairing {
  readonly certificateDer: Uint8Array<ArrayBuffer>;
  readonly client: Omit<GameStreamClient, "label">;
}

type Pairings = ReadonlyMap<string, Pairing>;

export class GameStreamClients {
  readonly #pairings: JsonStore<Pairings>;
  readonly #labels: JsonStore<Labels>;

  private constructor(pairings: JsonStore<Pairings>, labels: JsonStore<Labels>) {
    this.#pairings = pairings;
    this.#labels = labels;
  }

  /** Read both files in `directory`. Damaged ones are set aside and named in `notices`. */
  static async open(directory: string, options: {
    readonly nowMs: () => number;
    readonly write?: typeof writeFileAtomic;
  }): Promise<GameStreamClients> {
    const pairings = await JsonStore.open<Pairings>(`${directory}/paired.json`, {
      ...options,
      parse: parsePairings,
      serialise: (value) => [...value.values()].map(({ certificateDer }) => [...certificateDer]),
      empty: new Map(),
    });
    const labels = await JsonStore.open<Labels>(`${directory}/client-labels.json`, {
      ...options,
      parse: parseLabels,
      serialise: (value) => Object.fromEntries(value),
      empty: new Map(),
    });
    return new GameStreamClients(pairings, labels);
  }

  get notices(): string[] {
    return [this.#pairings.notice, this.#labels.notice].filter((notice) => notice !== undefined);
  }

  get size(): number {
    return this.#pairings.value.size;
  }

  /** The client that holds exactly this certificate. */
  find(certificateDer: Uint8Array): GameStreamClient | undefined {
    return this.get(fingerprintOf(certificateDer));
  }

  /** By fingerprint, either case. */
  get(fingerprint: string): GameStreamClient | undefined {
    const pairing = this.#pairings.value.get(fingerprint.toLowerCase());
    if (pairing === undefined) return undefined;
    return { ...pairing.client, label: this.#labels.value.get(pairing.client.fingerprint) };
  }

  list(): GameStreamClient[] {
    return [...this.#pairings.value.keys()].flatMap((key) => this.get(key) ?? []);
  }

  /** Store a client, or replace its label when it is known. Throws OperationError "storage", storing nothing. */
  async add(certificateDer: Uint8Array, label: string | undefined): Promise<GameStreamClient> {
    const pairing = readPairing(Uint8Array.from(certificateDer));
    const { fingerprint } = pairing.client;
    // A label without its client is harmless, a client without its label is not what was asked for.
    await this.#setLabel(fingerprint, label);
    await this.#pairings.update((pairings) => {
      if (!pairings.has(fingerprint) && pairings.size >= PAIRED_CLIENTS_MAX) {
        throw new OperationError(
          "refused",
          `Cannot pair: ${PAIRED_CLIENTS_MAX} clients are paired`,
          {
            remedy: "Unpair clients that are no longer used",
          },
        );
      }
      return new Map(pairings).set(fingerprint, pairing);
    });
    return { ...pairing.client, label };
  }

  /** Undefined clears the label. Throws OperationError "not-found", "invalid" or "storage". */
  async rename(fingerprint: string, label: string | undefined): Promise<GameStreamClient> {
    const client = this.#require(fingerprint);
    await this.#setLabel(client.fingerprint, label);
    return { ...client, label };
  }

  /** Throws OperationError "not-found" or "storage". */
  async remove(fingerprint: string): Promise<void> {
    const client = this.#require(fingerprint);
    await this.#pairings.update((pairings) =>
      new Map([...pairings].filter(([key]) => key !== client.fingerprint))
    );
    await this.#setLabel(client.fingerprint, undefined);
  }

  /** How many there were. Throws OperationError "storage". */
  async removeAll(): Promise<number> {
    let count = 0;
    await this.#pairings.update((pairings) => {
      count = pairings.size;
      return new Map();
    });
    await this.#labels.update(() => new Map());
    return count;
  }

  #require(fingerprint: string): GameStreamClient {
    const client = this.get(fingerprint);
    if (client !== undefined) return client;
    throw new OperationError("not-found", "Cannot find client: no such fingerprint is paired");
  }

  async #setLabel(fingerprint: string, label: string | undefined): Promise<void> {
    if (label !== undefined && !isClientLabel(label)) {
      throw new OperationError(
        "invalid",
        `Cannot name client: a name has 1 to ${CLIENT_LABEL_CHARACTERS_MAX} characters on one line`,
      );
    }
    if (this.#labels.value.get(fingerprint) === label) return;
    await this.#labels.update((labels) => {
      const changed = new Map(labels);
      if (label === undefined) changed.delete(fingerprint);
      else changed.set(fingerprint, label);
      return changed;
    });
  }
}

/** True for a name that can be kept: not blank, one line, no control characters. */
export function isClientLabel(text: string): boolean {
  return text.trim() !== "" && [...text].length <= CLIENT_LABEL_CHARACTERS_MAX &&
    text.isWellFormed() && !/\p{Cc}/u.test(text);
}

function readPairing(certificateDer: Uint8Array<ArrayBuffer>): Pairing {
  decodeCertificate(certificateDer);
  return {
    certificateDer,
    client: { fingerprint: fingerprintOf(certificateDer), ...describeCertificate(certificateDer) },
  };
}

/** For showing only, so a certificate that the library cannot read shows nothing. */
function describeCertificate(certificateDer: Uint8Array) {
  try {
    const certificate = new X509Certificate(certificateDer);
    return {
      subject: certificate.subject,
      notBeforeUnix: unixSeconds(certificate.validFrom),
      notAfterUnix: unixSeconds(certificate.validTo),
    };
  } catch {
    return { subject: undefined, notBeforeUnix: undefined, notAfterUnix: undefined };
  }
}

function unixSeconds(text: string): number | undefined {
  const milliseconds = Date.parse(text);
  return Number.isNaN(milliseconds) ? undefined : Math.floor(milliseconds / 1000);
}

function parsePairings(json: unknown): Pairings {
  if (!Array.isArray(json) || json.length > PAIRED_CLIENTS_MAX) throw new TypeError("not a list");
  const pairings = json.map((item) => {
    if (!Array.isArray(item) || !item.every(isByte)) throw new TypeError("not bytes");
    return readPairing(Uint8Array.from(item));
  });
  return new Map(pairings.map((pairing) => [pairing.client.fingerprint, pairing]));
}

function isByte(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 255;
}

function parseLabels(json: unknown): Labels {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new TypeError("not an object");
  }
  return new Map(
    Object.entries(json).map(([fingerprint, label]) => {
      if (typeof label !== "string") throw new TypeError("not a label");
      return [fingerprint.toLowerCase(), label];
    }),
  );
}

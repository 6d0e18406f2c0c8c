/**
 * Who the probe is, and which hosts it knows.
 *
 *     probe-cert.pem, probe-key.pem   self-signed, CN=punktfunk-client, P-256; made once
 *     probe-hosts.json                {"127.0.0.1:9777": "<fingerprint>"}, written when a host was first seen or paired
 *
 * The same key serves as device key where TLS cannot show the certificate: what it signs there begins with words that no
 * TLS signature begins with. The host knows the two as two devices.
 *
 * @module
 */
import { createHash, createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { z } from "zod";
import { parseHex, toHex } from "../lib/bytes.ts";
import { OperationError } from "../lib/errors.ts";
import { encodeDeviceKey } from "../protocol/punktfunk1/device_auth.ts";
import type { QuicIdentity } from "../quic/ports.ts";
import { readFileIfPresent, storageError, writeFileAtomic } from "../store/file.ts";
import { JsonStore } from "../store/json_store.ts";
import type { HostAddress } from "./dial.ts";

const COMMON_NAME = "punktfunk-client";
const DIRECTORY_MODE = 0o700;
const HOSTS_MAX = 1_000;

const hostsSchema = z.record(z.string(), z.string().regex(/^[0-9a-f]{64}$/));

export interface ProbeIdentity extends QuicIdentity {
  /** SHA-256 of the certificate's DER. */
  readonly fingerprint: Uint8Array;
  readonly key: KeyObject;
  /** The public key as a device key, 91 bytes. */
  readonly deviceKey: Uint8Array<ArrayBuffer>;
}

/** Read the identity in `directory`, or mint it. Throws OperationError "storage" for files that are none. */
export async function openProbeIdentity(directory: string): Promise<ProbeIdentity> {
  try {
    // Somebody's own directory keeps its mode; the secrets in it have theirs.
    await Deno.mkdir(directory, { recursive: true, mode: DIRECTORY_MODE });
  } catch (cause) {
    throw storageError("use directory", directory, cause);
  }
  const certificatePath = `${directory}/probe-cert.pem`;
  const keyPath = `${directory}/probe-key.pem`;
  const [certificate, key] = await Promise.all([certificatePath, keyPath].map(readFileIfPresent));
  if (certificate === undefined || key === undefined) {
    const { mintCertificate } = await import("../trust/mint.ts");
    const minted = await mintCertificate("p-256", { commonName: COMMON_NAME, subjectNames: [] });
    await writeFileAtomic(keyPath, new TextEncoder().encode(minted.keyPem));
    await writeFileAtomic(certificatePath, new TextEncoder().encode(minted.certificatePem));
    return readIdentity(minted);
  }
  const decoder = new TextDecoder();
  try {
    return readIdentity({
      certificatePem: decoder.decode(certificate),
      keyPem: decoder.decode(key),
    });
  } catch (cause) {
    throw new OperationError(
      "storage",
      `Cannot use the probe's identity: ${certificatePath} and ${keyPath} are no pair`,
      { remedy: "Remove both, and a new identity is made", cause },
    );
  }
}

function readIdentity(pems: QuicIdentity): ProbeIdentity {
  const certificate = new X509Certificate(pems.certificatePem);
  const key = createPrivateKey(pems.keyPem);
  if (!certificate.checkPrivateKey(key)) throw new TypeError("key of another certificate");
  return {
    ...pems,
    fingerprint: new Uint8Array(createHash("sha256").update(certificate.raw).digest()),
    key,
    deviceKey: encodeDeviceKey(key),
  };
}

/** Fingerprints of hosts by where they are: trust on first use. */
export class KnownHosts {
  readonly #store: JsonStore<Readonly<Record<string, string>>>;
  readonly path: string;

  private constructor(path: string, store: JsonStore<Readonly<Record<string, string>>>) {
    this.path = path;
    this.#store = store;
  }

  static async open(
    directory: string,
    options: { readonly nowMs: () => number },
  ): Promise<KnownHosts> {
    const path = `${directory}/probe-hosts.json`;
    const store = await JsonStore.open<Readonly<Record<string, string>>>(path, {
      parse: (json) => hostsSchema.parse(json),
      empty: {},
      nowMs: options.nowMs,
    });
    return new KnownHosts(path, store);
  }

  get(host: HostAddress): Uint8Array<ArrayBuffer> | undefined {
    const text = new Map(Object.entries(this.#store.value)).get(nameOf(host));
    return text === undefined ? undefined : parseHex(text);
  }

  /** Remember, or replace. The oldest are forgotten past a thousand. */
  async remember(host: HostAddress, fingerprint: Uint8Array): Promise<void> {
    const text = toHex(fingerprint);
    await this.#store.update((hosts) => {
      const { [nameOf(host)]: _replaced, ...others } = hosts;
      const kept = Object.entries(others).slice(1 - HOSTS_MAX);
      return Object.fromEntries([...kept, [nameOf(host), text]]);
    });
  }
}

function nameOf({ address, port }: HostAddress): string {
  return `${address}:${port}`;
}

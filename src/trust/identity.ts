/**
 * The host's own certificates (product specification 3.1). Peers pin them, so they are made once and read ever after.
 *
 *     identity     files                           key
 *     gamestream   cert.pem, key.pem               RSA of 2048 bits
 *     native       native-cert.pem, native-key.pem ECDSA on P-256
 *
 * Half an identity is never replaced in silence: every paired client would turn away from the host.
 *
 * @module
 */
import { createHash, createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { OperationError } from "../lib/errors.ts";
import { decodeCertificate } from "../protocol/x509_certificate.ts";
import { readFileIfPresent, writeFileAtomic } from "../store/file.ts";
import type { KeyKind, Minted } from "./mint.ts";

export type IdentityKind = "gamestream" | "native";

export interface Identity {
  /** Exactly the bytes of the file: clients keep what they receive. */
  readonly certificatePem: string;
  readonly certificateDer: Uint8Array<ArrayBuffer>;
  /** `signatureValue` of the certificate. */
  readonly certificateSignature: Uint8Array<ArrayBuffer>;
  /** SHA-256 of the DER, lower-case hexadecimal. */
  readonly fingerprint: string;
  readonly keyPem: string;
  readonly key: KeyObject;
}

export interface OpenedIdentity {
  readonly identity: Identity;
  /** What a person should know, as one sentence without a full stop. */
  readonly notice: string | undefined;
}

const KINDS = {
  gamestream: { certificate: "cert.pem", key: "key.pem", keyKind: "rsa-2048" },
  native: { certificate: "native-cert.pem", key: "native-key.pem", keyKind: "p-256" },
} as const satisfies Record<IdentityKind, { certificate: string; key: string; keyKind: KeyKind }>;

const HOST_NAME_PATTERN = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;

/**
 * Read the identity of `kind` in `directory`, or mint it when neither of its files is there. Throws OperationError
 * "storage" when one file is missing or either cannot be used.
 */
export async function openIdentity(directory: string, options: {
  readonly kind: IdentityKind;
  /** Whether any client has paired with the identity that ought to be there. */
  readonly hasPairings: boolean;
  /** Machine name; goes into the native certificate where it is a legal DNS label. */
  readonly machineName: string;
}): Promise<OpenedIdentity> {
  const kind = KINDS[options.kind];
  const certificatePath = `${directory}/${kind.certificate}`;
  const keyPath = `${directory}/${kind.key}`;
  const certificateBytes = await readFileIfPresent(certificatePath);
  const keyBytes = await readFileIfPresent(keyPath);
  if (certificateBytes === undefined && keyBytes === undefined) {
    const minted = await mint(options);
    await writeFileAtomic(keyPath, new TextEncoder().encode(minted.keyPem));
    await writeFileAtomic(certificatePath, new TextEncoder().encode(minted.certificatePem));
    const notice = options.hasPairings
      ? `A new ${options.kind} identity was made while pairings exist: every client must pair again`
      : undefined;
    return { identity: readIdentity(minted, { certificatePath, keyPath, ...kind }), notice };
  }
  if (certificateBytes === undefined || keyBytes === undefined) {
    const [present, missing] = certificateBytes === undefined
      ? [keyPath, certificatePath]
      : [certificatePath, keyPath];
    throw identityError(`${missing} is missing while ${present} is there`, [present, missing]);
  }
  const decoder = new TextDecoder();
  const found = {
    certificatePem: decoder.decode(certificateBytes),
    keyPem: decoder.decode(keyBytes),
  };
  return {
    identity: readIdentity(found, { certificatePath, keyPath, ...kind }),
    notice: undefined,
  };
}

/** SHA-256 of a certificate's DER, lower-case hexadecimal: the name of a peer everywhere. */
export function fingerprintOf(certificateDer: Uint8Array): string {
  return createHash("sha256").update(certificateDer).digest("hex");
}

async function mint(
  options: { readonly kind: IdentityKind; readonly machineName: string },
): Promise<Minted> {
  const { mintCertificate } = await import("./mint.ts");
  const names = HOST_NAME_PATTERN.test(options.machineName) ? [options.machineName] : [];
  return mintCertificate(KINDS[options.kind].keyKind, {
    commonName: "punktfunk",
    // Clients of the GameStream plane look at no name, and some of them want a certificate without surprises.
    subjectNames: options.kind === "gamestream" ? [] : [
      ...[...new Set([...names, "localhost"])].map((value) => ({ type: "dns" as const, value })),
      { type: "ip", value: "127.0.0.1" },
      { type: "ip", value: "::1" },
    ],
  });
}

interface IdentityFiles {
  readonly certificatePath: string;
  readonly keyPath: string;
  readonly keyKind: KeyKind;
}

function readIdentity(pems: Minted, files: IdentityFiles): Identity {
  const { certificatePath, keyPath } = files;
  let certificate: X509Certificate;
  let certificateSignature: Uint8Array<ArrayBuffer>;
  try {
    certificate = new X509Certificate(pems.certificatePem);
    certificateSignature = decodeCertificate(certificate.raw).signatureValue;
  } catch {
    throw identityError(`${certificatePath} holds no certificate`, [certificatePath, keyPath]);
  }
  let key: KeyObject;
  try {
    key = createPrivateKey(pems.keyPem);
  } catch {
    throw identityError(`${keyPath} holds no private key`, [keyPath, certificatePath]);
  }
  if (!isOfKind(key, files.keyKind)) {
    throw identityError(`${keyPath} is not a key of kind ${files.keyKind}`, [
      keyPath,
      certificatePath,
    ]);
  }
  if (!certificate.checkPrivateKey(key)) {
    throw identityError(`${keyPath} does not belong to ${certificatePath}`, [
      keyPath,
      certificatePath,
    ]);
  }
  const certificateDer = new Uint8Array(certificate.raw);
  return {
    certificatePem: pems.certificatePem,
    certificateDer,
    certificateSignature,
    fingerprint: fingerprintOf(certificateDer),
    keyPem: pems.keyPem,
    key,
  };
}

function isOfKind(key: KeyObject, kind: KeyKind): boolean {
  const details = key.asymmetricKeyDetails;
  return kind === "rsa-2048"
    ? key.asymmetricKeyType === "rsa" && details?.modulusLength === 2048
    : key.asymmetricKeyType === "ec" && details?.namedCurve === "prime256v1";
}

function identityError(reason: string, paths: readonly [string, string]): OperationError {
  return new OperationError("storage", `Cannot use the host's identity: ${reason}`, {
    remedy: `Restore ${paths[0]} and ${paths[1]} from a backup; or move both away, after which ` +
      "a new identity is made and every client must pair again",
  });
}

/**
 * Makes self-signed certificates. The X.509 library is loaded here and only when something is made.
 *
 * @module
 */
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { toHex } from "../lib/bytes.ts";

/** Fixed, so that neither a wrong clock at first start nor a long life of the machine matters; peers ignore dates. */
const VALID_FROM = new Date("2020-01-01T00:00:00Z");
const VALID_UNTIL = new Date("2040-01-01T00:00:00Z");

const ALGORITHMS = {
  "rsa-2048": {
    name: "RSASSA-PKCS1-v1_5",
    hash: "SHA-256",
    publicExponent: Uint8Array.of(1, 0, 1),
    modulusLength: 2048,
  },
  "p-256": { name: "ECDSA", hash: "SHA-256", namedCurve: "P-256" },
} as const;

export type KeyKind = keyof typeof ALGORITHMS;

export interface Minted {
  readonly certificatePem: string;
  /** PKCS#8. */
  readonly keyPem: string;
}

/** A new key and its X.509 v3 certificate. `subjectNames` are DNS names and IP addresses; empty leaves them out. */
export async function mintCertificate(kind: KeyKind, options: {
  readonly commonName: string;
  readonly subjectNames: readonly x509.JsonGeneralName[];
}): Promise<Minted> {
  const algorithm = ALGORITHMS[kind];
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const extensions = options.subjectNames.length === 0
    ? []
    : [new x509.SubjectAlternativeNameExtension([...options.subjectNames])];
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: randomSerial(),
    name: `CN=${options.commonName}`,
    notBefore: VALID_FROM,
    notAfter: VALID_UNTIL,
    signingAlgorithm: algorithm,
    keys,
    extensions,
  }, crypto);
  const key = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
  return {
    certificatePem: certificate.toString("pem") + "\n",
    keyPem: x509.PemConverter.encode(key, "PRIVATE KEY") + "\n",
  };
}

/** 16 random bytes as hexadecimal text, positive and without a leading zero byte. */
function randomSerial(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return toHex(bytes);
}

/**
 * Certificates of any shape for tests: versions, serials and dates that no sane tool would write.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createPublicKey, type KeyObject, sign } from "node:crypto";
import { concatBytes } from "../../src/lib/bytes.ts";

export interface CertificateShape {
  readonly version: 1 | 2 | 3;
  readonly privateKey: KeyObject;
  /** Of `privateKey` when absent. */
  readonly publicKeyInfo?: Uint8Array;
  /** Content of the INTEGER. */
  readonly serial?: Uint8Array;
  readonly commonName?: string;
  /** UTCTime text, e.g. "200101000000Z". */
  readonly notBefore?: string;
  readonly notAfter?: string;
  readonly hash?: "sha1" | "sha256";
  /** Content of the optional fields 1, 2 and 3. */
  readonly issuerId?: Uint8Array;
  readonly subjectId?: Uint8Array;
  readonly extensions?: Uint8Array;
}

const ALGORITHMS = {
  sha1: Uint8Array.fromHex("300d06092a864886f70d0101050500"),
  sha256: Uint8Array.fromHex("300d06092a864886f70d01010b0500"),
} as const;

/** One DER element in its shortest form. */
export function derElement(
  tag: number,
  ...content: readonly Uint8Array[]
): Uint8Array<ArrayBuffer> {
  const body = concatBytes(...content);
  const size = body.byteLength;
  const length = size < 0x80
    ? [size]
    : size < 0x100
    ? [0x81, size]
    : [0x82, size >> 8, size & 0xff];
  return concatBytes(Uint8Array.of(tag, ...length), body);
}

/** A self-signed certificate, DER. */
export function makeCertificate(shape: CertificateShape): Uint8Array<ArrayBuffer> {
  const hash = shape.hash ?? "sha256";
  const text = (value: string) => new TextEncoder().encode(value);
  const name = derElement(
    0x30,
    derElement(
      0x31,
      derElement(
        0x30,
        Uint8Array.fromHex("0603550403"),
        derElement(0x0c, text(shape.commonName ?? "test")),
      ),
    ),
  );
  const publicKeyInfo = shape.publicKeyInfo ??
    createPublicKey(shape.privateKey).export({ type: "spki", format: "der" });
  const optional = (tag: number, content: Uint8Array | undefined) =>
    content === undefined ? new Uint8Array() : derElement(tag, content);
  const tbs = derElement(
    0x30,
    shape.version === 1
      ? new Uint8Array()
      : derElement(0xa0, Uint8Array.of(0x02, 0x01, shape.version - 1)),
    derElement(0x02, shape.serial ?? Uint8Array.of(1)),
    ALGORITHMS[hash],
    name,
    derElement(
      0x30,
      derElement(0x17, text(shape.notBefore ?? "200101000000Z")),
      derElement(0x17, text(shape.notAfter ?? "400101000000Z")),
    ),
    name,
    publicKeyInfo,
    optional(0x81, shape.issuerId),
    optional(0x82, shape.subjectId),
    optional(0xa3, shape.extensions),
  );
  const signature = sign(hash, tbs, shape.privateKey);
  return derElement(
    0x30,
    tbs,
    ALGORITHMS[hash],
    derElement(0x03, Uint8Array.of(0), signature),
  );
}

/** PEM text with `lineEnd` after each line. */
export function toPem(der: Uint8Array, lineEnd = "\n"): string {
  const lines = Buffer.from(der).toString("base64").match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join(lineEnd);
}

/**
 * The parts of an X.509 certificate that trust rests on: its key and its signature (RFC 5280, 4.1; DER, X.690).
 *
 *     Certificate          SEQUENCE
 *       tbsCertificate       SEQUENCE
 *         version              [0] { INTEGER }       absent = v1; 1 = v2; 2 = v3
 *         serialNumber         INTEGER
 *         signature            SEQUENCE
 *         issuer               SEQUENCE
 *         validity             SEQUENCE
 *         subject              SEQUENCE
 *         subjectPublicKeyInfo SEQUENCE              kept whole, with its header
 *         issuerUniqueID       [1]                   these three in this order, each optional
 *         subjectUniqueID      [2]
 *         extensions           [3]
 *       signatureAlgorithm   SEQUENCE
 *       signatureValue       BIT STRING              kept without its unused-bits octet, which is 0
 *
 * Names, dates, serial and extensions are not looked at: a peer is known by its key alone, so none of them may decide.
 * Lengths are definite and in their shortest form, and nothing follows the certificate.
 *
 * @module
 */
import { ProtocolError } from "../lib/errors.ts";

export const CERTIFICATE_SIZE_BYTES_MAX = 8192;

export interface Certificate {
  readonly version: 1 | 2 | 3;
  /** SubjectPublicKeyInfo, DER, with its SEQUENCE header. */
  readonly publicKeyInfo: Uint8Array<ArrayBuffer>;
  readonly signatureValue: Uint8Array<ArrayBuffer>;
}

const TAG_INTEGER = 0x02;
const TAG_BIT_STRING = 0x03;
const TAG_SEQUENCE = 0x30;
const TAG_VERSION = 0xa0;
/** Context tags 1 and 2 are IMPLICIT BIT STRINGs, 3 is constructed. */
const TAGS_OPTIONAL_TAIL = [0x81, 0x82, 0xa3] as const;

/** Decode one certificate. The whole of `der` must be it. Throws ProtocolError. */
export function decodeCertificate(der: Uint8Array): Certificate {
  if (der.byteLength > CERTIFICATE_SIZE_BYTES_MAX) {
    throw new ProtocolError(
      "limit",
      `Cannot decode certificate: ${der.byteLength} bytes are more than ${CERTIFICATE_SIZE_BYTES_MAX}`,
    );
  }
  const outer = new DerReader(der);
  const certificate = new DerReader(outer.take(TAG_SEQUENCE).content);
  outer.finish();
  const tbs = new DerReader(certificate.take(TAG_SEQUENCE).content);
  certificate.take(TAG_SEQUENCE);
  const signature = certificate.take(TAG_BIT_STRING).content;
  certificate.finish();
  if (signature.byteLength < 2 || signature[0] !== 0) {
    throw malformed("signature is no whole number of bytes");
  }
  const version = takeVersion(tbs);
  tbs.take(TAG_INTEGER);
  tbs.take(TAG_SEQUENCE);
  tbs.take(TAG_SEQUENCE);
  tbs.take(TAG_SEQUENCE);
  tbs.take(TAG_SEQUENCE);
  const publicKeyInfo = copyOf(tbs.take(TAG_SEQUENCE).whole);
  for (const tag of TAGS_OPTIONAL_TAIL) {
    if (tbs.nextTag === tag) tbs.take(tag);
  }
  tbs.finish();
  return { version, publicKeyInfo, signatureValue: copyOf(signature.subarray(1)) };
}

function takeVersion(tbs: DerReader): Certificate["version"] {
  if (tbs.nextTag !== TAG_VERSION) return 1;
  const field = new DerReader(tbs.take(TAG_VERSION).content);
  const value = field.take(TAG_INTEGER).content;
  field.finish();
  if (value.byteLength !== 1 || (value[0] !== 1 && value[0] !== 2)) {
    throw malformed("version is neither v2 nor v3");
  }
  return value[0] === 1 ? 2 : 3;
}

/** A copy of its own even where `bytes` is a Buffer, whose `slice` is a view. */
function copyOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

/** Takes one element after another; every element must lie inside the bytes given. */
class DerReader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get nextTag(): number | undefined {
    return this.#bytes[this.#offset];
  }

  /** The next element, whose tag must be `tag`: its content, and the element with its header. */
  take(tag: number): { content: Uint8Array; whole: Uint8Array } {
    const start = this.#offset;
    const found = this.#byte();
    if (found !== tag) throw malformed(`tag is 0x${found.toString(16)}, not 0x${tag.toString(16)}`);
    const sizeBytes = this.#length();
    const contentStart = this.#offset;
    const end = contentStart + sizeBytes;
    if (end > this.#bytes.byteLength) throw short();
    this.#offset = end;
    return {
      content: this.#bytes.subarray(contentStart, end),
      whole: this.#bytes.subarray(start, end),
    };
  }

  finish(): void {
    const left = this.#bytes.byteLength - this.#offset;
    if (left > 0) {
      throw new ProtocolError("trailing", `Cannot decode certificate: ${left} bytes too many`);
    }
  }

  #length(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    const count = first & 0x7f;
    // Two bytes of length cover CERTIFICATE_SIZE_BYTES_MAX; 0x80 would be the indefinite form.
    if (count === 0 || count > 2) throw malformed("length has an unsupported form");
    let length = 0;
    for (let index = 0; index < count; index++) length = length * 256 + this.#byte();
    if (length < (count === 1 ? 0x80 : 0x100)) {
      throw malformed("length is not in its shortest form");
    }
    return length;
  }

  #byte(): number {
    const byte = this.#bytes[this.#offset];
    if (byte === undefined) throw short();
    this.#offset++;
    return byte;
  }
}

function short(): ProtocolError {
  return new ProtocolError("short", "Cannot decode certificate: it ends early");
}

function malformed(reason: string): ProtocolError {
  return new ProtocolError("malformed", `Cannot decode certificate: ${reason}`);
}

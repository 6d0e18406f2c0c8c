/**
 * How video packets are sealed (punktfunk/1 specification 4.4).
 *
 *     datagram                                     nonce, 12 bytes
 *
 *     offset  size  field                          offset  size  field
 *     0       8     sequence, big-endian, AAD      0       4     salt; top bit of its first byte 0 from the host
 *     8       n     ciphertext of header ‖ payload               and 1 from the client
 *     8 + n   16    tag                            4       8     sequence, big-endian
 *
 * @module
 */
import type { SealCipher, SealRule } from "../wire_job.ts";

export const SEAL_PREFIX_SIZE_BYTES = 8;
export const SEAL_TAG_SIZE_BYTES = 16;
export const SEAL_OVERHEAD_BYTES = SEAL_PREFIX_SIZE_BYTES + SEAL_TAG_SIZE_BYTES;
export const SEAL_SALT_SIZE_BYTES = 4;
export const SEAL_NONCE_SIZE_BYTES = 12;

const DIRECTION_BIT = 0x80;

/** Key and salt as Welcome gives them. */
export interface SealSecrets {
  readonly cipher: SealCipher;
  readonly key: Uint8Array;
  /** 4 bytes. */
  readonly salt: Uint8Array;
}

/** The nonce of sequence 0 from one side. */
export function sealNonce(salt: Uint8Array, from: "host" | "client"): Uint8Array<ArrayBuffer> {
  const nonce = new Uint8Array(SEAL_NONCE_SIZE_BYTES);
  nonce.set(salt.subarray(0, SEAL_SALT_SIZE_BYTES));
  const first = (nonce[0] ?? 0) & ~DIRECTION_BIT;
  nonce[0] = from === "host" ? first : first | DIRECTION_BIT;
  return nonce;
}

/** The host's rule for the wire kernel. */
export function hostSealRule({ cipher, key, salt }: SealSecrets): SealRule {
  return {
    cipher,
    key,
    nonceTemplate: sealNonce(salt, "host"),
    nonceCounterOffset: 4,
    isNonceCounterBigEndian: true,
    prefixSizeBytes: SEAL_PREFIX_SIZE_BYTES,
    prefixNonceFrom: 4,
    prefixNonceLength: SEAL_PREFIX_SIZE_BYTES,
    tagOffset: -1,
    aadSizeBytes: SEAL_PREFIX_SIZE_BYTES,
  };
}

/**
 * The sequence of everything sealed with one key: video and probe filler draw from the same, or a nonce would be used
 * twice.
 */
export class SealCounter {
  #next: bigint;

  constructor(first = 0n) {
    this.#next = first;
  }

  /** The first of `count` numbers that nobody else gets. */
  take(count: number): bigint {
    const first = this.#next;
    this.#next += BigInt(count);
    return first;
  }
}

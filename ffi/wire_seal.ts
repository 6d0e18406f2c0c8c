/**
 * struct pf_wire_seal of native/wire/wire.h, which says how datagrams are sealed and so how they are opened.
 *
 *     offset  size  field
 *     0       1     1: the counter is big-endian
 *     1       1     where the counter lies in the nonce
 *     2       1     size of the prefix
 *     3       2     bytes of the nonce that the prefix starts with: from, length
 *     5       1     where the tag lies in the prefix, -1: behind the ciphertext
 *     6       1     bytes of the prefix that are authenticated
 *     7       1     cipher: 0 AES-128-GCM, 1 ChaCha20-Poly1305
 *     8       32    key; of AES-128 the first 16 bytes, zeros behind it
 *     40      12    nonce without the counter
 *
 * @module
 */

const CIPHERS = {
  "aes-128-gcm": { number: 0, keySizeBytes: 16 },
  "chacha20-poly1305": { number: 1, keySizeBytes: 32 },
} as const;

/** Structurally `SealRule` of src/protocol/wire_job.ts, which says what each member means. */
export interface FrameSeal {
  readonly cipher: keyof typeof CIPHERS;
  readonly key: Uint8Array;
  readonly nonceTemplate: Uint8Array;
  readonly nonceCounterOffset: number;
  readonly isNonceCounterBigEndian: boolean;
  readonly prefixSizeBytes: number;
  readonly prefixNonceFrom: number;
  readonly prefixNonceLength: number;
  readonly tagOffset: number;
  readonly aadSizeBytes: number;
}

const KEY_OFFSET = 8;
const NONCE_OFFSET = 40;
const NONCE_SIZE_BYTES = 12;

/** Write `seal` to `struct`. Throws RangeError for a nonce or a key of another size than its cipher's. */
export function writeSeal(seal: FrameSeal, struct: Uint8Array, offset: number): void {
  const cipher = CIPHERS[seal.cipher];
  if (
    seal.key.byteLength !== cipher.keySizeBytes ||
    seal.nonceTemplate.byteLength !== NONCE_SIZE_BYTES
  ) {
    throw new RangeError("Cannot write seal: its key or nonce has another size");
  }
  struct[offset] = seal.isNonceCounterBigEndian ? 1 : 0;
  struct[offset + 1] = seal.nonceCounterOffset;
  struct[offset + 2] = seal.prefixSizeBytes;
  struct[offset + 3] = seal.prefixNonceFrom;
  struct[offset + 4] = seal.prefixNonceLength;
  struct[offset + 5] = seal.tagOffset;
  struct[offset + 6] = seal.aadSizeBytes;
  struct[offset + 7] = cipher.number;
  struct.fill(0, offset + KEY_OFFSET, offset + NONCE_OFFSET);
  struct.set(seal.key, offset + KEY_OFFSET);
  struct.set(seal.nonceTemplate, offset + NONCE_OFFSET);
}

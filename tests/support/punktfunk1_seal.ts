/**
 * What the vectors' host and client sealed (punktfunk/1 specification 10.3), and with which secrets.
 *
 * @module
 */
import type { SealSecrets } from "../../src/protocol/punktfunk1/video_seal.ts";
import type { SealCipher } from "../../src/protocol/wire_job.ts";
import vectors from "../vectors/punktfunk1-aead.json" with { type: "json" };

export const SEAL_CIPHERS: readonly SealCipher[] = ["aes-128-gcm", "chacha20-poly1305"];

const salt = Uint8Array.fromHex(vectors.salt);
/** The shorter key is the beginning of the longer one. */
export const SEAL_SECRETS: Readonly<Record<SealCipher, SealSecrets>> = {
  "aes-128-gcm": { cipher: "aes-128-gcm", key: Uint8Array.fromHex(vectors.aes128Key), salt },
  "chacha20-poly1305": {
    cipher: "chacha20-poly1305",
    key: Uint8Array.fromHex(vectors.chacha20Key),
    salt,
  },
};

export interface SealedVector {
  readonly secrets: SealSecrets;
  readonly from: "host" | "client";
  readonly sequence: bigint;
  readonly datagram: Uint8Array<ArrayBuffer>;
}

/** In each of them is the same. */
export const SEALED_TEXT = vectors.plaintext;
export const SEALED_VECTORS: readonly SealedVector[] = vectors.datagrams.map((row) => ({
  secrets: SEAL_SECRETS[row.cipher as SealCipher],
  from: row.direction === "H→C" ? "host" : "client",
  sequence: BigInt(`0x${row.sequence}`),
  datagram: Uint8Array.fromHex(row.datagram),
}));

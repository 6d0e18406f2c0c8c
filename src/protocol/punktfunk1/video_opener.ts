/**
 * Opens sealed packets as they come from the socket: the client's side of `video_seal.ts`, in portable code.
 *
 *     shorter than 24 bytes → ignored;  seen or too old → dropped;  not authentic → dropped;  else the packet inside
 *
 * @module
 */
import { createDecipheriv } from "node:crypto";
import { viewOf } from "../../lib/bytes.ts";
import type { SealCipher } from "../wire_job.ts";
import { ReplayWindow } from "./replay_window.ts";
import {
  SEAL_OVERHEAD_BYTES,
  SEAL_PREFIX_SIZE_BYTES,
  SEAL_TAG_SIZE_BYTES,
  sealNonce,
  type SealSecrets,
} from "./video_seal.ts";

export const DATAGRAM_SIZE_BYTES_MAX = 9216;

/** null opens plain packets, which Welcome's encrypt = 0 announces. */
export type VideoOpenerOptions = SealSecrets | null;

/** Datagrams since the start. */
export interface VideoOpenStats {
  opened: number;
  /** Of a size that no packet has. */
  misshapen: number;
  forged: number;
  replayed: number;
}

export class VideoOpener {
  readonly stats: VideoOpenStats = { opened: 0, misshapen: 0, forged: 0, replayed: 0 };
  readonly #options: VideoOpenerOptions;
  readonly #nonce: Uint8Array<ArrayBuffer>;
  readonly #window = new ReplayWindow();

  constructor(options: VideoOpenerOptions) {
    this.#options = options;
    this.#nonce = sealNonce(options?.salt ?? new Uint8Array(0), "host");
  }

  /** The packet in `datagram`, or undefined when it is none that counts. */
  open(datagram: Uint8Array): Uint8Array | undefined {
    const least = this.#options === null ? 0 : SEAL_OVERHEAD_BYTES;
    if (datagram.byteLength < least || datagram.byteLength > DATAGRAM_SIZE_BYTES_MAX) {
      this.stats.misshapen++;
      return undefined;
    }
    const packet = this.#options === null ? datagram : this.#unseal(datagram, this.#options);
    if (packet !== undefined) this.stats.opened++;
    return packet;
  }

  #unseal(datagram: Uint8Array, { cipher, key }: SealSecrets): Uint8Array | undefined {
    const view = viewOf(datagram);
    const high = view.getUint32(0);
    const low = view.getUint32(4);
    if (!this.#window.isFresh(high, low)) {
      this.stats.replayed++;
      return undefined;
    }
    const prefix = datagram.subarray(0, SEAL_PREFIX_SIZE_BYTES);
    const tagAt = datagram.byteLength - SEAL_TAG_SIZE_BYTES;
    this.#nonce.set(prefix, this.#nonce.byteLength - SEAL_PREFIX_SIZE_BYTES);
    const packet = decrypt(datagram.subarray(SEAL_PREFIX_SIZE_BYTES, tagAt), {
      cipher,
      key,
      nonce: this.#nonce,
      aad: prefix,
      tag: datagram.subarray(tagAt),
    });
    if (packet === undefined) this.stats.forged++;
    else this.#window.add(high, low);
    return packet;
  }
}

/** Undefined when the tag does not fit. */
function decrypt(
  ciphertext: Uint8Array,
  { cipher, key, nonce, aad, tag }: {
    readonly cipher: SealCipher;
    readonly key: Uint8Array;
    readonly nonce: Uint8Array;
    readonly aad: Uint8Array;
    readonly tag: Uint8Array;
  },
): Uint8Array | undefined {
  // One literal each: the type of the decipher depends on the name.
  const decipher = cipher === "aes-128-gcm"
    ? createDecipheriv("aes-128-gcm", key, nonce)
    : createDecipheriv("chacha20-poly1305", key, nonce, { authTagLength: SEAL_TAG_SIZE_BYTES });
  decipher.setAAD(aad, { plaintextLength: ciphertext.byteLength });
  decipher.setAuthTag(tag);
  const plain = decipher.update(ciphertext);
  try {
    decipher.final();
  } catch {
    return undefined;
  }
  return plain;
}

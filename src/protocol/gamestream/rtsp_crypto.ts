/**
 * Encrypted RTSP framing, one frame a message (GameStream specification 4.2). Integers are big-endian but for the nonce.
 *
 *     offset  size  field
 *     0       4     bit 31 = 1, bits 30…0 = n, size of the ciphertext
 *     4       4     sequence number
 *     8       16    AES-128-GCM tag
 *     24      n     ciphertext of the whole message, key rikey, no associated data
 *
 *     nonce   0     4  sequence number, little-endian
 *             4     6  0
 *             10    1  sender: "C" client, "H" host
 *             11    1  "R"
 *
 * A client's numbers start anywhere and go on over its streams; none may repeat under one key.
 *
 * @module
 */
import { createCipheriv, createDecipheriv } from "node:crypto";
import { viewOf } from "../../lib/bytes.ts";
import { ProtocolError } from "../../lib/errors.ts";
import { RTSP_BODY_SIZE_BYTES_MAX, RTSP_HEADER_SIZE_BYTES_MAX } from "./rtsp.ts";

export const RTSP_FRAME_HEADER_SIZE_BYTES = 24;
export const RTSP_CIPHERTEXT_SIZE_BYTES_MAX = RTSP_HEADER_SIZE_BYTES_MAX + RTSP_BODY_SIZE_BYTES_MAX;
/** A handshake takes seven frames. */
export const RTSP_FRAMES_PER_KEY_MAX = 1024;

const ALGORITHM = "aes-128-gcm";
const TAG_OFFSET = 8;
const TAG_SIZE_BYTES = 16;
const LETTER_RTSP = 0x52;
const LETTERS = { client: 0x43, host: 0x48 } as const;

/** True when a connection that starts with `firstByte` carries encrypted frames. */
export function isRtspFrame(firstByte: number): boolean {
  return (firstByte & 0x80) !== 0;
}

/**
 * Size of the frame that starts with `bytes`, header included, or undefined while fewer than four bytes are there.
 * Throws ProtocolError "malformed" without bit 31 or for an empty frame, "limit" above the largest message.
 */
export function rtspFrameSizeBytes(bytes: Uint8Array): number | undefined {
  if (bytes.byteLength < 4) return undefined;
  const word = viewOf(bytes).getUint32(0);
  const ciphertextSizeBytes = word & 0x7fff_ffff;
  if (word >>> 31 === 0 || ciphertextSizeBytes === 0) {
    throw new ProtocolError("malformed", "Cannot read RTSP frame: it is not marked as encrypted");
  }
  if (ciphertextSizeBytes > RTSP_CIPHERTEXT_SIZE_BYTES_MAX) {
    throw new ProtocolError(
      "limit",
      `Cannot read RTSP frame: ${ciphertextSizeBytes} bytes exceed ${RTSP_CIPHERTEXT_SIZE_BYTES_MAX}`,
    );
  }
  return RTSP_FRAME_HEADER_SIZE_BYTES + ciphertextSizeBytes;
}

/** Opens and seals the frames of one key. Remembers every number it has opened. */
export class RtspCrypto {
  readonly #key: Uint8Array;
  readonly #sender: number;
  readonly #receivedFrom: number;
  readonly #seen = new Set<number>();
  #nextSequence: number;

  /** `key` has 16 bytes. `role` is the side this object stands on. */
  constructor(
    key: Uint8Array,
    options: { readonly role?: "host" | "client"; readonly firstSequence?: number } = {},
  ) {
    const role = options.role ?? "host";
    this.#key = key;
    this.#sender = LETTERS[role];
    this.#receivedFrom = LETTERS[role === "host" ? "client" : "host"];
    this.#nextSequence = options.firstSequence ?? 0;
  }

  /**
   * The message in `frame`, which must be exactly one frame. Throws ProtocolError: "authentication" when the key does not
   * open it, "out-of-order" when its number was used before, "limit" after RTSP_FRAMES_PER_KEY_MAX frames.
   */
  open(frame: Uint8Array): Uint8Array<ArrayBuffer> {
    const sizeBytes = rtspFrameSizeBytes(frame);
    if (sizeBytes !== frame.byteLength) {
      throw new ProtocolError(
        sizeBytes === undefined || sizeBytes > frame.byteLength ? "short" : "trailing",
        `Cannot open RTSP frame: ${frame.byteLength} bytes are not one frame`,
      );
    }
    const sequence = viewOf(frame).getUint32(4);
    const message = this.#decrypt(frame, sequence);
    if (this.#seen.has(sequence)) {
      throw new ProtocolError("out-of-order", "Cannot open RTSP frame: its number was used before");
    }
    if (this.#seen.size >= RTSP_FRAMES_PER_KEY_MAX) {
      throw new ProtocolError("limit", "Cannot open RTSP frame: too many under one key");
    }
    this.#seen.add(sequence);
    return message;
  }

  /** `message` as one frame with the next number of this side. */
  seal(message: Uint8Array): Uint8Array<ArrayBuffer> {
    const sequence = this.#nextSequence;
    this.#nextSequence = (sequence + 1) >>> 0;
    const frame = new Uint8Array(RTSP_FRAME_HEADER_SIZE_BYTES + message.byteLength);
    const view = viewOf(frame);
    view.setUint32(0, (0x8000_0000 | message.byteLength) >>> 0);
    view.setUint32(4, sequence);
    const cipher = createCipheriv(ALGORITHM, this.#key, nonceOf(sequence, this.#sender));
    frame.set(cipher.update(message), RTSP_FRAME_HEADER_SIZE_BYTES);
    cipher.final();
    frame.set(cipher.getAuthTag(), TAG_OFFSET);
    return frame;
  }

  #decrypt(frame: Uint8Array, sequence: number): Uint8Array<ArrayBuffer> {
    const nonce = nonceOf(sequence, this.#receivedFrom);
    const decipher = createDecipheriv(ALGORITHM, this.#key, nonce, {
      authTagLength: TAG_SIZE_BYTES,
    });
    decipher.setAuthTag(frame.subarray(TAG_OFFSET, TAG_OFFSET + TAG_SIZE_BYTES));
    const message = new Uint8Array(decipher.update(frame.subarray(RTSP_FRAME_HEADER_SIZE_BYTES)));
    try {
      decipher.final();
    } catch {
      throw new ProtocolError("authentication", "Cannot open RTSP frame: its tag does not match");
    }
    return message;
  }
}

function nonceOf(sequence: number, sender: number): Uint8Array {
  const nonce = new Uint8Array(12);
  viewOf(nonce).setUint32(0, sequence, true);
  nonce[10] = sender;
  nonce[11] = LETTER_RTSP;
  return nonce;
}

/**
 * Encrypted frames of the control stream (GameStream specification 5.8). All integers little-endian.
 *
 *     offset  size  field
 *     0       2     0x0001, encrypted
 *     2       2     bytes after this field: 4 + 16 + n
 *     4       4     sequence number, one counter a direction from 0
 *     8       16    AES-GCM tag
 *     24      n     AES-128-GCM of the message, no associated data
 *
 *     nonce   v2      12 bytes: u32 sequence, six zeros, "C" or "H" for the sender, "C"
 *             legacy  16 bytes: u8 sequence mod 256, fifteen zeros; alike in both directions
 *
 * @module
 */
import { createCipheriv, createDecipheriv } from "node:crypto";
import { viewOf } from "../../lib/bytes.ts";
import { ProtocolError } from "../../lib/errors.ts";

const FRAME_TYPE_ENCRYPTED = 0x0001;
const HEADER_BYTES = 8;
const TAG_BYTES = 16;
const OVERHEAD_BYTES = HEADER_BYTES + TAG_BYTES;
/** What the 16-bit length leaves for the ciphertext. */
export const CONTROL_MESSAGE_BYTES_MAX = 0xffff - 4 - TAG_BYTES;
/** A message has at least its type and its length. */
const MESSAGE_BYTES_MIN = 4;

/**
 * How far a sequence number may lie behind the newest. A reliable message can be ten seconds late while other
 * channels go on; clients send well below 1600 messages a second.
 */
export const CONTROL_REPLAY_WINDOW = 16_384;

const ALGORITHM = "aes-128-gcm";
const LETTER_CONTROL = 0x43;
const LETTERS = { client: 0x43, host: 0x48 } as const;

export interface ControlCipherOptions {
  /** AES-128 key of the launch, 16 bytes. */
  readonly key: Uint8Array;
  /** Who seals. */
  readonly sender: keyof typeof LETTERS;
  /** Control v2. False is the legacy nonce, which repeats: only for clients that offer nothing else. */
  readonly isV2: boolean;
}

/** Seals the messages of one direction; owns its counter. */
export class ControlSealer {
  readonly #options: ControlCipherOptions;
  #sequence = 0;

  constructor(options: ControlCipherOptions) {
    this.#options = options;
  }

  /**
   * Seal one message of up to {@link CONTROL_MESSAGE_BYTES_MAX} bytes. Throws ProtocolError "limit" for a longer
   * one, and once the counter is used up: no nonce ever repeats in v2.
   */
  seal(message: Uint8Array): Uint8Array {
    if (message.byteLength > CONTROL_MESSAGE_BYTES_MAX) {
      throw new ProtocolError("limit", `Cannot seal ${message.byteLength} bytes: too long`);
    }
    if (this.#sequence > 0xffff_ffff) {
      throw new ProtocolError("limit", "Cannot seal message: the counter is used up");
    }
    const sequence = this.#sequence++;
    const cipher = createCipheriv(ALGORITHM, this.#options.key, nonceOf(sequence, this.#options));
    const frame = new Uint8Array(OVERHEAD_BYTES + message.byteLength);
    const view = viewOf(frame);
    view.setUint16(0, FRAME_TYPE_ENCRYPTED, true);
    view.setUint16(2, frame.byteLength - 4, true);
    view.setUint32(4, sequence, true);
    frame.set(cipher.update(message), OVERHEAD_BYTES);
    cipher.final();
    frame.set(cipher.getAuthTag(), HEADER_BYTES);
    return frame;
  }
}

/** Opens the frames of one direction; knows which it has seen. */
export class ControlOpener {
  readonly #options: ControlCipherOptions;
  readonly #window = new ReplayWindow(CONTROL_REPLAY_WINDOW);

  constructor(options: ControlCipherOptions) {
    this.#options = options;
  }

  /** The message in `frame`. Throws ProtocolError: "authentication" when it was forged, changed or seen before. */
  open(frame: Uint8Array): Uint8Array {
    const sequence = requireFrame(frame);
    if (!this.#window.isNew(sequence)) {
      throw new ProtocolError("authentication", "Cannot open control frame: it was seen before");
    }
    const { key } = this.#options;
    const decipher = createDecipheriv(ALGORITHM, key, nonceOf(sequence, this.#options), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAuthTag(frame.subarray(HEADER_BYTES, OVERHEAD_BYTES));
    const message = decipher.update(frame.subarray(OVERHEAD_BYTES));
    try {
      decipher.final();
    } catch {
      throw new ProtocolError("authentication", "Cannot open control frame: the tag does not fit");
    }
    this.#window.add(sequence);
    return new Uint8Array(message.buffer, message.byteOffset, message.byteLength);
  }
}

/** Sequence numbers seen, as far as `size` behind the newest. */
class ReplayWindow {
  readonly #size: number;
  /** One bit a number, by number modulo `size`. */
  readonly #bits: Uint8Array;
  #newest = -1;

  constructor(size: number) {
    this.#size = size;
    this.#bits = new Uint8Array(size / 8);
  }

  isNew(sequence: number): boolean {
    if (sequence > this.#newest) return true;
    if (this.#newest - sequence >= this.#size) return false;
    const index = sequence % this.#size;
    return ((this.#bits[index >> 3] ?? 0) & 1 << (index & 7)) === 0;
  }

  add(sequence: number): void {
    // Numbers between the old newest and the new one were not seen; their bits still tell of a round ago.
    if (sequence - this.#newest >= this.#size) {
      this.#bits.fill(0);
    } else {
      for (let skipped = this.#newest + 1; skipped < sequence; skipped++) this.#set(skipped, 0);
    }
    this.#newest = Math.max(this.#newest, sequence);
    this.#set(sequence, 1);
  }

  #set(sequence: number, bit: 0 | 1): void {
    const index = sequence % this.#size;
    const others = (this.#bits[index >> 3] ?? 0) & ~(1 << (index & 7));
    this.#bits[index >> 3] = others | bit << (index & 7);
  }
}

/** Check the form of `frame`; return its sequence number. */
function requireFrame(frame: Uint8Array): number {
  if (frame.byteLength < OVERHEAD_BYTES + MESSAGE_BYTES_MIN) {
    throw new ProtocolError(
      "short",
      `Cannot open control frame: expected at least ${
        OVERHEAD_BYTES + MESSAGE_BYTES_MIN
      } bytes, got ${frame.byteLength}`,
    );
  }
  const view = viewOf(frame);
  const type = view.getUint16(0, true);
  if (type !== FRAME_TYPE_ENCRYPTED) {
    throw new ProtocolError(
      "unknown-type",
      `Cannot open control frame: type is 0x${type.toString(16)}`,
    );
  }
  const declaredBytes = view.getUint16(2, true);
  if (declaredBytes !== frame.byteLength - 4) {
    throw new ProtocolError(
      declaredBytes > frame.byteLength - 4 ? "short" : "trailing",
      `Cannot open control frame: declared ${declaredBytes} bytes, got ${frame.byteLength - 4}`,
    );
  }
  return view.getUint32(4, true);
}

function nonceOf(sequence: number, { sender, isV2 }: ControlCipherOptions): Uint8Array {
  if (!isV2) {
    const nonce = new Uint8Array(16);
    nonce[0] = sequence;
    return nonce;
  }
  const nonce = new Uint8Array(12);
  viewOf(nonce).setUint32(0, sequence, true);
  nonce[10] = LETTERS[sender];
  nonce[11] = LETTER_CONTROL;
  return nonce;
}

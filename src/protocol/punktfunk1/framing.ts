/**
 * Messages on a stream, in both directions (punktfunk/1 specification 1.3).
 *
 *     offset  size  field
 *     0       2     n, little-endian, 0…65535
 *     2       n     payload
 *
 * @module
 */
import { viewOf } from "../../lib/bytes.ts";

/** There is no fragmentation: a longer message cannot be sent. */
export const FRAME_PAYLOAD_BYTES_MAX = 0xffff;
const LENGTH_BYTES = 2;
const EMPTY = new Uint8Array(0);

/** `payload` with its length in front. Throws RangeError past FRAME_PAYLOAD_BYTES_MAX. */
export function encodeFrame(payload: Uint8Array): Uint8Array<ArrayBuffer> {
  if (payload.byteLength > FRAME_PAYLOAD_BYTES_MAX) {
    throw new RangeError(`Cannot frame a message: ${payload.byteLength} bytes are too many`);
  }
  const frame = new Uint8Array(LENGTH_BYTES + payload.byteLength);
  viewOf(frame).setUint16(0, payload.byteLength, true);
  frame.set(payload, LENGTH_BYTES);
  return frame;
}

/**
 * Takes the chunks of a stream as they come and gives its messages.
 *
 *     reader.push(chunk);
 *     for (let message; (message = reader.next()) !== undefined;) handle(message);
 *
 * Holds at most one unfinished message and the chunk pushed last. Every length is legal, so no stream is malformed.
 */
export class FrameReader {
  readonly #length = new Uint8Array(LENGTH_BYTES);
  #lengthFilled = 0;
  /** Where the message being read is gathered; undefined while its length is. */
  #message: Uint8Array<ArrayBuffer> | undefined;
  #messageFilled = 0;
  #unread: Uint8Array = EMPTY;

  /** Add `chunk`, which stays the reader's until it is read. Throws RangeError before `next` has given undefined. */
  push(chunk: Uint8Array): void {
    if (this.#unread.byteLength > 0) {
      throw new RangeError(`Cannot push a chunk: ${this.#unread.byteLength} bytes are unread`);
    }
    this.#unread = chunk;
  }

  /** The next whole message, in bytes of its own; undefined when more of the stream is needed. */
  next(): Uint8Array<ArrayBuffer> | undefined {
    this.#message ??= this.#beginMessage();
    if (this.#message === undefined) return undefined;
    const message = this.#message;
    this.#messageFilled += this.#fill(message, this.#messageFilled);
    if (this.#messageFilled < message.byteLength) return undefined;
    this.#message = undefined;
    this.#messageFilled = 0;
    return message;
  }

  /**
   * What follows the last message, for streams that go on without frames (specification 8.6); later chunks come
   * from the stream as they are. Throws RangeError within a message.
   */
  takeRest(): Uint8Array {
    if (this.#lengthFilled > 0 || this.#message !== undefined) {
      throw new RangeError("Cannot leave the framing: a message has begun");
    }
    const rest = this.#unread;
    this.#unread = EMPTY;
    return rest;
  }

  #beginMessage(): Uint8Array<ArrayBuffer> | undefined {
    this.#lengthFilled += this.#fill(this.#length, this.#lengthFilled);
    if (this.#lengthFilled < LENGTH_BYTES) return undefined;
    this.#lengthFilled = 0;
    return new Uint8Array(viewOf(this.#length).getUint16(0, true));
  }

  /** Move unread bytes into `target` from `filled` on; gives their count. */
  #fill(target: Uint8Array, filled: number): number {
    const part = this.#unread.subarray(0, target.byteLength - filled);
    target.set(part, filled);
    this.#unread = this.#unread.subarray(part.byteLength);
    return part.byteLength;
  }
}

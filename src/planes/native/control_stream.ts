/**
 * The control stream of one connection: whole messages in both directions (native specification 1.3).
 *
 *     QuicStream.read → FrameReader → next()          one reader
 *     send(payload) → queue → QuicStream.write        in order, without anybody waiting
 *
 * @module
 */
import type { Clock } from "../../lib/clock.ts";
import { OperationError } from "../../lib/errors.ts";
import { encodeFrame, FrameReader } from "../../protocol/punktfunk1/framing.ts";
import type { QuicStream } from "../../quic/ports.ts";

/** A peer that reads nothing may not pile up messages here. */
const QUEUED_BYTES_MAX = 1024 * 1024;

export class ControlStream {
  readonly #stream: QuicStream;
  readonly #clock: Clock;
  readonly #reader = new FrameReader();
  #queuedBytes = 0;
  #writing: Promise<void> = Promise.resolve();
  #isOver = false;

  constructor(stream: QuicStream, clock: Clock) {
    this.#stream = stream;
    this.#clock = clock;
  }

  /** The next message; undefined when the stream is over. Throws OperationError "unreachable" after `timeoutMs`. */
  async next(timeoutMs?: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (timeoutMs === undefined) return await this.#next();
    const late = Promise.withResolvers<never>();
    const timer = this.#clock.after(
      timeoutMs,
      () => late.reject(new OperationError("unreachable", "Cannot go on: the peer sends nothing")),
    );
    try {
      return await Promise.race([this.#next(), late.promise]);
    } finally {
      timer.cancel();
    }
  }

  /** Queue one message. False when the stream is over or the peer has stopped reading. */
  send(payload: Uint8Array): boolean {
    const frame = encodeFrame(payload);
    if (this.#isOver || this.#queuedBytes + frame.byteLength > QUEUED_BYTES_MAX) return false;
    this.#queuedBytes += frame.byteLength;
    this.#writing = this.#writing.then(() => this.#write(frame));
    return true;
  }

  /** Resolves once everything queued was taken by the stack. */
  flush(): Promise<void> {
    return this.#writing;
  }

  /** Never rejects: a stream that cannot be written is over. */
  async #write(frame: Uint8Array): Promise<void> {
    const isWritten = !this.#isOver && await this.#stream.write(frame).catch(() => false);
    if (!isWritten) this.#isOver = true;
    this.#queuedBytes -= frame.byteLength;
  }

  async #next(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    for (;;) {
      const message = this.#reader.next();
      if (message !== undefined) return message;
      const chunk = await this.#stream.read();
      if (chunk === undefined) return undefined;
      this.#reader.push(chunk);
    }
  }
}

/**
 * A stream of native/quic.
 *
 * @module
 */
import type { QuicEndpoint, QuicId } from "../../ffi/quic.ts";
import { checkCode } from "./close.ts";
import type { QuicStream } from "./ports.ts";

/** Settled when it is worth trying again. */
type Wait = PromiseWithResolvers<void>;

export class NativeStream implements QuicStream {
  readonly #endpoint: QuicEndpoint;
  readonly #id: QuicId;
  readonly #onOver: () => void;
  /** What had come when the connection ended. */
  #rest: Uint8Array<ArrayBuffer>[] = [];
  #readable: Wait | undefined;
  #writable: Wait | undefined;
  #isReadOver = false;
  #isWriteOver = false;

  /** `onOver` is called once both directions are over. */
  constructor(endpoint: QuicEndpoint, id: QuicId, onOver: () => void) {
    this.#endpoint = endpoint;
    this.#id = id;
    this.#onOver = onOver;
  }

  async read(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (this.#readable !== undefined) {
      throw new TypeError("Cannot read: another read waits already");
    }
    while (!this.#isReadOver) {
      const bytes = this.#endpoint.read(this.#id);
      if (bytes === undefined) this.#endRead();
      else if (bytes !== null) return bytes;
      else await (this.#readable = Promise.withResolvers<void>()).promise;
    }
    return this.#rest.shift();
  }

  async write(bytes: Uint8Array): Promise<boolean> {
    if (this.#writable !== undefined) {
      throw new TypeError("Cannot write: another write waits already");
    }
    let rest = bytes;
    let isCopied = false;
    while (!this.#isWriteOver) {
      if (rest.byteLength === 0) return true;
      const count = this.#endpoint.write(this.#id, rest);
      if (count === undefined) this.#endWrite();
      else if (count > 0) rest = rest.subarray(count);
      else {
        // The caller may change what it passed as soon as this waits.
        if (!isCopied) rest = rest.slice();
        isCopied = true;
        await (this.#writable = Promise.withResolvers<void>()).promise;
      }
    }
    return false;
  }

  finish(): Promise<void> {
    if (!this.#isWriteOver) {
      this.#endpoint.finish(this.#id);
      this.#endWrite();
    }
    return Promise.resolve();
  }

  abort(code: number): void {
    checkCode(code);
    if (this.#isReadOver && this.#isWriteOver) return;
    this.#endpoint.abort(this.#id, code);
    this.#endRead();
    this.#endWrite();
  }

  becomeReadable(): void {
    this.#readable?.resolve();
    this.#readable = undefined;
  }

  becomeWritable(): void {
    this.#writable?.resolve();
    this.#writable = undefined;
  }

  /** Keeps what had come, at most the window of a stream. */
  endWithConnection(): void {
    while (!this.#isReadOver) {
      const bytes = this.#endpoint.read(this.#id);
      if (bytes === undefined || bytes === null) break;
      this.#rest.push(bytes);
    }
    this.abort(0);
  }

  #endRead(): void {
    this.#isReadOver = true;
    this.becomeReadable();
    this.#forgetIfOver();
  }

  #endWrite(): void {
    this.#isWriteOver = true;
    this.becomeWritable();
    this.#forgetIfOver();
  }

  #forgetIfOver(): void {
    if (this.#isReadOver && this.#isWriteOver) this.#onOver();
  }
}

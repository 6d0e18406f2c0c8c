/**
 * One UDP port that media leaves from: the socket, and the loop that listens for the client's pings on it.
 *
 *     datagram → PingTracker (right payload, rising counter) → onPing(where to send)
 *
 * Anything else that arrives is noise and costs one comparison. The session's pump borrows the socket by its handle; the
 * stream closes the session before the port.
 *
 * @module
 */
import { UdpSocket } from "../../ffi/wire.ts";
import { OperationError } from "../lib/errors.ts";
import type { SocketAddress, UdpSocketHandle } from "../media/wire/kernel.ts";

const RECEIVE_WAIT_MS = 5_000;

export interface MediaPortOptions {
  /** Address to bind, e.g. "0.0.0.0" or "::". */
  readonly bind: string;
  /** The customary port, or 0 for any; another one is taken when a different program has it. */
  readonly preferredPort: number;
  /** Whether the datagram is a ping of this stream's client that moves the stream to its source. */
  readonly isPing: (bytes: Uint8Array, source: SocketAddress) => boolean;
  readonly onPing: (source: SocketAddress) => void;
}

export class MediaPort implements AsyncDisposable {
  readonly #socket: UdpSocket;
  readonly #options: MediaPortOptions;
  readonly #listening: Promise<void>;
  #isClosed = false;

  private constructor(socket: UdpSocket, options: MediaPortOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#listening = this.#listen();
  }

  /** Throws OperationError when not even an ephemeral port can be bound. */
  static open(options: MediaPortOptions): MediaPort {
    const { bind, preferredPort } = options;
    try {
      return new MediaPort(UdpSocket.open({ address: bind, port: preferredPort }), options);
    } catch (error) {
      if (!(error instanceof OperationError && error.code === "port-in-use")) throw error;
      return new MediaPort(UdpSocket.open({ address: bind, port: 0 }), options);
    }
  }

  get port(): number {
    return this.#socket.port;
  }

  get handle(): UdpSocketHandle {
    return this.#socket.handle;
  }

  /** Differentiated services code point of everything sent, 0…63. */
  setDscp(codePoint: number): void {
    this.#socket.setDscp(codePoint);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#socket.wake();
    await this.#listening;
    await this.#socket.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #listen(): Promise<void> {
    while (!this.#isClosed) {
      // A socket that cannot receive hears no pings; sending from it tells the stream what is wrong.
      const datagram = await this.#socket.receive(RECEIVE_WAIT_MS).catch(() => undefined);
      if (datagram === undefined) return;
      if (datagram === null || this.#isClosed) continue;
      const source = { address: datagram.address, port: datagram.port };
      if (this.#options.isPing(datagram.bytes, source)) this.#options.onPing(source);
    }
  }
}

/**
 * A UDP socket that hands out datagrams as they come.
 *
 * @module
 */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";

export interface UdpDestination {
  readonly address: string;
  readonly port: number;
}

export class UdpEndpoint implements AsyncDisposable {
  readonly #socket: Socket;
  #isClosed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Bind an ephemeral port of the family of `peerAddress`. */
  static async open(
    peerAddress: string,
    onDatagram: (bytes: Uint8Array) => void,
  ): Promise<UdpEndpoint> {
    const socket = createSocket(peerAddress.includes(":") ? "udp6" : "udp4");
    socket.on("message", (bytes: Uint8Array) => onDatagram(new Uint8Array(bytes)));
    // Nobody listens on the other side yet, or any more: as good as lost.
    socket.on("error", () => {});
    socket.bind(0);
    await once(socket, "listening");
    return new UdpEndpoint(socket);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  send(bytes: Uint8Array, destination: UdpDestination): void {
    if (this.#isClosed) return;
    this.#socket.send(bytes, destination.port, destination.address, () => {});
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.close();
    await once(this.#socket, "close");
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

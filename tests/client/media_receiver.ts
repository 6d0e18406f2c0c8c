/**
 * A client's socket for video or audio: pings the host's port and hands out what comes back (GameStream specification 7.1).
 *
 * @module
 */
import { encodePing } from "../../src/protocol/gamestream/ping.ts";
import { type UdpDestination, UdpEndpoint } from "./udp_endpoint.ts";

const PING_INTERVAL_MS = 500;

export interface MediaReceiverOptions {
  readonly destination: UdpDestination;
  /** `X-SS-Ping-Payload`. Anything but 16 characters makes the client fall back to the old ping. */
  readonly pingPayload: string | undefined;
  readonly onDatagram: (bytes: Uint8Array) => void;
}

export class MediaReceiver implements AsyncDisposable {
  readonly #options: MediaReceiverOptions;
  readonly #socket: UdpEndpoint;
  readonly #timer: ReturnType<typeof setInterval>;
  #counter: number;

  private constructor(options: MediaReceiverOptions, socket: UdpEndpoint, counter = 0) {
    this.#options = options;
    this.#socket = socket;
    this.#counter = counter;
    this.#timer = setInterval(() => this.ping(), PING_INTERVAL_MS);
    this.ping();
  }

  static async open(options: MediaReceiverOptions): Promise<MediaReceiver> {
    const { address } = options.destination;
    return new MediaReceiver(options, await UdpEndpoint.open(address, options.onDatagram));
  }

  get port(): number {
    return this.#socket.port;
  }

  ping(): void {
    const payload = new TextEncoder().encode(this.#options.pingPayload ?? "");
    const bytes = payload.length === 16
      ? encodePing(payload, ++this.#counter)
      : new TextEncoder().encode("PING");
    this.#socket.send(bytes, this.#options.destination);
  }

  /** Send anything from this socket, for tests of noise. */
  sendRaw(bytes: Uint8Array): void {
    this.#socket.send(bytes, this.#options.destination);
  }

  /** The same receiver on another port; its pings go on counting. */
  async reopen(): Promise<MediaReceiver> {
    await this.close();
    const { destination, onDatagram } = this.#options;
    const socket = await UdpEndpoint.open(destination.address, onDatagram);
    return new MediaReceiver(this.#options, socket, this.#counter);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#socket.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * Where video packets come from: the client's data socket and the unsealing, behind one interface, so that both can be one
 * call into native code.
 *
 *     PacketOpener.receive → every packet that came, opened → VideoReassembler.accept
 *
 * @module
 */
import { UdpSocket } from "../../ffi/wire.ts";
import type { Clock } from "../lib/clock.ts";
import {
  VideoOpener,
  type VideoOpenerOptions,
  type VideoOpenStats,
} from "../protocol/punktfunk1/video_opener.ts";
import type { HostAddress } from "./dial.ts";

export interface PacketOpener extends AsyncDisposable {
  /** Local port, as Start tells it. */
  readonly port: number;
  readonly stats: Readonly<VideoOpenStats>;
  /** Datagram bytes that came from the host, sealed ones as they are. */
  readonly receivedBytes: number;
  /**
   * Wait up to `timeoutMs` for packets and hand those that came to `take`, in order; each is valid during the call only.
   * `nowUs` is when it was read, on the clock of the machine. Ends early on `close`.
   */
  receive(timeoutMs: number, take: (packet: Uint8Array, nowUs: number) => void): Promise<void>;
  /** Send a datagram to the host's video port. */
  send(bytes: Uint8Array<ArrayBuffer>): void;
  close(): Promise<void>;
}

export interface PacketOpenerOptions {
  /** The only source that counts. */
  readonly host: HostAddress;
  readonly seal: VideoOpenerOptions;
  readonly clock: Clock;
}

/** One datagram at a time, in portable code. Throws OperationError when there is no socket. */
export function openPackets(options: PacketOpenerOptions): PacketOpener {
  return new SocketPacketOpener(options);
}

class SocketPacketOpener implements PacketOpener {
  readonly port: number;
  readonly #options: PacketOpenerOptions;
  readonly #socket = UdpSocket.open({ address: "0.0.0.0", port: 0 });
  readonly #opener: VideoOpener;
  #receivedBytes = 0;

  constructor(options: PacketOpenerOptions) {
    this.#options = options;
    this.#opener = new VideoOpener(options.seal);
    this.port = this.#socket.port;
  }

  get stats(): Readonly<VideoOpenStats> {
    return this.#opener.stats;
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  async receive(
    timeoutMs: number,
    take: (packet: Uint8Array, nowUs: number) => void,
  ): Promise<void> {
    const { host, clock } = this.#options;
    const datagram = await this.#socket.receive(timeoutMs);
    if (datagram === null) return;
    if (datagram.port !== host.port || datagram.address !== host.address) return;
    this.#receivedBytes += datagram.bytes.byteLength;
    const packet = this.#opener.open(datagram.bytes);
    if (packet !== undefined) take(packet, clock.monotonicUs());
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    this.#socket.send(bytes, this.#options.host);
  }

  close(): Promise<void> {
    return this.#socket.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

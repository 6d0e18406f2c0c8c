/**
 * Where video packets come from: the client's data socket and the unsealing, behind one interface.
 *
 *     PacketOpener.receive → every packet that came, opened → VideoReassembler.accept
 *
 *     sealed    one call into native code for all that waits
 *     plain     one datagram at a time, in portable code
 *
 * @module
 */
import { UdpSocket } from "../../ffi/wire.ts";
import { SealedReceiver } from "../../ffi/wire_receive.ts";
import type { Clock } from "../lib/clock.ts";
import { REPLAY_WINDOW_SIZE } from "../protocol/punktfunk1/replay_window.ts";
import {
  DATAGRAM_SIZE_BYTES_MAX,
  VideoOpener,
  type VideoOpenerOptions,
  type VideoOpenStats,
} from "../protocol/punktfunk1/video_opener.ts";
import { hostSealRule, type SealSecrets } from "../protocol/punktfunk1/video_seal.ts";
import type { HostAddress } from "./dial.ts";

export interface PacketOpener extends AsyncDisposable {
  /** Local port, as Start tells it. */
  readonly port: number;
  readonly stats: Readonly<VideoOpenStats>;
  /** Datagram bytes that came from the host, sealed ones as they are. */
  readonly receivedBytes: number;
  /** What the system dropped because this program did not fetch it in time; 0 where that is not known. */
  readonly overflowed: number;
  /**
   * Wait up to `timeoutMs` for packets and hand those that came to `take`, in order; each is valid during the call only.
   * `nowUs` is when it arrived, on the clock of the machine. Ends early on `close`.
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

/** Throws OperationError when there is no socket. */
export function openPackets(options: PacketOpenerOptions): PacketOpener {
  const { host, seal } = options;
  return seal === null ? new PlainPacketOpener(options) : new BatchPacketOpener(host, seal);
}

/** That a packet is authentic tells its source. */
class BatchPacketOpener implements PacketOpener {
  readonly port: number;
  readonly #host: HostAddress;
  readonly #socket = UdpSocket.open({ address: "0.0.0.0", port: 0 });
  readonly #receiver: SealedReceiver;

  constructor(host: HostAddress, secrets: SealSecrets) {
    this.#host = host;
    this.#receiver = new SealedReceiver({
      socket: this.#socket.handle,
      seal: hostSealRule(secrets),
      datagramSizeBytesMax: DATAGRAM_SIZE_BYTES_MAX,
      replayWindowSize: REPLAY_WINDOW_SIZE,
    });
    this.port = this.#socket.port;
  }

  get stats(): Readonly<VideoOpenStats> {
    return this.#receiver.stats;
  }

  get receivedBytes(): number {
    return this.#receiver.stats.bytes;
  }

  get overflowed(): number {
    return this.#receiver.stats.overflowed;
  }

  async receive(
    timeoutMs: number,
    take: (packet: Uint8Array, nowUs: number) => void,
  ): Promise<void> {
    const batch = await this.#receiver.receive(timeoutMs);
    if (batch === null) return;
    for (let index = 0; index < batch.count; index++) {
      take(batch.packet(index), batch.arrivedAtUs(index));
    }
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    this.#socket.send(bytes, this.#host);
  }

  async close(): Promise<void> {
    await this.#receiver.close();
    await this.#socket.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

class PlainPacketOpener implements PacketOpener {
  readonly port: number;
  readonly overflowed = 0;
  readonly #options: PacketOpenerOptions;
  readonly #socket = UdpSocket.open({ address: "0.0.0.0", port: 0 });
  readonly #opener = new VideoOpener(null);
  #receivedBytes = 0;

  constructor(options: PacketOpenerOptions) {
    this.#options = options;
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

/**
 * Where packets of sound leave the audio pump: from a socket of their own, or to the plane that lends them its connection.
 *
 *     packet → SocketOutput → packet stream (parity, CBC) → UDP                GameStream
 *     packet → ReportOutput → PumpReport "packet" → plane → QUIC datagram      punktfunk/1
 *
 * @module
 */
import { copyNativeBytes, type NativeBytes } from "../../media/native_bytes.ts";
import type {
  PacketStream,
  SendResult,
  SocketAddress,
  UdpSocketHandle,
} from "../../media/wire/kernel.ts";
import type { SoundPacket } from "./messages.ts";
import type { AudioPacketiser } from "./packetisers.ts";

export interface AudioOutput {
  send(packet: NativeBytes, capturedAtUs: number): SendResult;
}

const NOTHING_SENT: SendResult = { packetCount: 0, bytes: 0, refusedPackets: 0 };

export interface SocketOutputParts {
  readonly packetiser: AudioPacketiser;
  readonly stream: PacketStream;
  readonly socket: UdpSocketHandle;
}

export class SocketOutput implements AudioOutput {
  readonly #parts: SocketOutputParts;
  #destination: SocketAddress | undefined;

  /** Borrows its parts. */
  constructor(parts: SocketOutputParts) {
    this.#parts = parts;
  }

  setDestination(destination: SocketAddress): void {
    this.#destination = destination;
  }

  send(packet: NativeBytes): SendResult {
    const destination = this.#destination;
    if (destination === undefined) return NOTHING_SENT;
    const { packetiser, stream, socket } = this.#parts;
    return stream.send(packet, { ...packetiser.next(), socket, destination });
  }
}

export class ReportOutput implements AudioOutput {
  readonly #report: (packet: SoundPacket) => void;

  constructor(report: (packet: SoundPacket) => void) {
    this.#report = report;
  }

  send(packet: NativeBytes, capturedAtUs: number): SendResult {
    this.#report({ bytes: copyNativeBytes(packet), capturedAtUs });
    return { packetCount: 1, bytes: packet.sizeBytes, refusedPackets: 0 };
  }
}

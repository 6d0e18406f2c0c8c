/**
 * A GameStream client's end of the control stream, over a real socket on the loopback address.
 *
 * @module
 */
import type { Clock } from "../../../../src/lib/clock.ts";
import { EnetClient } from "../../../../src/protocol/enet/client.ts";
import type { DisconnectReason, PeerEvent } from "../../../../src/protocol/enet/peer.ts";
import type { Delivery } from "../../../../src/protocol/enet/send_queue.ts";
import { ControlOpener, ControlSealer } from "../../../../src/protocol/gamestream/control.ts";
import {
  decodeHostControl,
  type HostControlMessage,
} from "../../../../src/protocol/gamestream/control_host_messages.ts";
import {
  type ClientControlPacket,
  encodeClientControl,
} from "../../../../src/protocol/gamestream/control_messages.ts";

export interface LoopbackControlClientOptions {
  readonly hostname: string;
  readonly port: number;
  readonly connectData: number;
  readonly connectId: number;
  readonly key: Uint8Array;
  readonly isV2: boolean;
  readonly clock: Clock;
}

export class LoopbackControlClient {
  readonly connected = Promise.withResolvers<void>();
  readonly disconnected = Promise.withResolvers<DisconnectReason>();
  readonly #options: LoopbackControlClientOptions;
  readonly #socket: Deno.DatagramConn;
  readonly #enet: EnetClient;
  readonly #sealer: ControlSealer;
  readonly #opener: ControlOpener;
  readonly #received: HostControlMessage[] = [];
  #onReceived: (() => void) | undefined;
  readonly #listening: Promise<void>;

  constructor(options: LoopbackControlClientOptions) {
    const { key, isV2, hostname } = options;
    this.#options = options;
    this.#sealer = new ControlSealer({ key, isV2, sender: "client" });
    this.#opener = new ControlOpener({ key, isV2, sender: "host" });
    this.#enet = new EnetClient(options);
    this.#socket = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
    this.#listening = this.#listen();
    this.pump();
  }

  get port(): number {
    return (this.#socket.addr as Deno.NetAddr).port;
  }

  /** Seal and send one message. */
  send(message: ClientControlPacket, options: { channel: number; delivery: Delivery }): void {
    this.sendFrame(this.#sealer.seal(encodeClientControl(message)), options);
  }

  /** Send bytes as they are. */
  sendFrame(frame: Uint8Array, options: { channel: number; delivery: Delivery }): void {
    this.#enet.send(frame, options);
    this.pump();
  }

  /** The next message of the host. */
  async next(): Promise<HostControlMessage> {
    for (;;) {
      const message = this.#received.shift();
      if (message !== undefined) return message;
      await new Promise<void>((resolve) => this.#onReceived = resolve);
    }
  }

  disconnect(): void {
    this.#enet.peer.disconnect();
    this.pump();
  }

  drop(): void {
    this.#enet.peer.drop();
    this.pump();
  }

  /** Send what is due. */
  pump(): void {
    const { datagrams, events } = this.#enet.tick(this.#nowMs());
    const { hostname, port } = this.#options;
    for (const bytes of datagrams) {
      void this.#socket.send(bytes, { transport: "udp", hostname, port });
    }
    this.#take(events);
  }

  /** Fall silent: nothing is sent or read any more. */
  async close(): Promise<void> {
    this.#socket.close();
    await this.#listening;
  }

  async #listen(): Promise<void> {
    try {
      for await (const [bytes] of this.#socket) {
        this.#take(this.#enet.receive(bytes, this.#nowMs()));
        this.pump();
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  #take(events: readonly PeerEvent[]): void {
    for (const event of events) {
      if (event.kind === "connected") this.connected.resolve();
      if (event.kind === "disconnected") this.disconnected.resolve(event.reason);
      if (event.kind !== "message") continue;
      const message = decodeHostControl(this.#opener.open(event.bytes));
      if (message !== undefined) this.#received.push(message);
      this.#onReceived?.();
    }
  }

  #nowMs(): number {
    return Math.floor(this.#options.clock.monotonicUs() / 1000);
  }
}

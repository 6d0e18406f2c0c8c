/**
 * The control connection from the client's side: ENet over UDP, messages sealed (GameStream specification 5).
 *
 * @module
 */
import { EnetClient } from "../../src/protocol/enet/client.ts";
import type { PeerEvent } from "../../src/protocol/enet/peer.ts";
import { ProtocolError } from "../../src/lib/errors.ts";
import { ControlOpener, ControlSealer } from "../../src/protocol/gamestream/control.ts";
import {
  decodeHostControl,
  type HostControlMessage,
} from "../../src/protocol/gamestream/control_host_messages.ts";
import {
  type ClientControlPacket,
  encodeClientControl,
} from "../../src/protocol/gamestream/control_messages.ts";
import { type UdpDestination, UdpEndpoint } from "./udp_endpoint.ts";

const PING_INTERVAL_MS = 100;
const DISCONNECT_WAIT_MS = 2_000;

export interface ControlChannelOptions {
  readonly destination: UdpDestination;
  readonly connectData: number;
  readonly key: Uint8Array;
  readonly isV2: boolean;
  readonly onConnected: () => void;
  readonly onMessage: (message: HostControlMessage) => void;
  readonly onDisconnected: (reason: string) => void;
}

export class ControlChannel implements AsyncDisposable {
  readonly #options: ControlChannelOptions;
  readonly #enet: EnetClient;
  readonly #sealer: ControlSealer;
  readonly #opener: ControlOpener;
  readonly #gone = Promise.withResolvers<void>();
  #socket: UdpEndpoint | undefined;
  #enetTimer: ReturnType<typeof setTimeout> | undefined;
  #pingTimer: ReturnType<typeof setInterval> | undefined;
  /** Messages that did not open or decode. */
  badMessages = 0;

  private constructor(options: ControlChannelOptions) {
    const { key, isV2 } = options;
    this.#options = options;
    this.#enet = new EnetClient({
      connectData: options.connectData,
      connectId: crypto.getRandomValues(new Uint32Array(1))[0] ?? 0,
    });
    this.#sealer = new ControlSealer({ key, isV2, sender: "client" });
    this.#opener = new ControlOpener({ key, isV2, sender: "host" });
  }

  /** Sends CONNECT; `onConnected` tells when it was answered. */
  static async open(options: ControlChannelOptions): Promise<ControlChannel> {
    const channel = new ControlChannel(options);
    channel.#socket = await UdpEndpoint.open(options.destination.address, (bytes) => {
      channel.#handle(channel.#enet.receive(bytes, now()));
      channel.#tick();
    });
    channel.#tick();
    return channel;
  }

  get roundTripMs(): number {
    return this.#enet.peer.roundTripMs;
  }

  /** Reliable on channel 0 unless told otherwise. False when the connection is not up. */
  send(
    message: ClientControlPacket,
    options: {
      readonly channel?: number;
      readonly delivery?: "reliable" | "unreliable" | "unsequenced";
    } = {},
  ): boolean {
    if (this.#enet.peer.state !== "connected") return false;
    const { channel = 0, delivery = "reliable" } = options;
    const isSent = this.#enet.send(this.#sealer.seal(encodeClientControl(message)), {
      // A host that granted fewer channels gets it on the first.
      channel: channel < this.#enet.peer.link.channelCount ? channel : 0,
      delivery,
    });
    this.#tick();
    return isSent;
  }

  /** Leave: gracefully as a client that quits, or at once as one that was told to. */
  async close(options: { readonly isGraceful?: boolean } = {}): Promise<void> {
    clearInterval(this.#pingTimer);
    if (this.#enet.peer.state !== "closed") {
      if (options.isGraceful ?? true) this.#enet.peer.disconnect();
      else this.#enet.peer.drop();
      this.#tick();
      const deadline = setTimeout(() => this.#gone.resolve(), DISCONNECT_WAIT_MS);
      await this.#gone.promise;
      clearTimeout(deadline);
    }
    clearTimeout(this.#enetTimer);
    await this.#socket?.close();
  }

  /** Vanish without a word, as a client that was killed. */
  async kill(): Promise<void> {
    clearInterval(this.#pingTimer);
    clearTimeout(this.#enetTimer);
    this.#gone.resolve();
    await this.#socket?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #tick(): void {
    const { datagrams, events } = this.#enet.tick(now());
    for (const datagram of datagrams) this.#socket?.send(datagram, this.#options.destination);
    this.#handle(events);
    clearTimeout(this.#enetTimer);
    const nextMs = this.#enet.nextTickMs;
    if (nextMs === undefined) return this.#gone.resolve();
    this.#enetTimer = setTimeout(() => this.#tick(), Math.max(0, nextMs - now()));
  }

  #handle(events: readonly PeerEvent[]): void {
    for (const event of events) {
      switch (event.kind) {
        case "connected":
          this.#pingTimer = setInterval(() => this.send({ type: "ping" }), PING_INTERVAL_MS);
          this.#options.onConnected();
          break;
        case "message":
          this.#receive(event.bytes);
          break;
        case "disconnected":
          clearInterval(this.#pingTimer);
          this.#options.onDisconnected(event.reason);
      }
    }
  }

  #receive(bytes: Uint8Array): void {
    try {
      const message = decodeHostControl(this.#opener.open(bytes));
      if (message !== undefined) this.#options.onMessage(message);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.badMessages++;
    }
  }
}

function now(): number {
  return Math.floor(performance.now());
}

/**
 * The control stream's UDP socket: one ENet server for all clients, with its peers' messages opened, decoded and handed to
 * the stream that admitted them (GameStream specification 5).
 *
 *     datagram → EnetServer → ControlOpener → decodeClientControl → ControlStream.onMessage
 *     ControlPeer.send → encodeHostControl → ControlSealer → EnetServer → datagram
 *
 * What does not parse or decrypt is counted and dropped; nothing that arrives makes it throw or ends a stream.
 *
 * @module
 */
import { plainAddress } from "../../lib/address.ts";
import { viewOf } from "../../lib/bytes.ts";
import type { Clock, Timer } from "../../lib/clock.ts";
import { describeError, OperationError, ProtocolError } from "../../lib/errors.ts";
import type { Logger } from "../../lib/logger.ts";
import type { EnetPeer } from "../../protocol/enet/peer.ts";
import { EnetServer, type EnetServerEvent } from "../../protocol/enet/server.ts";
import { ControlOpener, ControlSealer } from "../../protocol/gamestream/control.ts";
import {
  encodeHostControl,
  type HostControlMessage,
} from "../../protocol/gamestream/control_host_messages.ts";
import {
  type ClientControlMessage,
  decodeClientControl,
} from "../../protocol/gamestream/control_messages.ts";
import { decodeInput } from "../../protocol/gamestream/input.ts";
import { PadTracker } from "../../protocol/gamestream/input_pad_tracker.ts";

/** How long `close` waits for clients to acknowledge: they swallow the first DISCONNECT and act on a repetition. */
export const CLOSE_GRACE_MS = 1_000;

/** The largest datagram that is read; a longer one was cut and does not parse. */
const RECEIVE_BUFFER_BYTES = 4_096;
/** What a failing socket waits before it is read again. */
const RECEIVE_RETRY_MS = 100;
/** The host sends everything here (specification 5.7). */
const HOST_CHANNEL = 0;

export type ControlClosed = "client-quit" | "timeout" | "host";

/** What the plane gives for a CONNECT that it admits. */
export interface ControlStream {
  /** AES-128 key of the launch. */
  readonly key: Uint8Array;
  readonly isV2: boolean;
  /** The client is connected; called at most once. A handshake that comes to nothing is not reported. */
  onConnected(peer: ControlPeer): void;
  /** One message, in the order ENet keeps. */
  onMessage(message: ClientControlMessage): void;
  /** Called once after `onConnected`, whoever ended it, never from within a call to the peer. */
  onClosed(reason: ControlClosed): void;
}

/** A connected client, for the stream that admitted it. Every method is legal after its end and then does nothing. */
export interface ControlPeer {
  /** Smoothed round trip in milliseconds; 500 until it is known. */
  readonly rttMs: number;
  /** IPv4-mapped addresses as plain IPv4. */
  readonly remoteAddress: string;
  /** Reliable, in order. */
  send(message: HostControlMessage): void;
  /** Graceful: repeated until the client acknowledges, 10 s at most. */
  disconnect(): void;
  /** At once, with one word to the client. */
  drop(): void;
}

export interface ControlServerOptions {
  /** Address to bind, e.g. "0.0.0.0", or "::" for both families. */
  readonly bind: string;
  /** 0 takes any. */
  readonly port: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Decides about a CONNECT. Undefined refuses in silence. `address` is plain IPv4 where it can be. */
  readonly admit: (connectData: number, address: string) => ControlStream | undefined;
}

export interface ControlServer extends AsyncDisposable {
  readonly port: number;
  /** Connected peers and those in the handshake. */
  readonly peerCount: number;
  /** Disconnect everybody and close the socket, after {@link CLOSE_GRACE_MS} at most. Twice is legal. */
  close(): Promise<void>;
}

/** Listen for control streams. Throws OperationError "port-in-use", or "unavailable" when the address is not ours. */
export function openControlServer(options: ControlServerOptions): ControlServer {
  return new UdpControlServer(bindSocket(options), options);
}

function bindSocket({ bind, port }: ControlServerOptions): Deno.DatagramConn {
  try {
    return Deno.listenDatagram({ transport: "udp", hostname: bind, port });
  } catch (error) {
    const isTaken = error instanceof Deno.errors.AddrInUse;
    throw new OperationError(
      isTaken ? "port-in-use" : "unavailable",
      `Cannot listen on UDP port ${port} of ${bind}: ${
        isTaken ? "another program uses it" : describeError(error)
      }`,
      {
        remedy: isTaken
          ? `Stop the program that uses UDP port ${port}, or choose another port`
          : "Check the address to bind",
        cause: error,
      },
    );
  }
}

type Event = EnetServerEvent<ControlLine>;

/** One admitted client: the stream it belongs to and the state of its messages. */
class ControlLine {
  readonly stream: ControlStream;
  readonly sealer: ControlSealer;
  readonly #opener: ControlOpener;
  readonly #pads = new PadTracker();
  droppedCount = 0;

  constructor(stream: ControlStream) {
    const { key, isV2 } = stream;
    this.stream = stream;
    this.sealer = new ControlSealer({ key, isV2, sender: "host" });
    this.#opener = new ControlOpener({ key, isV2, sender: "client" });
  }

  /** Hand on what `frame` holds. A frame that cannot be read is counted, and that is all. */
  receive(frame: Uint8Array): void {
    let message: ClientControlMessage;
    try {
      message = this.#read(frame);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.droppedCount++;
      return;
    }
    this.stream.onMessage(message);
  }

  #read(frame: Uint8Array): ClientControlMessage {
    const message = decodeClientControl(this.#opener.open(frame));
    if (message.type !== "input") return message;
    const packet = decodeInput(message.packet);
    return { type: "input", events: packet === undefined ? [] : this.#pads.apply(packet) };
  }
}

class UdpControlServer implements ControlServer {
  readonly #socket: Deno.DatagramConn;
  readonly #options: ControlServerOptions;
  readonly #enet: EnetServer<ControlLine>;
  readonly #listening: Promise<void>;
  readonly #outbox: { readonly bytes: Uint8Array; readonly to: Deno.NetAddr }[] = [];
  #sending: Promise<void> | undefined;
  #timer: Timer | undefined;
  #isPumpDue = false;
  #closing: Promise<void> | undefined;
  #onIdle: (() => void) | undefined;
  #isClosed = false;

  constructor(socket: Deno.DatagramConn, options: ControlServerOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#enet = new EnetServer({
      admit: (data, from) => this.#admit(data, from.address),
      random: randomBelow,
    });
    this.#listening = this.#listen();
  }

  get port(): number {
    return (this.#socket.addr as Deno.NetAddr).port;
  }

  get peerCount(): number {
    return this.#enet.peers.length;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    for (const peer of this.#enet.peers) peer.disconnect();
    this.#pump();
    if (this.peerCount > 0) await this.#waitForGoodbyes();
    for (const peer of this.#enet.peers) peer.drop();
    this.#pump();
    this.#isClosed = true;
    await this.#sending;
    this.#socket.close();
    await this.#listening;
  }

  #waitForGoodbyes(): Promise<void> {
    return new Promise((resolve) => {
      const deadline = this.#options.clock.after(CLOSE_GRACE_MS, resolve);
      this.#onIdle = () => {
        deadline.cancel();
        resolve();
      };
    });
  }

  #admit(connectData: number, address: string): ControlLine | undefined {
    if (this.#closing !== undefined) return undefined;
    const stream = this.#options.admit(connectData, plainAddress(address));
    return stream === undefined ? undefined : new ControlLine(stream);
  }

  async #listen(): Promise<void> {
    const buffer = new Uint8Array(RECEIVE_BUFFER_BYTES);
    while (!this.#isClosed) {
      try {
        const [bytes, from] = await this.#socket.receive(buffer);
        const { hostname: address, port } = from as Deno.NetAddr;
        this.#dispatch(this.#enet.receive({ bytes, address, port }, this.#nowMs()));
        this.#pump();
      } catch (error) {
        if (this.#isClosed) return;
        // The answer to a datagram that nobody took any more; the socket is as good as before.
        if (error instanceof Deno.errors.ConnectionReset) continue;
        this.#options.logger.warn("control.receive-failed", { reason: describeError(error) });
        await new Promise<void>((resolve) => this.#options.clock.after(RECEIVE_RETRY_MS, resolve));
      }
    }
  }

  /** Do what is due: send, and set the timer for the next time. */
  #pump(): void {
    const { datagrams, events } = this.#enet.tick(this.#nowMs());
    for (const { address, port, bytes } of datagrams) {
      this.#outbox.push({ bytes, to: { transport: "udp", hostname: address, port } });
    }
    if (this.#outbox.length > 0) this.#sending ??= this.#send();
    this.#dispatch(events);
    this.#timer?.cancel();
    this.#timer = undefined;
    const nextMs = this.#enet.nextTickMs;
    if (nextMs === undefined) {
      this.#onIdle?.();
    } else if (!this.#isClosed) {
      const delayMs = Math.max(nextMs - this.#nowMs(), 1);
      this.#timer = this.#options.clock.after(delayMs, () => this.#pump());
    }
  }

  /** Pump once this turn's calls are done, so that they share datagrams and nobody is called from within a call. */
  #pumpSoon(): void {
    if (this.#isPumpDue || this.#isClosed) return;
    this.#isPumpDue = true;
    queueMicrotask(() => {
      this.#isPumpDue = false;
      if (!this.#isClosed) this.#pump();
    });
  }

  /** One at a time: sends that run side by side leave in any order. */
  async #send(): Promise<void> {
    for (let next = this.#outbox.shift(); next !== undefined; next = this.#outbox.shift()) {
      try {
        await this.#socket.send(next.bytes, next.to);
      } catch (error) {
        // Lost like any other datagram; ENet repeats what matters.
        this.#options.logger.debug("control.send-failed", { reason: describeError(error) });
      }
    }
    this.#sending = undefined;
  }

  #dispatch(events: readonly Event[]): void {
    for (const event of events) {
      const line = event.admission;
      try {
        this.#handle(event, line);
      } catch (error) {
        // A fault of the stream's own; the other clients' streams go on.
        this.#options.logger.error("control.handler-failed", { reason: describeError(error) });
      }
    }
  }

  #handle(event: Event, line: ControlLine): void {
    const { logger } = this.#options;
    switch (event.kind) {
      case "connected": {
        const peer = this.#createPeer(event.peer, line);
        logger.info("control.connected", { address: peer.remoteAddress });
        return line.stream.onConnected(peer);
      }
      case "message":
        return line.receive(event.bytes);
      case "disconnected": {
        if (!event.wasConnected) return logger.debug("control.abandoned");
        const reason = CLOSED_REASONS[event.reason];
        logger.info("control.closed", { reason, dropped: line.droppedCount });
        return line.stream.onClosed(reason);
      }
    }
  }

  #createPeer(peer: EnetPeer, line: ControlLine): ControlPeer {
    const server = this.#enet;
    const { logger } = this.#options;
    let lastAddress = "";
    return {
      get rttMs() {
        return peer.roundTripMs;
      },
      get remoteAddress() {
        lastAddress = plainAddress(server.addressOf(peer)?.address ?? lastAddress);
        return lastAddress;
      },
      send: (message) => {
        if (peer.state !== "connected") return;
        const frame = line.sealer.seal(encodeHostControl(message));
        if (!peer.send(frame, { channel: HOST_CHANNEL, delivery: "reliable" })) {
          logger.warn("control.queue-full", { type: message.type });
        }
        this.#pumpSoon();
      },
      disconnect: () => {
        peer.disconnect();
        this.#pumpSoon();
      },
      drop: () => {
        peer.drop();
        this.#pumpSoon();
      },
    };
  }

  #nowMs(): number {
    return Math.floor(this.#options.clock.monotonicUs() / 1000);
  }
}

const CLOSED_REASONS = {
  "peer": "client-quit",
  "timeout": "timeout",
  "local": "host",
} as const satisfies Record<string, ControlClosed>;

/** Uniform in 0…bound − 1, for small bounds. */
function randomBelow(bound: number): number {
  const limit = 0x1_0000_0000 - 0x1_0000_0000 % bound;
  const random = new Uint8Array(4);
  for (;;) {
    const value = viewOf(crypto.getRandomValues(random)).getUint32(0);
    if (value < limit) return value % bound;
  }
}

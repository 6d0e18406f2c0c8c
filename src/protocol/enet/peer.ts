/**
 * One ENet peer as either side sees the other (GameStream specification 5.3–5.6). Pure: time is passed in, datagrams
 * come out of `tick`.
 *
 *     server   acknowledging-connect ─ACK of VERIFY→ connected ─┬─disconnect()→ disconnecting ─ACK→ closed
 *     client   connecting ─VERIFY_CONNECT→ connected ───────────┼─DISCONNECT→ acknowledging-disconnect ─ACK sent→ closed
 *                                                               └─immediate DISCONNECT, drop(), 10 s of silence→ closed
 *
 * The server and the client own the handshake; everything after it is here, once.
 *
 * @module
 */
import { ProtocolError } from "../../lib/errors.ts";
import { type ConnectFields, type EnetCommand, PEER_CHANNEL, PEER_ID_UNKNOWN } from "./datagram.ts";
import { PEER_TIMEOUT_MS, PING_INTERVAL_MS } from "./limits.ts";
import { packDatagrams } from "./pack.ts";
import { ReorderBudget } from "./reassembly.ts";
import { ReceiveChannel } from "./receive_channel.ts";
import { RoundTrip } from "./round_trip.ts";
import { type Delivery, SendQueue } from "./send_queue.ts";
import { UnsequencedWindow } from "./unsequenced_window.ts";

export type PeerState =
  | "connecting"
  | "acknowledging-connect"
  | "connected"
  | "disconnecting"
  | "acknowledging-disconnect"
  | "closed";

/** Who ended the connection. "timeout" is 10 s without an acknowledgement. */
export type DisconnectReason = "peer" | "timeout" | "local";

export type PeerEvent =
  | { readonly kind: "connected" }
  | {
    readonly kind: "message";
    readonly channel: number;
    /** Valid until the next datagram is given to the machine. */
    readonly bytes: Uint8Array;
    readonly isReliable: boolean;
  }
  /** Also of a handshake that came to nothing: `wasConnected` tells. */
  | {
    readonly kind: "disconnected";
    readonly reason: DisconnectReason;
    readonly wasConnected: boolean;
  };

/** What the two sides agreed on. */
export interface PeerLink {
  /** What the other side knows us by, for the header of everything sent to it. */
  readonly remotePeerId: number;
  readonly outgoingSessionId: number;
  readonly incomingSessionId: number;
  readonly mtuBytes: number;
  readonly windowBytes: number;
  readonly channelCount: number;
}

export interface PeerOptions {
  readonly link: PeerLink;
  /** The first command of the handshake, repeated until it is answered. */
  readonly opening:
    | { readonly kind: "connect"; readonly fields: ConnectFields; readonly data: number }
    | { readonly kind: "verify-connect"; readonly fields: ConnectFields };
  /** Called during `receive`, `tick` and nothing else. */
  readonly emit: (event: PeerEvent) => void;
}

interface PendingAcknowledgement {
  readonly channel: number;
  readonly sequence: number;
  readonly sentTime: number;
}

export class EnetPeer {
  #state: PeerState;
  #link: PeerLink;
  readonly #isServer: boolean;
  readonly #emit: (event: PeerEvent) => void;
  readonly #roundTrip = new RoundTrip();
  readonly #queue = new SendQueue(this.#roundTrip);
  readonly #channels = new Map<number, ReceiveChannel>();
  readonly #unsequenced = new UnsequencedWindow();
  readonly #budget = new ReorderBudget();
  #acknowledgements: PendingAcknowledgement[] = [];
  #acknowledgedMs: number | undefined;
  #wasConnected = false;
  #isDropped = false;

  constructor(options: PeerOptions) {
    this.#link = options.link;
    this.#emit = options.emit;
    this.#isServer = options.opening.kind === "verify-connect";
    this.#state = this.#isServer ? "acknowledging-connect" : "connecting";
    this.#queue.queuePeerCommand(options.opening);
  }

  get state(): PeerState {
    return this.#state;
  }

  get link(): PeerLink {
    return this.#link;
  }

  /** Smoothed round trip in milliseconds; 500 until the first acknowledgement. */
  get roundTripMs(): number {
    return this.#roundTrip.meanMs;
  }

  /** What the peer has made this side keep: bytes ahead of their turn, and bytes that wait to be sent. */
  get bufferedBytes(): { readonly received: number; readonly toSend: number } {
    return { received: this.#budget.usedBytes, toSend: this.#queue.waitingBytes };
  }

  /**
   * Queue a message; the next `tick` sends it. False when the peer is not connected or too much waits already.
   * Throws RangeError for a channel that was not granted, or a message no delivery carries.
   */
  send(bytes: Uint8Array, options: { channel: number; delivery: Delivery }): boolean {
    const { channel, delivery } = options;
    if (!Number.isInteger(channel) || channel < 0 || channel >= this.#link.channelCount) {
      throw new RangeError(`Cannot send on channel ${channel}: ${this.#link.channelCount} granted`);
    }
    if (this.#state !== "connected") return false;
    return this.#queue.queueMessage(bytes, { channel, delivery, mtuBytes: this.#link.mtuBytes });
  }

  /**
   * Leave gracefully: DISCONNECT is repeated until acknowledged, and what was sent before meanwhile. A handshake that
   * is not done ends at once. Twice is legal.
   */
  disconnect(): void {
    if (this.#state === "connecting" || this.#state === "acknowledging-connect") this.drop();
    if (this.#state !== "connected") return;
    this.#state = "disconnecting";
    this.#queue.queuePeerCommand({ kind: "disconnect", data: 0 });
  }

  /** Leave at once: the next `tick` says so once, and the peer is closed. Twice is legal. */
  drop(): void {
    if (this.#state !== "closed") this.#isDropped = true;
  }

  /** The answer to CONNECT has come: `link` holds from now on. */
  establish(link: PeerLink): void {
    this.#link = link;
    this.#queue.acknowledge(PEER_CHANNEL, 1);
    this.#becomeConnected();
  }

  /**
   * Take one command of a datagram that carried `sentTime`. Throws ProtocolError when the command is not valid
   * now; the rest of its datagram is then not read, and nothing is acknowledged.
   */
  receive(command: EnetCommand, sentTime: number | undefined, nowMs: number): void {
    if (command.kind === "acknowledge") return this.#receiveAcknowledge(command, nowMs);
    if (command.kind === "disconnect") {
      this.#receiveDisconnect(command, sentTime);
    } else {
      if (this.#state !== "connected") throw invalid(command, this.#state);
      this.#receiveConnected(command);
    }
    if (!command.isReliable) return;
    if (sentTime === undefined) throw new ProtocolError("malformed", "Cannot acknowledge: no time");
    const { channel, sequence } = command;
    this.#acknowledgements.push({ channel, sequence, sentTime });
  }

  /** Datagrams to send at `nowMs`. To be called after everything received, sent or asked for. */
  tick(nowMs: number): Uint8Array[] {
    if (this.#state === "closed") return [];
    if (this.#isDropped) {
      const farewell = this.#pack([this.#immediateDisconnect()], nowMs);
      this.#close("local");
      return farewell;
    }
    const { oldestSentMs } = this.#queue;
    if (oldestSentMs !== undefined && nowMs - oldestSentMs >= PEER_TIMEOUT_MS) {
      this.#close(this.#state === "disconnecting" ? "local" : "timeout");
      return [];
    }
    if (this.#state === "connected" && this.#queue.isEmpty && nowMs >= this.#pingDueMs()) {
      this.#queue.queuePeerCommand({ kind: "ping" });
    }
    const acknowledgements = this.#takeAcknowledgements();
    if (this.#state === "acknowledging-disconnect") {
      this.#close("peer");
      return this.#pack(acknowledgements, nowMs);
    }
    return this.#pack(
      [...acknowledgements, ...this.#queue.collect(nowMs, this.#link.windowBytes)],
      nowMs,
    );
  }

  /** When `tick` is next needed if nothing happens before, or undefined. To be asked right after `tick`. */
  get nextTickMs(): number | undefined {
    if (this.#state === "closed") return undefined;
    const { oldestSentMs, nextDueMs } = this.#queue;
    if (oldestSentMs === undefined || nextDueMs === undefined) return this.#pingDueMs();
    return Math.min(nextDueMs, oldestSentMs + PEER_TIMEOUT_MS);
  }

  #pingDueMs(): number {
    return this.#acknowledgedMs === undefined ? 0 : this.#acknowledgedMs + PING_INTERVAL_MS;
  }

  #receiveAcknowledge(
    command: Extract<EnetCommand, { kind: "acknowledge" }>,
    nowMs: number,
  ): void {
    const acknowledged = this.#queue.acknowledge(command.channel, command.receivedSequence);
    // A repeated acknowledgement is no fault; it says nothing new.
    if (acknowledged === undefined) return;
    this.#roundTrip.addEcho(command.receivedSentTime, nowMs & 0xffff);
    this.#acknowledgedMs = nowMs;
    if (acknowledged.kind === "verify-connect") this.#becomeConnected();
    if (acknowledged.kind === "disconnect") this.#close("local");
  }

  #receiveDisconnect(
    command: Extract<EnetCommand, { kind: "disconnect" }>,
    sentTime: number | undefined,
  ): void {
    const isAnswerWanted = command.isReliable && sentTime !== undefined;
    if (this.#state === "connected" && isAnswerWanted) {
      this.#state = "acknowledging-disconnect";
    } else if (this.#state !== "acknowledging-disconnect") {
      this.#close(this.#state === "disconnecting" ? "local" : "peer");
    }
  }

  #receiveConnected(command: EnetCommand): void {
    switch (command.kind) {
      case "reliable":
        return this.#channel(command).acceptReliable(command);
      case "fragment":
        return this.#channel(command).acceptFragment(command);
      case "unreliable":
        return this.#channel(command).acceptUnreliable(command);
      case "unreliable-fragment":
        return this.#channel(command).acceptUnreliableFragment(command);
      case "unsequenced":
        this.#channel(command);
        if (this.#unsequenced.accept(command.group)) {
          this.#deliver(command.channel, command.data, false);
        }
        return;
      case "verify-connect":
        // The server repeats it until the acknowledgement arrives.
        if (this.#isServer) throw invalid(command, this.#state);
        return;
      case "connect":
        throw invalid(command, this.#state);
      default:
        // Pings, bandwidth limits and throttle settings need nothing but their acknowledgement.
        return;
    }
  }

  #channel(command: EnetCommand): ReceiveChannel {
    const { channel } = command;
    if (channel >= this.#link.channelCount) {
      throw new ProtocolError("limit", `Cannot receive on channel ${channel}: it was not granted`);
    }
    let receiver = this.#channels.get(channel);
    if (receiver === undefined) {
      receiver = new ReceiveChannel(
        this.#budget,
        (bytes, isReliable) => this.#deliver(channel, bytes, isReliable),
      );
      this.#channels.set(channel, receiver);
    }
    return receiver;
  }

  #deliver(channel: number, bytes: Uint8Array, isReliable: boolean): void {
    this.#emit({ kind: "message", channel, bytes, isReliable });
  }

  #becomeConnected(): void {
    this.#state = "connected";
    this.#wasConnected = true;
    this.#emit({ kind: "connected" });
  }

  #close(reason: DisconnectReason): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#emit({ kind: "disconnected", reason, wasConnected: this.#wasConnected });
  }

  #immediateDisconnect(): EnetCommand {
    return {
      kind: "disconnect",
      channel: PEER_CHANNEL,
      sequence: this.#queue.nextPeerSequence,
      isReliable: false,
      isUnsequenced: true,
      data: 0,
    };
  }

  #takeAcknowledgements(): EnetCommand[] {
    const commands = this.#acknowledgements.map((one): EnetCommand => ({
      kind: "acknowledge",
      channel: one.channel,
      sequence: one.sequence,
      isReliable: false,
      isUnsequenced: false,
      receivedSequence: one.sequence,
      receivedSentTime: one.sentTime,
    }));
    this.#acknowledgements = [];
    return commands;
  }

  #pack(commands: readonly EnetCommand[], nowMs: number): Uint8Array[] {
    return packDatagrams(commands, {
      peerId: this.#link.remotePeerId,
      sessionId: this.#link.remotePeerId === PEER_ID_UNKNOWN ? 0 : this.#link.outgoingSessionId,
      sentTime: nowMs & 0xffff,
      isAlwaysStamped: this.#isServer,
      mtuBytes: this.#link.mtuBytes,
    });
  }
}

function invalid(command: EnetCommand, state: PeerState): ProtocolError {
  return new ProtocolError("out-of-order", `Cannot take ${command.kind} while ${state}`);
}

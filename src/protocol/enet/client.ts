/**
 * The connecting side of ENet (GameStream specification 5.3), on the same terms as the server: pure, `receive` then `tick`.
 *
 * @module
 */
import { ProtocolError } from "../../lib/errors.ts";
import {
  type ConnectFields,
  decodeCommand,
  decodeHeader,
  type EnetCommand,
  PEER_ID_UNKNOWN,
} from "./datagram.ts";
import { MTU_BYTES_MAX, MTU_BYTES_MIN, WINDOW_BYTES_MAX } from "./limits.ts";
import { EnetPeer, type PeerEvent } from "./peer.ts";
import type { Delivery } from "./send_queue.ts";

/** What stock clients put in CONNECT. */
const CONNECT_FIELDS: Omit<ConnectFields, "connectId"> = {
  outgoingPeerId: 0,
  incomingSessionId: 0xff,
  outgoingSessionId: 0xff,
  mtuBytes: 900,
  windowBytes: WINDOW_BYTES_MAX,
  channelCount: 48,
  incomingBandwidth: 0,
  outgoingBandwidth: 0,
  throttleIntervalMs: 5000,
  throttleAcceleration: 2,
  throttleDeceleration: 2,
};

export interface EnetClientOptions {
  /** Data of CONNECT: what `X-SS-Connect-Data` gave. */
  readonly connectData: number;
  /** 32 random bits that tell this connection from others of the same address. */
  readonly connectId: number;
}

export class EnetClient {
  readonly #fields: ConnectFields;
  readonly #peer: EnetPeer;
  #events: PeerEvent[] = [];

  /** The first `tick` sends CONNECT. */
  constructor(options: EnetClientOptions) {
    this.#fields = { ...CONNECT_FIELDS, connectId: options.connectId };
    this.#peer = new EnetPeer({
      link: {
        remotePeerId: PEER_ID_UNKNOWN,
        outgoingSessionId: 0,
        incomingSessionId: 0,
        mtuBytes: this.#fields.mtuBytes,
        windowBytes: this.#fields.windowBytes,
        channelCount: this.#fields.channelCount,
      },
      opening: { kind: "connect", fields: this.#fields, data: options.connectData },
      emit: (event) => this.#events.push(event),
    });
  }

  /** The server as a peer: its state, round trip and link. */
  get peer(): EnetPeer {
    return this.#peer;
  }

  /** See {@link EnetPeer.send}. */
  send(bytes: Uint8Array, options: { channel: number; delivery: Delivery }): boolean {
    return this.#peer.send(bytes, options);
  }

  /** Read one datagram of the server. Never throws for its content. */
  receive(bytes: Uint8Array, nowMs: number): readonly PeerEvent[] {
    try {
      this.#read(bytes, nowMs);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
    }
    return this.#takeEvents();
  }

  /** What has to be sent at `nowMs`, and what happened because of the time. */
  tick(nowMs: number): {
    readonly datagrams: readonly Uint8Array[];
    readonly events: readonly PeerEvent[];
  } {
    const datagrams = this.#peer.tick(nowMs);
    return { datagrams, events: this.#takeEvents() };
  }

  get nextTickMs(): number | undefined {
    return this.#peer.nextTickMs;
  }

  #read(bytes: Uint8Array, nowMs: number): void {
    const { header, offset: firstOffset } = decodeHeader(bytes);
    const peer = this.#peer;
    if (peer.state === "closed" || header.peerId !== this.#fields.outgoingPeerId) return;
    for (let offset = firstOffset; offset < bytes.byteLength;) {
      const { command, nextOffset } = decodeCommand(bytes, offset);
      if (command.kind === "verify-connect" && peer.state === "connecting") {
        this.#verify(command);
      }
      if (header.sessionId !== peer.link.incomingSessionId) return;
      peer.receive(command, header.sentTime, nowMs);
      offset = nextOffset;
    }
  }

  #verify({ fields }: Extract<EnetCommand, { kind: "verify-connect" }>): void {
    const own = this.#fields;
    if (
      fields.connectId !== own.connectId ||
      fields.throttleIntervalMs !== own.throttleIntervalMs ||
      fields.throttleAcceleration !== own.throttleAcceleration ||
      fields.throttleDeceleration !== own.throttleDeceleration ||
      fields.channelCount < 1 || fields.channelCount > own.channelCount
    ) {
      throw new ProtocolError("malformed", "Cannot connect: the answer is to another CONNECT");
    }
    this.#peer.establish({
      remotePeerId: fields.outgoingPeerId & 0xfff,
      // Named from the server's side: what it sends is what arrives here.
      incomingSessionId: fields.incomingSessionId & 3,
      outgoingSessionId: fields.outgoingSessionId & 3,
      mtuBytes: Math.min(
        Math.max(fields.mtuBytes, MTU_BYTES_MIN),
        Math.min(own.mtuBytes, MTU_BYTES_MAX),
      ),
      windowBytes: Math.min(fields.windowBytes, own.windowBytes),
      channelCount: fields.channelCount,
    });
  }

  #takeEvents(): readonly PeerEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }
}

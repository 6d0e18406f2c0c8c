/**
 * An ENet server for any number of peers behind one UDP port (GameStream specification 5.3–5.6). Pure: datagrams, addresses
 * and time go in, datagrams and events come out.
 *
 *     receive(datagram) → events      whatever a datagram brings
 *     tick(now)         → datagrams   acknowledgements, messages, retransmissions; and events of time
 *
 * `tick` is called after every `receive` and after whatever was asked of a peer, and otherwise at `nextTickMs`. A datagram
 * that belongs to no peer and is no admitted CONNECT is dropped without a trace: it makes no state and gets no answer.
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
import {
  CHANNEL_COUNT_MAX,
  HALF_OPEN_COUNT_MAX,
  MTU_BYTES_MAX,
  MTU_BYTES_MIN,
  MTU_BYTES_OWN,
  PEER_COUNT_MAX,
  WINDOW_BYTES_MAX,
} from "./limits.ts";
import { EnetPeer, type PeerEvent } from "./peer.ts";

export interface EnetAddress {
  readonly address: string;
  readonly port: number;
}

export interface EnetDatagram extends EnetAddress {
  readonly bytes: Uint8Array;
}

/** An event of `peer`, with what `admit` gave for it. */
export type EnetServerEvent<Admission> = PeerEvent & {
  readonly peer: EnetPeer;
  readonly admission: Admission;
};

export interface EnetServerOptions<Admission> {
  /** Decides about a CONNECT that carries `data`. Undefined refuses in silence. Asked once a handshake. */
  readonly admit: (data: number, from: EnetAddress) => Admission | undefined;
  /** Uniform in 0…bound − 1. A peer's slot is drawn with it, so that a stranger has to guess. */
  readonly random: (bound: number) => number;
}

interface Slot<Admission> {
  readonly peer: EnetPeer;
  readonly admission: Admission;
  readonly connectId: number;
  source: EnetAddress;
}

const SESSION_ID_UNSET = 0xff;

export class EnetServer<Admission> {
  readonly #options: EnetServerOptions<Admission>;
  readonly #slots = new Map<number, Slot<Admission>>();
  /** Session ids that a slot used last, so that late datagrams of its former peer do not fit. */
  readonly #lastIncoming = new Uint8Array(PEER_ID_UNKNOWN).fill(SESSION_ID_UNSET);
  readonly #lastOutgoing = new Uint8Array(PEER_ID_UNKNOWN).fill(SESSION_ID_UNSET);
  #events: EnetServerEvent<Admission>[] = [];

  constructor(options: EnetServerOptions<Admission>) {
    this.#options = options;
  }

  /** Peers that are not closed, those in the handshake included. */
  get peers(): readonly EnetPeer[] {
    return [...this.#slots.values()].map((slot) => slot.peer);
  }

  /** Where `peer` last sent from, or undefined when it is gone. */
  addressOf(peer: EnetPeer): EnetAddress | undefined {
    for (const slot of this.#slots.values()) if (slot.peer === peer) return slot.source;
    return undefined;
  }

  /** Read one datagram. Never throws for its content. `bytes` of a message event are a view into it. */
  receive(datagram: EnetDatagram, nowMs: number): readonly EnetServerEvent<Admission>[] {
    try {
      this.#read(datagram, nowMs);
    } catch (error) {
      // What was read before the fault stays valid; the rest of the datagram is lost.
      if (!(error instanceof ProtocolError)) throw error;
    }
    return this.#takeEvents();
  }

  /** What has to be sent at `nowMs`, and what happened because of the time. */
  tick(nowMs: number): {
    readonly datagrams: readonly EnetDatagram[];
    readonly events: readonly EnetServerEvent<Admission>[];
  } {
    const datagrams: EnetDatagram[] = [];
    for (const [peerId, { peer, source }] of this.#slots) {
      for (const bytes of peer.tick(nowMs)) datagrams.push({ ...source, bytes });
      if (peer.state === "closed") this.#slots.delete(peerId);
    }
    return { datagrams, events: this.#takeEvents() };
  }

  /** When `tick` is next needed if nothing arrives, or undefined while there is no peer. */
  get nextTickMs(): number | undefined {
    let nextMs: number | undefined;
    for (const { peer } of this.#slots.values()) {
      const peerMs = peer.nextTickMs;
      if (peerMs !== undefined && (nextMs === undefined || peerMs < nextMs)) nextMs = peerMs;
    }
    return nextMs;
  }

  #read({ bytes, address, port }: EnetDatagram, nowMs: number): void {
    const { header, offset: firstOffset } = decodeHeader(bytes);
    if (header.peerId === PEER_ID_UNKNOWN) {
      const { command } = decodeCommand(bytes, firstOffset);
      if (command.kind === "connect" && header.sessionId === 0) {
        this.#connect(command, { address, port });
      }
      return;
    }
    const slot = this.#slots.get(header.peerId);
    if (slot === undefined || slot.peer.link.incomingSessionId !== header.sessionId) return;
    for (let offset = firstOffset; offset < bytes.byteLength;) {
      const { command, nextOffset } = decodeCommand(bytes, offset);
      slot.peer.receive(command, header.sentTime, nowMs);
      // The address follows the peer, but not before something it sent made sense.
      if (slot.source.port !== port || slot.source.address !== address) {
        slot.source = { address, port };
      }
      offset = nextOffset;
    }
  }

  #connect(command: Extract<EnetCommand, { kind: "connect" }>, source: EnetAddress): void {
    const { fields } = command;
    if (fields.channelCount < 1 || fields.channelCount > 255) return;
    let halfOpenCount = 0;
    for (const slot of this.#slots.values()) {
      // The answer is on its way already, and is repeated until acknowledged.
      if (slot.connectId === fields.connectId && isSameAddress(slot.source, source)) return;
      if (slot.peer.state === "acknowledging-connect") halfOpenCount++;
    }
    if (this.#slots.size >= PEER_COUNT_MAX || halfOpenCount >= HALF_OPEN_COUNT_MAX) return;
    const admission = this.#options.admit(command.data, source);
    if (admission === undefined) return;
    const peerId = this.#drawSlot();
    const answer = this.#answer(fields, peerId);
    const peer: EnetPeer = new EnetPeer({
      link: {
        remotePeerId: fields.outgoingPeerId & 0xfff,
        outgoingSessionId: answer.incomingSessionId,
        incomingSessionId: answer.outgoingSessionId,
        mtuBytes: answer.mtuBytes,
        windowBytes: answer.windowBytes,
        channelCount: answer.channelCount,
      },
      opening: { kind: "verify-connect", fields: answer },
      emit: (event) => this.#events.push({ ...event, peer, admission }),
    });
    this.#slots.set(peerId, { peer, admission, connectId: fields.connectId, source });
  }

  /** The drawn slot, or the next free one: there are 4095 of them for a few peers. */
  #drawSlot(): number {
    let peerId = this.#options.random(PEER_ID_UNKNOWN);
    while (this.#slots.has(peerId)) peerId = (peerId + 1) % PEER_ID_UNKNOWN;
    return peerId;
  }

  /** VERIFY_CONNECT for the CONNECT `fields`; what must come back unchanged comes back unchanged. */
  #answer(fields: ConnectFields, peerId: number): ConnectFields {
    const outgoing = nextSessionId(fields.incomingSessionId, this.#lastOutgoing[peerId] ?? 0);
    const incoming = nextSessionId(fields.outgoingSessionId, this.#lastIncoming[peerId] ?? 0);
    this.#lastOutgoing[peerId] = outgoing;
    this.#lastIncoming[peerId] = incoming;
    const mtuBytes = Math.min(Math.max(fields.mtuBytes, MTU_BYTES_MIN), MTU_BYTES_MAX);
    return {
      ...fields,
      outgoingPeerId: peerId,
      incomingSessionId: outgoing,
      outgoingSessionId: incoming,
      mtuBytes: Math.min(mtuBytes, MTU_BYTES_OWN),
      windowBytes: Math.min(fields.windowBytes, WINDOW_BYTES_MAX),
      channelCount: Math.min(fields.channelCount, CHANNEL_COUNT_MAX),
      incomingBandwidth: 0,
      outgoingBandwidth: 0,
    };
  }

  #takeEvents(): readonly EnetServerEvent<Admission>[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }
}

/** Section 5.3, step 4: two bits that differ from the `last` ones of the slot. */
function nextSessionId(asked: number, last: number): number {
  const next = ((asked === SESSION_ID_UNSET ? last : asked) + 1) & 3;
  return next === last ? (next + 1) & 3 : next;
}

function isSameAddress(a: EnetAddress, b: EnetAddress): boolean {
  return a.port === b.port && a.address === b.address;
}

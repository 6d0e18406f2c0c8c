/**
 * A connection of native/quic and its streams.
 *
 * @module
 */
import type { QuicEnd, QuicEndpoint, QuicEvent, QuicId, QuicPeer } from "../../ffi/quic.ts";
import type { QuicClose, QuicConnection, QuicStream } from "./ports.ts";
import { checkCode, closedHere, cutReason, DATAGRAMS_WAITING_MAX } from "./close.ts";
import { NativeStream } from "./native_stream.ts";
import { WaitingQueue } from "./waiting_queue.ts";

export class NativeConnection implements QuicConnection {
  readonly remote: { readonly address: string; readonly port: number };
  readonly localAddress: string | undefined;
  readonly peerCertificateDer: Uint8Array<ArrayBuffer> | undefined;
  readonly alpn: string;
  readonly #endpoint: QuicEndpoint;
  readonly #id: QuicId;
  readonly #closed = Promise.withResolvers<QuicClose>();
  readonly #datagrams = new WaitingQueue<Uint8Array<ArrayBuffer>>(DATAGRAMS_WAITING_MAX);
  readonly #accepted = new WaitingQueue<QuicStream>();
  readonly #streams = new Map<QuicId, NativeStream>();
  readonly #openings = new Map<QuicId, (stream: QuicStream | undefined) => void>();
  #hasEnded = false;

  constructor(
    endpoint: QuicEndpoint,
    { connection, peer }: { readonly connection: QuicId; readonly peer: QuicPeer },
  ) {
    this.#endpoint = endpoint;
    this.#id = connection;
    this.remote = { address: peer.address, port: peer.port };
    this.localAddress = peer.localAddress;
    this.peerCertificateDer = peer.certificateDer;
    this.alpn = peer.alpn;
  }

  get closed(): Promise<QuicClose> {
    return this.#closed.promise;
  }

  get datagramSizeMax(): number {
    return this.#hasEnded ? 0 : this.#endpoint.path(this.#id).datagramSizeMax;
  }

  get roundTripUs(): number {
    return this.#hasEnded ? 0 : this.#endpoint.path(this.#id).roundTripUs;
  }

  /** What the endpoint's loop fetched for this connection. */
  handle(event: QuicEvent): void {
    if (this.#hasEnded) return letGo(this.#endpoint, event);
    switch (event.type) {
      case "connected":
        return;
      case "closed":
        return this.#end(asClose(event.end));
      case "datagram":
        return this.#datagrams.push(event.payload);
      case "stream":
        return this.#accepted.push(this.#add(event.stream));
      case "opened":
        return this.#settleOpening(event.stream, this.#add(event.stream));
      case "unopened":
        return this.#settleOpening(event.stream, undefined);
      case "readable":
        return this.#streams.get(event.stream)?.becomeReadable();
      case "writable":
        return this.#streams.get(event.stream)?.becomeWritable();
    }
  }

  #add(id: QuicId): NativeStream {
    const stream = new NativeStream(this.#endpoint, id, () => this.#streams.delete(id));
    this.#streams.set(id, stream);
    return stream;
  }

  #settleOpening(id: QuicId, stream: NativeStream | undefined): void {
    this.#openings.get(id)?.(stream);
    this.#openings.delete(id);
  }

  #end(close: QuicClose): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    for (const stream of this.#streams.values()) stream.endWithConnection();
    for (const settle of this.#openings.values()) settle(undefined);
    this.#openings.clear();
    this.#accepted.end();
    this.#datagrams.end();
    this.#closed.resolve(close);
  }

  acceptStream(): Promise<QuicStream | undefined> {
    return this.#accepted.take();
  }

  openStream({ timeoutMs }: { readonly timeoutMs: number }): Promise<QuicStream | undefined> {
    const id = this.#hasEnded ? undefined : this.#endpoint.openStream(this.#id, timeoutMs);
    if (id === undefined) return Promise.resolve(undefined);
    return new Promise((resolve) => this.#openings.set(id, resolve));
  }

  sendDatagram(payload: Uint8Array): boolean {
    return !this.#hasEnded && this.#endpoint.sendDatagram(this.#id, payload);
  }

  readDatagram(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#datagrams.take();
  }

  close(code: number, reason: string): void {
    checkCode(code);
    if (this.#hasEnded) return;
    const cut = cutReason(reason);
    this.#endpoint.closeConnection(this.#id, code, cut.bytes);
    // Nothing that arrived before is wanted any more.
    this.#datagrams.drain();
    this.#accepted.drain();
    this.#end(closedHere(code, cut.text));
  }
}

/** A stream that came to be while its connection ended has nobody to use it. */
export function letGo(endpoint: QuicEndpoint, event: QuicEvent): void {
  if (event.type === "stream" || event.type === "opened") endpoint.abort(event.stream, 0);
}

/** A connection that was established ends in one of the port's three ways. */
function asClose({ kind, isByPeer, code, reason }: QuicEnd): QuicClose {
  const isKnown = kind === "application" || kind === "idle";
  return { kind: isKnown ? kind : "transport", isByPeer, code, reason };
}

/**
 * A QUIC connection within one process: both ends of it, without packets, losses or time.
 *
 * @module
 */
import type { QuicClose, QuicConnection, QuicStream } from "../../src/quic/ports.ts";

/** What one end has sent and the other has not yet taken; ends with undefined. */
class Pipe<T> {
  readonly #items: T[] = [];
  readonly #waiting: ((item: T | undefined) => void)[] = [];
  #isOver = false;

  put(item: T): boolean {
    if (this.#isOver) return false;
    const waiter = this.#waiting.shift();
    if (waiter === undefined) this.#items.push(item);
    else waiter(item);
    return true;
  }

  take(): Promise<T | undefined> {
    const item = this.#items.shift();
    if (item !== undefined || this.#isOver) return Promise.resolve(item);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  end(): void {
    this.#isOver = true;
    for (const waiter of this.#waiting.splice(0)) waiter(undefined);
  }
}

function fakeStream(out: Pipe<Uint8Array<ArrayBuffer>>, into: Pipe<Uint8Array<ArrayBuffer>>) {
  return {
    read: () => into.take(),
    write: (bytes) => Promise.resolve(out.put(bytes.slice())),
    finish: () => Promise.resolve(out.end()),
    abort() {
      out.end();
      into.end();
    },
  } satisfies QuicStream;
}

export interface FakeEndOptions {
  /** Address that the other end sees. */
  readonly address?: string;
  readonly certificateDer?: Uint8Array<ArrayBuffer>;
}

class FakeConnection implements QuicConnection {
  readonly remote: { readonly address: string; readonly port: number };
  readonly localAddress = "127.0.0.1";
  readonly peerCertificateDer: Uint8Array<ArrayBuffer> | undefined;
  readonly alpn = "pkf1";
  readonly datagramSizeMax = 1200;
  readonly roundTripUs = 1000;
  readonly #closed = Promise.withResolvers<QuicClose>();
  readonly #pipes = new Set<Pipe<Uint8Array<ArrayBuffer>>>();
  readonly incomingStreams = new Pipe<QuicStream>();
  readonly incomingDatagrams = new Pipe<Uint8Array<ArrayBuffer>>();
  other: FakeConnection | undefined;

  constructor(peer: FakeEndOptions) {
    this.remote = { address: peer.address ?? "127.0.0.1", port: 50_000 };
    this.peerCertificateDer = peer.certificateDer;
  }

  get closed(): Promise<QuicClose> {
    return this.#closed.promise;
  }

  acceptStream(): Promise<QuicStream | undefined> {
    return this.incomingStreams.take();
  }

  openStream(): Promise<QuicStream | undefined> {
    const there = new Pipe<Uint8Array<ArrayBuffer>>();
    const back = new Pipe<Uint8Array<ArrayBuffer>>();
    this.keep(there, back);
    this.other?.keep(there, back);
    const isOpen = this.other?.incomingStreams.put(fakeStream(back, there)) ?? false;
    return Promise.resolve(isOpen ? fakeStream(there, back) : undefined);
  }

  sendDatagram(payload: Uint8Array): boolean {
    return this.other?.incomingDatagrams.put(payload.slice()) ?? false;
  }

  readDatagram(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.incomingDatagrams.take();
  }

  close(code: number, reason: string): void {
    this.end({ kind: "application", isByPeer: false, code, reason });
    this.other?.end({ kind: "application", isByPeer: true, code, reason });
  }

  /** The peer falls silent. */
  loseByIdle(): void {
    this.end({ kind: "idle", isByPeer: false, code: 0, reason: "" });
  }

  keep(...pipes: Pipe<Uint8Array<ArrayBuffer>>[]): void {
    for (const pipe of pipes) this.#pipes.add(pipe);
  }

  end(close: QuicClose): void {
    this.#closed.resolve(close);
    this.incomingStreams.end();
    this.incomingDatagrams.end();
    for (const pipe of this.#pipes) pipe.end();
  }
}

/** Both ends of one connection. */
export function connectFakes(
  client: FakeEndOptions = {},
): { readonly client: FakeConnection; readonly host: FakeConnection } {
  const ends = { client: new FakeConnection({}), host: new FakeConnection(client) };
  ends.client.other = ends.host;
  ends.host.other = ends.client;
  return ends;
}

/**
 * A connection of the runtime's stack and its streams.
 *
 * @module
 */
import { plainAddress } from "../lib/address.ts";
import type { Clock } from "../lib/clock.ts";
import {
  checkCode,
  closedHere,
  cutReason,
  DATAGRAMS_WAITING_MAX,
  REASON_BYTES_MAX,
} from "./close.ts";
import { within } from "./deno_deadline.ts";
import type { QuicClose, QuicConnection, QuicStream } from "./ports.ts";
import { WaitingQueue } from "./waiting_queue.ts";

export interface DenoConnectionOptions {
  readonly clock: Clock;
  readonly datagramSendBufferBytes: number;
}

export class DenoConnection implements QuicConnection {
  readonly remote: { readonly address: string; readonly port: number };
  readonly localAddress = undefined;
  readonly peerCertificateDer = undefined;
  readonly alpn: string;
  readonly roundTripUs = 0;
  readonly closed: Promise<QuicClose>;
  readonly #connection: Deno.QuicConn;
  readonly #options: DenoConnectionOptions;
  readonly #streams = new WaitingQueue<QuicStream>();
  readonly #datagrams = new WaitingQueue<Uint8Array<ArrayBuffer>>(DATAGRAMS_WAITING_MAX);
  readonly #outgoing: Uint8Array[] = [];
  #outgoingBytes = 0;
  #isSending = false;
  #ownClose: QuicClose | undefined;
  #hasEnded = false;

  constructor(connection: Deno.QuicConn, options: DenoConnectionOptions) {
    const { hostname, port } = connection.remoteAddr;
    this.remote = { address: plainAddress(hostname), port };
    this.alpn = connection.protocol ?? "";
    this.#connection = connection;
    this.#options = options;
    this.closed = this.#watch();
    void this.#takeStreams();
    void this.#takeDatagrams();
  }

  async #watch(): Promise<QuicClose> {
    const close = await this.#connection.closed.then(
      ({ closeCode, reason }): QuicClose => ({
        kind: "application",
        isByPeer: true,
        code: closeCode,
        reason: cutReason(reason).text,
      }),
      lostClose,
    );
    this.#hasEnded = true;
    return this.#ownClose ?? close;
  }

  #wrap(stream: Deno.QuicBidirectionalStream): DenoStream {
    return new DenoStream(stream, () => this.#hasEnded);
  }

  async #takeStreams(): Promise<void> {
    try {
      for await (const stream of this.#connection.incomingBidirectionalStreams) {
        this.#streams.push(this.#wrap(stream));
      }
    } catch {
      // The connection ended, as `closed` tells.
    }
    this.#streams.end();
  }

  async #takeDatagrams(): Promise<void> {
    try {
      for (;;) this.#datagrams.push(await this.#connection.readDatagram());
    } catch {
      // The connection ended, as `closed` tells.
    }
    this.#datagrams.end();
  }

  get datagramSizeMax(): number {
    return this.#hasEnded ? 0 : this.#connection.maxDatagramSize;
  }

  acceptStream(): Promise<QuicStream | undefined> {
    return this.#streams.take();
  }

  async openStream(
    { timeoutMs }: { readonly timeoutMs: number },
  ): Promise<QuicStream | undefined> {
    if (this.#hasEnded) return undefined;
    try {
      const opening = this.#connection.createBidirectionalStream({ waitUntilAvailable: true });
      const stream = await within(opening, {
        clock: this.#options.clock,
        timeoutMs,
        discard: (late) => this.#wrap(late).abort(0),
      });
      return stream === undefined ? undefined : this.#wrap(stream);
    } catch {
      return undefined;
    }
  }

  sendDatagram(payload: Uint8Array): boolean {
    const { datagramSendBufferBytes: bytesMax } = this.#options;
    if (payload.byteLength > Math.min(this.datagramSizeMax, bytesMax) || this.#hasEnded) {
      return false;
    }
    this.#outgoing.push(payload.slice());
    this.#outgoingBytes += payload.byteLength;
    while (this.#outgoingBytes > bytesMax) this.#shiftOutgoing();
    if (!this.#isSending) void this.#sendOutgoing();
    return true;
  }

  #shiftOutgoing(): Uint8Array | undefined {
    const payload = this.#outgoing.shift();
    this.#outgoingBytes -= payload?.byteLength ?? 0;
    return payload;
  }

  async #sendOutgoing(): Promise<void> {
    this.#isSending = true;
    for (;;) {
      const payload = this.#shiftOutgoing();
      if (payload === undefined) break;
      // Fails when the path has shrunk since, or the connection has ended: either way it is lost.
      await this.#connection.sendDatagram(payload).catch(() => {});
    }
    this.#isSending = false;
  }

  readDatagram(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#datagrams.take();
  }

  close(code: number, reason: string): void {
    checkCode(code);
    if (this.#hasEnded) return;
    const { text } = cutReason(reason);
    this.#hasEnded = true;
    this.#ownClose = closedHere(code, text);
    this.#streams.drain();
    this.#datagrams.drain();
    this.#connection.close({ closeCode: code, reason: text });
  }
}

/** The stack tells by text alone why a connection was lost. */
function lostClose(error: unknown): QuicClose {
  const text = error instanceof Error ? error.message : "";
  return {
    kind: text === "timed out" ? "idle" : "transport",
    isByPeer: /^(aborted|reset) by peer/.test(text),
    code: 0,
    reason: text.slice(0, REASON_BYTES_MAX),
  };
}

class DenoStream implements QuicStream {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #hasConnectionEnded: () => boolean;
  #isAborted = false;

  constructor(
    { readable, writable }: Deno.QuicBidirectionalStream,
    hasConnectionEnded: () => boolean,
  ) {
    this.#hasConnectionEnded = hasConnectionEnded;
    this.#reader = readable.getReader();
    this.#writer = writable.getWriter();
    // Reads and writes tell of the end; nobody else waits for these.
    this.#reader.closed.catch(() => {});
    this.#writer.closed.catch(() => {});
    this.#writer.ready.catch(() => {});
  }

  async read(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    try {
      return (await this.#reader.read()).value;
    } catch {
      return undefined;
    }
  }

  async write(bytes: Uint8Array): Promise<boolean> {
    try {
      await this.#writer.write(bytes.slice());
      // Older runtimes do not tell that a write was cut short.
      return !this.#isAborted && !this.#hasConnectionEnded();
    } catch {
      return false;
    }
  }

  async finish(): Promise<void> {
    await this.#writer.close().catch(() => {});
  }

  abort(code: number): void {
    checkCode(code);
    this.#isAborted = true;
    this.#reader.cancel().catch(() => {});
    this.#writer.abort().catch(() => {});
  }
}

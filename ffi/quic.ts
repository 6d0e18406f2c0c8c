/**
 * Binding of native/quic: endpoints and what happens on them. src/quic/native_quic.ts makes connections of it.
 *
 * @module
 */
import { OperationError, type OperationErrorCode } from "../src/lib/errors.ts";
import {
  checkQuic,
  openQuicLibrary,
  type QuicLibrary,
  STATUS,
  STATUS_TEXTS,
} from "./quic_symbols.ts";

/** Of connections and streams; never used again. */
export type QuicId = bigint;

export interface QuicEndpointConfig {
  /** IPv4 or IPv6 literal. */
  readonly address: string;
  readonly port: number;
  /** At least one, each 1…255 bytes. */
  readonly alpn: readonly string[];
  readonly idleTimeoutMs: number;
  readonly keepAliveMs: number;
  readonly datagramSendBufferBytes: number;
}

export interface QuicPem {
  readonly certificatePem: string;
  readonly keyPem: string;
}

export interface QuicPeer {
  readonly address: string;
  readonly port: number;
  readonly localAddress: string | undefined;
  readonly alpn: string;
  readonly certificateDer: Uint8Array<ArrayBuffer> | undefined;
}

/** "unreachable" and "certificate-mismatch" are ends of a connect alone. */
export type QuicEndKind =
  | "application"
  | "idle"
  | "transport"
  | "unreachable"
  | "certificate-mismatch";

export interface QuicEnd {
  readonly kind: QuicEndKind;
  readonly isByPeer: boolean;
  readonly code: number;
  readonly reason: string;
}

/** enum pf_quic_event_type, with what follows each record. */
export type QuicEvent =
  & { readonly connection: QuicId }
  & (
    | { readonly type: "connected"; readonly peer: QuicPeer }
    | { readonly type: "closed"; readonly end: QuicEnd }
    | { readonly type: "datagram"; readonly payload: Uint8Array<ArrayBuffer> }
    | { readonly type: QuicStreamEventType; readonly stream: QuicId }
  );

export type QuicStreamEventType = "stream" | "opened" | "unopened" | "readable" | "writable";

const CONFIG_SIZE_BYTES = 24;
const RECORD_SIZE_BYTES = 40;
const PEER_SIZE_BYTES = 16;
const PATH_SIZE_BYTES = 16;
/** PF_QUIC_WAIT_ROOM, and as much again for what comes in a burst. */
const WAIT_SIZE_BYTES = 65536;
const READ_SIZE_BYTES = 65536;

const STREAM_EVENTS: Readonly<Record<number, QuicStreamEventType>> = {
  3: "stream",
  4: "opened",
  5: "unopened",
  6: "readable",
  7: "writable",
};
const END_KINDS: readonly QuicEndKind[] = [
  "application",
  "idle",
  "transport",
  "unreachable",
  "certificate-mismatch",
];

const LISTEN_FAILURES: Readonly<Record<number, OperationErrorCode>> = {
  [STATUS.invalid]: "invalid",
  [STATUS.identity]: "invalid",
  [STATUS.addressInUse]: "port-in-use",
  [STATUS.access]: "refused",
  [STATUS.addressNotAvailable]: "invalid",
};

/**
 * A listener or a connector. Every method but `wait` and `close` returns at once. Of connections and streams that are
 * over they say so as if the peer had ended them just then.
 */
export class QuicEndpoint implements AsyncDisposable {
  readonly #library: QuicLibrary;
  readonly #id: bigint;
  readonly #events = new Uint8Array(WAIT_SIZE_BYTES);
  readonly #view = new DataView(this.#events.buffer);
  readonly #readBuffer = new Uint8Array(READ_SIZE_BYTES);
  readonly #slot = new BigUint64Array(1);
  readonly #path = new DataView(new ArrayBuffer(PATH_SIZE_BYTES));
  readonly #decoder = new TextDecoder();
  #pending: Promise<number> | null = null;
  #closing: Promise<void> | null = null;

  private constructor(library: QuicLibrary, id: bigint) {
    this.#library = library;
    this.#id = id;
  }

  /**
   * Bind and accept connections. Throws OperationError "port-in-use", "refused" when the system forbids the port,
   * "invalid" for a bad address, identity or option; "missing-library" without the shim.
   */
  static listen(
    config: QuicEndpointConfig,
    options: { readonly identity: QuicPem; readonly connectionsMax: number },
  ): QuicEndpoint {
    const struct = configStruct(config, { connectionsMax: options.connectionsMax });
    const args = [
      ...sized(struct),
      ...sized(encode(config.address)),
      ...sized(alpnList(config.alpn)),
      ...sized(encode(options.identity.certificatePem)),
      ...sized(encode(options.identity.keyPem)),
    ] as const;
    return QuicEndpoint.#open((library, slot) => {
      const status = library.symbols.pf_quic_listen(...args, slot);
      const what = `listen for QUIC on ${config.address} port ${config.port}`;
      const code = LISTEN_FAILURES[status];
      if (code !== undefined) {
        throw new OperationError(code, `Cannot ${what}: ${STATUS_TEXTS[status]}`);
      }
      checkQuic(status, what);
    });
  }

  /** Throws OperationError "missing-library" without the shim. */
  static openConnector(): QuicEndpoint {
    return QuicEndpoint.#open((library, slot) => {
      checkQuic(library.symbols.pf_quic_connector_open(slot), "open QUIC connector");
    });
  }

  static #open(open: (library: QuicLibrary, slot: BigUint64Array) => void): QuicEndpoint {
    const library = openQuicLibrary();
    try {
      const slot = new BigUint64Array(1);
      open(library, slot);
      return new QuicEndpoint(library, slot[0] ?? 0n);
    } catch (error) {
      library.close();
      throw error;
    }
  }

  get port(): number {
    return checkQuic(this.#library.symbols.pf_quic_port(this.#id), "read QUIC port");
  }

  /** Start a connection; "connected" or "closed" follows. Throws OperationError "invalid". */
  connect(config: QuicEndpointConfig, options: {
    readonly serverName: string;
    readonly identity: QuicPem | undefined;
    readonly fingerprint: Uint8Array | undefined;
    readonly timeoutMs: number;
  }): QuicId {
    const { identity, fingerprint, serverName, timeoutMs } = options;
    const status = this.#library.symbols.pf_quic_connect(
      this.#id,
      ...sized(configStruct(config, { timeoutMs })),
      ...sized(encode(config.address)),
      ...sized(encode(serverName)),
      ...sized(alpnList(config.alpn)),
      ...sized(encode(identity?.certificatePem ?? "")),
      ...sized(encode(identity?.keyPem ?? "")),
      ...sized(fingerprint === undefined ? new Uint8Array() : new Uint8Array(fingerprint)),
      this.#slot,
    );
    const what = `connect to ${config.address} port ${config.port}`;
    if (status === STATUS.invalid || status === STATUS.identity) {
      throw new OperationError("invalid", `Cannot ${what}: ${STATUS_TEXTS[status]}`);
    }
    checkQuic(status, what);
    return this.#slot[0] ?? 0n;
  }

  /** What happened since the last call; waits for something. Undefined once closed. One call at a time. */
  async wait(): Promise<QuicEvent[] | undefined> {
    if (this.#closing !== null) return undefined;
    this.#pending = this.#library.symbols.pf_quic_wait(this.#id, -1, ...sized(this.#events));
    const count = await this.#pending;
    this.#pending = null;
    if (count === STATUS.closed || count === STATUS.stale) return undefined;
    return this.#decode(checkQuic(count, "wait for QUIC events"));
  }

  #decode(count: number): QuicEvent[] {
    const events: QuicEvent[] = [];
    let offset = 0;
    for (let index = 0; index < count; index++) {
      const body = offset + RECORD_SIZE_BYTES;
      const end = body + this.#view.getUint32(offset + 4, true);
      events.push(this.#decodeRecord(offset, this.#events.subarray(body, end)));
      offset = Math.ceil(end / 8) * 8;
    }
    return events;
  }

  #decodeRecord(offset: number, body: Uint8Array<ArrayBuffer>): QuicEvent {
    const type = this.#view.getUint32(offset, true);
    const connection = this.#view.getBigUint64(offset + 8, true);
    switch (type) {
      case 1:
        return { type: "connected", connection, peer: decodePeer(body) };
      case 2:
        return { type: "closed", connection, end: this.#decodeEnd(offset, body) };
      case 8:
        return { type: "datagram", connection, payload: body.slice() };
      default: {
        const name = STREAM_EVENTS[type];
        if (name === undefined) throw new TypeError(`Cannot decode QUIC event: type is ${type}`);
        return { type: name, connection, stream: this.#view.getBigUint64(offset + 16, true) };
      }
    }
  }

  #decodeEnd(offset: number, reason: Uint8Array): QuicEnd {
    return {
      kind: END_KINDS[this.#view.getUint32(offset + 32, true)] ?? "transport",
      isByPeer: this.#view.getUint32(offset + 36, true) !== 0,
      code: Number(this.#view.getBigUint64(offset + 24, true)),
      reason: this.#decoder.decode(reason),
    };
  }

  /** `reason` is at most 256 bytes. */
  closeConnection(connection: QuicId, code: number, reason: Uint8Array<ArrayBuffer>): void {
    if (this.#closing !== null) return;
    const args = sized(reason);
    this.#library.symbols.pf_quic_connection_close(this.#id, connection, code, ...args);
  }

  /** Zeros when the connection is over. */
  path(connection: QuicId): { readonly roundTripUs: number; readonly datagramSizeMax: number } {
    const bytes = new Uint8Array(this.#path.buffer);
    bytes.fill(0);
    if (this.#closing === null) {
      this.#library.symbols.pf_quic_connection_path(this.#id, connection, ...sized(bytes));
    }
    return {
      roundTripUs: Number(this.#path.getBigUint64(0, true)),
      datagramSizeMax: this.#path.getUint32(8, true),
    };
  }

  /** False when it is too large, or the connection is over. */
  sendDatagram(connection: QuicId, payload: Uint8Array): boolean {
    if (this.#closing !== null) return false;
    const args = sized(payload);
    return this.#library.symbols.pf_quic_datagram_send(this.#id, connection, ...args) === 1;
  }

  /** "opened" or "unopened" follows with this stream; undefined when the connection is over. */
  openStream(connection: QuicId, timeoutMs: number): QuicId | undefined {
    if (this.#closing !== null) return undefined;
    const { pf_quic_stream_open } = this.#library.symbols;
    const status = pf_quic_stream_open(this.#id, connection, timeoutMs, this.#slot);
    return status < 0 ? undefined : this.#slot[0];
  }

  /** A copy of what came, at most 64 KiB; null when "readable" will tell of more; undefined at the stream's end. */
  read(stream: QuicId): Uint8Array<ArrayBuffer> | null | undefined {
    if (this.#closing !== null) return undefined;
    const args = sized(this.#readBuffer);
    const count = this.#library.symbols.pf_quic_stream_read(this.#id, stream, ...args);
    if (count < 0) return undefined;
    return count === 0 ? null : this.#readBuffer.slice(0, count);
  }

  /** Bytes taken of at least one; 0 when "writable" will tell of room; undefined at the stream's end. */
  write(stream: QuicId, bytes: Uint8Array): number | undefined {
    if (this.#closing !== null) return undefined;
    const args = sized(bytes);
    const count = this.#library.symbols.pf_quic_stream_write(this.#id, stream, ...args);
    return count < 0 ? undefined : count;
  }

  finish(stream: QuicId): void {
    if (this.#closing === null) this.#library.symbols.pf_quic_stream_finish(this.#id, stream);
  }

  abort(stream: QuicId, code: number): void {
    if (this.#closing === null) this.#library.symbols.pf_quic_stream_abort(this.#id, stream, code);
  }

  /** Closes connections with code 0, frees the port, and ends a `wait`. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const pending = this.#pending;
    await this.#library.symbols.pf_quic_close(this.#id);
    await pending?.catch(() => {});
    this.#library.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** An array and its length, as two arguments. */
function sized(bytes: Uint8Array): [Uint8Array<ArrayBuffer>, bigint] {
  // Memory that is shared between isolates is as good here.
  return [bytes as Uint8Array<ArrayBuffer>, BigInt(bytes.byteLength)];
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** struct pf_quic_config. Throws OperationError "invalid" for what fits no u32. */
function configStruct(
  config: QuicEndpointConfig,
  { connectionsMax = 0, timeoutMs = 0 }: {
    readonly connectionsMax?: number;
    readonly timeoutMs?: number;
  },
): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(CONFIG_SIZE_BYTES));
  const fields = {
    port: config.port,
    idleTimeoutMs: config.idleTimeoutMs,
    keepAliveMs: config.keepAliveMs,
    datagramSendBufferBytes: config.datagramSendBufferBytes,
    connectionsMax,
    timeoutMs,
  };
  Object.entries(fields).forEach(([name, value], index) => {
    if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff) {
      throw new OperationError("invalid", `Cannot use QUIC: ${name} is ${value}`);
    }
    view.setUint32(index * 4, value, true);
  });
  return new Uint8Array(view.buffer);
}

/** Length bytes and names. */
function alpnList(names: readonly string[]): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  for (const name of names.map(encode)) {
    if (name.byteLength < 1 || name.byteLength > 255) {
      throw new OperationError("invalid", `Cannot offer ALPN: it has ${name.byteLength} bytes`);
    }
    bytes.push(name.byteLength, ...name);
  }
  return new Uint8Array(bytes);
}

/** struct pf_quic_peer and what follows it. */
function decodePeer(bytes: Uint8Array<ArrayBuffer>): QuicPeer {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let offset = PEER_SIZE_BYTES;
  const next = (length: number) => bytes.subarray(offset, offset += length);
  const text = (length: number) => new TextDecoder().decode(next(length));
  const address = text(view.getUint16(8, true));
  const localAddress = text(view.getUint16(10, true));
  const alpn = text(view.getUint16(12, true));
  const certificate = next(view.getUint32(0, true));
  return {
    address,
    port: view.getUint32(4, true),
    localAddress: localAddress === "" ? undefined : localAddress,
    alpn,
    certificateDer: certificate.byteLength === 0 ? undefined : certificate.slice(),
  };
}

/**
 * QUIC version 1 as the native plane uses it: reliable streams, unreliable datagrams, close codes.
 *
 *     registry.openListener → accept() → QuicConnection → acceptStream(), readDatagram(), sendDatagram(), close()
 *     registry.openConnector → connect() → QuicConnection                        the probe client and the tests
 *
 * Two adapters: `deno_quic.ts` over the runtime's own stack, which cannot ask a client for its certificate, and
 * `native_quic.ts` over native/quic, which can. One contract test runs against both.
 *
 * What every implementation promises:
 * - Nothing is called back: every event is the result of a call that waits. A waiting call ends with `undefined`
 *   once there will be nothing more, and never rejects because a peer went away; `closed` says why.
 * - Arguments are copied before a call returns; returned bytes belong to the caller.
 * - `close` twice is legal. After it, calls that wait end with `undefined` and sends do nothing.
 *
 * @module
 */

/** What an endpoint proves itself with. */
export interface QuicIdentity {
  readonly certificatePem: string;
  /** PKCS#8. */
  readonly keyPem: string;
}

export interface QuicTransportOptions {
  /** Offered, or accepted, in this order; at least one. */
  readonly alpn: readonly string[];
  /** 1000…3600000. The smaller of both ends' values holds. */
  readonly idleTimeoutMs: number;
  /** Interval of PINGs on a quiet connection; 0 for none. */
  readonly keepAliveMs: number;
  /** 2048…1048576. Queued datagrams beyond this many bytes push the oldest out. */
  readonly datagramSendBufferBytes: number;
}

export interface QuicListenerOptions extends QuicTransportOptions {
  /** Address to bind, e.g. "0.0.0.0" or "::". */
  readonly address: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly identity: QuicIdentity;
  /** Connections past this many are refused before a handshake. */
  readonly connectionsMax: number;
}

export interface QuicListener extends AsyncDisposable {
  readonly adapter: QuicAdapterId;
  readonly port: number;
  /** True: every client is asked for a certificate, and one shown was proven with its key. */
  readonly asksForClientCertificate: boolean;
  /** The next connection whose handshake is complete; undefined once the listener is closed. */
  accept(): Promise<QuicConnection | undefined>;
  /**
   * Refuses new connections, closes those that live with code 0, and frees the port before it resolves; the runtime's
   * stack frees it later, when its memory is collected.
   */
  close(): Promise<void>;
}

export interface QuicConnectOptions extends QuicTransportOptions {
  readonly address: string;
  readonly port: number;
  /** The TLS server name; it is sent and not verified. */
  readonly serverName: string;
  /** Shown when the server asks. An adapter that cannot show one throws OperationError "unavailable". */
  readonly identity?: QuicIdentity;
  /**
   * SHA-256 of the DER of the certificate that the server must show; the handshake fails otherwise. Absent: any
   * certificate proven with its key is accepted, and `peerCertificateDer` tells which. An adapter that cannot accept
   * any throws OperationError "unavailable".
   */
  readonly serverFingerprint?: Uint8Array;
  readonly timeoutMs: number;
}

export interface QuicConnector extends AsyncDisposable {
  readonly adapter: QuicAdapterId;
  /**
   * Throws OperationError "unreachable" (silence), "refused" (TLS, ALPN or a close) or "certificate-mismatch". A server
   * that refuses the client's certificate does so after this resolved: `closed` tells.
   */
  connect(options: QuicConnectOptions): Promise<QuicConnection>;
  close(): Promise<void>;
}

export type QuicAdapterId = "deno" | "quinn";

/** Why a connection ended. */
export interface QuicClose {
  /** "application": CONNECTION_CLOSE of an application, ours or the peer's. "idle": silence. "transport": the rest. */
  readonly kind: "application" | "idle" | "transport";
  readonly isByPeer: boolean;
  /** Of an application's close; 0 otherwise. */
  readonly code: number;
  /** At most 256 characters of a peer's text. Untrusted: never log it unscrubbed. */
  readonly reason: string;
}

export interface QuicConnection {
  /** When the handshake was complete; a client may move later. */
  readonly remote: { readonly address: string; readonly port: number };
  /** The address of this machine that the peer's packets arrive at, when the stack tells it. */
  readonly localAddress: string | undefined;
  /** DER of the peer's leaf certificate, proven with its key; undefined when none was shown or none can be seen. */
  readonly peerCertificateDer: Uint8Array<ArrayBuffer> | undefined;
  readonly alpn: string;
  readonly closed: Promise<QuicClose>;
  /** Largest payload `sendDatagram` takes now; 0 when the peer takes none. */
  readonly datagramSizeMax: number;
  /** Smoothed round trip in microseconds; 0 while unknown. */
  readonly roundTripUs: number;

  /** The next bidirectional stream that the peer opened. */
  acceptStream(): Promise<QuicStream | undefined>;
  /** Undefined when the connection ended, or the peer allows no stream in time. The peer hears of it with its first byte. */
  openStream(options: { readonly timeoutMs: number }): Promise<QuicStream | undefined>;
  /** Never waits. False when it is too large, or the connection has ended. */
  sendDatagram(payload: Uint8Array): boolean;
  /** The next datagram. Those nobody reads are dropped, oldest first, past 256. */
  readDatagram(): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Ends all streams and tells the peer. `code` 0…2^32−1; `reason` is cut to 256 bytes of UTF-8. */
  close(code: number, reason: string): void;
}

/** One bidirectional stream. One read and one write may wait at a time. */
export interface QuicStream {
  /**
   * Bytes as they came, at most 64 KiB; undefined after the peer's FIN or reset, or the connection's end. What came
   * before the peer closed can still be read, except with the runtime's stack.
   */
  read(): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Resolves once the stack took all of it; false when the stream or connection ended first. */
  write(bytes: Uint8Array): Promise<boolean>;
  /** FIN: nothing is written afterwards. */
  finish(): Promise<void>;
  /** RESET_STREAM and STOP_SENDING with `code`; the runtime's stack sends FIN and code 0. */
  abort(code: number): void;
}

/**
 * The RTSP port: one request a connection, plain or encrypted (GameStream specification 4.1, 4.2).
 *
 *     connection → read one message → find its stream → stream.handle → answer, close the sending side, wait for the peer's end
 *
 * An encrypted frame belongs to the stream whose key opens it; a plain request to the newest stream without encryption whose
 * client has the connection's address. Connections that send nothing are probes. A frame that no key opens is closed without
 * a word. Every connection has a deadline, and there are only so many.
 *
 * @module
 */
import { isSameHost } from "../../lib/address.ts";
import type { Clock } from "../../lib/clock.ts";
import { describeError, OperationError, ProtocolError } from "../../lib/errors.ts";
import type { Logger } from "../../lib/logger.ts";
import {
  encodeRtspResponse,
  parseRtspRequest,
  parseWholeRtspRequest,
  RTSP_BODY_SIZE_BYTES_MAX,
  RTSP_HEADER_SIZE_BYTES_MAX,
  type RtspRequest,
  type RtspResponse,
} from "../../protocol/gamestream/rtsp.ts";
import {
  isRtspFrame,
  RTSP_FRAME_HEADER_SIZE_BYTES,
  type RtspCrypto,
  rtspFrameSizeBytes,
} from "../../protocol/gamestream/rtsp_crypto.ts";

export const RTSP_CONNECTIONS_MAX = 32;
export const RTSP_CONNECTIONS_PER_ADDRESS_MAX = 8;
/** For reading the request, and again for getting rid of the response. */
export const RTSP_DEADLINE_MS = 10_000;
const MESSAGE_SIZE_BYTES_MAX = RTSP_FRAME_HEADER_SIZE_BYTES + RTSP_HEADER_SIZE_BYTES_MAX +
  RTSP_BODY_SIZE_BYTES_MAX;
const READ_SIZE_BYTES = 4096;
const ACCEPT_PAUSE_MS = 100;

/** One stream that may be in its handshake. */
export interface RtspStream {
  readonly isEncrypted: boolean;
  /** Of the client that launched it. */
  readonly peerAddress: string;
  readonly crypto: RtspCrypto;
  /** Must not reject. */
  handle(request: RtspRequest): Promise<RtspResponse>;
}

export interface RtspServerOptions {
  /** Address literal to listen on. */
  readonly bind: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Streams that take requests now, the newest last. */
  readonly streams: () => readonly RtspStream[];
}

export interface RtspServer extends AsyncDisposable {
  readonly port: number;
  /** Resolves when the port is free, no connection is left and no stream is handling a request. */
  close(): Promise<void>;
}

/** Throws OperationError "port-in-use" when another program has the port, "failed" when it cannot be opened. */
export function openRtspServer(options: RtspServerOptions): RtspServer {
  return new Server(listen(options), options);
}

function listen(options: RtspServerOptions): Deno.TcpListener {
  try {
    return Deno.listen({ hostname: options.bind, port: options.port, transport: "tcp" });
  } catch (error) {
    const isBusy = error instanceof Deno.errors.AddrInUse;
    throw new OperationError(
      isBusy ? "port-in-use" : "failed",
      `Cannot listen for RTSP on ${options.bind} port ${options.port}: ${
        isBusy ? "another program uses it" : describeError(error)
      }`,
      { remedy: "Stop that program, or choose other ports with --gamestream-port", cause: error },
    );
  }
}

class Server implements RtspServer {
  readonly port: number;
  readonly #listener: Deno.TcpListener;
  readonly #options: RtspServerOptions;
  readonly #connections = new Map<Deno.TcpConn, string>();
  readonly #work = new Set<Promise<void>>();
  readonly #closing = Promise.withResolvers<void>();
  #isClosed = false;

  constructor(listener: Deno.TcpListener, options: RtspServerOptions) {
    this.#listener = listener;
    this.#options = options;
    this.port = listener.addr.port;
    this.#track(this.#accept());
  }

  async close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#closing.resolve();
      this.#listener.close();
      for (const connection of this.#connections.keys()) closeConnection(connection);
    }
    await Promise.all(this.#work);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #track(work: Promise<void>): void {
    this.#work.add(work);
    work.finally(() => this.#work.delete(work));
  }

  async #accept(): Promise<void> {
    while (!this.#isClosed) {
      let connection: Deno.TcpConn;
      try {
        connection = await this.#listener.accept();
      } catch (error) {
        if (this.#isClosed) return;
        // A peer that left before it was accepted is no reason to stop; neither is a shortage of descriptors.
        this.#options.logger.warn("rtsp.accept-failed", { reason: describeError(error) });
        await this.#pause();
        continue;
      }
      const address = connection.remoteAddr.hostname;
      if (this.#isClosed || !this.#hasRoomFor(address)) {
        closeConnection(connection);
        continue;
      }
      this.#connections.set(connection, address);
      this.#track(this.#serve(connection, address));
    }
  }

  /** Until the system may have room again, or the server closes. */
  async #pause(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#options.clock.after(ACCEPT_PAUSE_MS, resolve);
    await Promise.race([promise, this.#closing.promise]);
    timer.cancel();
  }

  #hasRoomFor(address: string): boolean {
    let ofAddress = 0;
    for (const other of this.#connections.values()) if (other === address) ofAddress++;
    return this.#connections.size < RTSP_CONNECTIONS_MAX &&
      ofAddress < RTSP_CONNECTIONS_PER_ADDRESS_MAX;
  }

  async #serve(connection: Deno.TcpConn, address: string): Promise<void> {
    try {
      const message = await this.#within(connection, () => readMessage(connection));
      if (message === undefined) return;
      const answer = await this.#answer(message, address);
      if (answer === undefined) return;
      await this.#within(connection, () => writeAnswer(connection, answer));
    } catch (error) {
      // The peer left, or the deadline closed the connection under a read.
      this.#options.logger.debug("rtsp.connection-lost", { reason: describeError(error) });
    } finally {
      closeConnection(connection);
      this.#connections.delete(connection);
    }
  }

  /** Run `work`; close the connection under it when the deadline passes. */
  async #within<T>(connection: Deno.TcpConn, work: () => Promise<T>): Promise<T> {
    const deadline = this.#options.clock.after(
      RTSP_DEADLINE_MS,
      () => closeConnection(connection),
    );
    try {
      return await work();
    } finally {
      deadline.cancel();
    }
  }

  /** The bytes to answer with, or undefined to close without a word. */
  async #answer(message: Message, address: string): Promise<Uint8Array | undefined> {
    if (message.kind === "refused") return encodeRtspResponse(refusal(message.error));
    const streams = this.#options.streams();
    if (message.kind === "frame") {
      const opened = openWithAny(streams, message.frame);
      if (opened === undefined) {
        this.#options.logger.debug("rtsp.frame-refused");
        return undefined;
      }
      const response = await respondTo(opened.plaintext, opened.stream);
      return opened.stream.crypto.seal(encodeRtspResponse(response));
    }
    const stream = streams.findLast((one) =>
      !one.isEncrypted && isSameHost(one.peerAddress, address)
    );
    const { request } = message;
    return encodeRtspResponse(
      stream === undefined ? { status: 454, cseq: request.cseq } : await stream.handle(request),
    );
  }
}

type Message =
  | { readonly kind: "plain"; readonly request: RtspRequest }
  | { readonly kind: "frame"; readonly frame: Uint8Array }
  /** Plain bytes that are no request. */
  | { readonly kind: "refused"; readonly error: ProtocolError };

/** The connection's one message; undefined for a probe, a torn message and a bad frame. */
async function readMessage(connection: Deno.TcpConn): Promise<Message | undefined> {
  let buffer = new Uint8Array(READ_SIZE_BYTES);
  let sizeBytes = 0;
  let sizeBytesMin = 1;
  for (;;) {
    if (sizeBytes === buffer.byteLength) {
      const larger = new Uint8Array(Math.min(buffer.byteLength * 2, MESSAGE_SIZE_BYTES_MAX));
      larger.set(buffer);
      buffer = larger;
    }
    const count = await connection.read(buffer.subarray(sizeBytes));
    if (count === null) return undefined;
    sizeBytes += count;
    if (sizeBytes < sizeBytesMin) continue;
    const progress = parseMessage(buffer.subarray(0, sizeBytes));
    if (typeof progress !== "number") return progress;
    sizeBytesMin = progress;
  }
}

/** The message at the start of `bytes`, or the size at which to ask again. */
function parseMessage(bytes: Uint8Array): Message | number | undefined {
  const isFrame = isRtspFrame(bytes[0] ?? 0);
  try {
    if (isFrame) {
      const sizeBytes = rtspFrameSizeBytes(bytes) ?? 4;
      return sizeBytes > bytes.byteLength
        ? sizeBytes
        : { kind: "frame", frame: bytes.subarray(0, sizeBytes) };
    }
    const parse = parseRtspRequest(bytes);
    return parse.kind === "incomplete"
      ? parse.sizeBytesMin
      : { kind: "plain", request: parse.request };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return isFrame ? undefined : { kind: "refused", error };
  }
}

function openWithAny(
  streams: readonly RtspStream[],
  frame: Uint8Array,
): { readonly stream: RtspStream; readonly plaintext: Uint8Array } | undefined {
  for (const stream of streams.toReversed()) {
    if (!stream.isEncrypted) continue;
    try {
      return { stream, plaintext: stream.crypto.open(frame) };
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
    }
  }
  return undefined;
}

async function respondTo(plaintext: Uint8Array, stream: RtspStream): Promise<RtspResponse> {
  let request: RtspRequest;
  try {
    request = parseWholeRtspRequest(plaintext);
  } catch (error) {
    if (error instanceof ProtocolError) return refusal(error);
    throw error;
  }
  return await stream.handle(request);
}

function refusal(error: ProtocolError): RtspResponse {
  return { status: error.code === "unsupported" ? 505 : 400, cseq: 0 };
}

/** Send everything, say that nothing follows, and read until the peer has closed too: closing first may cost it the answer. */
async function writeAnswer(connection: Deno.TcpConn, answer: Uint8Array): Promise<void> {
  for (let sent = 0; sent < answer.byteLength;) {
    sent += await connection.write(answer.subarray(sent));
  }
  await connection.closeWrite();
  const rest = new Uint8Array(READ_SIZE_BYTES);
  for (let drained = 0; drained < MESSAGE_SIZE_BYTES_MAX;) {
    const count = await connection.read(rest);
    if (count === null) return;
    drained += count;
  }
}

function closeConnection(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

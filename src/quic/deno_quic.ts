/**
 * QUIC over the runtime's own stack, for machines without native/quic. What it cannot do:
 *
 *     client certificates    never asked for, never shown
 *     unknown servers        a connector accepts the pinned certificate alone
 *     Retry                  never sent: addresses are taken on trust until the handshake ends
 *     stream codes           an abort arrives as FIN and as STOP_SENDING with code 0
 *     round trip, local IP   unknown
 *     the port               is freed with the runtime's next garbage collection, not by `close`
 *     what came unread       is lost when the connection ends
 *     datagrams              queue in the stack's megabyte before the oldest are pushed out
 *
 * @module
 */
import type { Clock } from "../lib/clock.ts";
import { OperationError, type OperationErrorCode } from "../lib/errors.ts";
import { within } from "./deno_deadline.ts";
import { DenoConnection } from "./deno_connection.ts";
import type {
  QuicConnection,
  QuicConnectOptions,
  QuicConnector,
  QuicListener,
  QuicListenerOptions,
  QuicTransportOptions,
} from "./ports.ts";
import { WaitingQueue } from "./waiting_queue.ts";

/** As native/quic has it. */
const STREAMS_MAX = 16;

/** Bind; see the port. Throws OperationError "port-in-use", "refused" or "invalid". */
export function openDenoListener(options: QuicListenerOptions, clock: Clock): QuicListener {
  const endpoint = bind(options);
  try {
    const listener = endpoint.listen({
      ...transportOf(options),
      cert: options.identity.certificatePem,
      key: options.identity.keyPem,
    });
    return new DenoListener(endpoint, listener, { ...options, clock });
  } catch (cause) {
    endpoint.close();
    throw new OperationError("invalid", "Cannot listen for QUIC: identity or options are bad", {
      cause,
    });
  }
}

/** It cannot show a certificate, and connects to pinned servers alone. */
export function openDenoConnector(clock: Clock): QuicConnector {
  return new DenoConnector(clock);
}

function transportOf(options: QuicTransportOptions) {
  return {
    alpnProtocols: [...options.alpn],
    maxIdleTimeout: options.idleTimeoutMs,
    ...(options.keepAliveMs > 0 ? { keepAliveInterval: options.keepAliveMs } : {}),
    maxConcurrentBidirectionalStreams: STREAMS_MAX,
    maxConcurrentUnidirectionalStreams: 0,
  };
}

function bind(
  { address, port }: { readonly address: string; readonly port: number },
): Deno.QuicEndpoint {
  try {
    return new Deno.QuicEndpoint({ hostname: address, port });
  } catch (cause) {
    const what = `Cannot listen for QUIC on ${address} port ${port}`;
    const [code, reason] = bindFailure(cause);
    throw new OperationError(code, `${what}: ${reason}`, { cause });
  }
}

function bindFailure(cause: unknown): [OperationErrorCode, string] {
  if (cause instanceof Deno.errors.AddrInUse) return ["port-in-use", "the port is in use"];
  if (cause instanceof Deno.errors.PermissionDenied) return ["refused", "the system forbids it"];
  return ["invalid", "the address is not of this machine"];
}

interface DenoListenerOptions extends QuicListenerOptions {
  readonly clock: Clock;
}

class DenoListener implements QuicListener {
  readonly adapter = "deno";
  readonly asksForClientCertificate = false;
  readonly port: number;
  readonly #endpoint: Deno.QuicEndpoint;
  readonly #listener: Deno.QuicListener;
  readonly #options: DenoListenerOptions;
  readonly #accepted = new WaitingQueue<QuicConnection>();
  readonly #connections = new Set<DenoConnection>();
  readonly #loop: Promise<void>;
  /** Handshakes that are not complete. */
  #pending = 0;
  #isClosed = false;

  constructor(
    endpoint: Deno.QuicEndpoint,
    listener: Deno.QuicListener,
    options: DenoListenerOptions,
  ) {
    this.port = endpoint.addr.port;
    this.#endpoint = endpoint;
    this.#listener = listener;
    this.#options = options;
    this.#loop = this.#run();
  }

  async #run(): Promise<void> {
    for await (const incoming of this.#listener) {
      if (this.#connections.size + this.#pending >= this.#options.connectionsMax) incoming.refuse();
      else void this.#shakeHands(incoming);
    }
  }

  async #shakeHands(incoming: Deno.QuicIncoming): Promise<void> {
    this.#pending++;
    try {
      const connection = new DenoConnection(await incoming.accept(), this.#options);
      if (this.#isClosed) return connection.close(0, "");
      this.#connections.add(connection);
      void connection.closed.then(() => this.#connections.delete(connection));
      this.#accepted.push(connection);
    } catch {
      // The handshake failed: nobody is there to be told.
    } finally {
      this.#pending--;
    }
  }

  accept(): Promise<QuicConnection | undefined> {
    return this.#accepted.take();
  }

  async close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#accepted.drain();
      this.#listener.stop();
      for (const connection of this.#connections) connection.close(0, "");
      this.#endpoint.close();
    }
    await this.#loop;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Options that `Deno.connectQuic` takes beyond its type: the only way to accept a self-signed certificate. */
interface PinnedConnectOptions extends Deno.ConnectQuicOptions<false> {
  readonly serverCertificateHashes: readonly {
    readonly algorithm: "sha-256";
    readonly value: Uint8Array;
  }[];
}

class DenoConnector implements QuicConnector {
  readonly adapter = "deno";
  readonly #clock: Clock;
  readonly #endpoints = new Map<string, Deno.QuicEndpoint>();
  #isClosed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async connect(options: QuicConnectOptions): Promise<QuicConnection> {
    const attempt = Deno.connectQuic(this.#optionsOf(options));
    try {
      const connection = await within(attempt, {
        clock: this.#clock,
        timeoutMs: options.timeoutMs,
        discard: (late) => late.close(),
      });
      if (connection !== undefined && !this.#isClosed) {
        return new DenoConnection(connection, { ...options, clock: this.#clock });
      }
      connection?.close();
    } catch (cause) {
      throw connectError(cause);
    }
    throw this.#isClosed
      ? new OperationError("failed", "Cannot connect: the connector was closed")
      : new OperationError("unreachable", "Cannot connect: nobody answers");
  }

  #optionsOf(options: QuicConnectOptions): PinnedConnectOptions {
    if (options.identity !== undefined) {
      throw new OperationError(
        "unavailable",
        "Cannot connect: the runtime's QUIC shows no client certificate",
        { remedy: "Run `deno task native` to build native/quic" },
      );
    }
    if (options.serverFingerprint === undefined) {
      throw new OperationError(
        "unavailable",
        "Cannot connect: the runtime's QUIC accepts no server whose fingerprint is unknown",
        { remedy: "Give the host's fingerprint, or run `deno task native` to build native/quic" },
      );
    }
    return {
      ...transportOf(options),
      endpoint: this.#endpointFor(options.address),
      hostname: options.address,
      port: options.port,
      serverName: options.serverName,
      serverCertificateHashes: [{ algorithm: "sha-256", value: options.serverFingerprint }],
    };
  }

  #endpointFor(address: string): Deno.QuicEndpoint {
    if (this.#isClosed) throw new OperationError("failed", "Cannot connect: it is closed");
    const any = address.includes(":") ? "::" : "0.0.0.0";
    const endpoint = this.#endpoints.get(any) ?? bind({ address: any, port: 0 });
    this.#endpoints.set(any, endpoint);
    return endpoint;
  }

  close(): Promise<void> {
    this.#isClosed = true;
    for (const endpoint of this.#endpoints.values()) endpoint.close();
    this.#endpoints.clear();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** The stack tells by text alone. */
function connectError(cause: unknown): OperationError {
  const text = cause instanceof Error ? cause.message : "";
  if (text.includes("timed out")) {
    return new OperationError("unreachable", "Cannot connect: nobody answers");
  }
  if (!text.startsWith("aborted by peer") && text.includes("invalid peer certificate")) {
    return new OperationError(
      "certificate-mismatch",
      "Cannot connect: the server shows another certificate",
    );
  }
  return new OperationError("refused", "Cannot connect: the server refused the handshake");
}

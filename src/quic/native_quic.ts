/**
 * QUIC over native/quic, which asks clients for their certificates. One loop an endpoint fetches what happened and
 * hands it to connections and streams.
 *
 * @module
 */
import { QuicEndpoint, type QuicEvent, type QuicId } from "../../ffi/quic.ts";
import { OperationError } from "../lib/errors.ts";
import { letGo, NativeConnection } from "./native_connection.ts";
import type {
  QuicConnection,
  QuicConnectOptions,
  QuicConnector,
  QuicListener,
  QuicListenerOptions,
} from "./ports.ts";
import { WaitingQueue } from "./waiting_queue.ts";

/** Bind; see the port. Throws OperationError "port-in-use", "refused", "invalid", or "missing-library". */
export function openNativeListener(options: QuicListenerOptions): QuicListener {
  return new NativeListener(QuicEndpoint.listen(options, options));
}

/** Throws OperationError "missing-library" without the shim. */
export function openNativeConnector(): QuicConnector {
  return new NativeConnector(QuicEndpoint.openConnector());
}

/** The loop that both kinds of endpoint run. */
class Dispatcher {
  readonly endpoint: QuicEndpoint;
  readonly #connections = new Map<QuicId, NativeConnection>();
  readonly #onUnknown: (event: QuicEvent) => void;
  readonly #loop: Promise<void>;
  #closing: Promise<void> | undefined;

  /** `onUnknown` sees what no connection of this endpoint is concerned with: it may adopt one. */
  constructor(endpoint: QuicEndpoint, onUnknown: (event: QuicEvent) => void) {
    this.endpoint = endpoint;
    this.#onUnknown = onUnknown;
    this.#loop = this.#run();
  }

  async #run(): Promise<void> {
    for (;;) {
      const events = await this.endpoint.wait();
      if (events === undefined) return;
      for (const event of events) this.#dispatch(event);
    }
  }

  #dispatch(event: QuicEvent): void {
    const connection = this.#connections.get(event.connection);
    if (connection === undefined) {
      letGo(this.endpoint, event);
      return this.#onUnknown(event);
    }
    connection.handle(event);
    if (event.type === "closed") this.#connections.delete(event.connection);
  }

  adopt(event: QuicEvent & { readonly type: "connected" }): NativeConnection {
    const connection = new NativeConnection(this.endpoint, event);
    this.#connections.set(event.connection, connection);
    return connection;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const connection of this.#connections.values()) connection.close(0, "");
    await this.endpoint.close();
    await this.#loop;
  }
}

class NativeListener implements QuicListener {
  readonly adapter = "quinn";
  readonly asksForClientCertificate = true;
  readonly port: number;
  readonly #dispatcher: Dispatcher;
  readonly #accepted = new WaitingQueue<QuicConnection>();

  constructor(endpoint: QuicEndpoint) {
    this.port = endpoint.port;
    this.#dispatcher = new Dispatcher(endpoint, (event) => {
      if (event.type === "connected") this.#accepted.push(this.#dispatcher.adopt(event));
    });
  }

  accept(): Promise<QuicConnection | undefined> {
    return this.#accepted.take();
  }

  close(): Promise<void> {
    this.#accepted.drain();
    return this.#dispatcher.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

class NativeConnector implements QuicConnector {
  readonly adapter = "quinn";
  readonly #dispatcher: Dispatcher;
  readonly #attempts = new Map<QuicId, PromiseWithResolvers<QuicConnection>>();

  constructor(endpoint: QuicEndpoint) {
    this.#dispatcher = new Dispatcher(endpoint, (event) => this.#settle(event));
  }

  #settle(event: QuicEvent): void {
    const attempt = this.#attempts.get(event.connection);
    if (attempt === undefined) return;
    if (event.type === "connected") attempt.resolve(this.#dispatcher.adopt(event));
    else if (event.type === "closed") attempt.reject(connectError(event.end.kind));
    else return;
    this.#attempts.delete(event.connection);
  }

  async connect(options: QuicConnectOptions): Promise<QuicConnection> {
    const id = this.#dispatcher.endpoint.connect(options, {
      serverName: options.serverName,
      identity: options.identity,
      fingerprint: options.serverFingerprint,
      timeoutMs: options.timeoutMs,
    });
    const attempt = Promise.withResolvers<QuicConnection>();
    this.#attempts.set(id, attempt);
    return await attempt.promise;
  }

  async close(): Promise<void> {
    for (const attempt of this.#attempts.values()) {
      attempt.reject(new OperationError("failed", "Cannot connect: the connector was closed"));
    }
    this.#attempts.clear();
    await this.#dispatcher.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function connectError(kind: string): OperationError {
  switch (kind) {
    case "unreachable":
      return new OperationError("unreachable", "Cannot connect: nobody answers");
    case "certificate-mismatch":
      return new OperationError(
        "certificate-mismatch",
        "Cannot connect: the server shows another certificate",
      );
    default:
      return new OperationError("refused", "Cannot connect: the server refused the handshake");
  }
}

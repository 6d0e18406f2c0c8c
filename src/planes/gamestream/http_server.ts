/**
 * The HTTP and HTTPS servers of the GameStream plane (GameStream specification 2.1, 2.3).
 *
 * Every request is answered by HTTP status 200 with a length and the connection's end. HTTPS takes any client certificate
 * or none: an unknown client must get a document, not an alert. TLS resumption cannot be turned off in the runtime; a
 * resumed session keeps the certificate it was made with, and that is looked up anew for each request.
 *
 * @module
 */
import { plainAddress } from "../../lib/address.ts";
import { Buffer } from "node:buffer";
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Clock } from "../../lib/clock.ts";
import { describeError, OperationError, ProtocolError } from "../../lib/errors.ts";
import { findPortOwner } from "../../platform/port_owner.ts";
import { hasClientCertificates, RUNTIME_WITH_CLIENT_CERTIFICATES } from "../../platform/runtime.ts";
import { parseRequestTarget } from "../../protocol/gamestream/nvhttp_request.ts";
import type { GameStreamClient } from "../../trust/gamestream_clients.ts";
import { type ConnectionSocket, HttpConnections } from "./http_connections.ts";
import {
  type EndpointAnswer,
  type EndpointOptions,
  HttpEndpoints,
  xmlAnswer,
} from "./http_endpoints.ts";
import { isPossessionProved } from "./key_possession.ts";

/** The target's own limit and room for the headers of any client. */
const HEADERS_SIZE_BYTES_MAX = 32 * 1024;

export interface HttpServerOptions extends EndpointOptions {
  /** Address to listen on. */
  readonly bind: string;
  /** 0 takes any free port. */
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly identity: { readonly certificatePem: string; readonly keyPem: string };
  readonly clients: { find(certificateDer: Uint8Array): GameStreamClient | undefined };
  readonly clock: Clock;
  /** Of the runtime, `Deno.version.deno` when absent. */
  readonly runtimeVersion?: string;
  /** Of this machine, `Deno.networkInterfaces` when absent. */
  readonly networkInterfaces?: () => readonly { readonly address: string; readonly mac: string }[];
}

export interface HttpServer extends AsyncDisposable {
  readonly httpPort: number;
  readonly httpsPort: number;
  /** End every connection and free both ports. */
  close(): Promise<void>;
}

/** Listen on both ports. Throws OperationError "port-in-use", "unavailable" or "unsupported-runtime". */
export async function openHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  refuseOldRuntime(options.runtimeVersion ?? Deno.version.deno);
  const server = new NvHttpServer(options);
  try {
    await server.listen();
  } catch (error) {
    await server.close();
    throw error;
  }
  return server;
}

class NvHttpServer implements HttpServer {
  readonly #options: HttpServerOptions;
  readonly #endpoints: HttpEndpoints;
  readonly #connections: HttpConnections;
  readonly #http: Server;
  readonly #https: Server;

  constructor(options: HttpServerOptions) {
    this.#options = options;
    this.#endpoints = new HttpEndpoints(options);
    this.#connections = new HttpConnections(options.clock);
    const common = { maxHeaderSize: HEADERS_SIZE_BYTES_MAX, requireHostHeader: false };
    this.#http = createHttpServer(common);
    this.#https = createHttpsServer({
      ...common,
      cert: options.identity.certificatePem,
      key: options.identity.keyPem,
      requestCert: true,
      rejectUnauthorized: false,
      ALPNProtocols: ["http/1.1"],
      minVersion: "TLSv1.2",
    });
    this.#https.on("secureConnection", (socket: TLSSocket) => this.#connections.renew(socket));
    this.#watch(this.#http, () => undefined);
    this.#watch(this.#https, (request) => this.#pairedClientOf(request.socket as TLSSocket));
  }

  get httpPort(): number {
    return portOf(this.#http);
  }

  get httpsPort(): number {
    return portOf(this.#https);
  }

  async listen(): Promise<void> {
    await listen(this.#http, this.#options.bind, this.#options.httpPort);
    await listen(this.#https, this.#options.bind, this.#options.httpsPort);
    for (const server of [this.#http, this.#https]) {
      server.on("error", (error) => {
        this.#options.logger.warn("http.fault", { reason: describeError(error) });
      });
    }
  }

  async close(): Promise<void> {
    const closed = [this.#http, this.#https].map((server) =>
      server.listening
        ? new Promise<void>((resolve) => server.close(() => resolve()))
        : Promise.resolve()
    );
    this.#connections.close();
    await Promise.all(closed);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #watch(
    server: Server,
    clientOf: (request: IncomingMessage) => GameStreamClient | null | undefined,
  ): void {
    server.on("connection", (socket: ConnectionSocket) => this.#connections.accept(socket));
    // Clients open connections and close them without a word to see whether a host is there: no event at all.
    server.on("clientError", (_error, socket) => socket.destroy());
    server.on("request", (request, response) => {
      request.on("error", () => {});
      response.on("error", () => {});
      if (!this.#connections.beginServing(request.socket)) {
        request.socket.destroy();
        return;
      }
      void this.#serve(request, clientOf).then((answer) => {
        this.#connections.endServing(request.socket);
        send(response, answer);
      });
    });
  }

  async #serve(
    request: IncomingMessage,
    clientOf: (request: IncomingMessage) => GameStreamClient | null | undefined,
  ): Promise<EndpointAnswer> {
    try {
      if (request.method !== "GET") {
        return xmlAnswer({ statusCode: 405, statusMessage: "Only GET is understood" });
      }
      const localAddress = plainAddress(request.socket.localAddress ?? "");
      return await this.#endpoints.answer({
        ...parseRequestTarget(request.url ?? ""),
        client: clientOf(request),
        localAddress,
        remoteAddress: plainAddress(request.socket.remoteAddress ?? ""),
        httpPort: this.httpPort,
        httpsPort: this.httpsPort,
        mac: this.#macOf(localAddress),
      });
    } catch (error) {
      if (error instanceof ProtocolError) {
        return xmlAnswer({ statusCode: 400, statusMessage: error.message });
      }
      this.#options.logger.error("http.failed", { reason: describeError(error) });
      return xmlAnswer({ statusCode: 500, statusMessage: "The host failed, see its log" });
    }
  }

  #macOf(localAddress: string): string | undefined {
    const interfaces = (this.#options.networkInterfaces ?? Deno.networkInterfaces)();
    return interfaces.find(({ address }) => address === localAddress)?.mac;
  }

  #pairedClientOf(socket: TLSSocket): GameStreamClient | null {
    // Without a client certificate the runtime gives an empty object, after a disconnect null.
    const raw = (socket.getPeerCertificate() as { raw?: Uint8Array } | null)?.raw;
    if (raw === undefined || !isPossessionProved(raw)) return null;
    return this.#options.clients.find(raw) ?? null;
  }
}

function send(response: ServerResponse, answer: EndpointAnswer): void {
  response.writeHead(200, {
    "Content-Type": answer.contentType,
    "Content-Length": answer.body.byteLength,
    "Connection": "close",
  });
  response.end(Buffer.from(answer.body));
}

async function listen(server: Server, bind: string, port: number): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, bind, () => {
        server.off("error", reject);
        resolve();
      });
    });
  } catch (error) {
    throw await listenError(error, bind, port);
  }
}

async function listenError(error: unknown, bind: string, port: number): Promise<OperationError> {
  const code = (error as { code?: unknown } | null)?.code;
  if (code !== "EADDRINUSE") {
    return new OperationError(
      "unavailable",
      `Cannot listen on ${bind} port ${port}: the system says ${code ?? describeError(error)}`,
      { remedy: "Choose an address of this machine and a port this user may open", cause: error },
    );
  }
  const owner = await findPortOwner(port);
  return new OperationError(
    "port-in-use",
    `Cannot listen on TCP port ${port}: ${owner ?? "another program"} uses it`,
    { remedy: "End the other program, or choose another base port", cause: error },
  );
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo | null)?.port ?? 0;
}

function refuseOldRuntime(version: string): void {
  if (hasClientCertificates(version)) return;
  throw new OperationError(
    "unsupported-runtime",
    `Cannot serve GameStream: Deno ${version} does not hand over client certificates`,
    { remedy: `Use Deno ${RUNTIME_WITH_CLIENT_CERTIFICATES} or newer` },
  );
}

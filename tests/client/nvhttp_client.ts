/**
 * The HTTP and HTTPS side of a client: requests, XML, pinned host certificate (GameStream specification 2).
 *
 * @module
 */
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { ClientRequest, IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";

export interface ClientIdentity {
  readonly certificatePem: string;
  readonly keyPem: string;
}

export interface NvHttpOptions {
  readonly host: string;
  readonly httpPort: number;
  readonly identity: ClientIdentity;
  /** What stock clients send as `uniqueid`. */
  readonly uniqueId: string;
  readonly timeoutMs: number;
}

/** A `status_code` other than 200. */
export class NvHttpError extends Error {
  override readonly name = "NvHttpError";
  constructor(readonly statusCode: number, message: string) {
    super(message);
  }
}

/** A document's root: texts by element name, of repeated ones the first, and all of them in their order. */
export interface NvHttpDocument {
  readonly statusCode: number;
  readonly statusMessage: string;
  readonly text: string;
  get(name: string): string;
  all(name: string): string[];
}

export class NvHttpClient {
  readonly #options: NvHttpOptions;
  #httpsPort: number | undefined;
  /** DER of the certificate the host has to show. */
  #pinned: Uint8Array | undefined;

  constructor(options: NvHttpOptions) {
    this.#options = options;
  }

  get pinnedCertificate(): Uint8Array | undefined {
    return this.#pinned;
  }

  /** What serverinfo named, or undefined before it was asked. */
  get httpsPort(): number | undefined {
    return this.#httpsPort;
  }

  pin(certificateDer: Uint8Array): void {
    this.#pinned = certificateDer;
  }

  useHttpsPort(port: number): void {
    this.#httpsPort = port;
  }

  /** A document over HTTP. Throws NvHttpError for another status than 200. */
  async getHttp(path: string, query: Record<string, string> = {}): Promise<NvHttpDocument> {
    const request = httpRequest(this.#url("http", this.#options.httpPort, { path, query }), {
      agent: false,
    });
    return parseDocument(new TextDecoder().decode((await this.#finish(request)).body));
  }

  /** A document over HTTPS with the client's certificate. Throws NvHttpError, or Error when the host shows another certificate. */
  async getHttps(
    path: string,
    query: Record<string, string> = {},
    options: { readonly timeoutMs?: number } = {},
  ): Promise<NvHttpDocument> {
    const { body } = await this.getHttpsBytes(path, query, options);
    return parseDocument(new TextDecoder().decode(body));
  }

  async getHttpsBytes(
    path: string,
    query: Record<string, string> = {},
    options: { readonly timeoutMs?: number } = {},
  ): Promise<{ readonly body: Uint8Array; readonly contentType: string }> {
    if (this.#httpsPort === undefined) throw new Error("The HTTPS port is not known yet");
    const { certificatePem, keyPem } = this.#options.identity;
    const request = httpsRequest(this.#url("https", this.#httpsPort, { path, query }), {
      agent: false,
      cert: certificatePem,
      key: keyPem,
      // A pinned certificate is compared byte by byte instead.
      rejectUnauthorized: false,
    });
    const { body, response } = await this.#finish(request, options.timeoutMs);
    return { body, contentType: response.headers["content-type"] ?? "" };
  }

  #url(
    scheme: "http" | "https",
    port: number,
    { path, query }: { readonly path: string; readonly query: Record<string, string> },
  ): URL {
    const { host, uniqueId } = this.#options;
    const url = new URL(`${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}${path}`);
    const common = { uniqueid: uniqueId, uuid: crypto.randomUUID() };
    for (const [name, value] of Object.entries({ ...common, ...query })) {
      url.searchParams.set(name, value);
    }
    return url;
  }

  #finish(
    request: ClientRequest,
    timeoutMs = this.#options.timeoutMs,
  ): Promise<{ readonly body: Uint8Array; readonly response: IncomingMessage }> {
    const { promise, resolve, reject } = Promise.withResolvers<
      { body: Uint8Array; response: IncomingMessage }
    >();
    const timer = setTimeout(
      () => request.destroy(new Error(`No answer within ${timeoutMs} ms`)),
      timeoutMs,
    );
    request.on("error", reject);
    request.on("response", (response) => {
      const fault = this.#faultOf(response);
      if (fault !== undefined) {
        reject(fault);
        request.destroy();
        return;
      }
      const parts: Uint8Array[] = [];
      response.on("data", (part: Uint8Array) => parts.push(part));
      response.on("error", reject);
      response.on("end", () => resolve({ body: joined(parts), response }));
    });
    request.end();
    return promise.finally(() => clearTimeout(timer));
  }

  #faultOf(response: IncomingMessage): Error | undefined {
    if (response.statusCode !== 200) return new Error(`HTTP status ${response.statusCode}`);
    const socket = response.socket as Partial<TLSSocket>;
    if (this.#pinned === undefined || socket.getPeerCertificate === undefined) return undefined;
    const shown = new Uint8Array(socket.getPeerCertificate().raw);
    return shown.toHex() === this.#pinned.toHex()
      ? undefined
      : new Error("The host shows another certificate than at pairing");
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

/** Parse and check the status. */
function parseDocument(text: string): NvHttpDocument {
  const root = /<root\s+status_code="(\d+)"([^>]*)>/.exec(text);
  if (root === null) throw new Error("The answer is no GameStream document");
  const statusCode = Number(root[1]);
  const statusMessage = unescapeXml(/status_message="([^"]*)"/.exec(root[2] ?? "")?.[1] ?? "");
  if (statusCode !== 200) throw new NvHttpError(statusCode, statusMessage);
  const all = (name: string) =>
    Array.from(
      text.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, "g")),
      (match) => unescapeXml(match[1] ?? ""),
    );
  return { statusCode, statusMessage, text, all, get: (name) => all(name)[0] ?? "" };
}

function unescapeXml(text: string): string {
  const characters: Record<string, string> = {
    "&lt;": "<",
    "&gt;": ">",
    "&quot;": '"',
    "&apos;": "'",
    "&amp;": "&",
  };
  return text.replace(/&(lt|gt|quot|apos|amp);/g, (entity) => characters[entity] ?? entity);
}

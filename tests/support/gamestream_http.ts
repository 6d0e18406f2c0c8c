/**
 * An nvhttp server on the loopback address with everything around it doubled, and the clients to ask it.
 *
 * @module
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { IncomingMessage, RequestOptions } from "node:http";
import { FakeClock } from "../../src/lib/clock.ts";
import { type Logger, SILENT_LOGGER } from "../../src/lib/logger.ts";
import { type HttpServerOptions, openHttpServer } from "../../src/planes/gamestream/http_server.ts";
import type { LaunchAnswer, LaunchOrigin } from "../../src/planes/gamestream/launch_desk.ts";
import { PairingDesk } from "../../src/planes/gamestream/pairing_desk.ts";
import type { LaunchParameters } from "../../src/protocol/gamestream/launch.ts";
import type { GameStreamClient } from "../../src/trust/gamestream_clients.ts";
import { fingerprintOf } from "../../src/trust/identity.ts";
import type { Parameters } from "./pairing_client.ts";
import vectors from "../vectors/gamestream-pairing.json" with { type: "json" };

/** Paired clients in memory. */
export class ClientsDouble {
  readonly #byFingerprint = new Map<string, GameStreamClient>();

  find(certificateDer: Uint8Array): GameStreamClient | undefined {
    return this.#byFingerprint.get(fingerprintOf(certificateDer));
  }

  add(certificateDer: Uint8Array, label: string | undefined): Promise<void> {
    const fingerprint = fingerprintOf(certificateDer);
    this.#byFingerprint.set(fingerprint, {
      fingerprint,
      label,
      subject: undefined,
      notBeforeUnix: undefined,
      notAfterUnix: undefined,
    });
    return Promise.resolve();
  }

  clear(): void {
    this.#byFingerprint.clear();
  }
}

/** A launch desk that records what it is asked and answers what it is told to. */
export class LaunchDeskDouble {
  runningAppId = 0;
  answer: () => Promise<LaunchAnswer> = () =>
    Promise.resolve({ kind: "accepted", sessionUrl: "rtspenc://127.0.0.1:48010" });
  onCancel: () => Promise<void> = () => Promise.resolve();
  readonly calls: { name: string; parameters?: LaunchParameters; origin: LaunchOrigin }[] = [];
  #onCall = () => {};

  /** Resolves at the next call. */
  nextCall(): Promise<void> {
    return new Promise((resolve) => this.#onCall = resolve);
  }

  launch(parameters: LaunchParameters, origin: LaunchOrigin): Promise<LaunchAnswer> {
    this.calls.push({ name: "launch", parameters, origin });
    this.#onCall();
    return this.answer();
  }

  resume(parameters: LaunchParameters, origin: LaunchOrigin): Promise<LaunchAnswer> {
    this.calls.push({ name: "resume", parameters, origin });
    this.#onCall();
    return this.answer();
  }

  cancel(origin: LaunchOrigin): Promise<void> {
    this.calls.push({ name: "cancel", origin });
    return this.onCancel();
  }
}

export const APPS = [{ id: 1, title: "Desktop" }, { id: 7, title: "A & B" }] as const;
export const HOST_ID = "6F1B0C5E-5A36-4B6E-9F0E-0C2B7B1A9D11";

export async function openTestServer(changes: Partial<HttpServerOptions> = {}) {
  const clock = new FakeClock();
  const events: string[] = [];
  const logger: Logger = {
    ...SILENT_LOGGER,
    warn: (event) => void events.push(event),
    error: (event) => void events.push(event),
  };
  const clients = new ClientsDouble();
  const identity = {
    certificatePem: vectors.serverCertPem,
    certificateSignature: Uint8Array.fromHex(vectors.serverCertSignatureValue),
    keyPem: vectors.serverKeyPem,
    key: createPrivateKey(vectors.serverKeyPem),
  };
  let onChange = () => {};
  const pairingDesk = new PairingDesk({
    identity,
    clients,
    clock,
    logger,
    onChange: () => onChange(),
  });
  const launchDesk = new LaunchDeskDouble();
  const server = await openHttpServer({
    bind: "127.0.0.1",
    httpPort: 0,
    httpsPort: 0,
    identity,
    clients,
    pairingDesk,
    launchDesk,
    apps: () => APPS,
    info: () => ({ hostName: "Studio PC", uniqueId: HOST_ID, codecModeSupport: 0x30301 }),
    clock,
    logger,
    ...changes,
  });
  /** Resolves when the pairing desk next reports a change. */
  const nextPairingChange = () => new Promise<void>((resolve) => onChange = resolve);
  return { server, clock, events, clients, pairingDesk, launchDesk, nextPairingChange };
}

export type TestServer = Awaited<ReturnType<typeof openTestServer>>;

/** Run `body` against a server of its own, closed whatever happens. */
export async function withServer(body: (host: TestServer) => Promise<void>): Promise<void> {
  const host = await openTestServer();
  try {
    await body(host);
  } finally {
    host.pairingDesk.close();
    await host.server.close();
  }
}

/** A request of a pairing phase as clients write it. */
export function pairPath(parameters: Parameters): string {
  return `/pair?${new URLSearchParams({
    uniqueid: "0123456789ABCDEF",
    devicename: "roth",
    updateState: "1",
    ...parameters,
  })}`;
}

export interface TestAnswer {
  readonly httpStatus: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: Uint8Array;
  readonly text: string;
  /** `status_code` of the document, NaN when there is none. */
  readonly statusCode: number;
  /** Text of the first element of this name. */
  element(name: string): string | undefined;
}

/** The vector's client: its certificate is pinned by nobody until a test adds it. */
export const CLIENT = { cert: vectors.clientCertPem, key: vectors.clientKeyPem } as const;
export const CLIENT_DER = new Uint8Array(new X509Certificate(vectors.clientCertPem).raw);

export function askHttp(
  { server }: Pick<TestServer, "server">,
  path: string,
  options: RequestOptions = {},
): Promise<TestAnswer> {
  return ask(httpRequest, { host: "127.0.0.1", port: server.httpPort, path, ...options });
}

export function askHttps(
  { server }: Pick<TestServer, "server">,
  path: string,
  options: RequestOptions & { readonly cert?: string; readonly key?: string } = CLIENT,
): Promise<TestAnswer> {
  return ask(httpsRequest, {
    host: "127.0.0.1",
    port: server.httpsPort,
    path,
    rejectUnauthorized: false,
    ...options,
  });
}

function ask(request: typeof httpRequest, options: object): Promise<TestAnswer> {
  return new Promise((resolve, reject) => {
    const sent = request({ agent: false, ...options }, (response) => {
      const parts: Uint8Array[] = [];
      response.on("data", (part: Uint8Array) => parts.push(part));
      response.on("error", reject);
      response.on("end", () => resolve(readAnswer(response, parts)));
    });
    sent.on("error", reject);
    sent.end();
  });
}

function readAnswer(response: IncomingMessage, parts: readonly Uint8Array[]): TestAnswer {
  const body = new Uint8Array(parts.flatMap((part) => [...part]));
  const text = new TextDecoder().decode(body);
  return {
    httpStatus: response.statusCode ?? 0,
    headers: response.headers,
    body,
    text,
    statusCode: Number(/<root status_code="(\d+)"/.exec(text)?.[1]),
    element: (name) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1],
  };
}

/**
 * A host that records what the API asks of it, and a served API over real TLS on loopback.
 *
 * @module
 */
import "reflect-metadata";
import type { HostFacade } from "../../api/host_facade.ts";
import type { NativeFacade } from "../../api/native_facade.ts";
import { type ApiServer, openApi } from "../../api/server.ts";
import { OperationError } from "../../src/lib/errors.ts";
import { type Logger, SILENT_LOGGER } from "../../src/lib/logger.ts";
import { FakeNativeFacade } from "./native_fixture.ts";

export const TOKEN = "0123456789abcdef".repeat(4);
export const FINGERPRINT = "ab".repeat(32);
export const PENDING = {
  uniqueid: "0123456789ABCDEF",
  fingerprint: FINGERPRINT,
  peer_ip: "10.0.0.7",
};

/** Answers with fixed values; `calls` lists every method that changes something, with its arguments. */
export class FakeFacade implements HostFacade {
  readonly calls: unknown[][] = [];
  native: NativeFacade = new FakeNativeFacade(this.calls);
  isStreaming = false;
  /** Thrown by the next call of status(). */
  statusFault: unknown;

  health() {
    return { status: "ok" as const, version: "1.2.3", abi_version: 1 };
  }
  hostInfo() {
    return {
      hostname: "den",
      uniqueid: "0123456789ABCDEF",
      local_ip: "10.0.0.2",
      version: "1.2.3",
      abi_version: 1,
      app_version: "7.1.431.-1",
      gfe_version: "3.23.0.74",
      os: "linux/debian",
      os_name: "Debian",
      codecs: ["h264" as const],
      gamestream: true,
      quic: { stack: "quinn" as const, client_certificates: true, detail: "as built" },
      ports: { mgmt: 1, native: 8, http: 2, https: 3, rtsp: 4, video: 5, control: 6, audio: 7 },
    };
  }
  status() {
    if (this.statusFault !== undefined) throw this.statusFault;
    return {
      video_streaming: this.isStreaming,
      audio_streaming: this.isStreaming,
      pin_pending: true,
      paired_clients: 1,
      native_paired_clients: 1,
      active_sessions: 0,
      sessions: [],
      games: [],
    };
  }
  compositors() {
    return Promise.resolve([{ id: "wlroots", label: "Sway", available: true, default: true }]);
  }
  pairStatus() {
    return { pin_pending: true, pending: [PENDING] };
  }
  submitPin(pin: unknown) {
    this.calls.push(["submitPin", pin]);
  }
  clients() {
    return [{ fingerprint: FINGERPRINT, label: "Phone" }];
  }
  renameClient(fingerprint: string, label: string | null) {
    this.calls.push(["renameClient", fingerprint, label]);
    return Promise.resolve({ fingerprint, ...(label === null ? {} : { label }) });
  }
  unpairClient(fingerprint: string) {
    this.calls.push(["unpairClient", fingerprint]);
    return fingerprint === FINGERPRINT ? Promise.resolve() : Promise.reject(
      new OperationError("not-found", "Cannot unpair: no such client"),
    );
  }
  unpairAllClients() {
    this.calls.push(["unpairAllClients"]);
    return Promise.resolve(3);
  }
  stopSessions() {
    this.calls.push(["stopSessions"]);
    return Promise.resolve();
  }
  requestIdr() {
    this.calls.push(["requestIdr"]);
    if (!this.isStreaming) {
      throw new OperationError("refused", "Cannot ask for a key frame: nothing streams");
    }
  }
  stopSession(id: number) {
    this.calls.push(["stopSession", id]);
    return id === 1 ? Promise.resolve() : Promise.reject(
      new OperationError("not-found", "Cannot find session: no such id runs"),
    );
  }
  requestSessionIdr(id: number) {
    this.calls.push(["requestSessionIdr", id]);
  }
  muteSession(id: number, isMuted: boolean) {
    this.calls.push(["muteSession", id, isMuted]);
    if (id === 2) throw new OperationError("refused", "Cannot change a Moonlight session");
  }
  setSessionAccess(id: number, change: unknown) {
    this.calls.push(["setSessionAccess", id, change]);
    return { grants: 1, level: "controller" as const };
  }
  logs(after: number, limit: number) {
    this.calls.push(["logs", after, limit]);
    return { entries: [], next: after, dropped: false };
  }
}

export interface TestIdentity {
  readonly certificatePem: string;
  readonly keyPem: string;
}

/** A fresh P-256 identity for localhost. */
export async function mintTestIdentity(): Promise<TestIdentity> {
  const x509 = await import("@peculiar/x509");
  const keys = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
    "sign",
    "verify",
  ]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: "CN=punktfunk",
    keys,
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
    notBefore: new Date("2020-01-01"),
    notAfter: new Date("2040-01-01"),
    extensions: [
      new x509.SubjectAlternativeNameExtension([
        { type: "dns", value: "localhost" },
        { type: "ip", value: "127.0.0.1" },
      ]),
    ],
  });
  const pkcs8 = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
  return {
    certificatePem: certificate.toString("pem") + "\n",
    keyPem: x509.PemConverter.encode(pkcs8, "PRIVATE KEY") + "\n",
  };
}

export interface ServedApi extends AsyncDisposable {
  readonly facade: FakeFacade;
  readonly server: ApiServer;
  /** With the management token unless `headers` say otherwise. */
  call(method: string, path: string, init?: RequestInit): Promise<Response>;
  close(): Promise<void>;
}

const identity = { minted: undefined as Promise<TestIdentity> | undefined };

export function testIdentity(): Promise<TestIdentity> {
  identity.minted ??= mintTestIdentity();
  return identity.minted;
}

export async function serveForTest(logger: Logger = SILENT_LOGGER): Promise<ServedApi> {
  const pems = await testIdentity();
  const facade = new FakeFacade();
  const server = openApi({
    bind: { address: "127.0.0.1", port: 0 },
    identity: pems,
    token: TOKEN,
    facade,
    logger,
  });
  const client = Deno.createHttpClient({ caCerts: [pems.certificatePem] });
  const close = async () => {
    client.close();
    await server.close();
  };
  return {
    facade,
    server,
    call: (method, path, init = {}) =>
      fetch(`https://127.0.0.1:${server.port}${path}`, {
        method,
        client,
        headers: { authorization: `Bearer ${TOKEN}` },
        ...init,
      }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

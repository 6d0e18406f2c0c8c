/**
 * Two QUIC endpoints on loopback, of any two adapters, and a relay between them that can fall silent.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { openSystemClock } from "../../src/platform/system_clock.ts";
import { openDenoConnector, openDenoListener } from "../../src/quic/deno_quic.ts";
import { openNativeConnector, openNativeListener } from "../../src/quic/native_quic.ts";
import type {
  QuicAdapterId,
  QuicConnection,
  QuicConnectOptions,
  QuicConnector,
  QuicIdentity,
  QuicListener,
  QuicListenerOptions,
} from "../../src/quic/ports.ts";
import { mintCertificate } from "../../src/trust/mint.ts";

export interface QuicPair {
  readonly listener: QuicAdapterId;
  readonly connector: QuicAdapterId;
}

export const ADAPTERS: readonly QuicAdapterId[] = ["quinn", "deno"];

export const TRANSPORT = {
  alpn: ["pkf1"],
  idleTimeoutMs: 8000,
  keepAliveMs: 4000,
  datagramSendBufferBytes: 4096,
} as const;

const CLOCK = openSystemClock();

export interface QuicLab extends AsyncDisposable {
  readonly listener: QuicListener;
  readonly connector: QuicConnector;
  readonly identity: QuicIdentity;
  /** Of the listener's certificate. */
  readonly fingerprint: Uint8Array;
  /** What `connect` takes, with `changes`. */
  options(changes?: Partial<QuicConnectOptions>): QuicConnectOptions;
  /** Both ends of a new connection. */
  connect(
    changes?: Partial<QuicConnectOptions>,
  ): Promise<{ client: QuicConnection; server: QuicConnection }>;
}

let minted: Promise<QuicIdentity> | undefined;

/** The listener's identity, made once. */
export function labIdentity(): Promise<QuicIdentity> {
  minted ??= mintCertificate("p-256", { commonName: "lab", subjectNames: [] });
  return minted;
}

export function derOf(identity: QuicIdentity): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromBase64(identity.certificatePem.replace(/-----[^-]*-----|\s/g, ""));
}

export function sha256(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}

export async function openQuicLab(
  pair: QuicPair,
  changes: Partial<QuicListenerOptions> = {},
): Promise<QuicLab> {
  const identity = changes.identity ?? await labIdentity();
  const fingerprint = sha256(derOf(identity));
  const listener = openListener(pair.listener, { identity, ...changes });
  const connector = pair.connector === "quinn" ? openNativeConnector() : openDenoConnector(CLOCK);
  const lab: QuicLab = {
    listener,
    connector,
    identity,
    fingerprint,
    options: (own = {}) => ({
      ...TRANSPORT,
      address: "127.0.0.1",
      port: listener.port,
      serverName: "punktfunk",
      serverFingerprint: fingerprint,
      timeoutMs: 3000,
      ...own,
    }),
    async connect(own = {}) {
      const [client, server] = await Promise.all([
        connector.connect(lab.options(own)),
        listener.accept(),
      ]);
      if (server === undefined) throw new Error("The listener was closed");
      return { client, server };
    },
    async [Symbol.asyncDispose]() {
      await connector.close();
      await listener.close();
    },
  };
  return lab;
}

/** On loopback at a port of the system's choice, for 8 connections. */
export function openListener(
  adapter: QuicAdapterId,
  changes: Partial<QuicListenerOptions> & { readonly identity: QuicIdentity },
): QuicListener {
  const options: QuicListenerOptions = {
    ...TRANSPORT,
    address: "127.0.0.1",
    port: 0,
    connectionsMax: 8,
    ...changes,
  };
  return adapter === "quinn" ? openNativeListener(options) : openDenoListener(options, CLOCK);
}

/** A port of loopback that answers nothing. */
export class SilentPort implements Disposable {
  readonly port: number;
  readonly #socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });

  constructor() {
    this.port = (this.#socket.addr as Deno.NetAddr).port;
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

/** Carries datagrams of one client to `target` and back, unless it is silent. */
export class UdpRelay implements Disposable {
  readonly port: number;
  readonly #front = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  readonly #back = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  readonly #target: Deno.NetAddr;
  readonly #loops: Promise<void>[];
  /** Every datagram of the server, oldest first; none is kept past these. */
  readonly fromServer: Uint8Array[] = [];
  isSilent = false;
  #client: Deno.Addr | undefined;
  #waits: { left: number; readonly resolve: () => void }[] = [];

  constructor(targetPort: number) {
    this.#target = { transport: "udp", hostname: "127.0.0.1", port: targetPort };
    this.port = (this.#front.addr as Deno.NetAddr).port;
    this.#loops = [this.#carryToServer(), this.#carryToClient()];
  }

  async #carryToServer(): Promise<void> {
    for await (const [bytes, from] of this.#front) {
      this.#client = from;
      if (!this.isSilent) await this.#back.send(bytes, this.#target).catch(() => {});
    }
  }

  async #carryToClient(): Promise<void> {
    for await (const [bytes] of this.#back) {
      if (this.#client === undefined || this.isSilent) continue;
      if (this.fromServer.length < 64) this.fromServer.push(bytes);
      this.#count();
      await this.#front.send(bytes, this.#client).catch(() => {});
    }
  }

  #count(): void {
    for (const wait of this.#waits) {
      if (--wait.left === 0) wait.resolve();
    }
    this.#waits = this.#waits.filter(({ left }) => left > 0);
  }

  /** Resolves when the server has sent `count` more datagrams. */
  serverSends(count: number): Promise<void> {
    return new Promise((resolve) => this.#waits.push({ left: count, resolve }));
  }

  [Symbol.dispose](): void {
    this.#front.close();
    this.#back.close();
    void Promise.allSettled(this.#loops);
  }
}

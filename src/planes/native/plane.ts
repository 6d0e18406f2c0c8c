/**
 * The native plane, punktfunk/1: its listener, the connections that live, and the sessions among them.
 *
 *     QuicListener → accept → receive (who is it, may it?) → slot → NativeStream → closed
 *
 * @module
 */
import { describeError } from "../../lib/errors.ts";
import type { QuicConnection, QuicListener } from "../../quic/ports.ts";
import type { SessionWatch } from "../../trust/access_watch.ts";
import type { NativeEnvironment } from "./environment.ts";
import { type Farewell, receive } from "./reception.ts";
import { type Slot, Slots } from "./slots.ts";
import { type AdmittedClient, NativeStream, type StreamEnd } from "./stream.ts";

/** How long an older session of a device may take to end before its successor begins. */
const TAKE_OVER_GRACE_MS = 1_500;

export interface NativePlaneOptions {
  /** Opened, and the plane's own from here on. */
  readonly listener: QuicListener;
  readonly environment: NativeEnvironment;
  /** Sessions at once; 0 sets no limit. */
  readonly sessionsMax: number;
  /** Sessions after which the plane ends by itself; 0 for never. */
  readonly sessionsTotal: number;
}

export class NativePlane implements AsyncDisposable {
  readonly #options: NativePlaneOptions;
  readonly #slots: Slots;
  readonly #streams = new Set<NativeStream>();
  readonly #connections = new Set<QuicConnection>();
  readonly #receptions = new Set<Promise<void>>();
  readonly #drained = Promise.withResolvers<void>();
  readonly #accepting: Promise<void>;
  #begun = 0;
  #closing: Promise<void> | undefined;

  constructor(options: NativePlaneOptions) {
    this.#options = options;
    this.#slots = new Slots(options.sessionsMax);
    this.#accepting = this.#accept();
  }

  get port(): number {
    return this.#options.listener.port;
  }

  get listener(): Pick<QuicListener, "adapter" | "asksForClientCertificate"> {
    return this.#options.listener;
  }

  /** Sessions in any state, oldest first. */
  get streams(): readonly NativeStream[] {
    return [...this.#streams];
  }

  /** Connections that wait for a slot. */
  get waiting(): number {
    return this.#slots.waiting;
  }

  /** Resolves once `sessionsTotal` sessions have begun and all have ended. */
  get drained(): Promise<void> {
    return this.#drained.promise;
  }

  /** End sessions: all, or the one with this id. Gives how many there were. */
  async endStreams(end: StreamEnd, id?: number): Promise<number> {
    const streams = this.streams.filter((stream) => id === undefined || stream.id === id);
    for (const stream of streams) stream.end(end);
    await Promise.all(streams.map((stream) => stream.ended));
    return streams.length;
  }

  /** End everything: sessions first, so that clients are told, then the port. Twice is legal. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #accept(): Promise<void> {
    const { listener, environment } = this.#options;
    for (;;) {
      const connection = await listener.accept();
      if (connection === undefined) return;
      this.#connections.add(connection);
      const reception = receive(connection, {
        environment,
        asksForClientCertificate: listener.asksForClientCertificate,
        serve: (client) => this.#serve(client),
      }).finally(() => {
        this.#connections.delete(connection);
        this.#receptions.delete(reception);
      });
      this.#receptions.add(reception);
    }
  }

  async #serve(client: AdmittedClient): Promise<Farewell> {
    const { logger } = this.#options.environment;
    await this.#endOlder(client.fingerprint);
    const gone = new AbortController();
    void client.connection.closed.then(() => gone.abort());
    if (this.#slots.isFull) logger.info("native.waiting", { waiting: this.#slots.waiting + 1 });
    const slot = await this.#slots.take(gone.signal);
    if (slot === undefined) return { close: "done", reason: "" };
    using _held: Slot = slot;
    const { sessionsTotal } = this.#options;
    if (sessionsTotal > 0 && this.#begun >= sessionsTotal) {
      return { close: "busy", reason: "This host takes no further sessions" };
    }
    this.#begun++;
    const over = await this.#run(client);
    if (sessionsTotal > 0 && this.#begun >= sessionsTotal && this.#streams.size === 0) {
      this.#drained.resolve();
    }
    return over;
  }

  async #run(client: AdmittedClient): Promise<StreamEnd> {
    const stream = new NativeStream(client, this.#options.environment);
    this.#streams.add(stream);
    try {
      using _watch = this.#watch(stream);
      await this.#markSeen(client.fingerprint);
      return await stream.run();
    } finally {
      this.#streams.delete(stream);
      await this.#markSeen(client.fingerprint);
    }
  }

  /** Keep the session in step with what its device may do. */
  #watch(stream: NativeStream): SessionWatch | undefined {
    const { trust } = this.#options.environment;
    const { fingerprint } = stream.client;
    const end = () =>
      stream.end({ end: "stopped-by-operator", close: "access-expired", reason: "" });
    // A guest of an open host has no record, and nothing to watch.
    if (fingerprint === undefined || trust.clients.get(fingerprint) === undefined) return undefined;
    const watch = trust.watch.begin(fingerprint, {
      onAccess: (access) => stream.setAccess(access.grants, access.secondsLeft),
      onEnd: end,
    });
    if (watch === undefined) end();
    return watch;
  }

  async #markSeen(fingerprint: string | undefined): Promise<void> {
    const { trust, logger } = this.#options.environment;
    if (fingerprint === undefined) return;
    try {
      await trust.clients.markSeen(fingerprint);
    } catch (error) {
      logger.warn("native.seen", { reason: describeError(error) });
    }
  }

  /** A device that comes again has lost its older session: that one gives its display back first. */
  async #endOlder(fingerprint: string | undefined): Promise<void> {
    if (fingerprint === undefined) return;
    const older = this.streams.filter((stream) => stream.client.fingerprint === fingerprint);
    if (older.length === 0) return;
    for (const stream of older) {
      stream.end({ end: "taken-over", close: "done", reason: "The device connected again" });
    }
    const late = Promise.withResolvers<void>();
    const timer = this.#options.environment.clock.after(TAKE_OVER_GRACE_MS, late.resolve);
    await Promise.race([Promise.all(older.map((stream) => stream.ended)), late.promise]);
    timer.cancel();
  }

  async #close(): Promise<void> {
    await this.endStreams({ end: "host-stopped", close: "done", reason: "The host ends" });
    for (const connection of this.#connections) connection.close(0, "The host ends");
    await this.#options.listener.close();
    await this.#accepting;
    await Promise.all(this.#receptions);
  }
}

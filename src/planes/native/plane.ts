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
const HOST_ENDS = "The host ends";
const TAKEN_OVER = "The device connected again";

export interface NativePlaneOptions {
  /** Opened, and the plane's own from here on. */
  readonly listener: QuicListener;
  readonly environment: NativeEnvironment;
  /** Sessions at once; 0 sets no limit. */
  readonly sessionsMax: number;
  /** Completed handshakes after which nobody else is served; 0 for no such number. */
  readonly sessionsTotal: number;
}

export class NativePlane implements AsyncDisposable {
  readonly #options: NativePlaneOptions;
  readonly #slots: Slots;
  readonly #streams = new Set<NativeStream>();
  /** By fingerprint: who of a device is on the way to its slot. */
  readonly #waiting = new Map<string, AbortController>();
  readonly #connections = new Set<QuicConnection>();
  readonly #receptions = new Set<Promise<void>>();
  readonly #drained = Promise.withResolvers<void>();
  readonly #accepting: Promise<void>;
  /** Sessions whose handshake was completed. */
  #started = 0;
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

  /** Resolves once `sessionsTotal` handshakes were completed and all sessions have ended. */
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
    const slot = await this.#waitForSlot(client);
    if (slot === undefined) return { close: "done", reason: TAKEN_OVER };
    using _held: Slot = slot;
    const refusal = this.#refusal();
    if (refusal !== undefined) return refusal;
    const over = await this.#run(client);
    if (this.#isComplete && this.#streams.size === 0) this.#drained.resolve();
    return over;
  }

  /** Undefined when the client went, or its device came again. */
  async #waitForSlot(client: AdmittedClient): Promise<Slot | undefined> {
    const { fingerprint, connection } = client;
    const gone = new AbortController();
    void connection.closed.then(() => gone.abort());
    if (fingerprint !== undefined) {
      this.#waiting.get(fingerprint)?.abort();
      this.#waiting.set(fingerprint, gone);
    }
    // Before it waits: the slot of an older session is its own.
    await this.#takeOver(this.#streamsOf(client));
    if (this.#slots.isFull) {
      const { logger } = this.#options.environment;
      logger.info("native.waiting", { waiting: this.#slots.waiting + 1 });
    }
    const slot = await this.#slots.take(gone.signal);
    if (fingerprint !== undefined && this.#waiting.get(fingerprint) === gone) {
      this.#waiting.delete(fingerprint);
    }
    return slot;
  }

  /** Why whoever has a slot gets no session all the same. */
  #refusal(): Farewell | undefined {
    if (this.#closing !== undefined) return { close: "done", reason: HOST_ENDS };
    if (!this.#isComplete) return undefined;
    return { close: "busy", reason: "This host takes no further sessions" };
  }

  /** All handshakes it was opened for are complete. */
  get #isComplete(): boolean {
    const { sessionsTotal } = this.#options;
    return sessionsTotal > 0 && this.#started >= sessionsTotal;
  }

  async #run(client: AdmittedClient): Promise<StreamEnd> {
    const stream = new NativeStream(client, this.#options.environment, {
      onStarted: () => this.#started++,
    });
    // One that waited together with this one may have begun meanwhile.
    const older = this.#streamsOf(client);
    this.#streams.add(stream);
    try {
      using _watch = this.#watch(stream);
      await this.#takeOver(older);
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
    const { fingerprint, isKnown } = stream.client;
    // A guest of an open host has no record, and nothing to watch.
    if (fingerprint === undefined) return undefined;
    if (!isKnown && trust.clients.get(fingerprint) === undefined) return undefined;
    const end = () =>
      stream.end({ end: "stopped-by-operator", close: "access-expired", reason: "" });
    const watch = trust.watch.begin(fingerprint, {
      onAccess: (access) => stream.setAccess(access),
      onEnd: end,
    });
    if (watch === undefined) end();
    // It may have changed while the client waited for its slot.
    else stream.setAccess(watch.access);
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

  #streamsOf({ fingerprint }: AdmittedClient): NativeStream[] {
    if (fingerprint === undefined) return [];
    return this.streams.filter((stream) => stream.client.fingerprint === fingerprint);
  }

  /** A device that comes again has lost its older sessions: they give their displays back first. */
  async #takeOver(older: readonly NativeStream[]): Promise<void> {
    if (older.length === 0) return;
    for (const stream of older) {
      stream.end({ end: "taken-over", close: "done", reason: TAKEN_OVER });
    }
    const late = Promise.withResolvers<void>();
    const timer = this.#options.environment.clock.after(TAKE_OVER_GRACE_MS, late.resolve);
    await Promise.race([Promise.all(older.map((stream) => stream.ended)), late.promise]);
    timer.cancel();
  }

  async #close(): Promise<void> {
    await this.endStreams({ end: "host-stopped", close: "done", reason: HOST_ENDS });
    for (const connection of this.#connections) connection.close(0, HOST_ENDS);
    await this.#options.listener.close();
    await this.#accepting;
    await Promise.all(this.#receptions);
  }
}

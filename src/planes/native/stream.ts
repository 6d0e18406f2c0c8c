/**
 * One native session, from an admitted Hello to its end (native specification 2.1, 4.1, 9).
 *
 *     opening ─Welcome→ waiting for Start ─→ waiting for a punch, 2.5 s at most ─→ streaming
 *        └──────────── refusal, deadline, client, operator or host ──────────────→ over
 *
 * It owns the video port and the session, and lets go of both in one place. The connection is its owner's.
 *
 * @module
 */
import type { DisplayBackendId } from "../../display/ports.ts";
import { isSameHost, plainAddress } from "../../lib/address.ts";
import type { Timer } from "../../lib/clock.ts";
import { describeError } from "../../lib/errors.ts";
import type { SocketAddress } from "../../media/wire/kernel.ts";
import { hasBits, VIDEO_CAPS } from "../../protocol/punktfunk1/caps.ts";
import { CLOSE_CODES, type CloseReason } from "../../protocol/punktfunk1/close_codes.ts";
import {
  type ControlMessage,
  decodeControl,
  encodeControl,
} from "../../protocol/punktfunk1/control.ts";
import type { Compositor, StreamMode } from "../../protocol/punktfunk1/enums.ts";
import { frameBytesMaxOf } from "../../protocol/punktfunk1/fec_plan.ts";
import type { Hello } from "../../protocol/punktfunk1/hello.ts";
import { isPunch, PUNCH_WAIT_MS } from "../../protocol/punktfunk1/punch.ts";
import { decodeStart, type Start } from "../../protocol/punktfunk1/start.ts";
import type { SealSecrets } from "../../protocol/punktfunk1/video_seal.ts";
import { encodeWelcome } from "../../protocol/punktfunk1/welcome.ts";
import { mintWelcomeSecrets, sealSecretsOf } from "../../protocol/punktfunk1/welcome_secrets.ts";
import type { QuicClose, QuicConnection } from "../../quic/ports.ts";
import { type Plan, planSession } from "../../session/plan.ts";
import { Session, type SessionEnd } from "../../session/session.ts";
import { MediaPort } from "../media_port.ts";
import type { ControlStream } from "./control_stream.ts";
import type { NativeEnvironment } from "./environment.ts";
import { composeWelcome, type NativeOffer, negotiate } from "./negotiation.ts";
import { StreamControl } from "./stream_control.ts";
import { StreamInput } from "./stream_input.ts";
import { StreamOutput } from "./stream_output.ts";

/** From admission to Start. */
const START_DEADLINE_MS = 10_000;
/** How long a client may take to leave after the last frame of a test stream. */
const FAREWELL_MS = 2_000;
const DSCP_VIDEO = 40;
const EXPIRES_S_MAX = 0xffff_ffff;

/** The client as it was admitted. */
export interface AdmittedClient {
  readonly connection: QuicConnection;
  readonly control: ControlStream;
  readonly hello: Hello;
  /** Undefined for a device that nobody knows by name. */
  readonly fingerprint: string | undefined;
  readonly grants: number;
  readonly secondsLeft: number | undefined;
}

interface OpenedStream {
  readonly offer: NativeOffer;
  readonly plan: Plan;
  readonly session: Session;
}

/** How a session ended, and what the client is told. */
export interface StreamEnd {
  readonly end: SessionEnd;
  readonly close: CloseReason;
  readonly reason: string;
}

export class NativeStream {
  readonly id: number;
  readonly client: AdmittedClient;
  readonly #environment: NativeEnvironment;
  readonly #ended = Promise.withResolvers<void>();
  readonly #over = Promise.withResolvers<StreamEnd>();
  readonly #stack = new AsyncDisposableStack();
  #session: Session | undefined;
  #isStreaming = false;
  #isOver = false;
  #isMuted = false;
  #grants: number;
  #control: StreamControl | undefined;
  #input: StreamInput | undefined;
  #output: StreamOutput | undefined;
  #punch = Promise.withResolvers<SocketAddress>();

  constructor(client: AdmittedClient, environment: NativeEnvironment) {
    this.client = client;
    this.#grants = client.grants;
    this.#environment = environment;
    this.id = environment.nextSessionId();
    void client.connection.closed.then((close) => this.#over.resolve(endOf(close)));
  }

  get session(): Session | undefined {
    return this.#session;
  }

  get isMuted(): boolean {
    return this.#isMuted;
  }

  get isStreaming(): boolean {
    return this.#isStreaming;
  }

  /** Serve the client until something ends the session; everything made for it is gone by then. */
  async run(): Promise<StreamEnd> {
    const deadline = this.#environment.clock.after(
      START_DEADLINE_MS,
      () => this.end({ end: "client-lost", close: "setup-failed", reason: "no Start in time" }),
    );
    this.#stack.defer(() => deadline.cancel());
    try {
      // Opening is waited for whatever happens meanwhile: it cannot be broken off without leaving something behind.
      const opened = await this.#open();
      // What comes then waits for the client, which may be gone: its part ends with the connection.
      this.#serve(opened, deadline).catch((error) => this.#fail(error));
    } catch (error) {
      this.#fail(error);
    }
    const over = await this.#over.promise;
    this.#isOver = true;
    this.#isStreaming = false;
    await this.#session?.close(over.end);
    await this.#stack.disposeAsync();
    this.#ended.resolve();
    return over;
  }

  /** Resolves once everything made for the session is gone. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** End the session from outside. Only the first reason counts. */
  end(end: StreamEnd): void {
    this.#over.resolve(end);
  }

  /** What this session may do now. */
  get grants(): number {
    return this.#grants;
  }

  /** What it may do from now on. */
  setAccess(grants: number, secondsLeft: number | undefined): void {
    this.#grants = grants;
    this.#input?.setGrants(grants);
    this.#send({ kind: "access-update", grants, remainingSeconds: remaining(secondsLeft) });
  }

  /** Stop or restart the sound of this session alone. */
  setMuted(isMuted: boolean): void {
    this.#isMuted = isMuted;
    this.#output?.setMuted(isMuted);
    this.#send({ kind: "audio-state", isMuted });
  }

  /** Everything that can fail before the client is told more than to wait. */
  async #open(): Promise<OpenedStream> {
    const { hello, control, connection } = this.client;
    const { capabilities, fec, soundTierMax, isChaChaAllowed, mtuBytes } = this.#environment;
    const { test, display, managementPort, randomBytes } = this.#environment;
    const isIpv6 = plainAddress(connection.remote.address).includes(":");
    const terms = { capabilities, fec, soundTierMax, isChaChaAllowed, isIpv6, mtuBytes };
    const offer = negotiate(hello, terms);
    const plan = planSession(offer.request, capabilities);
    const port = this.#openPort(isIpv6);
    const secrets = mintWelcomeSecrets(offer.cipher, randomBytes);
    const seal = sealSecretsOf(secrets);
    const session = await this.#openSession({ offer, plan, port, seal });
    control.send(encodeWelcome(composeWelcome(offer, terms, {
      plan,
      udpPort: port.port,
      secrets,
      isEncrypted: true,
      frameCount: test?.frameCount ?? 0,
      compositor: compositorOf(display.id),
      managementPort: managementPort(),
      grants: this.client.grants,
      expiresInSeconds: remaining(this.client.secondsLeft),
      can: (ability) => session.can(ability),
    })));
    return { offer, plan, session };
  }

  /** From Start on. Throws ProtocolError for a Start that is none. */
  async #serve(opened: OpenedStream, deadline: Timer): Promise<void> {
    const { session } = opened;
    const { control, hello } = this.client;
    const payload = await control.next();
    if (payload === undefined || this.#isOver) return;
    const start = decodeStart(payload, { hasExt: false });
    deadline.cancel();
    this.#input = this.#stack.use(
      new StreamInput({
        session,
        clock: this.#environment.clock,
        padKind: hello.gamepad,
        grants: this.#grants,
      }),
    );
    const streamControl = this.#createControl(opened);
    this.#control = streamControl;
    const readers = [this.#readControl(streamControl), this.#readDatagrams()];
    const destination = await this.#destination(start);
    if (this.#isOver) return;
    session.setVideoDestination(destination);
    session.startSound();
    streamControl.startStream();
    this.#isStreaming = true;
    this.#environment.logger.info("native.streaming", { session: this.id });
    this.#startTimer();
    if (hello.launch !== undefined) {
      this.#send({
        kind: "launch-outcome",
        outcome: "failed",
        message: "This host cannot start games yet",
      });
    }
    await Promise.all(readers);
  }

  #openPort(isIpv6: boolean): MediaPort {
    const { connection } = this.client;
    const port = this.#stack.use(MediaPort.open({
      bind: connection.localAddress ?? (isIpv6 ? "::" : "0.0.0.0"),
      preferredPort: this.#environment.dataPort,
      isPing: (bytes, source) =>
        isPunch(bytes) && isSameHost(source.address, connection.remote.address),
      // Only the first counts: later ones hold the way open and move nothing.
      onPing: (source) => this.#punch.resolve(source),
    }));
    port.setDscp(DSCP_VIDEO);
    return port;
  }

  async #openSession({ offer, plan, port, seal }: {
    readonly offer: NativeOffer;
    readonly plan: Plan;
    readonly port: MediaPort;
    readonly seal: SealSecrets;
  }): Promise<Session> {
    const { connection, hello } = this.client;
    const { clock, streamClock, test, fec, pacing } = this.#environment;
    const output = this.#stack.use(
      new StreamOutput({
        connection,
        streamClock,
        clock,
        isSoundRedundant: offer.sound.isRedundant,
      }),
    );
    this.#output = output;
    const { bitrateKbps, refreshMilliHz } = plan.encoder;
    const pattern = test?.pattern && { ...test.pattern, bitrateKbps, refreshMilliHz };
    const session = await Session.open({
      id: this.id,
      plan,
      video: {
        socket: port.handle,
        pacing: pacing({ wireKbps: offer.wireKbps }),
        packetiser: {
          plane: "native",
          terms: fec,
          shardPayloadBytes: offer.costs.shardPayloadBytes,
          shardPayloadCeilingBytes: offer.shardPayloadLater,
          frameBytesMax: frameBytesMaxOf(offer.wireKbps, Math.round(refreshMilliHz / 1000)),
          secrets: seal,
          wallOffsetNs: streamClock.wallOffsetNs,
        },
        ...(pattern === undefined ? {} : { pattern }),
        ...(test === undefined || test.frameCount === 0 ? {} : { unitsMax: test.frameCount }),
      },
      ...(pattern === undefined ? { audio: { kind: "report" } as const } : {}),
      observer: {
        onFailed: (error) =>
          this.end({ end: "failed", close: "setup-failed", reason: describeError(error) }),
        onFinished: () => this.#finish(),
        onSound: (packet) => output.sound(packet),
        onProbed: (totals) => this.#control?.probed(totals),
        onPadFeedback: (feedback) => output.padFeedback(feedback),
        ...(hasBits(hello.videoCaps, VIDEO_CAPS.hostTiming)
          ? { onUnit: (unit) => output.hostTiming(unit) }
          : {}),
      },
    }, this.#environment);
    this.#session = session;
    return session;
  }

  #createControl({ offer, plan, session }: OpenedStream): StreamControl {
    const { streamClock, clock, capabilities, logger, pacing, isFecPinned } = this.#environment;
    const { connection, hello } = this.client;
    return new StreamControl({
      session,
      send: (message) => this.#send(message),
      onInput: (event) => this.#input?.edge(event),
      roundTripMs: () => connection.roundTripUs / 1000,
      mode: modeOf(plan),
      wireKbps: offer.wireKbps,
      costs: offer.costs,
      shardPayloadLater: offer.shardPayloadLater,
      encoderKbpsMax: capabilities.bitrateKbpsMax,
      isFecPinned,
      pacing,
      countsProbesApart: hasBits(hello.videoCaps, VIDEO_CAPS.probeSequence),
      clock,
      streamClock,
      logger,
    });
  }

  /** Where the first punch came from; else where Start says. */
  async #destination(start: Start): Promise<SocketAddress> {
    const { clock, logger } = this.#environment;
    const { remote } = this.client.connection;
    const timer = clock.after(PUNCH_WAIT_MS, () => {
      logger.info("native.no-punch", { session: this.id });
      this.#punch.resolve({ address: remote.address, port: start.udpPort });
    });
    const destination = await this.#punch.promise;
    timer.cancel();
    return destination;
  }

  async #readControl(control: StreamControl): Promise<void> {
    const { streamClock } = this.#environment;
    for (;;) {
      const payload = await this.client.control.next();
      if (payload === undefined) return;
      const receivedNs = streamClock.nowNs();
      const message = decodeControl(payload);
      if (message !== undefined) control.handle(message, receivedNs);
    }
  }

  async #readDatagrams(): Promise<void> {
    for (;;) {
      const bytes = await this.client.connection.readDatagram();
      if (bytes === undefined) return;
      this.#input?.datagram(bytes);
    }
  }

  #startTimer(): void {
    const { test, clock } = this.#environment;
    if (test?.durationMs === undefined) return;
    const timer = clock.after(test.durationMs, () => this.#finish());
    this.#stack.defer(() => timer.cancel());
  }

  /** All of a test stream was sent: the client leaves, or is asked to. */
  #finish(): void {
    const timer = this.#environment.clock.after(
      FAREWELL_MS,
      () => this.end({ end: "application-ended", close: "done", reason: "" }),
    );
    this.#stack.defer(() => timer.cancel());
  }

  #fail(error: unknown): void {
    const reason = describeError(error);
    this.#environment.logger.warn("native.refused", { session: this.id, reason });
    this.end({ end: "failed", close: "setup-failed", reason });
  }

  #send(message: ControlMessage): void {
    this.client.control.send(encodeControl(message));
  }
}

function endOf(close: QuicClose): StreamEnd {
  const isQuit = close.kind === "application" && close.code === CLOSE_CODES.quit;
  return { end: isQuit ? "client-quit" : "client-lost", close: "done", reason: "" };
}

function modeOf({ encoder }: Plan): StreamMode {
  return {
    width: encoder.widthPixels,
    height: encoder.heightPixels,
    refreshHz: Math.round(encoder.refreshMilliHz / 1000),
  };
}

function compositorOf(display: DisplayBackendId): Compositor {
  return display === "synthetic" ? "auto" : display;
}

function remaining(secondsLeft: number | undefined): number {
  return secondsLeft === undefined ? 0 : Math.min(Math.max(secondsLeft, 1), EXPIRES_S_MAX);
}

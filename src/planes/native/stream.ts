/**
 * One native session, from an admitted Hello to its end (native specification 2.1, 4.1, 9).
 *
 *     opening ─Welcome→ waiting for Start ─→ waiting for a punch, 2.5 s at most ─→ ramp ─→ streaming
 *        └──────────── refusal, deadline, client, operator or host ──────────────────────→ over
 *
 * It owns the video port and the session, and lets go of both in one place. It closes the connection as soon as it is over,
 * so that the client does not wait for what takes its time to be let go of.
 *
 * @module
 */
import type { Timer } from "../../lib/clock.ts";
import { describeError } from "../../lib/errors.ts";
import { hasBits, VIDEO_CAPS } from "../../protocol/punktfunk1/caps.ts";
import { CLOSE_CODES, type CloseReason } from "../../protocol/punktfunk1/close_codes.ts";
import { decodeControl, encodeControl } from "../../protocol/punktfunk1/control.ts";
import type { Hello } from "../../protocol/punktfunk1/hello.ts";
import { decodeStart } from "../../protocol/punktfunk1/start.ts";
import { encodeWelcome } from "../../protocol/punktfunk1/welcome.ts";
import { mintWelcomeSecrets, sealSecretsOf } from "../../protocol/punktfunk1/welcome_secrets.ts";
import type { QuicClose, QuicConnection } from "../../quic/ports.ts";
import { Session, type SessionEnd, type SessionObserver } from "../../session/session.ts";
import type { SessionAccess } from "../../trust/access_watch.ts";
import { ControlOutbox } from "./control_outbox.ts";
import type { ControlStream } from "./control_stream.ts";
import type { NativeEnvironment } from "./environment.ts";
import { composeWelcome } from "./negotiation.ts";
import { PunchedPort } from "./punched_port.ts";
import { StreamAccess } from "./stream_access.ts";
import { StreamControl } from "./stream_control.ts";
import { StreamInput } from "./stream_input.ts";
import { StreamOutput } from "./stream_output.ts";
import {
  clientReasonOf,
  compositorOf,
  modeOf,
  planStream,
  type StreamPlan,
  videoOptionsOf,
} from "./stream_plan.ts";

/** From admission to Start. */
const START_DEADLINE_MS = 10_000;
/** How long a client may take to leave after the last frame of a test stream. */
const FAREWELL_MS = 2_000;

/** The client as it was admitted. */
export interface AdmittedClient {
  readonly connection: QuicConnection;
  readonly control: ControlStream;
  readonly hello: Hello;
  /** Undefined for a device that nobody knows by name. */
  readonly fingerprint: string | undefined;
  /** Whether it was admitted for its record, which it then needs until its end. */
  readonly isKnown: boolean;
  readonly access: SessionAccess;
}

interface OpenedStream extends StreamPlan {
  readonly session: Session;
  readonly port: PunchedPort;
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
  readonly #onStarted: () => void;
  readonly #ended = Promise.withResolvers<void>();
  readonly #over = Promise.withResolvers<StreamEnd>();
  readonly #stack = new AsyncDisposableStack();
  readonly #access: StreamAccess;
  readonly #outbox: ControlOutbox;
  #session: Session | undefined;
  #isWelcomed = false;
  #isStreaming = false;
  #isOver = false;
  #isMuted = false;
  #control: StreamControl | undefined;
  #input: StreamInput | undefined;
  #output: StreamOutput | undefined;

  /** `onStarted` is called when the handshake is complete. */
  constructor(
    client: AdmittedClient,
    environment: NativeEnvironment,
    { onStarted }: { readonly onStarted: () => void },
  ) {
    const { clock } = environment;
    const { control, connection } = client;
    this.client = client;
    this.#environment = environment;
    this.#onStarted = onStarted;
    this.#access = new StreamAccess(clock, client.access);
    this.#outbox = this.#stack.use(
      new ControlOutbox({ clock, send: (message) => void control.send(encodeControl(message)) }),
    );
    this.id = environment.nextSessionId();
    void connection.closed.then((close) => this.end(endOf(close)));
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

  /** What this session may do now. */
  get grants(): number {
    return this.#access.grants;
  }

  /** Resolves once everything made for the session is gone. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** Serve the client until something ends the session; everything made for it is gone by then. */
  async run(): Promise<StreamEnd> {
    const deadline = this.#environment.clock.after(
      START_DEADLINE_MS,
      () => this.end({ end: "client-lost", close: "setup-failed", reason: "No Start in time" }),
    );
    this.#stack.defer(() => deadline.cancel());
    try {
      // Opening is waited for whatever happens meanwhile: it cannot be broken off without leaving something behind.
      const opened = this.#isOver ? undefined : await this.#open();
      // What comes then waits for the client, which may be gone: its part ends with the connection.
      if (opened !== undefined) this.#inBackground(this.#serve(opened, deadline));
    } catch (error) {
      this.#fail(error);
    }
    const over = await this.#over.promise;
    await this.#close(over.end);
    return over;
  }

  /** End the session from outside, and tell the client. Only the first reason counts. */
  end(end: StreamEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#isStreaming = false;
    this.client.connection.close(CLOSE_CODES[end.close], end.reason);
    this.#over.resolve(end);
  }

  /** What the device may do from now on. */
  setAccess(access: SessionAccess): void {
    this.#access.follow(access);
    this.#applyAccess();
  }

  /** What this session may do at most from now on, whatever its device may. */
  limitGrants(grants: number): void {
    this.#access.limit(grants);
    this.#applyAccess();
  }

  /** Stop or restart the sound of this session alone. */
  setMuted(isMuted: boolean): void {
    this.#isMuted = isMuted;
    this.#output?.setMuted(isMuted);
    this.#outbox.send({ kind: "audio-state", isMuted });
  }

  #applyAccess(): void {
    const { grants, remainingSeconds } = this.#access;
    this.#input?.setGrants(grants);
    // Before, Welcome says it.
    if (this.#isWelcomed) this.#outbox.send({ kind: "access-update", grants, remainingSeconds });
  }

  /** Everything that can fail before the client is told more than to wait. Undefined when it was over by then. */
  async #open(): Promise<OpenedStream | undefined> {
    const { randomBytes, test, display, managementPort } = this.#environment;
    const planned = planStream(this.client, this.#environment);
    const { offer, plan, terms } = planned;
    const port = this.#stack.use(this.#openPort());
    const secrets = mintWelcomeSecrets(offer.cipher, randomBytes);
    const video = videoOptionsOf(planned, this.#environment, {
      socket: port.handle,
      secrets: sealSecretsOf(secrets),
    });
    const session = await Session.open({
      id: this.id,
      plan,
      video,
      ...(video.pattern === undefined ? { audio: { kind: "report" } as const } : {}),
      observer: this.#observe(this.#openOutput(planned)),
    }, this.#environment);
    this.#session = session;
    if (this.#isOver) return undefined;
    this.#isWelcomed = true;
    this.client.control.send(encodeWelcome(composeWelcome(offer, terms, {
      plan,
      udpPort: port.port,
      secrets,
      isEncrypted: true,
      frameCount: test?.frameCount ?? 0,
      compositor: compositorOf(display.id),
      managementPort: managementPort(),
      grants: this.#access.grants,
      expiresInSeconds: this.#access.remainingSeconds,
      can: (ability) => session.can(ability),
    })));
    return { ...planned, session, port };
  }

  /** From Start on. Throws ProtocolError for a Start that is none, or that names no port when it is needed. */
  async #serve(opened: OpenedStream, deadline: Timer): Promise<void> {
    const { session, port } = opened;
    const { clock, logger } = this.#environment;
    const { control, hello } = this.client;
    const payload = await control.next();
    if (payload === undefined || this.#isOver) return;
    const start = decodeStart(payload, { hasExt: false });
    deadline.cancel();
    this.#onStarted();
    this.#outbox.begin();
    const { grants } = this.#access;
    const input = new StreamInput({ session, clock, padKind: hello.gamepad, grants });
    this.#input = this.#stack.use(input);
    const streamControl = this.#stack.use(this.#createControl(opened));
    this.#control = streamControl;
    this.#inBackground(this.#readControl(streamControl));
    this.#inBackground(this.#readDatagrams(input));
    const destination = await port.destination(start);
    if (this.#isOver) return;
    session.setVideoDestination(destination);
    await streamControl.rampUp();
    if (this.#isOver) return;
    streamControl.startStream();
    session.startVideo();
    session.startSound();
    this.#isStreaming = true;
    logger.info("native.streaming", { session: this.id });
    this.#startTimer();
    if (hello.launch === undefined) return;
    this.#outbox.send({
      kind: "launch-outcome",
      outcome: "failed",
      message: "This host cannot start games yet",
    });
  }

  /** What fails there ends the session. */
  #inBackground(work: Promise<void>): void {
    work.catch((error) => this.#fail(error));
  }

  #openPort(): PunchedPort {
    const { dataPort, clock, logger } = this.#environment;
    return new PunchedPort({
      connection: this.client.connection,
      preferredPort: dataPort,
      clock,
      onNoPunch: () => logger.info("native.no-punch", { session: this.id }),
    });
  }

  #openOutput({ offer }: StreamPlan): StreamOutput {
    const { clock, streamClock } = this.#environment;
    const { connection } = this.client;
    const { isRedundant: isSoundRedundant } = offer.sound;
    const output = new StreamOutput({ connection, streamClock, clock, isSoundRedundant });
    output.setMuted(this.#isMuted);
    return this.#output = this.#stack.use(output);
  }

  #observe(output: StreamOutput): SessionObserver {
    return {
      // The session has logged it.
      onFailed: (error) =>
        this.end({ end: "failed", close: "setup-failed", reason: clientReasonOf(error) }),
      onFinished: () => this.#finish(),
      onSound: (packet) => output.sound(packet),
      onProbed: (totals) => this.#control?.probed(totals),
      onPadFeedback: (feedback) => output.padFeedback(feedback),
      ...(hasBits(this.client.hello.videoCaps, VIDEO_CAPS.hostTiming)
        ? { onUnit: (unit) => output.hostTiming(unit) }
        : {}),
    };
  }

  #createControl({ offer, plan, session }: OpenedStream): StreamControl {
    const { streamClock, clock, capabilities, logger, pacing, isFecPinned, rampMsMax } =
      this.#environment;
    const { connection, hello } = this.client;
    return new StreamControl({
      session,
      send: (message) => this.#outbox.send(message),
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
      rampMsMax: offer.hasRamp ? rampMsMax : undefined,
      clock,
      streamClock,
      logger,
    });
  }

  async #readControl(control: StreamControl): Promise<void> {
    const { streamClock } = this.#environment;
    for (;;) {
      const payload = await this.client.control.next();
      if (payload === undefined || this.#isOver) return;
      const receivedNs = streamClock.nowNs();
      const message = decodeControl(payload);
      if (message !== undefined) control.handle(message, receivedNs);
    }
  }

  async #readDatagrams(input: StreamInput): Promise<void> {
    for (;;) {
      const bytes = await this.client.connection.readDatagram();
      if (bytes === undefined || this.#isOver) return;
      input.datagram(bytes);
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
    if (this.#isOver) return;
    const { logger } = this.#environment;
    logger.warn("native.refused", { session: this.id, reason: describeError(error) });
    this.end({ end: "failed", close: "setup-failed", reason: clientReasonOf(error) });
  }

  async #close(end: SessionEnd): Promise<void> {
    try {
      await this.#session?.close(end);
      await this.#stack.disposeAsync();
    } catch (error) {
      const reason = describeError(error);
      this.#environment.logger.error("native.close", { session: this.id, reason });
    }
    this.#ended.resolve();
  }
}

function endOf(close: QuicClose): StreamEnd {
  const isQuit = close.kind === "application" && close.code === CLOSE_CODES.quit;
  return { end: isQuit ? "client-quit" : "client-lost", close: "done", reason: "" };
}

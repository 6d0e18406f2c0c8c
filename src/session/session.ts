/**
 * One client's stream. Owns everything made for it and lets go of it in one place, last opened first, whatever ended it.
 *
 *     open   display → input sink → sound → video pump → audio pump       (Plan's order)
 *     close  held keys released → audio pump → video pump → sound → input sink → display
 *
 * A plane opens a session from a Plan, lends it its sockets, tells it where the client is and what it asks, and closes
 * it. The session never speaks to the client: what is for the client comes out through the observer.
 *
 * @module
 */
import type { AudioBackend } from "../audio/ports.ts";
import type { DisplayBackend, VirtualDisplay } from "../display/ports.ts";
import { MicrophoneStream, type VoicePacket } from "../audio/microphone_stream.ts";
import type { InputAbility, InputSink, PadFactory } from "../input/ports.ts";
import type { Clock } from "../lib/clock.ts";
import { describeError, type OperationError } from "../lib/errors.ts";
import type { Logger } from "../lib/logger.ts";
import type { Pacing, SocketAddress, UdpSocketHandle } from "../media/wire/kernel.ts";
import type { PatternEncoderSpec } from "../media/ports.ts";
import type { ProbeTotals } from "../protocol/punktfunk1/probe_train.ts";
import type { InputEvent, PadEvent, PadFeedback } from "../protocol/input_event.ts";
import { InputGate, type SinkEvent } from "./input_gate.ts";
import { PadGate } from "./pad_gate.ts";
import type { Plan } from "./plan.ts";
import type {
  AudioOutputSpec,
  AudioPumpSpec,
  PumpCommand,
  PumpStats,
  SentUnit,
  SoundPacket,
  VideoPumpSpec,
} from "./pumps/messages.ts";
import type { VideoPacketiserSpec } from "./pumps/packetisers.ts";
import { PumpHandle } from "./pumps/pump_handle.ts";

/** Why a session ended; a plane may tell its client. */
export type SessionEnd =
  | "client-quit"
  | "client-lost"
  | "taken-over"
  | "application-ended"
  | "stopped-by-operator"
  | "host-stopped"
  | "failed";

/** What a session is made with and lives on. */
export interface SessionEnvironment {
  readonly display: DisplayBackend;
  readonly audio: AudioBackend;
  /** Absent where no pads can be made. */
  readonly pads?: PadFactory;
  /** Test loss: share of video packets that are made and not sent, 0…90. Absent: none. */
  readonly videoDropPercent?: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface SessionOptions {
  readonly id: number;
  readonly plan: Plan;
  readonly video: {
    readonly socket: UdpSocketHandle;
    readonly packetiser: VideoPacketiserSpec;
    readonly pacing: Pacing;
    /** Sends bytes to be checked instead of what Plan's encoder makes of the picture. */
    readonly pattern?: PatternEncoderSpec;
    /** The picture waits for `startVideo`; probes are answered meanwhile. */
    readonly isHeldBack?: boolean;
    /** Test delay: how long a request for an IDR waits for its answer at least. */
    readonly recoveryMs?: number;
    readonly unitsMax?: number;
  };
  /** Absent: a stream without sound. */
  readonly audio?: AudioOutputSpec;
  readonly observer: SessionObserver;
}

export interface SessionObserver {
  /** A part failed; the owner closes the session. Called at most once. */
  onFailed(error: OperationError): void;
  /** `unitsMax` units were sent. */
  onFinished?(): void;
  /** Asked for by being there: each unit of video sent, each packet of sound to be sent. */
  onUnit?(unit: SentUnit): void;
  onSound?(packet: SoundPacket): void;
  /** A probe of `tune` is done. */
  onProbed?(totals: ProbeTotals): void;
  /** What a game answers to a pad. */
  onPadFeedback?(feedback: PadFeedback): void;
}

export type VideoTuning = Extract<
  PumpCommand<never>,
  { readonly kind: "bitrate" | "fec" | "shard-payload" | "pacing" | "probe" }
>;

export interface SessionStats {
  readonly video: PumpStats | undefined;
  readonly audio: PumpStats | undefined;
}

export class Session implements AsyncDisposable {
  readonly id: number;
  readonly plan: Plan;
  readonly startedAtUs: number;
  readonly #environment: SessionEnvironment;
  readonly #options: SessionOptions;
  readonly #stack = new AsyncDisposableStack();
  #video: PumpHandle<VideoPumpSpec> | undefined;
  #audio: PumpHandle<AudioPumpSpec> | undefined;
  #sink: InputSink | undefined;
  #gate: InputGate | undefined;
  #pads: PadGate | undefined;
  #voice: MicrophoneStream | undefined;
  #firstPacketMs: number | undefined;
  #closing: Promise<void> | undefined;
  #hasFailed = false;

  private constructor(options: SessionOptions, environment: SessionEnvironment) {
    this.id = options.id;
    this.plan = options.plan;
    this.#options = options;
    this.#environment = environment;
    this.startedAtUs = environment.clock.monotonicUs();
  }

  /** Open everything Plan names. Throws OperationError, and then nothing is left behind. */
  static async open(options: SessionOptions, environment: SessionEnvironment): Promise<Session> {
    const session = new Session(options, environment);
    try {
      await session.#open();
      return session;
    } catch (error) {
      await session.#stack.disposeAsync();
      throw error;
    }
  }

  /** From opening to the first packet sent, once it was. */
  get timeToFirstPacketMs(): number | undefined {
    return this.#firstPacketMs;
  }

  get stats(): SessionStats {
    return { video: this.#video?.stats, audio: this.#audio?.stats };
  }

  setVideoDestination(destination: SocketAddress): void {
    this.#video?.post({ kind: "destination", destination });
  }

  setAudioDestination(destination: SocketAddress): void {
    this.#audio?.post({ kind: "destination", destination });
  }

  /** The picture may leave, where it was held back. */
  startVideo(): void {
    this.#video?.post({ kind: "flow" });
  }

  /** Sound may come out of the observer from now on. */
  startSound(): void {
    this.#audio?.post({ kind: "flow" });
  }

  /** Change the running stream of video: its rate, parity, packet size or pacing; or probe the link beside it. */
  tune(command: VideoTuning): void {
    this.#video?.post(command);
  }

  /** What the client's input can do here. */
  can(ability: InputAbility | "pads"): boolean {
    if (ability === "pads") return this.#pads !== undefined;
    return this.#sink?.can(ability) ?? false;
  }

  requestIdr(roundTripMs: number): void {
    this.#video?.post({ kind: "idr", roundTripUs: roundTripMs * 1000 });
  }

  invalidateReferences(
    frames: { readonly first: number; readonly last: number },
    roundTripMs: number,
  ): void {
    this.#video?.post({
      kind: "invalidate",
      firstFrameIndex: frames.first,
      lastFrameIndex: frames.last,
      roundTripUs: roundTripMs * 1000,
    });
  }

  /** Inject one event of the client. Never throws: a lost sink fails the session instead. */
  input(event: InputEvent): void {
    if (this.#closing !== undefined) return;
    if (isPadEvent(event)) return this.#pads?.handle(event);
    try {
      this.#gate?.handle(this.#onDisplay(event));
    } catch (error) {
      this.#fail(error as OperationError);
    }
  }

  /** Let go of every key, button and contact that the client holds. */
  releaseInput(): void {
    try {
      this.#gate?.releaseAll();
    } catch (error) {
      // The compositor is gone, and the held keys with it.
      this.#environment.logger.debug("session.release", { reason: describeError(error) });
    }
  }

  /** What the client says into its microphone. Without one here the stream goes on. */
  voice(packet: VoicePacket): void {
    try {
      this.#voice?.accept(packet);
    } catch (error) {
      this.#voice?.[Symbol.dispose]();
      this.#voice = undefined;
      this.#environment.logger.warn("session.microphone", {
        session: this.id,
        reason: describeError(error),
      });
    }
  }

  /** Let go of everything. Twice is legal; both wait for the same end. */
  close(end: SessionEnd): Promise<void> {
    this.#closing ??= this.#close(end);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close("host-stopped");
  }

  async #open(): Promise<void> {
    const { plan } = this.#options;
    const { display, logger } = this.#environment;
    const screen = this.#stack.use(await display.createDisplay(plan.mode));
    this.#sink = this.#stack.use(await screen.openInput());
    const sink = this.#sink;
    this.#gate = new InputGate((event) => sink.inject(event));
    this.#openPads();
    const startAudio = await this.#claimSound();
    this.#video = this.#stack.use(await this.#startVideo(screen));
    this.#audio = await startAudio?.();
    this.#stack.defer(() => this.releaseInput());
    logger.info("session.open", {
      session: this.id,
      display: screen.name,
      mode: `${plan.mode.widthPixels}x${plan.mode.heightPixels}@${plan.mode.refreshMilliHz / 1000}`,
      bitrateKbps: plan.encoder.bitrateKbps,
      audioChannels: plan.audio.channels,
      path: await this.#video.description,
      sound: await this.#audio?.description ?? "none",
      input: sink.description,
    });
    for (const reason of plan.reductions) {
      logger.info("session.reduced", { session: this.id, reason });
    }
  }

  #openPads(): void {
    const { pads, logger } = this.#environment;
    if (pads === undefined) return;
    this.#pads = this.#stack.use(
      new PadGate({
        factory: pads,
        onFeedback: (feedback) => this.#options.observer.onPadFeedback?.(feedback),
        onRefused: (pad, error) =>
          logger.warn("session.pad", { session: this.id, pad, reason: describeError(error) }),
      }),
    );
  }

  /** The sound of the desktop and the client's voice; returns what starts the pump, after the picture's. */
  async #claimSound(): Promise<(() => Promise<PumpHandle<AudioPumpSpec>>) | undefined> {
    const { audio, clock } = this.#environment;
    const { plan, audio: output, observer } = this.#options;
    if (output === undefined) return undefined;
    const sound = this.#stack.use(
      await audio.claim({ channels: plan.audio.channels, isHeardOnHost: plan.isHeardOnHost }),
    );
    this.#voice = new MicrophoneStream(
      () => audio.openMicrophone({ name: `punktfunk-mic-${this.id}`, channels: 2 }),
    );
    this.#stack.defer(() => this.#voice?.[Symbol.dispose]());
    return async () =>
      this.#stack.use(
        await PumpHandle.start<AudioPumpSpec>(
          new Worker(new URL("./pumps/audio_pump_worker.ts", import.meta.url), { type: "module" }),
          { source: sound.source, encoder: plan.audio, output },
          {
            clock,
            observer: {
              onFailed: (error) => this.#fail(error),
              onSound: (packet) => observer.onSound?.(packet),
            },
          },
        ),
      );
  }

  #startVideo(screen: VirtualDisplay): Promise<PumpHandle<VideoPumpSpec>> {
    const { clock } = this.#environment;
    const { observer, video } = this.#options;
    const { pattern, ...rest } = video;
    return PumpHandle.start<VideoPumpSpec>(
      new Worker(new URL("./pumps/video_pump_worker.ts", import.meta.url), { type: "module" }),
      {
        source: screen.videoSource,
        encoder: pattern ?? this.plan.encoder,
        isReportingUnits: observer.onUnit !== undefined,
        dropPercent: this.#environment.videoDropPercent ?? 0,
        ...rest,
      },
      {
        clock,
        observer: {
          onFailed: (error) => this.#fail(error),
          onUnit: (unit) => observer.onUnit?.(unit),
          onProbed: (totals) => observer.onProbed?.(totals),
          ...(video.unitsMax === undefined ? {} : { onFinished: () => observer.onFinished?.() }),
          onFirstPacket: () => {
            this.#firstPacketMs = Math.round((clock.monotonicUs() - this.startedAtUs) / 1000);
          },
        },
      },
    );
  }

  /** Positions refer to the shown picture, which is up to one pixel smaller than an odd-sized display. */
  #onDisplay(event: SinkEvent): SinkEvent {
    if (!("x" in event)) return event;
    const { mode, encoder } = this.plan;
    return {
      ...event,
      x: event.x * (encoder.widthPixels - 1) / (mode.widthPixels - 1),
      y: event.y * (encoder.heightPixels - 1) / (mode.heightPixels - 1),
    };
  }

  #fail(error: OperationError): void {
    if (this.#hasFailed || this.#closing !== undefined) return;
    this.#hasFailed = true;
    this.#environment.logger.error("session.failed", {
      session: this.id,
      reason: describeError(error),
    });
    this.#options.observer.onFailed(error);
  }

  async #close(end: SessionEnd): Promise<void> {
    const { logger, clock } = this.#environment;
    try {
      await this.#stack.disposeAsync();
    } catch (error) {
      logger.error("session.close", { session: this.id, reason: describeError(error) });
    }
    const { video, audio } = this.stats;
    logger.info("session.end", {
      session: this.id,
      end,
      seconds: Math.round((clock.monotonicUs() - this.startedAtUs) / 1e6),
      frames: video?.units,
      idrs: video?.idrs,
      repeats: video?.repeats,
      refusedPackets: (video?.refusedPackets ?? 0) + (audio?.refusedPackets ?? 0),
    });
  }
}

function isPadEvent(event: InputEvent): event is PadEvent {
  return event.kind.startsWith("pad-");
}

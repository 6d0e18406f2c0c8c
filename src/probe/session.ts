/**
 * One stream, from Welcome to its end (punktfunk/1 specification 2.1, 4.1, 9).
 *
 *     Start → 8 rounds of the clock → punches for the whole session, and the ramp of automatic bitrate
 *          loop: packets → VideoReceiver;  every few milliseconds: clock, punches, reports, recovery, input, tone
 *          beside it: control messages and datagrams as they come
 *     over when all frames came, the time is up, somebody stops it, nothing comes any more, or the host closes
 *
 * @module
 */
import { BlockRebuilder } from "../../ffi/wire_rebuild.ts";
import type { Clock } from "../lib/clock.ts";
import { BITRATE_KBPS_MAX } from "../lib/limits.ts";
import { hasBits, HOST_CAPS2 } from "../protocol/punktfunk1/caps.ts";
import { CLOSE_CODES } from "../protocol/punktfunk1/close_codes.ts";
import {
  type ControlMessage,
  decodeControl,
  encodeControl,
} from "../protocol/punktfunk1/control.ts";
import { decodeDatagram } from "../protocol/punktfunk1/datagrams/datagram.ts";
import { encodeInput, type WireInput } from "../protocol/punktfunk1/datagrams/input.ts";
import { isShardPayload } from "../protocol/punktfunk1/fec_plan.ts";
import { encodePunch, punchDelayMs } from "../protocol/punktfunk1/punch.ts";
import { encodeStart, START_EXTENSIONS_NONE } from "../protocol/punktfunk1/start.ts";
import type { ReceivedVideoFrame } from "../protocol/punktfunk1/video_reassembler.ts";
import type { Welcome } from "../protocol/punktfunk1/welcome.ts";
import { StreamClock } from "../planes/native/stream_clock.ts";
import type { QuicClose } from "../quic/ports.ts";
import { ClockSync } from "./clock_sync.ts";
import type { Dialed } from "./dial.ts";
import { LinkProbe, type LinkProbeRequest } from "./link_probe.ts";
import { LinkSurvey } from "./link_survey.ts";
import { MicrophoneTone } from "./microphone_tone.ts";
import type { PacketOpener } from "./packet_opener.ts";
import type { RateController } from "./rate_controller.ts";
import { SoundReceiver } from "./sound_receiver.ts";
import { Samples } from "./statistics.ts";
import { VideoReceiver, type VideoReceiverOptions } from "./video_receiver.ts";

/** How long `receive` waits, and so how late anything that is due may be. */
const TICK_MS = 5;
const INPUT_STEP_US = 50_000;
const PROGRESS_INTERVAL_US = 500_000;
const NOTES_MAX = 1_000;

export interface StreamLimits {
  /** End after this many; undefined has no end of its own. */
  readonly frames: number | undefined;
  /** From the first frame on. */
  readonly seconds: number | undefined;
  /** Without a frame for so long nothing will come any more. */
  readonly silenceMs: number;
}

export interface SessionOptions {
  readonly dialed: Dialed;
  readonly welcome: Welcome;
  readonly opener: PacketOpener;
  readonly clock: Clock;
  readonly limits: StreamLimits;
  readonly shardPayloadBytesMax: number;
  /** Tell the host that the user is done, so that it keeps nothing for a reconnect. */
  readonly isQuit: boolean;
  readonly soundPath?: string | undefined;
  /** Events of step n, every 50 ms. */
  readonly inputStep?: ((step: number) => readonly WireInput[]) | undefined;
  readonly toneHz?: number | undefined;
  readonly link?: LinkProbeRequest | undefined;
  readonly rateController?: RateController | undefined;
  /** More than this the controller will not ask for; 8 Gbit/s unless said. */
  readonly ceilingKbps?: number | undefined;
  readonly onFrame?: ((frame: ReceivedVideoFrame) => void) | undefined;
  readonly onProgress?: ((session: ProbeSession) => void) | undefined;
}

/** Why a stream ended: everything asked for was there, or one of the others. */
export type StreamEnd = "complete" | "silence" | "stopped" | "host-closed" | "failed";

/** Something the host said besides media, and when, counted from Start. Texts in it are untrusted. */
export interface SessionNote {
  readonly atMs: number;
  readonly message: ControlMessage;
}

export class ProbeSession {
  readonly video: VideoReceiver;
  readonly sound: SoundReceiver;
  readonly clockSync: ClockSync;
  /** What the host took for each frame, milliseconds, as datagram cf tells. */
  readonly hostTiming = new Samples();
  readonly notes: SessionNote[] = [];
  readonly linkProbe: LinkProbe | undefined;
  readonly startedAtUs: number;
  /** Of the QUIC stack, when the stream ended; 0 from one that does not tell. */
  roundTripUs = 0;
  inputEvents = 0;
  feedbackDatagrams = 0;
  readonly #options: SessionOptions;
  readonly #stack = new DisposableStack();
  readonly #streamClock: StreamClock;
  readonly #tone: MicrophoneTone | undefined;
  #survey: LinkSurvey | undefined;
  #end: StreamEnd | undefined;
  #failure: unknown;
  #close: QuicClose | undefined;
  #punches = 0;
  #nextPunchAtUs = 0;
  #inputSteps = 0;
  #nextInputAtUs = 0;
  #nextProgressAtUs = 0;
  #grantedKbps: number;

  constructor(options: SessionOptions) {
    const { clock, welcome, dialed } = options;
    this.#options = options;
    this.startedAtUs = clock.monotonicUs();
    this.#grantedKbps = welcome.bitrateKbps;
    this.#streamClock = new StreamClock(clock);
    this.clockSync = new ClockSync({
      send: (message) => this.#send(message),
      nowNs: () => this.#streamClock.nowNs(),
    });
    this.video = new VideoReceiver({
      welcome,
      ...this.#blockDecoder(),
      shardPayloadBytesMax: options.shardPayloadBytesMax,
      send: (message) => this.#send(message),
      latencyUs: ({ ptsNs, deliveredAtUs }) =>
        this.clockSync.betweenUs(ptsNs, this.#streamClock.atUs(deliveredAtUs)),
      nowUs: this.startedAtUs,
      ...(options.onFrame === undefined ? {} : { onFrame: options.onFrame }),
      ...(options.rateController === undefined ? {} : { rateController: options.rateController }),
    });
    this.sound = this.#stack.use(new SoundReceiver(welcome, options.soundPath));
    if (options.toneHz !== undefined) {
      this.#tone = this.#stack.use(
        new MicrophoneTone({
          toneHz: options.toneHz,
          send: (datagram) => dialed.connection.sendDatagram(datagram),
          nowNs: () => this.#streamClock.nowNs(),
        }),
      );
    }
    this.linkProbe = options.link && new LinkProbe(options.link, (message) => this.#send(message));
  }

  get welcome(): Welcome {
    return this.#options.welcome;
  }

  /** Undefined while it runs. */
  get end(): StreamEnd | undefined {
    return this.#end;
  }

  /** What went wrong here, for the end "failed". */
  get failure(): unknown {
    return this.#failure;
  }

  /** How the connection ended, once it has. */
  get close(): QuicClose | undefined {
    return this.#close;
  }

  /** Frames that must come; undefined for a stream without an end. */
  get expectedFrames(): number | undefined {
    const { frameCount } = this.welcome;
    const { frames } = this.#options.limits;
    if (frameCount === 0) return frames;
    return Math.min(frameCount, frames ?? frameCount);
  }

  get grantedKbps(): number {
    return this.#grantedKbps;
  }

  get microphonePackets(): number {
    return this.#tone?.count ?? 0;
  }

  /** Of the code that every host chooses; another is rebuilt in portable code. */
  #blockDecoder(): Pick<VideoReceiverOptions, "decodeBlock"> {
    if (this.welcome.fecScheme !== "gf65536") return {};
    const rebuilder = this.#stack.use(new BlockRebuilder());
    return { decodeBlock: (block) => rebuilder.rebuild(block) };
  }

  /** End it from outside. */
  stop(): void {
    this.#end ??= "stopped";
  }

  /** Stream until it is over; the connection and the socket are closed by then. Call it once. */
  async run(): Promise<void> {
    const { dialed: { connection, control }, opener, clock } = this.#options;
    void connection.closed.then((close) => {
      this.#close = close;
      this.#end ??= "host-closed";
    });
    control.send(encodeStart({
      kind: "start",
      udpPort: opener.port,
      extensions: START_EXTENSIONS_NONE,
    }));
    const readers = [this.#readControl(), this.#readDatagrams()].map((reader) =>
      reader.catch((error) => this.#fail(error))
    );
    try {
      while (this.#end === undefined) {
        await opener.receive(TICK_MS, (packet, nowUs) => {
          this.#survey?.packet(packet, nowUs);
          this.video.accept(packet, nowUs);
        });
        this.#tick(clock.monotonicUs());
      }
    } catch (error) {
      this.#fail(error);
    }
    await control.flush();
    this.roundTripUs = connection.roundTripUs;
    connection.close(this.#options.isQuit ? CLOSE_CODES.quit : CLOSE_CODES.done, "");
    this.#close ??= await connection.closed;
    await Promise.all(readers);
    await opener.close();
    this.#stack.dispose();
  }

  #tick(nowUs: number): void {
    this.clockSync.tick(nowUs);
    if (this.clockSync.isSettled) this.#punch(nowUs);
    this.video.tick(nowUs);
    this.#tickSurvey(nowUs);
    if (this.video.statistics.frames > 0) this.#tickStreaming(nowUs);
    if (nowUs >= this.#nextProgressAtUs) {
      this.#nextProgressAtUs = nowUs + PROGRESS_INTERVAL_US;
      const { roundTripUs } = this.#options.dialed.connection;
      if (roundTripUs > 0) this.video.roundTrip(roundTripUs);
      this.#options.onProgress?.(this);
    }
    this.#end ??= this.#judge(nowUs);
  }

  /** What begins with the first frame. */
  #tickStreaming(nowUs: number): void {
    this.#tone?.tick(nowUs);
    this.linkProbe?.tick(nowUs, this.video.packets);
    const { inputStep, dialed } = this.#options;
    if (inputStep === undefined || nowUs < this.#nextInputAtUs) return;
    this.#nextInputAtUs = nowUs + INPUT_STEP_US;
    for (const input of inputStep(this.#inputSteps++)) {
      dialed.connection.sendDatagram(encodeInput(input, this.welcome.mode));
      this.inputEvents++;
    }
  }

  /** A link that is measured by itself is not measured twice. */
  #tickSurvey(nowUs: number): void {
    const { rateController: controller, welcome, ceilingKbps } = this.#options;
    if (controller === undefined || this.linkProbe !== undefined) return;
    const hasRamp = hasBits(welcome.hostCaps2, HOST_CAPS2.ramp);
    if (hasRamp ? this.#punches === 0 : this.video.statistics.frames === 0) return;
    this.#survey ??= new LinkSurvey({
      controller,
      send: (message) => this.#send(message),
      hasRamp,
      grantedKbps: welcome.bitrateKbps,
      ceilingKbps: ceilingKbps ?? BITRATE_KBPS_MAX,
      startUs: nowUs,
    });
    this.#survey.tick(nowUs);
  }

  #punch(nowUs: number): void {
    if (nowUs < this.#nextPunchAtUs) return;
    this.#options.opener.send(encodePunch());
    this.#punches++;
    this.#nextPunchAtUs = nowUs + punchDelayMs(this.#punches) * 1000;
  }

  #judge(nowUs: number): StreamEnd | undefined {
    const { seconds, silenceMs } = this.#options.limits;
    const { statistics } = this.video;
    const isLinkMeasured = this.linkProbe === undefined || this.linkProbe.result !== undefined;
    const expected = this.expectedFrames;
    if (expected !== undefined && this.video.settledFrames >= expected) {
      // A link is measured beside the video: one that was asked for is waited for.
      return isLinkMeasured ? "complete" : undefined;
    }
    const runMs = (nowUs - this.startedAtUs) / 1000;
    const lastMs = ((statistics.lastFrameAtUs ?? this.startedAtUs) - this.startedAtUs) / 1000;
    const streamedMs = statistics.frames === 0 ? 0 : statistics.durationMs + runMs - lastMs;
    if (seconds !== undefined && streamedMs >= seconds * 1000) return "complete";
    return runMs - lastMs >= silenceMs ? "silence" : undefined;
  }

  async #readControl(): Promise<void> {
    const { control } = this.#options.dialed;
    for (;;) {
      const payload = await control.next();
      if (payload === undefined) return;
      const message = decodeControl(payload);
      if (message !== undefined) this.#hear(message, this.#options.clock.monotonicUs());
    }
  }

  #hear(message: ControlMessage, nowUs: number): void {
    switch (message.kind) {
      case "clock-echo":
        this.clockSync.answered(message);
        return this.clockSync.tick(nowUs);
      case "probe-result":
        this.#survey?.answered(message, nowUs);
        return this.linkProbe?.answered(message, nowUs);
      case "pipeline-gap":
        this.video.paused(nowUs);
        break;
      case "bitrate-changed":
        this.#grantedKbps = message.kbps;
        this.video.granted(message, nowUs);
        break;
      case "shard-payload-changed":
        if (isShardPayload(message.shardPayloadBytes, this.#options.shardPayloadBytesMax)) {
          this.#send({ ...message, kind: "shard-payload-ack" });
        }
        break;
    }
    const atMs = (nowUs - this.startedAtUs) / 1000;
    if (this.notes.length < NOTES_MAX) this.notes.push({ atMs, message });
  }

  async #readDatagrams(): Promise<void> {
    const { connection } = this.#options.dialed;
    for (;;) {
      const bytes = await connection.readDatagram();
      if (bytes === undefined) return;
      const datagram = decodeDatagram(bytes);
      switch (datagram?.type) {
        case "audio":
        case "redundant-audio":
        case "pcm":
          this.sound.accept(datagram.body);
          break;
        case "host-timing":
          this.hostTiming.add(datagram.body.totalUs / 1000);
          break;
        case "rumble":
        case "hid-feedback":
          this.feedbackDatagrams++;
          break;
      }
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#end ??= "failed";
  }

  #send(message: ControlMessage): void {
    this.#options.dialed.control.send(encodeControl(message));
  }
}

/**
 * One stream as a client has it: handshake, control connection, video, audio, input.
 *
 *     const stream = await client.launch({ appId });
 *     const idr = await stream.waitForIdr();
 *     stream.send(input.mouseMove(5, -3));
 *     await stream.close();
 *
 * @module
 */
import type { PadFeedback } from "../../src/protocol/input_event.ts";
import type { HostControlMessage } from "../../src/protocol/gamestream/control_host_messages.ts";
import { AudioAssembler, type ReceivedAudioPacket } from "./audio_assembler.ts";
import { Changes } from "./changes.ts";
import { ControlChannel } from "./control_channel.ts";
import type { OutgoingInput } from "./input_packets.ts";
import { MediaReceiver } from "./media_receiver.ts";
import { RtspClient } from "./rtsp_client.ts";
import {
  type AgreedEncryption,
  agreeEncryption,
  announcedPacketSize,
  formatAnnounce,
  type HostOffer,
  parseOffer,
  type StreamSettings,
} from "./stream_settings.ts";
import { type ReceivedFrame, VideoAssembler } from "./video_assembler.ts";

const WAIT_MS = 10_000;
const KEPT_MAX = 3_600;
/** Undecodable frames after which the client asks once more. */
const RECOVERY_REPEAT_FRAMES = 30;

export interface StreamStart {
  readonly host: string;
  readonly sessionUrl: string;
  readonly settings: StreamSettings;
  readonly rikey: Uint8Array;
  readonly rikeyId: number;
  readonly rtspFirstSequence: number;
}

/** How a stream ended: the host's termination message, or what became of the control connection. */
export type StreamEnd =
  | { readonly kind: "terminated"; readonly reason: number }
  | { readonly kind: "disconnected"; readonly reason: string };

export class MoonlightStream implements AsyncDisposable {
  readonly settings: StreamSettings;
  readonly offer: HostOffer;
  readonly encryption: AgreedEncryption;
  readonly ports: { readonly audio: number; readonly video: number; readonly control: number };
  readonly rtsp: RtspClient;
  /** Statistics and violations. */
  readonly video: VideoAssembler;
  readonly audio: AudioAssembler;
  /** The newest frames and packets, oldest first; at most 3600 of each. */
  readonly frames: ReceivedFrame[] = [];
  readonly audioPackets: ReceivedAudioPacket[] = [];
  readonly feedback: PadFeedback[] = [];
  readonly messages: HostControlMessage[] = [];
  /** Loss on the way: datagrams for which it returns true never arrive. `index` counts from 0. */
  dropVideo: (index: number) => boolean = () => false;
  dropAudio: (index: number) => boolean = () => false;
  readonly #changes = new Changes();
  #control: ControlChannel | undefined;
  #audioReceiver: MediaReceiver | undefined;
  #videoReceiver: MediaReceiver | undefined;
  #videoDatagrams = 0;
  #audioDatagrams = 0;
  #isConnected = false;
  #end: StreamEnd | undefined;
  #undecodable = 0;

  private constructor(start: StreamStart, rtsp: RtspClient, handshake: Handshake) {
    const { settings, rikey, rikeyId } = start;
    const { offer, encryption, ports } = handshake;
    this.settings = settings;
    this.rtsp = rtsp;
    this.offer = offer;
    this.encryption = encryption;
    this.ports = ports;
    this.video = new VideoAssembler({
      packetSizeBytes: announcedPacketSize(settings, encryption),
      key: encryption.isVideoEncrypted ? rikey : null,
      codec: settings.codec,
      onFrame: (frame) => this.#onFrame(frame),
      onLost: ({ first, last }) => this.#onLost(first, last),
    });
    this.audio = new AudioAssembler({
      packetDurationMs: settings.audioPacketDurationMs,
      key: encryption.isAudioEncrypted ? rikey : null,
      rikeyId,
      onPacket: (packet) => {
        keep(this.audioPackets, packet);
        this.#changes.notify();
      },
    });
  }

  /** Go through all stages in the client's order. Throws RtspError, or Error when a stage does not come about. */
  static async start(start: StreamStart): Promise<MoonlightStream> {
    const { settings } = start;
    const rtsp = new RtspClient({
      host: start.host,
      sessionUrl: start.sessionUrl,
      key: start.rikey,
      firstSequence: start.rtspFirstSequence,
      segmentSizeBytes: settings.rtspSegmentSizeBytes,
      isHostNamed: settings.isAudioQualityHigh,
      timeoutMs: 15_000,
    });
    await rtsp.options();
    const offer = parseOffer((await rtsp.describe()).payload);
    const encryption = agreeEncryption(settings, offer);
    const audio = await rtsp.setup("audio/0/0");
    const video = await rtsp.setup("video/0/0");
    const control = await rtsp.setup("control/13/0");
    const ports = { audio: portOf(audio), video: portOf(video), control: portOf(control) };
    const stream = new MoonlightStream(start, rtsp, { offer, encryption, ports });
    try {
      await stream.#openAudio(start.host, audio.headers.get("X-SS-Ping-Payload"));
      await rtsp.announce(
        formatAnnounce(settings, encryption, { host: start.host, videoPort: ports.video }),
      );
      await rtsp.play();
      await stream.#openControl(start, Number(control.headers.get("X-SS-Connect-Data") ?? 0));
      await stream.#openVideo(start.host, video.headers.get("X-SS-Ping-Payload"));
    } catch (error) {
      await stream.kill();
      throw error;
    }
    return stream;
  }

  get end(): StreamEnd | undefined {
    return this.#end;
  }

  get roundTripMs(): number {
    return this.#control?.roundTripMs ?? 0;
  }

  /** What the control connection could not open or read. */
  get badControlMessages(): number {
    return this.#control?.badMessages ?? 0;
  }

  /** The first key frame after `afterFrameIndex`. */
  waitForIdr(
    options: { readonly afterFrameIndex?: number; readonly timeoutMs?: number } = {},
  ): Promise<ReceivedFrame> {
    const { afterFrameIndex = 0, timeoutMs = WAIT_MS } = options;
    return this.waitForFrame((frame) => frame.isKey && frame.frameIndex > afterFrameIndex, {
      timeoutMs,
    });
  }

  /** The first kept frame for which `isWanted`, arrived already or yet to come. */
  waitForFrame(
    isWanted: (frame: ReceivedFrame) => boolean,
    options: { readonly timeoutMs?: number } = {},
  ): Promise<ReceivedFrame> {
    return this.#changes.until("such frame", () => this.frames.find(isWanted), {
      timeoutMs: options.timeoutMs ?? WAIT_MS,
    });
  }

  /** Until `count` frames more than now have come. */
  async waitForFrames(
    count: number,
    options: { readonly timeoutMs?: number } = {},
  ): Promise<void> {
    const wanted = this.video.stats.frames + count;
    await this.#changes.until(`${count} frames`, () => this.video.stats.frames >= wanted, {
      timeoutMs: options.timeoutMs ?? WAIT_MS,
    });
  }

  /** Until `count` packets of sound more than now have come. */
  async waitForAudio(
    count: number,
    options: { readonly timeoutMs?: number } = {},
  ): Promise<void> {
    const wanted = this.audio.stats.packets + count;
    await this.#changes.until(`${count} audio packets`, () => this.audio.stats.packets >= wanted, {
      timeoutMs: options.timeoutMs ?? WAIT_MS,
    });
  }

  /** The first feedback for a pad for which `isWanted`, arrived already or yet to come. */
  waitForFeedback(
    isWanted: (feedback: PadFeedback) => boolean,
    options: { readonly timeoutMs?: number } = {},
  ): Promise<PadFeedback> {
    return this.#changes.until("such feedback", () => this.feedback.find(isWanted), {
      timeoutMs: options.timeoutMs ?? WAIT_MS,
    });
  }

  waitForEnd(options: { readonly timeoutMs?: number } = {}): Promise<StreamEnd> {
    return this.#changes.until("end of the stream", () => this.#end, {
      timeoutMs: options.timeoutMs ?? WAIT_MS,
    });
  }

  requestIdr(): void {
    this.#control?.send({ type: "request-idr" }, { channel: 1 });
  }

  invalidateReferences(firstFrame: number, lastFrame: number): void {
    this.#control?.send({ type: "invalidate-references", firstFrame, lastFrame }, { channel: 1 });
  }

  /** Send input; see input_packets.ts. False when the connection is gone. */
  send(input: OutgoingInput): boolean {
    const { packet, channel, delivery } = input;
    return this.#control?.send({ type: "input", packet }, { channel, delivery }) ?? false;
  }

  /** Move video to another socket, as a client whose network changed. */
  async moveVideo(): Promise<void> {
    const old = this.#videoReceiver;
    if (old === undefined) throw new Error("There is no video yet");
    this.#videoReceiver = await old.reopen();
  }

  /** Quit as a client does: the host keeps the application. Twice is legal. */
  async close(): Promise<void> {
    // A client that was told to end says goodbye at once.
    await this.#control?.close({ isGraceful: this.#end === undefined });
    await this.kill();
  }

  /** Vanish: nothing is said to the host. */
  async kill(): Promise<void> {
    this.#changes.fail(new Error("The stream was closed"));
    await Promise.all([
      this.#control?.kill(),
      this.#audioReceiver?.close(),
      this.#videoReceiver?.close(),
    ]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #openAudio(address: string, pingPayload: string | undefined): Promise<void> {
    this.#audioReceiver = await MediaReceiver.open({
      destination: { address, port: this.ports.audio },
      pingPayload,
      onDatagram: (bytes) => {
        if (!this.dropAudio(this.#audioDatagrams++)) this.audio.accept(bytes);
      },
    });
  }

  async #openVideo(address: string, pingPayload: string | undefined): Promise<void> {
    this.#videoReceiver = await MediaReceiver.open({
      destination: { address, port: this.ports.video },
      pingPayload,
      onDatagram: (bytes) => {
        if (!this.dropVideo(this.#videoDatagrams++)) this.video.accept(bytes);
      },
    });
  }

  async #openControl(start: StreamStart, connectData: number): Promise<void> {
    this.#control = await ControlChannel.open({
      destination: { address: start.host, port: this.ports.control },
      connectData,
      key: start.rikey,
      isV2: this.encryption.isControlV2,
      onConnected: () => {
        this.#isConnected = true;
        this.#changes.notify();
      },
      onMessage: (message) => this.#onMessage(message),
      onDisconnected: (reason) => {
        this.#end ??= { kind: "disconnected", reason };
        this.#changes.notify();
      },
    });
    await this.#changes.until("control connection", () => this.#isConnected, {
      timeoutMs: WAIT_MS,
    });
    this.#control.send({ type: "request-idr" });
    this.#control.send({ type: "start-b" });
  }

  #onMessage(message: HostControlMessage): void {
    keep(this.messages, message);
    if (message.type === "pad-feedback") keep(this.feedback, message.feedback);
    if (message.type === "termination") {
      this.#end ??= { kind: "terminated", reason: message.reason };
      void this.#control?.close({ isGraceful: false });
    }
    this.#changes.notify();
  }

  #onFrame(frame: ReceivedFrame): void {
    keep(this.frames, frame);
    if (frame.isDecodable) this.#undecodable = 0;
    else if (this.#undecodable++ % RECOVERY_REPEAT_FRAMES === 0) this.#recover();
    this.#changes.notify();
  }

  #onLost(first: number, last: number): void {
    if (this.settings.isRecovering && this.#canInvalidate) this.invalidateReferences(first, last);
  }

  /** What a client without reference invalidation does at the next complete frame, and any client before its first. */
  #recover(): void {
    const isFirstKeyMissing = !this.frames.some((frame) => frame.isKey);
    const isRepeat = this.#undecodable > 1;
    if (!this.settings.isRecovering) return;
    if (!this.#canInvalidate || isFirstKeyMissing || isRepeat) this.requestIdr();
  }

  get #canInvalidate(): boolean {
    return this.offer.hasReferenceInvalidation && this.settings.referenceFrames === 0;
  }
}

interface Handshake {
  readonly offer: HostOffer;
  readonly encryption: AgreedEncryption;
  readonly ports: MoonlightStream["ports"];
}

function portOf(answer: { readonly headers: ReadonlyMap<string, string> }): number {
  const match = /server_port=(\d+)/.exec(answer.headers.get("Transport") ?? "");
  if (match === null) throw new Error("SETUP was answered without a port");
  return Number(match[1]);
}

function keep<T>(list: T[], item: T): void {
  list.push(item);
  if (list.length > KEPT_MAX) list.shift();
}

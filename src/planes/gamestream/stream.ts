/**
 * One GameStream stream, from an accepted `/launch` or `/resume` to its end (GameStream specification 0.4).
 *
 *     pending ─first RTSP request→ handshake ─PLAY→ connecting ─ENet→ control-up ─start B and a video ping→ streaming
 *        └──────────────── deadline, refusal, client or host ────────────────→ ending
 *
 * It owns the media ports and the session, and lets go of both in one place. The application's life is not its business.
 *
 * @module
 */
import { isSameHost } from "../../lib/address.ts";
import type { Clock, Timer } from "../../lib/clock.ts";
import { describeError, OperationError } from "../../lib/errors.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Pacing } from "../../media/wire/kernel.ts";
import type { StreamConfig } from "../../protocol/gamestream/announce.ts";
import { requireEncryption } from "../../protocol/gamestream/announce.ts";
import {
  type CustomAudioLayout,
  parseSurroundParams,
} from "../../protocol/gamestream/audio_layouts.ts";
import type { ClientControlMessage } from "../../protocol/gamestream/control_messages.ts";
import { formatDescribe } from "../../protocol/gamestream/describe.ts";
import type { LaunchParameters } from "../../protocol/gamestream/launch.ts";
import { PingTracker } from "../../protocol/gamestream/ping.ts";
import type { RtspRequest, RtspResponse } from "../../protocol/gamestream/rtsp.ts";
import { RtspCrypto } from "../../protocol/gamestream/rtsp_crypto.ts";
import { type AnnounceContext, RtspHandshake } from "../../protocol/gamestream/rtsp_handshake.ts";
import { type HostCapabilities, type Plan, planSession } from "../../session/plan.ts";
import { Session, type SessionEnd, type SessionEnvironment } from "../../session/session.ts";
import { toClientRequest } from "./client_request.ts";
import type { ControlPeer, ControlStream } from "./control_server.ts";
import type { LaunchOrigin } from "./launch_desk.ts";
import { MediaPort } from "../media_port.ts";
import type { RtspStream } from "./rtsp_server.ts";
import { ENCRYPTION_SUPPORTED, encryptionDemanded, encryptionRequested } from "./stream_policy.ts";

const RTSP_DEADLINE_MS = 10_000;
const CONNECT_DEADLINE_MS = 10_000;
/** How long a client may take to act on a termination message before it is disconnected. */
const TERMINATION_GRACE_MS = 100;
/** "Ended by the host, gracefully". */
const TERMINATION_GRACEFUL = 0x8003_0023;
const DSCP_VIDEO = 40;
const DSCP_AUDIO = 48;

export type StreamState =
  | "pending"
  | "handshake"
  | "connecting"
  | "control-up"
  | "streaming"
  | "ending";

export interface StreamEnvironment extends SessionEnvironment {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly capabilities: HostCapabilities;
  readonly fecPercent: number;
  readonly pacing: Pacing;
  /** Address to bind media ports on, and the customary ports. */
  readonly bind: string;
  readonly videoPort: number;
  readonly audioPort: number;
  /** Where the control server listens. */
  readonly controlPort: number;
  readonly randomText: (length: number) => string;
  readonly randomUint32: () => number;
}

export interface StreamOptions {
  readonly sessionId: number;
  readonly parameters: LaunchParameters;
  readonly origin: LaunchOrigin;
  /** The stream ended, whatever the reason, and holds nothing any more. Called once. */
  readonly onEnded: (end: SessionEnd) => void;
}

export class GameStreamStream implements RtspStream, ControlStream {
  readonly crypto: RtspCrypto;
  readonly connectData: number;
  readonly origin: LaunchOrigin;
  readonly #options: StreamOptions;
  readonly #environment: StreamEnvironment;
  readonly #handshake: RtspHandshake;
  /** The layout of sound that the launch brought along. */
  readonly #customAudio: CustomAudioLayout | undefined;
  readonly #videoPort: MediaPort;
  readonly #audioPort: MediaPort;
  readonly #pingPayloads: { readonly video: string; readonly audio: string };
  #videoPings: PingTracker;
  #audioPings: PingTracker;
  #state: StreamState = "pending";
  #deadline: Timer | undefined;
  #config: StreamConfig | undefined;
  #session: Session | undefined;
  #peer: ControlPeer | undefined;
  #isStartBSeen = false;
  #ending: Promise<void> | undefined;

  /**
   * Throws OperationError when no media port can be bound, ProtocolError for a layout of sound that is none; nothing is
   * left open then.
   */
  constructor(options: StreamOptions, environment: StreamEnvironment) {
    const { parameters, origin } = options;
    this.#options = options;
    this.#environment = environment;
    this.origin = origin;
    this.crypto = new RtspCrypto(parameters.rikey);
    this.#customAudio = parameters.surroundParams === undefined
      ? undefined
      : parseSurroundParams(parameters.surroundParams);
    this.connectData = environment.randomUint32() || 1;
    this.#pingPayloads = {
      video: environment.randomText(16),
      audio: environment.randomText(16),
    };
    this.#videoPings = new PingTracker({ kind: "payload", payload: this.#pingPayloads.video });
    this.#audioPings = new PingTracker({ kind: "payload", payload: this.#pingPayloads.audio });
    this.#videoPort = MediaPort.open({
      bind: environment.bind,
      preferredPort: environment.videoPort,
      isPing: (bytes, source) => this.#videoPings.accept(bytes, source),
      onPing: () => this.#flowVideo(),
    });
    try {
      this.#audioPort = MediaPort.open({
        bind: environment.bind,
        preferredPort: environment.audioPort,
        isPing: (bytes, source) => this.#audioPings.accept(bytes, source),
        onPing: () => this.#flowAudio(),
      });
    } catch (error) {
      void this.#videoPort.close();
      throw error;
    }
    this.#handshake = this.#createHandshake();
    this.#expect(RTSP_DEADLINE_MS, "no RTSP request");
  }

  get state(): StreamState {
    return this.#state;
  }

  get session(): Session | undefined {
    return this.#session;
  }

  get config(): StreamConfig | undefined {
    return this.#config;
  }

  get isEncrypted(): boolean {
    return (this.#options.parameters.corever ?? 0) >= 1;
  }

  get peerAddress(): string {
    return this.origin.remoteAddress;
  }

  get key(): Uint8Array {
    return this.#options.parameters.rikey;
  }

  get isV2(): boolean {
    return this.#config?.isControlV2 ?? true;
  }

  get ports(): { readonly video: number; readonly audio: number } {
    return { video: this.#videoPort.port, audio: this.#audioPort.port };
  }

  get roundTripMs(): number {
    return this.#peer?.rttMs ?? 0;
  }

  /** Whether an ENet CONNECT from `address` carrying `connectData` belongs to this stream. */
  admits(connectData: number, address: string): boolean {
    if (this.#state !== "connecting") return false;
    return this.#config?.hasSessionPings === false
      ? connectData === 0 && isSameHost(address, this.peerAddress)
      : connectData === this.connectData;
  }

  async handle(request: RtspRequest): Promise<RtspResponse> {
    if (this.#state === "pending") this.#state = "handshake";
    if (this.#state === "handshake") this.#expect(RTSP_DEADLINE_MS, "the handshake stopped");
    const response = await this.#handshake.handle(request);
    if (this.#handshake.state === "failed") void this.end("failed");
    return response;
  }

  onConnected(peer: ControlPeer): void {
    this.#peer = peer;
    if (this.#state !== "connecting") return peer.drop();
    this.#state = "control-up";
    this.#expect(CONNECT_DEADLINE_MS, "the client did not start the video");
    this.#flowAudio();
  }

  onMessage(message: ClientControlMessage): void {
    switch (message.type) {
      case "start-b":
        this.#isStartBSeen = true;
        return this.#flowVideo();
      case "request-idr":
        return this.#session?.requestIdr(this.roundTripMs);
      case "invalidate-references":
        return this.#session?.invalidateReferences(
          { first: message.firstFrame, last: message.lastFrame },
          this.roundTripMs,
        );
      case "input":
        for (const event of message.events) this.#session?.input(event);
        return;
      default:
        return;
    }
  }

  onClosed(reason: "client-quit" | "timeout" | "host"): void {
    this.#peer = undefined;
    if (reason !== "host") void this.end(reason === "client-quit" ? "client-quit" : "client-lost");
  }

  /** End the stream. Twice is legal; both wait for the same end. */
  end(end: SessionEnd): Promise<void> {
    this.#ending ??= this.#end(end);
    return this.#ending;
  }

  #createHandshake(): RtspHandshake {
    const { origin } = this.#options;
    const { randomText, capabilities, controlPort } = this.#environment;
    return new RtspHandshake({
      ports: { ...this.ports, control: controlPort },
      sessionToken: randomText(16),
      audioPingPayload: this.#pingPayloads.audio,
      videoPingPayload: this.#pingPayloads.video,
      connectData: this.connectData,
      description: formatDescribe({
        hasPenAndTouch: false,
        hasPadTouchAndMotion: false,
        encryptionSupported: ENCRYPTION_SUPPORTED,
        encryptionRequested: encryptionRequested(origin.remoteAddress),
        hasReferenceInvalidation: capabilities.hasReferenceInvalidation,
        codecs: capabilities.codecs,
        customAudio: this.#customAudio,
      }),
    }, {
      onAnnounce: (config, context) => this.#onAnnounce(config, context),
      onPlay: () => this.#onPlay(),
    });
  }

  async #onAnnounce(config: StreamConfig, context: AnnounceContext): Promise<void> {
    requireEncryption(config, encryptionDemanded(this.peerAddress));
    const { capabilities, fecPercent, logger } = this.#environment;
    const { parameters, sessionId } = this.#options;
    this.#config = config;
    if (!config.hasSessionPings) this.#matchPingsByAddress();
    if (config.isVideoTrafficMarked) this.#videoPort.setDscp(DSCP_VIDEO);
    if (config.isAudioTrafficMarked) this.#audioPort.setDscp(DSCP_AUDIO);
    const request = toClientRequest(config, {
      isHighQualityStereo: context.isHighQualityStereo,
      isHeardOnHost: parameters.isHeardOnHost,
      customAudio: this.#customAudio,
      fecPercent,
    });
    try {
      const session = await this.#openSession(config, planSession(request, capabilities));
      // The stream may have ended while everything was opening.
      if (this.#ending !== undefined) {
        await session.close("taken-over");
        throw new OperationError("unavailable", "Cannot stream: the stream was ended meanwhile");
      }
      this.#session = session;
    } catch (error) {
      logger.error("gamestream.refused", { session: sessionId, reason: describeError(error) });
      throw error;
    }
  }

  #openSession(config: StreamConfig, plan: Plan): Promise<Session> {
    const { rikey, rikeyId } = this.#options.parameters;
    const { fecPercent, pacing } = this.#environment;
    return Session.open({
      id: this.#options.sessionId,
      plan,
      video: {
        socket: this.#videoPort.handle,
        pacing,
        packetiser: {
          plane: "gamestream",
          packetSizeBytes: config.packetSizeBytes,
          fecPercent,
          minParityPackets: config.minParityPackets,
          key: config.isVideoEncrypted ? rikey : null,
        },
      },
      audio: {
        kind: "socket",
        socket: this.#audioPort.handle,
        packetiser: {
          plane: "gamestream",
          frameDurationMs: config.audioPacketDurationMs,
          key: config.isAudioEncrypted ? rikey : null,
          keyId: rikeyId,
        },
      },
      observer: { onFailed: () => void this.end("failed") },
    }, this.#environment);
  }

  #onPlay(): Promise<void> {
    this.#state = "connecting";
    this.#expect(CONNECT_DEADLINE_MS, "no control connection");
    return Promise.resolve();
  }

  #matchPingsByAddress(): void {
    const rule = { kind: "address", address: this.peerAddress } as const;
    this.#videoPings = new PingTracker(rule);
    this.#audioPings = new PingTracker(rule);
  }

  #flowVideo(): void {
    const { destination } = this.#videoPings;
    if (destination === undefined || !this.#isStartBSeen) return;
    if (this.#state !== "control-up" && this.#state !== "streaming") return;
    this.#session?.setVideoDestination(destination);
    if (this.#state === "streaming") return;
    this.#state = "streaming";
    this.#deadline?.cancel();
    this.#environment.logger.info("gamestream.streaming", { session: this.#options.sessionId });
  }

  #flowAudio(): void {
    const { destination } = this.#audioPings;
    if (destination === undefined) return;
    if (this.#state !== "control-up" && this.#state !== "streaming") return;
    this.#session?.setAudioDestination(destination);
  }

  /** The next step has to come within `delayMs`. */
  #expect(delayMs: number, missing: string): void {
    const { clock, logger } = this.#environment;
    this.#deadline?.cancel();
    this.#deadline = clock.after(delayMs, () => {
      logger.warn("gamestream.abandoned", {
        session: this.#options.sessionId,
        state: this.#state,
        reason: missing,
      });
      void this.end("client-lost");
    });
  }

  async #end(end: SessionEnd): Promise<void> {
    this.#state = "ending";
    this.#deadline?.cancel();
    this.#sayGoodbye();
    await this.#session?.close(end);
    await Promise.all([this.#videoPort.close(), this.#audioPort.close()]);
    this.#options.onEnded(end);
  }

  /** Not waited for: the media is gone at once, and the control server retransmits what must arrive. */
  #sayGoodbye(): void {
    const peer = this.#peer;
    if (peer === undefined) return;
    peer.send({ type: "termination", reason: TERMINATION_GRACEFUL });
    this.#environment.clock.after(TERMINATION_GRACE_MS, () => peer.disconnect());
  }
}

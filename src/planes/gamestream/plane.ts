/**
 * The GameStream plane: everything a Moonlight client talks to, put together and taken apart in one place.
 *
 *     HTTP, HTTPS → pairing desk, stream desk ─ RTSP server ─ control server ─ stream → session
 *
 * The control port is bound with the first launch, because nobody without a pairing can make one.
 *
 * @module
 */
import type { AudioBackend } from "../../audio/ports.ts";
import type { DisplayBackend } from "../../display/ports.ts";
import type { Clock } from "../../lib/clock.ts";
import { OperationError } from "../../lib/errors.ts";
import type { Logger } from "../../lib/logger.ts";
import type { App } from "../../library/apps.ts";
import type { VideoCodec } from "../../media/ports.ts";
import type { Pacing } from "../../media/wire/kernel.ts";
import {
  CODEC_MODE_AV1,
  CODEC_MODE_H264,
  CODEC_MODE_HEVC,
} from "../../protocol/gamestream/server_info.ts";
import type { HostCapabilities } from "../../session/plan.ts";
import type { SessionEnd } from "../../session/session.ts";
import type { GameStreamClients } from "../../trust/gamestream_clients.ts";
import type { Identity } from "../../trust/identity.ts";
import { type ControlServer, openControlServer } from "./control_server.ts";
import { type HttpServer, openHttpServer } from "./http_server.ts";
import { PairingDesk } from "./pairing_desk.ts";
import { openRtspServer, type RtspServer } from "./rtsp_server.ts";
import type { GameStreamStream, StreamEnvironment } from "./stream.ts";
import { StreamDesk } from "./stream_desk.ts";

/** Distances from the base port (GameStream specification 1.2). */
export const PORT_OFFSETS = {
  http: 0,
  https: -5,
  rtsp: 21,
  video: 9,
  control: 10,
  audio: 11,
} as const;

/** A frame leaves within its own time on the slowest wired link: bursts of 64 packets at 80 % of 1 Gbit/s. */
const PACING: Pacing = {
  burstBytesMax: 64 * 1024,
  burstPacketsMax: 64,
  rateBytesPerSecond: 100_000_000,
};
const FEC_PERCENT_DEFAULT = 20;

export interface GameStreamPlaneOptions {
  readonly bind: string;
  readonly portBase: number;
  readonly hostName: string;
  readonly uniqueId: string;
  readonly fecPercent: number | undefined;
  /** Test loss, 0…90. */
  readonly videoDropPercent: number;
  readonly identity: Identity;
  readonly clients: GameStreamClients;
  readonly apps: readonly App[];
  readonly capabilities: HostCapabilities;
  readonly display: DisplayBackend;
  readonly audio: AudioBackend;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Session ids are the host's, not a plane's. */
  readonly nextSessionId: () => number;
}

export class GameStreamPlane implements AsyncDisposable {
  readonly pairing: PairingDesk;
  readonly #desk: StreamDesk;
  readonly #options: GameStreamPlaneOptions;
  readonly #stack = new AsyncDisposableStack();
  #http: HttpServer | undefined;
  #rtsp: RtspServer | undefined;
  #control: ControlServer | undefined;

  private constructor(options: GameStreamPlaneOptions) {
    this.#options = options;
    const { clients, identity, clock, logger } = options;
    this.pairing = new PairingDesk({ clients, identity, clock, logger });
    this.#desk = new StreamDesk({
      hasApp: (id) => options.apps.some((app) => app.id === id),
      rtspPort: () => this.#rtsp?.port ?? 0,
      nextSessionId: options.nextSessionId,
      environment: () => this.#streamEnvironment(),
    });
  }

  /** Throws OperationError when a port is taken or the runtime cannot serve; nothing is left open then. */
  static async open(options: GameStreamPlaneOptions): Promise<GameStreamPlane> {
    const plane = new GameStreamPlane(options);
    try {
      await plane.#open();
      return plane;
    } catch (error) {
      await plane.close();
      throw error;
    }
  }

  get stream(): GameStreamStream | undefined {
    return this.#desk.stream;
  }

  get ports(): Readonly<Record<keyof typeof PORT_OFFSETS, number>> {
    const { portBase } = this.#options;
    const { stream } = this;
    return {
      http: this.#http?.httpPort ?? portBase,
      https: this.#http?.httpsPort ?? portBase + PORT_OFFSETS.https,
      rtsp: this.#rtsp?.port ?? portBase + PORT_OFFSETS.rtsp,
      video: stream?.ports.video ?? portBase + PORT_OFFSETS.video,
      control: this.#control?.port ?? portBase + PORT_OFFSETS.control,
      audio: stream?.ports.audio ?? portBase + PORT_OFFSETS.audio,
    };
  }

  /** A client lost its pairing: what it streams ends, and the control port goes with the last one. */
  async unpaired(fingerprint: string): Promise<void> {
    if (this.stream?.origin.fingerprint === fingerprint) {
      await this.#desk.stop("stopped-by-operator");
    }
    if (this.#options.clients.size === 0) await this.#closeControl();
  }

  /** End what streams and what runs. */
  stop(end: SessionEnd): Promise<void> {
    return this.#desk.stop(end);
  }

  /** The doors first: a launch that comes in meanwhile would leave a stream behind. */
  async close(): Promise<void> {
    this.pairing.close();
    await this.#stack.disposeAsync();
    await this.#desk.stop("host-stopped");
    await this.#closeControl();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #open(): Promise<void> {
    const { bind, portBase, clock, logger } = this.#options;
    // First, because it names the program that has the port.
    this.#http = this.#stack.use(
      await openHttpServer({
        bind,
        httpPort: portBase,
        httpsPort: portBase + PORT_OFFSETS.https,
        identity: this.#options.identity,
        clients: this.#options.clients,
        pairingDesk: this.pairing,
        launchDesk: this.#desk,
        apps: () => this.#options.apps,
        info: () => ({
          hostName: this.#options.hostName,
          uniqueId: this.#options.uniqueId,
          codecModeSupport: codecModeSupport(this.#options.capabilities.codecs),
        }),
        clock,
        logger,
      }),
    );
    this.#rtsp = this.#stack.use(openRtspServer({
      bind,
      port: portBase + PORT_OFFSETS.rtsp,
      clock,
      logger,
      streams: () => this.stream === undefined ? [] : [this.stream],
    }));
  }

  async #streamEnvironment(): Promise<StreamEnvironment> {
    const { bind, portBase, fecPercent, videoDropPercent, capabilities, display, audio } =
      this.#options;
    const { clock, logger } = this.#options;
    this.#control ??= await this.#openControl();
    return {
      bind,
      videoPort: portBase + PORT_OFFSETS.video,
      audioPort: portBase + PORT_OFFSETS.audio,
      controlPort: this.#control.port,
      fecPercent: fecPercent ?? FEC_PERCENT_DEFAULT,
      videoDropPercent,
      capabilities,
      pacing: PACING,
      display,
      audio,
      clock,
      logger,
      randomText,
      randomUint32: () => crypto.getRandomValues(new Uint32Array(1))[0] ?? 0,
    };
  }

  async #openControl(): Promise<ControlServer> {
    const { bind, portBase, clock, logger } = this.#options;
    const open = (port: number) =>
      openControlServer({
        bind,
        port,
        clock,
        logger,
        admit: (connectData, address) => {
          const { stream } = this;
          return stream?.admits(connectData, address) ? stream : undefined;
        },
      });
    try {
      return await open(portBase + PORT_OFFSETS.control);
    } catch (error) {
      if (!(error instanceof OperationError && error.code === "port-in-use")) throw error;
      return await open(0);
    }
  }

  async #closeControl(): Promise<void> {
    const control = this.#control;
    this.#control = undefined;
    await control?.close();
  }
}

/** What `/serverinfo` may promise: exactly what can be encoded, 8-bit 4:2:0. */
function codecModeSupport(codecs: readonly VideoCodec[]): number {
  const bits = { h264: CODEC_MODE_H264, hevc: CODEC_MODE_HEVC, av1: CODEC_MODE_AV1 } as const;
  return codecs.reduce((sum, codec) => sum | bits[codec], 0);
}

/** Letters and digits; 16 of them hold 64 random bits as hexadecimal. */
function randomText(length: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(Math.ceil(length / 2)));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("").slice(0, length);
}

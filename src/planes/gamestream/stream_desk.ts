/**
 * What runs and what streams: the one application, the one stream (GameStream specification 0.4, 2.8, 2.9).
 *
 *     /launch  nothing runs → application, stream
 *     /resume  application → older stream ended → stream
 *     /cancel  application gone, stream ended
 *
 * The application outlives its streams. Calls are taken one after another, so that no two of them see half of a change;
 * `runningAppId` is right at any moment.
 *
 * @module
 */
import { describeError } from "../../lib/errors.ts";
import { equalBytes } from "../../lib/bytes.ts";
import type { LaunchParameters } from "../../protocol/gamestream/launch.ts";
import type { SessionEnd } from "../../session/session.ts";
import type { LaunchAnswer, LaunchDesk, LaunchOrigin } from "./launch_desk.ts";
import { GameStreamStream, type StreamEnvironment } from "./stream.ts";

export interface StreamDeskOptions {
  /** Ids that `/applist` shows. */
  readonly hasApp: (id: number) => boolean;
  readonly rtspPort: () => number;
  readonly nextSessionId: () => number;
  /** Called for each stream, because ports and capabilities may change in between. */
  readonly environment: () => Promise<StreamEnvironment>;
}

interface RunningApplication {
  readonly id: number;
  readonly launch: LaunchParameters;
}

export class StreamDesk implements LaunchDesk {
  readonly #options: StreamDeskOptions;
  #application: RunningApplication | undefined;
  #stream: GameStreamStream | undefined;
  #lastKey: Uint8Array | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: StreamDeskOptions) {
    this.#options = options;
  }

  get runningAppId(): number {
    return this.#application?.id ?? 0;
  }

  /** The stream in any state but gone. */
  get stream(): GameStreamStream | undefined {
    return this.#stream;
  }

  launch(parameters: LaunchParameters, origin: LaunchOrigin): Promise<LaunchAnswer> {
    return this.#inTurn(async () => {
      if (this.#application !== undefined) return refuse(400, "An application is already running");
      const id = parameters.appId;
      if (id === undefined || !this.#options.hasApp(id)) {
        return refuse(404, "There is no such application");
      }
      const answer = await this.#openStream(parameters, origin);
      if (answer.kind === "accepted") this.#application = { id, launch: parameters };
      return answer;
    });
  }

  resume(parameters: LaunchParameters, origin: LaunchOrigin): Promise<LaunchAnswer> {
    return this.#inTurn(async () => {
      const application = this.#application;
      if (application === undefined) return refuse(503, "No application is running");
      // What a small client leaves out is as it was at launch.
      const { launch } = application;
      return await this.#openStream({
        ...launch,
        ...parameters,
        mode: parameters.mode ?? launch.mode,
        corever: parameters.corever ?? launch.corever,
        surroundParams: parameters.surroundParams ?? launch.surroundParams,
      }, origin);
    });
  }

  cancel(_origin: LaunchOrigin): Promise<void> {
    this.#application = undefined;
    return this.#inTurn(async () => {
      this.#application = undefined;
      await this.#stream?.end("application-ended");
    });
  }

  /** End what streams; the application stays unless the client goes on without it. */
  endStream(end: SessionEnd): Promise<void> {
    return this.#inTurn(async () => await this.#stream?.end(end));
  }

  /** End stream and application. */
  stop(end: SessionEnd): Promise<void> {
    this.#application = undefined;
    return this.endStream(end);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(work);
    this.#queue = turn.catch(() => {});
    return turn;
  }

  async #openStream(parameters: LaunchParameters, origin: LaunchOrigin): Promise<LaunchAnswer> {
    // Every nonce of a stream counts from zero: a key used twice would repeat them.
    if (this.#lastKey !== undefined && equalBytes(this.#lastKey, parameters.rikey)) {
      return refuse(400, "The session key was used before");
    }
    await this.#stream?.end("taken-over");
    const environment = await this.#options.environment();
    try {
      const stream = new GameStreamStream({
        sessionId: this.#options.nextSessionId(),
        parameters,
        origin,
        onEnded: () => {
          if (this.#stream === stream) this.#stream = undefined;
        },
      }, environment);
      this.#stream = stream;
    } catch (error) {
      environment.logger.error("gamestream.refused", { reason: describeError(error) });
      return refuse(503, describeError(error));
    }
    this.#lastKey = parameters.rikey;
    return { kind: "accepted", sessionUrl: this.#sessionUrl(parameters, origin) };
  }

  #sessionUrl(parameters: LaunchParameters, origin: LaunchOrigin): string {
    const scheme = (parameters.corever ?? 0) >= 1 ? "rtspenc" : "rtsp";
    const { localAddress } = origin;
    const host = localAddress.includes(":") ? `[${localAddress}]` : localAddress;
    return `${scheme}://${host}:${this.#options.rtspPort()}`;
  }
}

function refuse(statusCode: number, message: string): LaunchAnswer {
  return { kind: "refused", statusCode, message };
}

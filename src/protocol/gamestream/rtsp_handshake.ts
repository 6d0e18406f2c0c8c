/**
 * The RTSP handshake of one stream, as a state machine (GameStream specification 4.4).
 *
 *     OPTIONS → DESCRIBE → SETUP audio → SETUP video → SETUP control → ANNOUNCE → PLAY
 *
 * Each step may come once the one before it has, and again until ANNOUNCE. From SETUP video on the request carries the
 * session token. A refused ANNOUNCE or PLAY ends the handshake.
 *
 * Statuses: 400 unusable parameters, 403 encryption that policy demands is off, 404 no such stream, 405 and 501 no such
 * method here or anywhere, 454 wrong token, 455 wrong order, 500 and 503 the host's own failure.
 *
 * @module
 */
import { OperationError, ProtocolError } from "../../lib/errors.ts";
import { parseAnnounce, type StreamConfig } from "./announce.ts";
import type { RtspRequest, RtspResponse, RtspStatus, RtspStreamName } from "./rtsp.ts";

/** Exactly this many characters, else the client ignores them. */
export const PING_PAYLOAD_SIZE_BYTES = 16;
const SESSION_TIMEOUT_SECONDS = 90;

const STEPS = [
  "options",
  "describe",
  "setup-audio",
  "setup-video",
  "setup-control",
  "announce",
  "play",
] as const;
type Step = typeof STEPS[number];

/** Methods of RTSP that this host has no use for. */
const UNUSED_METHODS: ReadonlySet<string> = new Set([
  "PAUSE",
  "RECORD",
  "REDIRECT",
  "TEARDOWN",
  "GET_PARAMETER",
  "SET_PARAMETER",
]);

export interface HandshakeFacts {
  /** UDP ports, bound before the handshake starts. */
  readonly ports: Readonly<Record<RtspStreamName, number>>;
  /** Letters and digits. */
  readonly sessionToken: string;
  /** PING_PAYLOAD_SIZE_BYTES printable characters each. */
  readonly audioPingPayload: string;
  readonly videoPingPayload: string;
  /** Unsigned 32-bit, random. */
  readonly connectData: number;
  /** Payload of DESCRIBE. */
  readonly description: string;
}

/** What the client asked for besides ANNOUNCE's attributes. */
export interface AnnounceContext {
  /** The client wants high-quality stereo: it named the host by its address instead of 0.0.0.0. */
  readonly isHighQualityStereo: boolean;
}

export interface HandshakeHooks {
  /** All sockets are ready when it resolves. A ProtocolError or OperationError becomes the status. */
  onAnnounce(config: StreamConfig, context: AnnounceContext): Promise<void>;
  onPlay(): Promise<void>;
}

export type HandshakeState = "open" | "playing" | "failed";

export class RtspHandshake {
  readonly #facts: HandshakeFacts;
  readonly #hooks: HandshakeHooks;
  #doneSteps = 0;
  #isBusy = false;
  #state: HandshakeState = "open";

  constructor(facts: HandshakeFacts, hooks: HandshakeHooks) {
    for (const payload of [facts.audioPingPayload, facts.videoPingPayload]) {
      if (payload.length !== PING_PAYLOAD_SIZE_BYTES || !/^[!-~]*$/.test(payload)) {
        throw new RangeError(
          `Cannot start a handshake: a ping payload is not ${PING_PAYLOAD_SIZE_BYTES} printable characters`,
        );
      }
    }
    this.#facts = facts;
    this.#hooks = hooks;
  }

  get state(): HandshakeState {
    return this.#state;
  }

  /** The answer to one request. Never rejects. */
  async handle(request: RtspRequest): Promise<RtspResponse> {
    const answer = (status: RtspStatus): RtspResponse => ({ status, cseq: request.cseq });
    const step = stepOf(request);
    if (typeof step === "number") return answer(step);
    if (STEPS.indexOf(step) >= STEPS.indexOf("setup-video") && !this.#hasToken(request)) {
      return answer(454);
    }
    if (!this.#isAllowed(step)) return answer(455);
    switch (step) {
      case "options":
        return this.#finish(step, request);
      case "describe":
        return this.#finish(step, request, [], this.#facts.description);
      case "setup-audio":
        return this.#finish(step, request, this.#setupHeaders("audio"));
      case "setup-video":
        return this.#finish(step, request, this.#setupHeaders("video"));
      case "setup-control":
        return this.#finish(step, request, this.#setupHeaders("control"));
      case "announce":
        return await this.#run(
          step,
          request,
          () =>
            this.#hooks.onAnnounce(parseAnnounce(request.body), {
              isHighQualityStereo: namesHost(request),
            }),
        );
      case "play":
        return await this.#run(step, request, () => this.#hooks.onPlay());
    }
  }

  #hasToken(request: RtspRequest): boolean {
    return request.headers.get("session")?.split(";")[0]?.trim() === this.#facts.sessionToken;
  }

  #isAllowed(step: Step): boolean {
    if (this.#state !== "open" || this.#isBusy) return false;
    const index = STEPS.indexOf(step);
    const isRepeat = index < this.#doneSteps && this.#doneSteps <= STEPS.indexOf("announce");
    return index === this.#doneSteps || isRepeat;
  }

  #setupHeaders(stream: RtspStreamName): [string, string][] {
    const facts = this.#facts;
    const token = `${facts.sessionToken};timeout = ${SESSION_TIMEOUT_SECONDS}`;
    return [
      ["Session", token],
      ["Transport", `server_port=${facts.ports[stream]}`],
      stream === "control" ? ["X-SS-Connect-Data", String(facts.connectData)] : [
        "X-SS-Ping-Payload",
        stream === "audio" ? facts.audioPingPayload : facts.videoPingPayload,
      ],
    ];
  }

  async #run(step: Step, request: RtspRequest, hook: () => Promise<void>): Promise<RtspResponse> {
    this.#isBusy = true;
    try {
      await hook();
    } catch (error) {
      this.#state = "failed";
      return { status: rtspStatusOf(error), cseq: request.cseq };
    } finally {
      this.#isBusy = false;
    }
    if (step === "play") this.#state = "playing";
    return this.#finish(step, request);
  }

  #finish(
    step: Step,
    request: RtspRequest,
    headers: readonly (readonly [string, string])[] = [],
    payload = "",
  ): RtspResponse {
    this.#doneSteps = Math.max(this.#doneSteps, STEPS.indexOf(step) + 1);
    return { status: 200, cseq: request.cseq, headers, payload };
  }
}

/** The status that tells the client of a failure: its own fault, the host's policy, or the host's trouble. */
export function rtspStatusOf(error: unknown): RtspStatus {
  if (error instanceof ProtocolError) return error.code === "authentication" ? 403 : 400;
  if (error instanceof OperationError) return error.httpStatus < 500 ? 400 : 503;
  return 500;
}

function stepOf(request: RtspRequest): Step | RtspStatus {
  const { method, target } = request;
  switch (method) {
    case "OPTIONS":
      return "options";
    case "DESCRIBE":
      return "describe";
    case "SETUP":
      return target === "session" || target === "unknown" ? 404 : `setup-${target}`;
    case "ANNOUNCE":
      return target === "control" ? "announce" : 404;
    case "PLAY":
      return "play";
    default:
      return UNUSED_METHODS.has(method) ? 405 : 501;
  }
}

function namesHost(request: RtspRequest): boolean {
  const host = request.headers.get("host") ?? "";
  return host !== "" && host !== "0.0.0.0";
}

/**
 * What each nvhttp path answers (GameStream specification 2.4 to 2.9), without any socket.
 *
 *     path          HTTP  HTTPS, paired
 *     /serverinfo   yes   yes
 *     /pair         1–4   5
 *     /unpair       yes   yes
 *     /applist, /appasset, /launch, /resume, /cancel   no    yes
 *
 * Whoever is not paired gets 401 for every path over HTTPS. The outcome is in `status_code`; the HTTP status is 200.
 *
 * @module
 */
import { describeError, OperationError, ProtocolError } from "../../lib/errors.ts";
import type { Logger } from "../../lib/logger.ts";
import { type LaunchParameters, parseLaunchParameters } from "../../protocol/gamestream/launch.ts";
import { readDeviceName } from "../../protocol/gamestream/nvhttp_request.ts";
import {
  encodeXmlDocument,
  XML_CONTENT_TYPE,
  type XmlDocument,
} from "../../protocol/gamestream/nvhttp_xml.ts";
import {
  type AppListEntry,
  CODEC_MODE_AV1_MAIN10,
  CODEC_MODE_HEVC_MAIN10,
  describeApps,
  describeServer,
  type ServerInfoFacts,
} from "../../protocol/gamestream/server_info.ts";
import { drawPlaceholderArt } from "../../library/placeholder_art.ts";
import type { GameStreamClient } from "../../trust/gamestream_clients.ts";
import type { LaunchAnswer, LaunchDesk, LaunchOrigin } from "./launch_desk.ts";
import type { PairAnswer, PairingOrigin } from "./pairing_desk.ts";

export interface EndpointOptions {
  readonly pairingDesk: {
    handle(origin: PairingOrigin, query: URLSearchParams): Promise<PairAnswer>;
    abandon(origin: PairingOrigin): void;
  };
  readonly launchDesk: LaunchDesk;
  /** In the order to show them; at least one. */
  readonly apps: () => readonly AppListEntry[];
  /** Called for each request; answers at once. */
  readonly info: () => ServerInfoFacts;
  readonly logger: Logger;
}

export interface EndpointRequest {
  readonly path: string;
  readonly query: URLSearchParams;
  /** Undefined over plain HTTP; over HTTPS the paired client, or null for anybody else. */
  readonly client: GameStreamClient | null | undefined;
  readonly localAddress: string;
  readonly remoteAddress: string;
  readonly httpPort: number;
  readonly httpsPort: number;
  /** Hardware address of the interface that has `localAddress`. */
  readonly mac: string | undefined;
}

export interface EndpointAnswer {
  readonly contentType: string;
  readonly body: Uint8Array;
}

export class HttpEndpoints {
  readonly #options: EndpointOptions;
  #placeholderArt: Uint8Array | undefined;

  constructor(options: EndpointOptions) {
    this.#options = options;
  }

  async answer(request: EndpointRequest): Promise<EndpointAnswer> {
    if (request.client === undefined) return xmlAnswer(await this.#answerPlain(request));
    if (request.client === null) {
      return xmlAnswer({ statusCode: 401, statusMessage: "Client certificate is not paired" });
    }
    if (request.path === "/appasset") {
      // One picture for all: clients keep whatever they get, so there is always one.
      this.#placeholderArt ??= drawPlaceholderArt();
      return { contentType: "image/png", body: this.#placeholderArt };
    }
    return xmlAnswer(await this.#answerPaired(request, request.client));
  }

  async #answerPlain(request: EndpointRequest): Promise<XmlDocument> {
    switch (request.path) {
      case "/serverinfo":
        return this.#serverInfo(request);
      case "/pair":
        return pairDocument(
          await this.#options.pairingDesk.handle(pairingOriginOf(request), request.query),
        );
      case "/unpair":
        this.#options.pairingDesk.abandon(pairingOriginOf(request));
        return { statusCode: 200 };
      default:
        return notFound();
    }
  }

  async #answerPaired(request: EndpointRequest, client: GameStreamClient): Promise<XmlDocument> {
    switch (request.path) {
      case "/serverinfo":
        return this.#serverInfo(request);
      case "/pair":
        return request.query.get("phrase") === "pairchallenge"
          ? { statusCode: 200, elements: [["paired", "1"]] }
          : refusedPairing(400, "Only the last phase of pairing is encrypted");
      case "/unpair":
        return { statusCode: 200 };
      case "/applist":
        return { statusCode: 200, elements: this.#apps() };
      case "/launch":
      case "/resume":
        return await this.#start(request, client);
      case "/cancel":
        return await this.#cancel(request, client);
      default:
        return notFound();
    }
  }

  #serverInfo(request: EndpointRequest): XmlDocument {
    const isPaired = request.client !== undefined;
    const { httpPort, httpsPort, localAddress } = request;
    return {
      statusCode: 200,
      elements: describeServer(this.#options.info(), {
        httpPort,
        httpsPort,
        localAddress,
        mac: isPaired ? request.mac : undefined,
        isPaired,
        // Some clients refuse to pair with a host that shows a game to strangers.
        runningAppId: isPaired ? this.#options.launchDesk.runningAppId : 0,
      }),
    };
  }

  #apps() {
    const tenBit = CODEC_MODE_HEVC_MAIN10 | CODEC_MODE_AV1_MAIN10;
    return describeApps(this.#options.apps(), {
      isHdrSupported: (this.#options.info().codecModeSupport & tenBit) !== 0,
    });
  }

  async #start(request: EndpointRequest, client: GameStreamClient): Promise<XmlDocument> {
    const isResume = request.path === "/resume";
    const element = isResume ? "resume" : "gamesession";
    const refuse = (statusCode: number, statusMessage: string): XmlDocument => ({
      statusCode,
      statusMessage,
      elements: [[element, "0"]],
    });
    let parameters: LaunchParameters;
    try {
      parameters = parseLaunchParameters(request.query, { isResume });
    } catch (error) {
      if (error instanceof ProtocolError) return refuse(400, error.message);
      throw error;
    }
    const desk = this.#options.launchDesk;
    const origin = launchOriginOf(request, client);
    let answer: LaunchAnswer;
    try {
      answer = await (isResume ? desk.resume(parameters, origin) : desk.launch(parameters, origin));
    } catch (error) {
      return this.#failed(error, refuse);
    }
    if (answer.kind === "refused") return refuse(answer.statusCode, answer.message);
    return { statusCode: 200, elements: [["sessionUrl0", answer.sessionUrl], [element, "1"]] };
  }

  async #cancel(request: EndpointRequest, client: GameStreamClient): Promise<XmlDocument> {
    try {
      await this.#options.launchDesk.cancel(launchOriginOf(request, client));
    } catch (error) {
      return this.#failed(error, (statusCode, statusMessage) => ({
        statusCode,
        statusMessage,
        elements: [["cancel", "0"]],
      }));
    }
    return { statusCode: 200, elements: [["cancel", "1"]] };
  }

  /** The person at the client reads the message; only what was written for people goes there. */
  #failed(
    error: unknown,
    refuse: (statusCode: number, message: string) => XmlDocument,
  ): XmlDocument {
    this.#options.logger.error("launch.failed", { reason: describeError(error) });
    return error instanceof OperationError
      ? refuse(error.httpStatus, describeError(error))
      : refuse(500, "The host failed, see its log");
  }
}

/** An answer that holds one XML document. */
export function xmlAnswer(document: XmlDocument): EndpointAnswer {
  return {
    contentType: XML_CONTENT_TYPE,
    body: new TextEncoder().encode(encodeXmlDocument(document)),
  };
}

function pairDocument(answer: PairAnswer): XmlDocument {
  return answer.kind === "answered"
    ? { statusCode: 200, elements: answer.elements }
    : refusedPairing(answer.statusCode, answer.message);
}

function refusedPairing(statusCode: number, statusMessage: string): XmlDocument {
  return { statusCode, statusMessage, elements: [["paired", "0"]] };
}

function notFound(): XmlDocument {
  return { statusCode: 404, statusMessage: "There is no such path" };
}

function pairingOriginOf(request: EndpointRequest): PairingOrigin {
  return {
    peerIp: request.remoteAddress,
    uniqueId: request.query.get("uniqueid") ?? "",
    deviceName: readDeviceName(request.query),
  };
}

function launchOriginOf(request: EndpointRequest, client: GameStreamClient): LaunchOrigin {
  return {
    fingerprint: client.fingerprint,
    name: client.label ?? "",
    localAddress: request.localAddress,
    remoteAddress: request.remoteAddress,
  };
}

/**
 * A Moonlight-like client for end-to-end tests.
 *
 *     await using client = await MoonlightClient.create({ httpPort });
 *     await client.pair((pin) => submitPin(pin));
 *     const [app] = await client.apps();
 *     await using stream = await client.launch({ appId: app.id });
 *     await stream.waitForIdr();
 *
 * @module
 */
import { mintCertificate } from "../../src/trust/mint.ts";
import { MoonlightStream } from "./moonlight_stream.ts";
import { type ClientIdentity, NvHttpClient, type NvHttpDocument } from "./nvhttp_client.ts";
import { pairWith } from "./pairing_client.ts";
import { DEFAULT_SETTINGS, launchQuery, type StreamSettings } from "./stream_settings.ts";

/** What every stock client sends. */
const UNIQUE_ID = "0123456789ABCDEF";
const LAUNCH_TIMEOUT_MS = 60_000;
const REQUEST_TIMEOUT_MS = 7_000;

export interface MoonlightClientOptions {
  readonly host?: string;
  readonly httpPort: number;
  /** A client that is paired already; a new one is minted otherwise. */
  readonly identity?: ClientIdentity;
  /** DER of the host's certificate from an earlier pairing. */
  readonly pinnedCertificate?: Uint8Array;
  readonly timeoutMs?: number;
}

export interface ServerInfo {
  readonly hostName: string;
  readonly uniqueId: string;
  readonly appVersion: string;
  readonly httpsPort: number;
  readonly isPaired: boolean;
  readonly currentGame: number;
  readonly isBusy: boolean;
  readonly codecModeSupport: number;
  readonly document: NvHttpDocument;
}

export interface ClientApp {
  readonly id: number;
  readonly title: string;
}

export type LaunchSettings = Partial<StreamSettings>;

export class MoonlightClient implements AsyncDisposable {
  readonly host: string;
  readonly identity: ClientIdentity;
  readonly http: NvHttpClient;
  readonly #streams: MoonlightStream[] = [];
  /** A client's numbers live as long as its process. */
  #rtspSequence = 1;

  private constructor(options: MoonlightClientOptions, identity: ClientIdentity) {
    this.host = options.host ?? "127.0.0.1";
    this.identity = identity;
    this.http = new NvHttpClient({
      host: this.host,
      httpPort: options.httpPort,
      identity,
      uniqueId: UNIQUE_ID,
      timeoutMs: options.timeoutMs ?? REQUEST_TIMEOUT_MS,
    });
    if (options.pinnedCertificate !== undefined) this.http.pin(options.pinnedCertificate);
  }

  static async create(options: MoonlightClientOptions): Promise<MoonlightClient> {
    const identity = options.identity ?? await mintCertificate("rsa-2048", {
      commonName: "NVIDIA GameStream Client",
      subjectNames: [],
    });
    return new MoonlightClient(options, identity);
  }

  /** Pair with a fresh PIN, which `showPin` brings to the host. Throws PairingError. */
  async pair(
    showPin: (pin: string) => void | Promise<void>,
    options: { readonly pin?: string } = {},
  ): Promise<void> {
    const { identity } = this;
    await pairWith(this.http, { identity, showPin, pin: options.pin ?? randomPin() });
  }

  /** Over HTTP, as everybody may. */
  async serverInfo(): Promise<ServerInfo> {
    return this.#readServerInfo(await this.http.getHttp("/serverinfo"));
  }

  /** Over HTTPS, as a paired client. Throws NvHttpError 401 for one that is not. */
  async pairedServerInfo(): Promise<ServerInfo> {
    await this.#learnHttpsPort();
    return this.#readServerInfo(await this.http.getHttps("/serverinfo"));
  }

  async apps(): Promise<ClientApp[]> {
    await this.#learnHttpsPort();
    const list = await this.http.getHttps("/applist");
    const titles = list.all("AppTitle");
    return list.all("ID").map((id, index) => ({ id: Number(id), title: titles[index] ?? "" }));
  }

  async appAsset(
    appId: number,
  ): Promise<{ readonly body: Uint8Array; readonly contentType: string }> {
    await this.#learnHttpsPort();
    return await this.http.getHttpsBytes("/appasset", {
      appid: String(appId),
      AssetType: "2",
      AssetIdx: "0",
    });
  }

  /** Start the first application, or `appId`, and stream it. Throws NvHttpError or RtspError when the host refuses. */
  launch(settings: LaunchSettings = {}): Promise<MoonlightStream> {
    return this.#start("launch", settings);
  }

  /** Join what runs. */
  resume(settings: LaunchSettings = {}): Promise<MoonlightStream> {
    return this.#start("resume", settings);
  }

  /** End what runs, and see that it has ended, as clients do. */
  async cancel(): Promise<void> {
    await this.#learnHttpsPort();
    const answer = await this.http.getHttps("/cancel");
    if (answer.get("cancel") !== "1") throw new Error("The host did not cancel");
    const { currentGame } = await this.pairedServerInfo();
    if (currentGame !== 0) throw new Error(`Application ${currentGame} still runs`);
  }

  /** Close all streams. What runs on the host goes on. Twice is legal. */
  async close(): Promise<void> {
    await Promise.all(this.#streams.splice(0).map((stream) => stream.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #start(verb: "launch" | "resume", changes: LaunchSettings): Promise<MoonlightStream> {
    await this.#learnHttpsPort();
    const appId = changes.appId ?? (await this.apps())[0]?.id ?? 0;
    const settings: StreamSettings = { ...DEFAULT_SETTINGS, ...changes, appId };
    const rikey = crypto.getRandomValues(new Uint8Array(16));
    const rikeyId = crypto.getRandomValues(new Int32Array(1))[0] ?? 0;
    const answer = await this.http.getHttps(`/${verb}`, launchQuery(settings, { rikey, rikeyId }), {
      timeoutMs: LAUNCH_TIMEOUT_MS,
    });
    const flag = answer.get(verb === "launch" ? "gamesession" : "resume");
    if (flag === "" || flag === "0") throw new Error(`The host did not ${verb}`);
    const rtspFirstSequence = this.#rtspSequence;
    // Seven requests a handshake, whatever becomes of it.
    this.#rtspSequence += 7;
    const stream = await MoonlightStream.start({
      host: this.host,
      sessionUrl: answer.get("sessionUrl0"),
      settings,
      rikey,
      rikeyId,
      rtspFirstSequence,
    });
    this.#streams.push(stream);
    return stream;
  }

  async #learnHttpsPort(): Promise<void> {
    if (this.http.httpsPort === undefined) await this.serverInfo();
  }

  #readServerInfo(document: NvHttpDocument): ServerInfo {
    const httpsPort = Number(document.get("HttpsPort"));
    this.http.useHttpsPort(httpsPort);
    return {
      hostName: document.get("hostname"),
      uniqueId: document.get("uniqueid"),
      appVersion: document.get("appversion"),
      httpsPort,
      isPaired: document.get("PairStatus") === "1",
      currentGame: Number(document.get("currentgame")),
      isBusy: document.get("state").endsWith("_SERVER_BUSY"),
      codecModeSupport: Number(document.get("ServerCodecModeSupport")),
      document,
    };
  }
}

function randomPin(): string {
  const [number = 0] = crypto.getRandomValues(new Uint32Array(1));
  return String(number % 10_000).padStart(4, "0");
}

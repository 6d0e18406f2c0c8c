/**
 * The RTSP handshake from the client's side: a connection a request, plain or encrypted, in segments of any size
 * (GameStream specification 4).
 *
 * @module
 */
import { RtspCrypto } from "../../src/protocol/gamestream/rtsp_crypto.ts";

export class RtspError extends Error {
  override readonly name = "RtspError";
  constructor(readonly status: number, method: string) {
    super(`${method} was answered with ${status}`);
  }
}

export interface RtspAnswer {
  readonly headers: ReadonlyMap<string, string>;
  readonly payload: string;
}

export interface RtspClientOptions {
  /** Where to connect. */
  readonly host: string;
  /** From the launch: its scheme and port count. */
  readonly sessionUrl: string;
  readonly key: Uint8Array;
  /** Numbers go on over the streams of one client. */
  readonly firstSequence: number;
  /** Bytes written at once; everything when undefined. */
  readonly segmentSizeBytes: number | undefined;
  /** The client names the host by its address when it wants high-quality stereo. */
  readonly isHostNamed: boolean;
  readonly timeoutMs: number;
}

export class RtspClient {
  readonly #options: RtspClientOptions;
  readonly #crypto: RtspCrypto | undefined;
  readonly #url: URL;
  readonly #target: string;
  #cseq = 0;
  #session: string | undefined;

  constructor(options: RtspClientOptions) {
    this.#options = options;
    const isEncrypted = options.sessionUrl.startsWith("rtspenc://");
    this.#crypto = isEncrypted
      ? new RtspCrypto(options.key, { role: "client", firstSequence: options.firstSequence })
      : undefined;
    // URL knows no rtsp: another scheme reads host and port the same way.
    this.#url = new URL(options.sessionUrl.replace(/^rtsp(enc)?:/, "http:"));
    this.#target = options.isHostNamed ? options.sessionUrl : `rtsp://0.0.0.0:${this.#port}`;
  }

  /** Requests sent so far. */
  get requestCount(): number {
    return this.#cseq;
  }

  options(): Promise<RtspAnswer> {
    return this.request("OPTIONS", this.#target);
  }

  describe(): Promise<RtspAnswer> {
    return this.request("DESCRIBE", this.#target, {
      headers: ["Accept: application/sdp", "If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT"],
    });
  }

  async setup(streamId: string): Promise<RtspAnswer> {
    const answer = await this.request("SETUP", `streamid=${streamId}`, {
      headers: [
        "Transport: unicast;X-GS-ClientPort=50000-50001",
        "If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT",
      ],
    });
    this.#session ??= answer.headers.get("Session")?.split(";")[0];
    if (this.#session === undefined) throw new Error("SETUP was answered without a session");
    return answer;
  }

  announce(body: string): Promise<RtspAnswer> {
    return this.request("ANNOUNCE", "streamid=control/13/0", {
      headers: ["Content-type: application/sdp"],
      body,
    });
  }

  play(): Promise<RtspAnswer> {
    return this.request("PLAY", "/");
  }

  /** Any request, for tests of what clients do not do. Throws RtspError for another status than 200. */
  async request(
    method: string,
    target: string,
    options: { readonly headers?: readonly string[]; readonly body?: string } = {},
  ): Promise<RtspAnswer> {
    const { body = "" } = options;
    const lines = [
      `${method} ${target} RTSP/1.0`,
      `CSeq: ${++this.#cseq}`,
      "X-GS-ClientVersion: 14",
      `Host: ${this.#options.isHostNamed ? this.#url.hostname : "0.0.0.0"}`,
      ...(this.#session === undefined ? [] : [`Session: ${this.#session}`]),
      ...(options.headers ?? []),
      ...(body === "" ? [] : [`Content-length: ${new TextEncoder().encode(body).length}`]),
    ];
    const request = new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n${body}`);
    const answer = await this.#exchange(this.#crypto?.seal(request) ?? request);
    const text = new TextDecoder().decode(this.#crypto?.open(answer) ?? answer);
    return parseAnswer(text, { method, cseq: this.#cseq });
  }

  get #port(): number {
    return Number(this.#url.port);
  }

  async #exchange(bytes: Uint8Array): Promise<Uint8Array> {
    const { host, segmentSizeBytes = bytes.length, timeoutMs } = this.#options;
    const connection = await Deno.connect({ hostname: host, port: this.#port });
    connection.setNoDelay(true);
    const timer = setTimeout(() => connection.close(), timeoutMs);
    try {
      for (let from = 0; from < bytes.length; from += segmentSizeBytes) {
        const segment = bytes.subarray(from, from + segmentSizeBytes);
        for (let sent = 0; sent < segment.length;) {
          sent += await connection.write(segment.subarray(sent));
        }
      }
      return await readToEnd(connection);
    } finally {
      clearTimeout(timer);
      try {
        connection.close();
      } catch {
        // The deadline has closed it.
      }
    }
  }
}

async function readToEnd(connection: Deno.TcpConn): Promise<Uint8Array> {
  const bytes: number[] = [];
  const part = new Uint8Array(4096);
  for (;;) {
    const count = await connection.read(part);
    if (count === null) return Uint8Array.from(bytes);
    bytes.push(...part.subarray(0, count));
  }
}

/** As strict as the client: names compare with case, `Name: value` with exactly this separator. */
function parseAnswer(
  text: string,
  request: { readonly method: string; readonly cseq: number },
): RtspAnswer {
  const headSize = text.indexOf("\r\n\r\n");
  const [status = "", ...lines] = text.slice(0, Math.max(headSize, 0)).split("\r\n");
  const match = /^RTSP\/1\.0 (\d{3}) \S/.exec(status);
  if (match === null || lines.length === 0) {
    throw new Error(`${request.method} was answered with no response`);
  }
  const headers = new Map<string, string>();
  for (const line of lines) {
    const separator = line.indexOf(": ");
    if (separator < 1) throw new Error(`${request.method} was answered with a bad header`);
    headers.set(line.slice(0, separator), line.slice(separator + 2));
  }
  if (match[1] !== "200") throw new RtspError(Number(match[1]), request.method);
  if (headers.get("CSeq") !== String(request.cseq)) {
    throw new Error(`${request.method} was answered with another CSeq`);
  }
  return { headers, payload: text.slice(headSize + 4) };
}

/**
 * RTSP messages as Moonlight speaks them (GameStream specification 4.1, 4.3, 4.4). One request a connection; the host
 * ends a response by closing its sending side.
 *
 *     request    = METHOD SP target SP "RTSP/1.0" CRLF *( name ":" value CRLF ) CRLF body
 *     response   = "RTSP/1.0" SP status SP reason CRLF *( name ": " value CRLF ) CRLF payload
 *
 * Text is printable ASCII. `Content-length` gives the body's size; header names compare without case in requests. The
 * client compares them with case in responses, and wants at least one of them: `CSeq` is always there.
 *
 * @module
 */
import { ProtocolError } from "../../lib/errors.ts";

/** Limits of one request. */
export const RTSP_HEADER_SIZE_BYTES_MAX = 16 * 1024;
export const RTSP_BODY_SIZE_BYTES_MAX = 64 * 1024;
export const RTSP_LINE_SIZE_BYTES_MAX = 4096;
export const RTSP_HEADER_COUNT_MAX = 64;

export interface RtspRequest {
  /** As written, upper case by custom. */
  readonly method: string;
  readonly target: RtspTarget;
  /** Names in lower case. Of a repeated name the first counts. */
  readonly headers: ReadonlyMap<string, string>;
  /** 0 when the request has none. */
  readonly cseq: number;
  readonly body: Uint8Array;
}

export type RtspStreamName = "audio" | "video" | "control";

/** What a request line points at: the session as a whole, one of its streams, or something else. */
export type RtspTarget = "session" | RtspStreamName | "unknown";

export type RtspParse =
  | { readonly kind: "complete"; readonly request: RtspRequest; readonly sizeBytes: number }
  /** Parsing again makes sense once this many bytes are there. */
  | { readonly kind: "incomplete"; readonly sizeBytesMin: number };

/**
 * Parse the request at the start of `bytes`, which may end anywhere. Bytes behind it are left alone.
 * Throws ProtocolError "malformed", "limit" or "unsupported" as soon as no continuation can make it a request.
 */
export function parseRtspRequest(bytes: Uint8Array): RtspParse {
  const headSizeBytes = findBlankLine(bytes);
  if (headSizeBytes === undefined) {
    return { kind: "incomplete", sizeBytesMin: bytes.byteLength + 1 };
  }
  const lines = decodeLines(bytes.subarray(0, headSizeBytes - 4));
  const { method, target } = parseRequestLine(lines[0] ?? "");
  const headers = parseHeaders(lines.slice(1));
  const bodySizeBytes = parseCount(headers, "content-length", RTSP_BODY_SIZE_BYTES_MAX);
  const sizeBytes = headSizeBytes + bodySizeBytes;
  if (bytes.byteLength < sizeBytes) return { kind: "incomplete", sizeBytesMin: sizeBytes };
  return {
    kind: "complete",
    request: {
      method,
      target,
      headers,
      cseq: parseCount(headers, "cseq", 0xffff_ffff),
      body: bytes.subarray(headSizeBytes, sizeBytes),
    },
    sizeBytes,
  };
}

/**
 * Parse bytes that are one whole request and nothing else, as an encrypted frame holds it.
 * Throws ProtocolError "short" or "trailing" too.
 */
export function parseWholeRtspRequest(bytes: Uint8Array): RtspRequest {
  const parse = parseRtspRequest(bytes);
  if (parse.kind === "incomplete") {
    throw new ProtocolError(
      "short",
      `Cannot parse RTSP request: it ends after ${bytes.byteLength}`,
    );
  }
  if (parse.sizeBytes !== bytes.byteLength) {
    throw new ProtocolError(
      "trailing",
      `Cannot parse RTSP request: ${bytes.byteLength - parse.sizeBytes} bytes follow it`,
    );
  }
  return parse.request;
}

/** Offset after CR LF CR LF, or undefined while it may still come. */
function findBlankLine(bytes: Uint8Array): number | undefined {
  const end = Math.min(bytes.byteLength, RTSP_HEADER_SIZE_BYTES_MAX);
  for (let at = bytes.indexOf(0x0d); at !== -1 && at + 3 < end; at = bytes.indexOf(0x0d, at + 1)) {
    if (bytes[at + 1] === 0x0a && bytes[at + 2] === 0x0d && bytes[at + 3] === 0x0a) return at + 4;
  }
  if (bytes.byteLength >= RTSP_HEADER_SIZE_BYTES_MAX) {
    throw new ProtocolError(
      "limit",
      `Cannot parse RTSP request: its header exceeds ${RTSP_HEADER_SIZE_BYTES_MAX} bytes`,
    );
  }
  return undefined;
}

function decodeLines(head: Uint8Array): string[] {
  const lines = String.fromCharCode(...head).split("\r\n");
  for (const line of lines) {
    if (line.length > RTSP_LINE_SIZE_BYTES_MAX) {
      throw new ProtocolError(
        "limit",
        `Cannot parse RTSP request: a line exceeds ${RTSP_LINE_SIZE_BYTES_MAX} bytes`,
      );
    }
    if (!/^[\t\x20-\x7e]*$/.test(line)) {
      throw new ProtocolError(
        "malformed",
        "Cannot parse RTSP request: its header is no ASCII text",
      );
    }
  }
  return lines;
}

function parseRequestLine(line: string): { method: string; target: RtspTarget } {
  const match = /^([A-Za-z_]{1,32}) (\S+) (\S+)$/.exec(line);
  if (match === null) {
    throw new ProtocolError("malformed", "Cannot parse RTSP request: its first line is no request");
  }
  const [, method = "", target = "", version] = match;
  if (version !== "RTSP/1.0") {
    throw new ProtocolError("unsupported", "Cannot parse RTSP request: its version is not 1.0");
  }
  return { method, target: parseTarget(target) };
}

/** `rtsp://…`, `rtspenc://…` and `/` mean the session; `streamid=video/0/0` a stream. */
function parseTarget(target: string): RtspTarget {
  if (target === "/" || /^rtsp(enc)?:\/\/\S+$/i.test(target)) return "session";
  const match = /^streamid=(audio|video|control)(\/[0-9]{1,3})*$/.exec(target);
  return match === null ? "unknown" : match[1] as RtspStreamName;
}

function parseHeaders(lines: readonly string[]): Map<string, string> {
  if (lines.length > RTSP_HEADER_COUNT_MAX) {
    throw new ProtocolError(
      "limit",
      `Cannot parse RTSP request: more than ${RTSP_HEADER_COUNT_MAX} headers`,
    );
  }
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0)).toLowerCase();
    if (!/^[a-z0-9_-]+$/.test(name)) {
      throw new ProtocolError("malformed", "Cannot parse RTSP request: a header has no name");
    }
    const value = line.slice(colon + 1).trim();
    const earlier = headers.get(name);
    if (earlier === undefined) headers.set(name, value);
    else if (name === "content-length" && earlier !== value) {
      throw new ProtocolError("malformed", "Cannot parse RTSP request: two sizes of its body");
    }
  }
  return headers;
}

function parseCount(headers: ReadonlyMap<string, string>, name: string, max: number): number {
  const text = headers.get(name);
  if (text === undefined) return 0;
  if (!/^[0-9]{1,10}$/.test(text)) {
    throw new ProtocolError("malformed", `Cannot parse RTSP request: ${name} is no number`);
  }
  const value = Number(text);
  if (value > max) {
    throw new ProtocolError("limit", `Cannot parse RTSP request: ${name} exceeds ${max}`);
  }
  return value;
}

const REASONS = {
  200: "OK",
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  454: "Session Not Found",
  455: "Method Not Valid in This State",
  500: "Internal Server Error",
  501: "Not Implemented",
  503: "Service Unavailable",
  505: "RTSP Version Not Supported",
} as const;

export type RtspStatus = keyof typeof REASONS;

export interface RtspResponse {
  readonly status: RtspStatus;
  /** Echoed from the request. */
  readonly cseq: number;
  /** Printable ASCII, written in this order and case. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
  /** ASCII text without NUL, or absent. */
  readonly payload?: string;
}

/** The response's bytes. No content length: the end of the stream ends the payload. */
export function encodeRtspResponse(response: RtspResponse): Uint8Array<ArrayBuffer> {
  let text = `RTSP/1.0 ${response.status} ${
    REASONS[response.status]
  }\r\nCSeq: ${response.cseq}\r\n`;
  for (const [name, value] of response.headers ?? []) text += `${name}: ${value}\r\n`;
  return new TextEncoder().encode(`${text}\r\n${response.payload ?? ""}`);
}

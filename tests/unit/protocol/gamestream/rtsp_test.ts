import assert from "node:assert/strict";
import fc from "fast-check";
import { ProtocolError } from "../../../../src/lib/errors.ts";
import {
  encodeRtspResponse,
  parseRtspRequest,
  parseWholeRtspRequest,
  RTSP_BODY_SIZE_BYTES_MAX,
  RTSP_HEADER_COUNT_MAX,
  RTSP_HEADER_SIZE_BYTES_MAX,
  RTSP_LINE_SIZE_BYTES_MAX,
} from "../../../../src/protocol/gamestream/rtsp.ts";
import vectors from "../../../vectors/gamestream-rtsp.json" with { type: "json" };

const bytesOf = (text: string) => new TextEncoder().encode(text);
const isProtocolError = (code: string) => (error: unknown) =>
  error instanceof ProtocolError && error.code === code;

Deno.test("parseRtspRequest() reads every request of the recorded handshake", () => {
  const seen = vectors.transcript.map(({ request }) => {
    const { method, target, cseq, headers } = parseWholeRtspRequest(bytesOf(request));
    assert.equal(headers.get("x-gs-clientversion"), "14");
    return `${cseq} ${method} ${target}`;
  });
  assert.deepEqual(seen, [
    "1 OPTIONS session",
    "2 DESCRIBE session",
    "3 SETUP audio",
    "4 SETUP video",
    "5 SETUP control",
    "6 ANNOUNCE control",
    "7 PLAY session",
  ]);
});

Deno.test("parseRtspRequest() waits at every shortened form and says how much is missing", () => {
  const announce = bytesOf(vectors.transcript[5]?.request ?? "");
  const blankLine = vectors.transcript[5]?.request.indexOf("\r\n\r\n") ?? 0;
  for (let length = 0; length < announce.length; length++) {
    const parse = parseRtspRequest(announce.subarray(0, length));
    assert.equal(parse.kind, "incomplete");
    assert.equal(
      parse.kind === "incomplete" && parse.sizeBytesMin,
      length < blankLine + 4 ? length + 1 : announce.length,
    );
  }
});

Deno.test("parseRtspRequest() leaves bytes behind the request alone", () => {
  const parse = parseRtspRequest(bytesOf("PLAY / RTSP/1.0\r\nCSeq: 7\r\n\r\nmore"));
  assert.equal(parse.kind === "complete" && parse.sizeBytes, 28);
});

Deno.test("parseWholeRtspRequest() rejects shortened and lengthened forms", () => {
  const request = vectors.transcript[5]?.request ?? "";
  assert.throws(
    () => parseWholeRtspRequest(bytesOf(request.slice(0, -1))),
    isProtocolError("short"),
  );
  assert.throws(() => parseWholeRtspRequest(bytesOf(`${request}x`)), isProtocolError("trailing"));
});

Deno.test("parseRtspRequest() takes the content length in any case", () => {
  for (const name of ["Content-length", "content-length", "CONTENT-LENGTH"]) {
    const request = parseWholeRtspRequest(
      bytesOf(`ANNOUNCE streamid=control/13/0 RTSP/1.0\r\n${name}: 3\r\n\r\nabc`),
    );
    assert.deepEqual(request.body, bytesOf("abc"));
    assert.equal(request.cseq, 0);
  }
});

Deno.test("parseRtspRequest() knows every form of target", () => {
  const targets = {
    "rtsp://0.0.0.0:48010": "session",
    "rtspenc://192.0.2.7:48010": "session",
    "rtsp://[2001:db8::1]:48010": "session",
    "/": "session",
    "streamid=audio": "audio",
    "streamid=video/0/0": "video",
    "streamid=control/13/0": "control",
    "streamid=mic": "unknown",
    "streamid=audio/x": "unknown",
    "http://192.0.2.7/": "unknown",
    "*": "unknown",
  };
  for (const [text, target] of Object.entries(targets)) {
    const request = parseWholeRtspRequest(bytesOf(`OPTIONS ${text} RTSP/1.0\r\n\r\n`));
    assert.equal(request.target, target, text);
  }
});

Deno.test("parseRtspRequest() refuses what no client writes", () => {
  const refused = {
    "\r\n\r\n": "malformed",
    "PLAY /\r\n\r\n": "malformed",
    "PLAY  / RTSP/1.0\r\n\r\n": "malformed",
    "PLAY / RTSP/2.0\r\n\r\n": "unsupported",
    "GET / HTTP/1.1\r\n\r\n": "unsupported",
    "PLAY / RTSP/1.0\r\nCSeq 7\r\n\r\n": "malformed",
    "PLAY / RTSP/1.0\r\n: 7\r\n\r\n": "malformed",
    "PLAY / RTSP/1.0\r\nCSeq: -7\r\n\r\n": "malformed",
    "PLAY / RTSP/1.0\r\nCSeq: 4294967296\r\n\r\n": "limit",
    "PLAY / RTSP/1.0\r\nHost: a\0b\r\n\r\n": "malformed",
    "PLAY / RTSP/1.0\r\nHost: a\nb\r\n\r\n": "malformed",
    "PLAY / RTSP/1.0\r\nHost: é\r\n\r\n": "malformed",
    "PLAY / RTSP/1.0\r\nContent-length: 1\r\ncontent-length: 2\r\n\r\n": "malformed",
  };
  for (const [text, code] of Object.entries(refused)) {
    assert.throws(() => parseRtspRequest(bytesOf(text)), isProtocolError(code), text);
  }
});

Deno.test("parseRtspRequest() accepts each limit and refuses one past it", () => {
  const line = (size: number) => `PLAY / RTSP/1.0\r\n${"A: ".padEnd(size, "x")}\r\n\r\n`;
  assert.ok(parseWholeRtspRequest(bytesOf(line(RTSP_LINE_SIZE_BYTES_MAX))));
  assert.throws(
    () => parseRtspRequest(bytesOf(line(RTSP_LINE_SIZE_BYTES_MAX + 1))),
    isProtocolError("limit"),
  );

  const headers = (count: number) => `PLAY / RTSP/1.0\r\n${"A: b\r\n".repeat(count)}\r\n`;
  assert.ok(parseWholeRtspRequest(bytesOf(headers(RTSP_HEADER_COUNT_MAX))));
  assert.throws(
    () => parseRtspRequest(bytesOf(headers(RTSP_HEADER_COUNT_MAX + 1))),
    isProtocolError("limit"),
  );

  const body = (size: number) => bytesOf(`PLAY / RTSP/1.0\r\nContent-length: ${size}\r\n\r\n`);
  assert.equal(parseRtspRequest(body(RTSP_BODY_SIZE_BYTES_MAX)).kind, "incomplete");
  assert.throws(
    () => parseRtspRequest(body(RTSP_BODY_SIZE_BYTES_MAX + 1)),
    isProtocolError("limit"),
  );

  const head = (size: number) => {
    const lines = `PLAY / RTSP/1.0\r\n${`A: ${"x".repeat(4000)}\r\n`.repeat(4)}`;
    return bytesOf(`${lines}${"B: ".padEnd(size - lines.length - 4, "x")}\r\n\r\n`);
  };
  assert.ok(parseWholeRtspRequest(head(RTSP_HEADER_SIZE_BYTES_MAX)));
  assert.throws(
    () => parseRtspRequest(head(RTSP_HEADER_SIZE_BYTES_MAX + 1)),
    isProtocolError("limit"),
  );
});

Deno.test("parseRtspRequest() inverts what a client writes", () => {
  const token = fc.stringMatching(/^[A-Za-z0-9]{1,20}$/);
  fc.assert(fc.property(
    fc.constantFrom("OPTIONS", "SETUP", "PLAY"),
    fc.nat(0xffff_ffff),
    token,
    fc.uint8Array({ maxLength: 200 }),
    (method, cseq, host, body) => {
      const head = bytesOf(
        `${method} / RTSP/1.0\r\nCSeq: ${cseq}\r\nHost:${host}\r\nContent-length: ${body.length}\r\n\r\n`,
      );
      const request = parseWholeRtspRequest(new Uint8Array([...head, ...body]));
      assert.equal(request.method, method);
      assert.equal(request.cseq, cseq);
      assert.equal(request.headers.get("host"), host);
      assert.deepEqual(new Uint8Array(request.body), body);
    },
  ));
});

Deno.test("parseRtspRequest() throws only ProtocolError on arbitrary bytes", () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 20 }),
    fc.constantFrom("PLAY / RTSP/1.0\r\n", "CSeq: 1\r\n", "Content-length: 2\r\n", "\r\n", "ab")
      .map(bytesOf),
  );
  fc.assert(fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
    try {
      parseRtspRequest(new Uint8Array(pieces.flatMap((bytes) => [...bytes])));
    } catch (error) {
      assert.ok(error instanceof ProtocolError, `${error}`);
    }
  }));
});

Deno.test("encodeRtspResponse() writes the recorded responses", () => {
  const [, describe, setup] = vectors.transcript;
  assert.deepEqual(
    encodeRtspResponse({
      status: 200,
      cseq: 2,
      payload: describe?.response.split("\r\n\r\n")[1] ?? "",
    }),
    bytesOf(describe?.response ?? ""),
  );
  assert.deepEqual(
    encodeRtspResponse({
      status: 200,
      cseq: 3,
      headers: [
        ["Session", "DEADBEEFCAFE;timeout = 90"],
        ["Transport", "server_port=48000"],
        ["X-SS-Ping-Payload", "8f3c0a1b5d7e9240"],
      ],
    }),
    bytesOf(setup?.response ?? ""),
  );
});

Deno.test("encodeRtspResponse() names every status", () => {
  const text = new TextDecoder().decode(encodeRtspResponse({ status: 455, cseq: 9 }));
  assert.equal(text, "RTSP/1.0 455 Method Not Valid in This State\r\nCSeq: 9\r\n\r\n");
});

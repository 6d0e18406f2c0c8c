import assert from "node:assert/strict";
import { OperationError, ProtocolError } from "../../../../src/lib/errors.ts";
import type { StreamConfig } from "../../../../src/protocol/gamestream/announce.ts";
import {
  encodeRtspResponse,
  parseWholeRtspRequest,
  type RtspResponse,
} from "../../../../src/protocol/gamestream/rtsp.ts";
import {
  type AnnounceContext,
  type HandshakeHooks,
  RtspHandshake,
} from "../../../../src/protocol/gamestream/rtsp_handshake.ts";
import vectors from "../../../vectors/gamestream-rtsp.json" with { type: "json" };

const REQUESTS = vectors.transcript.map(({ request }) => request);
const FACTS = {
  ports: { audio: 48000, video: 47998, control: 47999 },
  sessionToken: "DEADBEEFCAFE",
  audioPingPayload: "8f3c0a1b5d7e9240",
  videoPingPayload: "8f3c0a1b5d7e9240",
  connectData: 305441741,
  description: vectors.transcript[1]?.response.split("\r\n\r\n")[1] ?? "",
};

function open(hooks: Partial<HandshakeHooks> = {}) {
  const announced: { config: StreamConfig; context: AnnounceContext }[] = [];
  let plays = 0;
  const handshake = new RtspHandshake(FACTS, {
    onAnnounce: (config, context) => {
      announced.push({ config, context });
      return Promise.resolve();
    },
    onPlay: () => {
      plays++;
      return Promise.resolve();
    },
    ...hooks,
  });
  const send = (text: string): Promise<RtspResponse> =>
    handshake.handle(parseWholeRtspRequest(new TextEncoder().encode(text)));
  /** Statuses of the recorded requests with these numbers, 0…6. */
  const step = async (...indices: number[]) => {
    const statuses: number[] = [];
    for (const index of indices) statuses.push((await send(REQUESTS[index] ?? "")).status);
    return statuses;
  };
  return { handshake, send, step, announced, plays: () => plays };
}

Deno.test("RtspHandshake answers the recorded handshake byte for byte", async () => {
  const { handshake, send, announced, plays } = open();
  for (const { request, response } of vectors.transcript) {
    const text = new TextDecoder().decode(encodeRtspResponse(await send(request)));
    assert.equal(text, response);
  }
  assert.equal(announced.length, 1);
  assert.equal(announced[0]?.config.widthPixels, 1280);
  assert.equal(announced[0]?.context.isHighQualityStereo, true);
  assert.equal(plays(), 1);
  assert.equal(handshake.state, "playing");
});

Deno.test("RtspHandshake takes Host 0.0.0.0 for normal stereo", async () => {
  const { send, step, announced } = open();
  await step(0, 1, 2, 3, 4);
  await send((REQUESTS[5] ?? "").replace("Host: 127.0.0.1", "Host: 0.0.0.0"));
  assert.equal(announced[0]?.context.isHighQualityStereo, false);
});

Deno.test("RtspHandshake refuses every step before its turn", async () => {
  for (let index = 0; index < REQUESTS.length; index++) {
    for (let early = index + 1; early < REQUESTS.length; early++) {
      const { step } = open();
      await step(...Array.from({ length: index }, (_, done) => done));
      assert.deepEqual(await step(early), [455], `${early} after ${index}`);
      assert.deepEqual(await step(index), [200], "the right step still works");
    }
  }
});

Deno.test("RtspHandshake lets steps be repeated until ANNOUNCE and not after", async () => {
  const { step, announced } = open();
  assert.deepEqual(await step(0, 0, 1, 0, 1, 2, 2, 3, 4, 2, 0), Array(11).fill(200));
  assert.deepEqual(await step(5), [200]);
  assert.deepEqual(await step(0, 1, 2, 3, 4, 5), Array(6).fill(455));
  assert.deepEqual(await step(6), [200]);
  assert.deepEqual(await step(6, 5, 0), [455, 455, 455]);
  assert.equal(announced.length, 1);
});

Deno.test("RtspHandshake wants the session token from SETUP video on", async () => {
  const { send, step } = open();
  await step(0, 1, 2);
  const setup = REQUESTS[3] ?? "";
  assert.equal((await send(setup.replace("CAFE", "CAFF"))).status, 454);
  assert.equal((await send(setup.replace("Session: DEADBEEFCAFE\r\n", ""))).status, 454);
  assert.equal((await send(setup.replace("CAFE", "CAFE;timeout = 90"))).status, 200);
});

Deno.test("RtspHandshake tells unknown streams, unused and unknown methods apart", async () => {
  const { send } = open();
  const statuses: [string, number][] = [
    ["SETUP streamid=mic RTSP/1.0", 404],
    ["SETUP / RTSP/1.0", 404],
    ["ANNOUNCE streamid=video RTSP/1.0", 404],
    ["TEARDOWN / RTSP/1.0", 405],
    ["FROBNICATE / RTSP/1.0", 501],
    ["options / RTSP/1.0", 501],
  ];
  for (const [line, status] of statuses) {
    const response = await send(`${line}\r\nCSeq: 77\r\n\r\n`);
    assert.deepEqual([response.status, response.cseq], [status, 77], line);
  }
});

Deno.test("RtspHandshake turns a refused ANNOUNCE into a status and ends", async () => {
  const failures: [unknown, number][] = [
    [new ProtocolError("limit", "Cannot"), 400],
    [new ProtocolError("authentication", "Cannot"), 403],
    [new OperationError("refused", "Cannot"), 400],
    [new OperationError("invalid", "Cannot"), 400],
    [new OperationError("unavailable", "Cannot"), 503],
    [new OperationError("missing-library", "Cannot"), 503],
    [new TypeError("a fault of ours"), 500],
  ];
  for (const [error, status] of failures) {
    const { handshake, step } = open({ onAnnounce: () => Promise.reject(error) });
    await step(0, 1, 2, 3, 4);
    assert.deepEqual(await step(5), [status]);
    assert.equal(handshake.state, "failed");
    assert.deepEqual(await step(5, 6, 0), [455, 455, 455]);
  }
});

Deno.test("RtspHandshake refuses an ANNOUNCE that cannot be used, without asking the host", async () => {
  const { handshake, send, step, announced } = open();
  await step(0, 1, 2, 3, 4);
  const announce = (REQUESTS[5] ?? "").replace("packetSize:1360", "packetSize:1361");
  assert.equal((await send(announce)).status, 400);
  assert.equal(announced.length, 0);
  assert.equal(handshake.state, "failed");
});

Deno.test("RtspHandshake ends when PLAY fails", async () => {
  const { handshake, step } = open({ onPlay: () => Promise.reject(new Error("a fault of ours")) });
  assert.deepEqual(await step(0, 1, 2, 3, 4, 5, 6), [200, 200, 200, 200, 200, 200, 500]);
  assert.equal(handshake.state, "failed");
});

Deno.test("RtspHandshake takes nothing while ANNOUNCE is being worked on", async () => {
  const opening = Promise.withResolvers<void>();
  const { step } = open({ onAnnounce: () => opening.promise });
  await step(0, 1, 2, 3, 4);
  const announce = step(5);
  assert.deepEqual(await step(5, 6, 0), [455, 455, 455]);
  opening.resolve();
  assert.deepEqual(await announce, [200]);
  assert.deepEqual(await step(6), [200]);
});

Deno.test("RtspHandshake refuses ping payloads a client would ignore", () => {
  const hooks = { onAnnounce: () => Promise.resolve(), onPlay: () => Promise.resolve() };
  for (const payload of ["8f3c0a1b5d7e924", "8f3c0a1b5d7e92400", "8f3c0a1b5d7e924 ", ""]) {
    assert.throws(
      () => new RtspHandshake({ ...FACTS, videoPingPayload: payload }, hooks),
      RangeError,
    );
  }
});

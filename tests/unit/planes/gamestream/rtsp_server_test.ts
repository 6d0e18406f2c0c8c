import assert from "node:assert/strict";
import { concatBytes } from "../../../../src/lib/bytes.ts";
import { FakeClock } from "../../../../src/lib/clock.ts";
import { OperationError } from "../../../../src/lib/errors.ts";
import { SILENT_LOGGER } from "../../../../src/lib/logger.ts";
import {
  openRtspServer,
  RTSP_CONNECTIONS_PER_ADDRESS_MAX,
  RTSP_DEADLINE_MS,
  type RtspServer,
  type RtspStream,
} from "../../../../src/planes/gamestream/rtsp_server.ts";
import type { RtspRequest, RtspResponse } from "../../../../src/protocol/gamestream/rtsp.ts";
import { RtspCrypto } from "../../../../src/protocol/gamestream/rtsp_crypto.ts";
import vectors from "../../../vectors/gamestream-rtsp.json" with { type: "json" };

const KEY = Uint8Array.fromHex(vectors.rikey);
const OTHER_KEY = new Uint8Array(16).fill(7);
const OPTIONS = vectors.transcript[0]?.request ?? "";
const ANNOUNCE = vectors.transcript[5]?.request ?? "";
const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

interface FakeStream extends RtspStream {
  readonly requests: RtspRequest[];
}

function fakeStream(
  options: Partial<RtspStream> & { readonly key?: Uint8Array; readonly name?: string } = {},
): FakeStream {
  const requests: RtspRequest[] = [];
  return {
    isEncrypted: true,
    peerAddress: "127.0.0.1",
    crypto: new RtspCrypto(options.key ?? KEY),
    requests,
    handle(request): Promise<RtspResponse> {
      requests.push(request);
      return Promise.resolve({ status: 200, cseq: request.cseq, payload: options.name ?? "" });
    },
    ...options,
  };
}

async function withServer(
  streams: readonly RtspStream[],
  test: (server: RtspServer, clock: FakeClock) => Promise<void>,
): Promise<void> {
  const clock = new FakeClock();
  const server = openRtspServer({
    bind: "127.0.0.1",
    port: 0,
    clock,
    logger: SILENT_LOGGER,
    streams: () => streams,
  });
  try {
    await test(server, clock);
  } finally {
    await server.close();
  }
  assert.equal(clock.pendingTimers, 0);
}

const connect = (server: RtspServer) => Deno.connect({ hostname: "127.0.0.1", port: server.port });

/** Everything the host sends until it closes its side. A reset counts as a close. */
async function readToEnd(connection: Deno.TcpConn): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  try {
    for await (const part of connection.readable) parts.push(part);
  } catch (error) {
    if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
  }
  return concatBytes(...parts);
}

async function send(connection: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
}

async function exchange(server: RtspServer, ...segments: Uint8Array[]): Promise<Uint8Array> {
  const connection = await connect(server);
  connection.setNoDelay(true);
  for (const segment of segments) await send(connection, segment);
  return await readToEnd(connection);
}

/** Let the event loop run until `isTrue`, which other ends of sockets bring about. */
async function until(isTrue: () => boolean): Promise<void> {
  for (let turn = 0; turn < 10_000 && !isTrue(); turn++) {
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  assert.ok(isTrue(), "the awaited state did not come");
}

Deno.test("openRtspServer() answers a plain request and closes its side", async () => {
  const stream = fakeStream({ isEncrypted: false });
  await withServer([stream], async (server) => {
    assert.equal(
      textOf(await exchange(server, bytesOf(OPTIONS))),
      "RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n",
    );
  });
  assert.equal(stream.requests[0]?.method, "OPTIONS");
});

Deno.test("openRtspServer() takes requests in any segmentation, plain and encrypted", async () => {
  const stream = fakeStream();
  const plain = fakeStream({ isEncrypted: false });
  await withServer([stream, plain], async (server) => {
    const client = new RtspCrypto(KEY, { role: "client" });
    for (const size of [1, 7, 1000]) {
      const cut = (bytes: Uint8Array) =>
        Array.from(
          { length: Math.ceil(bytes.length / size) },
          (_, index) => bytes.subarray(index * size, (index + 1) * size),
        );
      const answer = await exchange(server, ...cut(client.seal(bytesOf(ANNOUNCE))));
      assert.match(textOf(client.open(answer)), /^RTSP\/1.0 200 OK\r\nCSeq: 6\r\n/);
      assert.match(textOf(await exchange(server, ...cut(bytesOf(ANNOUNCE)))), /^RTSP\/1.0 200/);
    }
  });
  assert.equal(stream.requests.length, 3);
  assert.equal(plain.requests.length, 3);
  assert.equal(stream.requests[0]?.body.length, 1496);
});

Deno.test("openRtspServer() finds the stream by the key that opens the frame", async () => {
  const first = fakeStream({ key: KEY, name: "first" });
  const second = fakeStream({ key: OTHER_KEY, name: "second", peerAddress: "192.0.2.1" });
  await withServer([first, second], async (server) => {
    for (const [key, name] of [[KEY, "first"], [OTHER_KEY, "second"]] as const) {
      const client = new RtspCrypto(key, { role: "client", firstSequence: 8 });
      const answer = await exchange(server, client.seal(bytesOf(OPTIONS)));
      assert.ok(textOf(client.open(answer)).endsWith(name));
    }
  });
});

Deno.test("openRtspServer() finds the newest plain stream of the address", async () => {
  const older = fakeStream({ isEncrypted: false, name: "older" });
  const newer = fakeStream({ isEncrypted: false, name: "newer" });
  const elsewhere = fakeStream({ isEncrypted: false, peerAddress: "192.0.2.1" });
  await withServer([older, newer, elsewhere, fakeStream()], async (server) => {
    assert.ok(textOf(await exchange(server, bytesOf(OPTIONS))).endsWith("newer"));
  });
  await withServer([elsewhere, fakeStream()], async (server) => {
    assert.match(textOf(await exchange(server, bytesOf(OPTIONS))), /^RTSP\/1.0 454 /);
  });
  assert.equal(elsewhere.requests.length, 0);
});

Deno.test("openRtspServer() closes bad frames without a word", async () => {
  const stream = fakeStream();
  await withServer([stream], async (server) => {
    const client = new RtspCrypto(KEY, { role: "client" });
    const good = client.seal(bytesOf(OPTIONS));
    const forged = good.slice();
    forged[30] = (forged[30] ?? 0) ^ 1;
    const stranger = new RtspCrypto(OTHER_KEY, { role: "client" }).seal(bytesOf(OPTIONS));
    const tooLarge = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0);
    for (const bad of [forged, stranger, tooLarge, Uint8Array.of(0x80, 0, 0, 0, 0)]) {
      assert.equal((await exchange(server, bad)).length, 0);
    }
    assert.ok((await exchange(server, good)).length > 0);
    assert.equal((await exchange(server, good)).length, 0, "a replay");
  });
  assert.equal(stream.requests.length, 1);
});

Deno.test("openRtspServer() answers a malformed request inside a good frame under the key", async () => {
  await withServer([fakeStream()], async (server) => {
    const client = new RtspCrypto(KEY, { role: "client" });
    const answer = await exchange(server, client.seal(bytesOf("nonsense\r\n\r\n")));
    assert.match(textOf(client.open(answer)), /^RTSP\/1.0 400 /);
  });
});

Deno.test("openRtspServer() refuses a header without end and other versions", async () => {
  await withServer([fakeStream({ isEncrypted: false })], async (server) => {
    const huge = bytesOf(`OPTIONS / RTSP/1.0\r\n${"A: b\r\n".repeat(170_000)}`);
    const connection = await connect(server);
    const sending = send(connection, huge).catch(() => {});
    // The rest of what it sends may reset the connection before the answer is read.
    const answer = textOf(await readToEnd(connection));
    assert.ok(answer === "" || answer.startsWith("RTSP/1.0 400 "), answer);
    await sending;
    assert.match(
      textOf(await exchange(server, bytesOf("OPTIONS / RTSP/2.0\r\n\r\n"))),
      /^RTSP\/1.0 505 /,
    );
    assert.match(textOf(await exchange(server, bytesOf(OPTIONS))), /^RTSP\/1.0 200 /);
  });
});

Deno.test("openRtspServer() takes connections that say nothing for probes", async () => {
  const stream = fakeStream({ isEncrypted: false });
  await withServer([stream], async (server, clock) => {
    for (let count = 0; count < 40; count++) (await connect(server)).close();
    // Connections are accepted in order: once this one has ended, all probes are known.
    const connection = await connect(server);
    await connection.closeWrite();
    assert.equal((await readToEnd(connection)).length, 0);
    await until(() => clock.pendingTimers === 0);
    assert.match(textOf(await exchange(server, bytesOf(OPTIONS))), /^RTSP\/1.0 200 /);
  });
  assert.equal(stream.requests.length, 1);
});

Deno.test("openRtspServer() closes an idle connection at the deadline and serves on", async () => {
  await withServer([fakeStream({ isEncrypted: false })], async (server, clock) => {
    const idle = await connect(server);
    await send(idle, bytesOf("OPTIONS"));
    await until(() => clock.pendingTimers === 1);
    clock.advance(RTSP_DEADLINE_MS - 1);
    assert.equal(clock.pendingTimers, 1);
    clock.advance(1);
    assert.equal((await readToEnd(idle)).length, 0);
    assert.match(textOf(await exchange(server, bytesOf(OPTIONS))), /^RTSP\/1.0 200 /);
  });
});

Deno.test("openRtspServer() lets go of a client that never closes after its answer", async () => {
  await withServer([fakeStream({ isEncrypted: false })], async (server, clock) => {
    const connection = await connect(server);
    await send(connection, bytesOf(OPTIONS));
    const answer = new Uint8Array(100);
    assert.ok(await connection.read(answer) !== null);
    assert.equal(await connection.read(answer), null);
    assert.equal(clock.pendingTimers, 1);
    clock.advance(RTSP_DEADLINE_MS);
    await until(() => clock.pendingTimers === 0);
    connection.close();
  });
});

Deno.test("openRtspServer() serves at most RTSP_CONNECTIONS_PER_ADDRESS_MAX of an address", async () => {
  await withServer([fakeStream({ isEncrypted: false })], async (server, clock) => {
    const idle: Deno.TcpConn[] = [];
    for (let count = 0; count < RTSP_CONNECTIONS_PER_ADDRESS_MAX; count++) {
      idle.push(await connect(server));
    }
    await until(() => clock.pendingTimers === RTSP_CONNECTIONS_PER_ADDRESS_MAX);
    assert.equal((await readToEnd(await connect(server))).length, 0);
    idle.pop()?.close();
    await until(() => clock.pendingTimers === RTSP_CONNECTIONS_PER_ADDRESS_MAX - 1);
    assert.match(textOf(await exchange(server, bytesOf(OPTIONS))), /^RTSP\/1.0 200 /);
    for (const connection of idle) connection.close();
  });
});

Deno.test("RtspServer.close() frees the port, drops connections and may be called twice", async () => {
  const clock = new FakeClock();
  const open = (port: number) =>
    openRtspServer({ bind: "127.0.0.1", port, clock, logger: SILENT_LOGGER, streams: () => [] });
  const server = open(0);
  const idle = await connect(server);
  await until(() => clock.pendingTimers === 1);
  await server.close();
  await server.close();
  assert.equal((await readToEnd(idle)).length, 0);
  assert.equal(clock.pendingTimers, 0);
  await open(server.port).close();
});

Deno.test("openRtspServer() says that another program has the port", async () => {
  await withServer([], (server) => {
    assert.throws(
      () =>
        openRtspServer({
          bind: "127.0.0.1",
          port: server.port,
          clock: new FakeClock(),
          logger: SILENT_LOGGER,
          streams: () => [],
        }),
      (error) => error instanceof OperationError && error.code === "port-in-use",
    );
    return Promise.resolve();
  });
});

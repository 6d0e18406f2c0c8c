import assert from "node:assert/strict";
import { FakeClock } from "../../../../src/lib/clock.ts";
import { OperationError } from "../../../../src/lib/errors.ts";
import { type Logger, SILENT_LOGGER } from "../../../../src/lib/logger.ts";
import {
  CLOSE_GRACE_MS,
  type ControlClosed,
  type ControlPeer,
  type ControlServer,
  type ControlServerOptions,
  type ControlStream,
  openControlServer,
} from "../../../../src/planes/gamestream/control_server.ts";
import { EnetClient } from "../../../../src/protocol/enet/client.ts";
import type { ClientControlMessage } from "../../../../src/protocol/gamestream/control_messages.ts";
import { encodeInput } from "../../../../src/protocol/gamestream/input.ts";
import { LoopbackControlClient } from "./loopback_control_client.ts";

const KEY = Uint8Array.from({ length: 16 }, (_, index) => index);
const CONNECT_DATA = 0x1234abcd;
const RELIABLE = { channel: 0, delivery: "reliable" } as const;

/** A stream that remembers, and lets a test wait for what comes. */
class RecordingStream implements ControlStream {
  readonly key = KEY;
  readonly messages: ClientControlMessage[] = [];
  readonly connected = Promise.withResolvers<ControlPeer>();
  readonly closed = Promise.withResolvers<ControlClosed>();
  closedCount = 0;
  #onMessage: (() => void) | undefined;

  constructor(readonly isV2 = true) {}

  onConnected(peer: ControlPeer): void {
    this.connected.resolve(peer);
  }

  onMessage(message: ClientControlMessage): void {
    this.messages.push(message);
    this.#onMessage?.();
  }

  onClosed(reason: ControlClosed): void {
    this.closedCount++;
    this.closed.resolve(reason);
  }

  /** The messages, once there are `count` of them. */
  async received(count: number): Promise<readonly ClientControlMessage[]> {
    while (this.messages.length < count) {
      await new Promise<void>((resolve) => this.#onMessage = resolve);
    }
    return this.messages;
  }
}

/** A server that gives `streams` one after the other to clients that know the number. */
function openServer(
  streams: readonly RecordingStream[],
  options: Partial<ControlServerOptions> = {},
): { server: ControlServer; clock: FakeClock; addresses: string[] } {
  const clock = new FakeClock();
  const addresses: string[] = [];
  const server = openControlServer({
    bind: "127.0.0.1",
    port: 0,
    clock,
    logger: SILENT_LOGGER,
    admit: (connectData, address) => {
      if (connectData !== CONNECT_DATA) return undefined;
      addresses.push(address);
      return streams[addresses.length - 1];
    },
    ...options,
  });
  return { server, clock, addresses };
}

let connectId = 1;

function openClient(
  server: ControlServer,
  clock: FakeClock,
  options: { isV2?: boolean; hostname?: string; connectData?: number } = {},
): LoopbackControlClient {
  const { isV2 = true, hostname = "127.0.0.1", connectData = CONNECT_DATA } = options;
  return new LoopbackControlClient({
    hostname,
    port: server.port,
    connectData,
    connectId: connectId++,
    key: KEY,
    isV2,
    clock,
  });
}

for (const isV2 of [true, false]) {
  Deno.test(`openControlServer() carries messages both ways with ${isV2 ? "v2" : "legacy"} nonces`, async () => {
    const stream = new RecordingStream(isV2);
    const { server, clock, addresses } = openServer([stream]);
    const client = openClient(server, clock, { isV2 });
    await client.connected.promise;
    client.send({ type: "request-idr" }, RELIABLE);
    client.send({ type: "start-b" }, RELIABLE);
    client.send({
      type: "input",
      packet: encodeInput({ kind: "pointer-motion", dx: 5, dy: -3 }),
    }, { channel: 3, delivery: "unreliable" });
    client.send({ type: "acknowledge-reference", frame: 7 }, {
      channel: 1,
      delivery: "unsequenced",
    });
    assert.deepEqual(await stream.received(4), [
      { type: "request-idr" },
      { type: "start-b" },
      { type: "input", events: [{ kind: "pointer-motion", dx: 5, dy: -3 }] },
      { type: "acknowledge-reference", frame: 7 },
    ]);
    assert.deepEqual(addresses, ["127.0.0.1"]);

    const peer = await stream.connected.promise;
    assert.equal(peer.remoteAddress, "127.0.0.1");
    const rumble = { kind: "rumble", pad: 1, low: 2, high: 3 } as const;
    peer.send({ type: "pad-feedback", feedback: rumble });
    peer.send({ type: "termination", reason: 0x80030023 });
    assert.deepEqual(await client.next(), { type: "pad-feedback", feedback: rumble });
    assert.deepEqual(await client.next(), { type: "termination", reason: 0x80030023 });

    client.drop();
    assert.equal(await stream.closed.promise, "client-quit");
    await server.close();
    await client.close();
    assert.equal(clock.pendingTimers, 0);
  });
}

Deno.test("openControlServer() turns pad packets into arrivals, states and removals", async () => {
  const stream = new RecordingStream();
  const { server, clock } = openServer([stream]);
  const client = openClient(server, clock);
  await client.connected.promise;
  const state = {
    kind: "pad-state",
    pad: 0,
    buttons: 0x1000,
    leftTrigger: 0,
    rightTrigger: 0,
    leftX: 0,
    leftY: 0,
    rightX: 0,
    rightY: 0,
  } as const;
  for (const activeMask of [1, 1, 0]) {
    const packet = encodeInput({ kind: "pad-report", activeMask, state });
    client.send({ type: "input", packet }, { channel: 0x10, delivery: "reliable" });
  }
  const events = (await stream.received(3)).map((message) =>
    message.type === "input" ? message.events.map((event) => event.kind) : []
  );
  assert.deepEqual(events, [["pad-arrival", "pad-state"], ["pad-state"], ["pad-removal"]]);
  await client.close();
  const closing = server.close();
  clock.advance(CLOSE_GRACE_MS);
  await closing;
});

Deno.test("openControlServer() takes five connections of one client, one after the other", async () => {
  const streams = Array.from({ length: 5 }, () => new RecordingStream());
  const { server, clock } = openServer(streams);
  for (const [round, stream] of streams.entries()) {
    const client = openClient(server, clock);
    await client.connected.promise;
    client.send({ type: "start-b" }, RELIABLE);
    await stream.received(1);
    if (round % 2 === 0) {
      client.disconnect();
      assert.equal(await client.disconnected.promise, "local");
      assert.equal(await stream.closed.promise, "client-quit");
    } else {
      (await stream.connected.promise).disconnect();
      assert.equal(await client.disconnected.promise, "peer");
      assert.equal(await stream.closed.promise, "host");
    }
    assert.equal(stream.closedCount, 1);
    assert.equal(server.peerCount, 0);
    await client.close();
  }
  assert.equal(clock.pendingTimers, 0);
  await server.close();
});

Deno.test("openControlServer() reports a client that has been silent for ten seconds, and no earlier", async () => {
  const stream = new RecordingStream();
  const { server, clock } = openServer([stream]);
  const client = openClient(server, clock);
  await client.connected.promise;
  await stream.connected.promise;
  await client.close();
  // The first ping goes out after half a second of silence; ten seconds later it is given up.
  clock.advance(10_400);
  assert.equal(stream.closedCount, 0);
  clock.advance(200);
  assert.equal(await stream.closed.promise, "timeout");
  assert.equal(server.peerCount, 0);
  assert.equal(clock.pendingTimers, 0);
  await server.close();
});

Deno.test("openControlServer() forgets a handshake that nobody finishes, and reports nothing", async () => {
  const stream = new RecordingStream();
  let isConnected = false;
  stream.onConnected = () => isConnected = true;
  const { server, clock, addresses } = openServer([stream]);
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const [connect] = new EnetClient({ connectData: CONNECT_DATA, connectId: 1 }).tick(0).datagrams;
  assert.ok(connect);
  await socket.send(connect, { transport: "udp", hostname: "127.0.0.1", port: server.port });
  const [verify] = await socket.receive();
  assert.equal(verify.byteLength, 48);
  socket.close();
  assert.equal(addresses.length, 1);
  clock.advance(9_999);
  assert.equal(server.peerCount, 1);
  clock.advance(1);
  assert.equal(server.peerCount, 0);
  assert.equal(clock.pendingTimers, 0);
  await server.close();
  assert.deepEqual([isConnected, stream.closedCount], [false, 0]);
});

Deno.test("openControlServer() drops what does not decrypt or decode, and goes on", async () => {
  const stream = new RecordingStream();
  const fields: Record<string, unknown>[] = [];
  const logger: Logger = {
    ...SILENT_LOGGER,
    info: (event, more) => void fields.push({ event, ...more }),
  };
  const { server, clock } = openServer([stream], { logger });
  const client = openClient(server, clock);
  await client.connected.promise;
  client.sendFrame(new Uint8Array(40), RELIABLE);
  client.sendFrame(new Uint8Array(0), RELIABLE);
  client.send({ type: "input", packet: new Uint8Array(3) }, RELIABLE);
  client.send({ type: "ping" }, RELIABLE);
  assert.deepEqual(await stream.received(1), [{ type: "ping" }]);
  client.disconnect();
  await stream.closed.promise;
  assert.deepEqual(fields.at(-1), { event: "control.closed", reason: "client-quit", dropped: 3 });
  await client.close();
  await server.close();
});

Deno.test("openControlServer() goes on when a stream's handler throws", async () => {
  const stream = new RecordingStream();
  const events: string[] = [];
  const logger: Logger = { ...SILENT_LOGGER, error: (event) => void events.push(event) };
  const { server, clock } = openServer([stream], { logger });
  const client = openClient(server, clock);
  await client.connected.promise;
  const record = stream.onMessage.bind(stream);
  stream.onMessage = (message) => {
    record(message);
    throw new Error("a fault of the stream");
  };
  client.send({ type: "ping" }, RELIABLE);
  client.send({ type: "start-b" }, RELIABLE);
  await stream.received(2);
  client.disconnect();
  await stream.closed.promise;
  assert.deepEqual(events, ["control.handler-failed", "control.handler-failed"]);
  await client.close();
  await server.close();
});

Deno.test("openControlServer() gives strangers and noise no answer and no state", async () => {
  const stream = new RecordingStream();
  const { server, clock, addresses } = openServer([stream]);
  const stranger = openClient(server, clock, { connectData: 1 });
  const noise = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const to = { transport: "udp", hostname: "127.0.0.1", port: server.port } as const;
  for (let size = 0; size < 60; size++) await noise.send(new Uint8Array(size).fill(size), to);
  const client = openClient(server, clock);
  await client.connected.promise;
  await stream.connected.promise;
  assert.equal(server.peerCount, 1);
  assert.equal(addresses.length, 1);
  client.drop();
  await stream.closed.promise;
  noise.close();
  await stranger.close();
  await client.close();
  await server.close();
});

Deno.test("openControlServer() on both families sees IPv4 clients by their IPv4 address", async () => {
  const streams = [new RecordingStream(), new RecordingStream()];
  const { server, clock, addresses } = openServer(streams, { bind: "::" });
  for (const [index, hostname] of ["127.0.0.1", "::1"].entries()) {
    const client = openClient(server, clock, { hostname });
    await client.connected.promise;
    const peer = await streams[index]?.connected.promise;
    assert.equal(peer?.remoteAddress, hostname);
    client.disconnect();
    await client.disconnected.promise;
    await client.close();
  }
  assert.deepEqual(addresses, ["127.0.0.1", "::1"]);
  await server.close();
});

Deno.test("openControlServer() names a taken port and the remedy", async () => {
  const { server } = openServer([]);
  assert.throws(() => openServer([], { port: server.port }), (error) => {
    assert.ok(error instanceof OperationError);
    assert.equal(error.code, "port-in-use");
    assert.ok(error.message.includes(`${server.port}`));
    assert.ok(error.remedy?.includes(`${server.port}`));
    return true;
  });
  await server.close();
});

Deno.test("openControlServer() refuses an address that is not this machine's", () => {
  assert.throws(() => openServer([], { bind: "192.0.2.1" }), {
    name: "OperationError",
    code: "unavailable",
  });
});

Deno.test("ControlServer.close() disconnects every client and ends as soon as they acknowledge", async () => {
  const streams = [new RecordingStream(), new RecordingStream()];
  const { server, clock } = openServer(streams);
  const clients = [openClient(server, clock), openClient(server, clock)];
  await Promise.all(clients.map((client) => client.connected.promise));
  await Promise.all(streams.map((stream) => stream.connected.promise));
  const [first, second] = [server.close(), server.close()];
  assert.equal(first, second);
  await first;
  assert.deepEqual(await Promise.all(streams.map((stream) => stream.closed.promise)), [
    "host",
    "host",
  ]);
  assert.deepEqual(await Promise.all(clients.map((client) => client.disconnected.promise)), [
    "peer",
    "peer",
  ]);
  assert.equal(clock.pendingTimers, 0);
  for (const client of clients) await client.close();
});

Deno.test("ControlServer.close() does not wait for a silent client beyond its grace", async () => {
  const stream = new RecordingStream();
  const { server, clock } = openServer([stream]);
  const client = openClient(server, clock);
  await client.connected.promise;
  const peer = await stream.connected.promise;
  await client.close();
  const closing = server.close();
  clock.advance(CLOSE_GRACE_MS);
  await closing;
  assert.equal(await stream.closed.promise, "host");
  assert.equal(clock.pendingTimers, 0);
  peer.send({ type: "termination", reason: 0 });
  peer.disconnect();
  peer.drop();
  assert.equal(stream.closedCount, 1);
});

Deno.test("ControlPeer.drop() ends at once and reports it after the call", async () => {
  const stream = new RecordingStream();
  const { server, clock } = openServer([stream]);
  const client = openClient(server, clock);
  await client.connected.promise;
  const peer = await stream.connected.promise;
  peer.drop();
  peer.drop();
  assert.equal(stream.closedCount, 0);
  assert.equal(await stream.closed.promise, "host");
  assert.equal(await client.disconnected.promise, "peer");
  assert.equal(stream.closedCount, 1);
  await client.close();
  await server.close();
});

import assert from "node:assert/strict";
import { FakeClock } from "../../../../src/lib/clock.ts";
import {
  CONNECTION_WAIT_MS,
  CONNECTIONS_MAX,
  CONNECTIONS_PER_ADDRESS_MAX,
  type ConnectionSocket,
  HttpConnections,
} from "../../../../src/planes/gamestream/http_connections.ts";

class SocketDouble implements ConnectionSocket {
  static #ports = 1;
  readonly remotePort = SocketDouble.#ports++;
  readonly localPort = 47989;
  isOpen = true;
  #onClose: (() => void)[] = [];

  constructor(readonly remoteAddress: string) {}

  destroy(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    for (const listener of this.#onClose) listener();
  }

  once(_event: "close", listener: () => void): void {
    this.#onClose.push(listener);
  }
}

function accept(connections: HttpConnections, address: string, count = 1): SocketDouble[] {
  return Array.from({ length: count }, () => {
    const socket = new SocketDouble(address);
    connections.accept(socket);
    return socket;
  });
}

Deno.test("HttpConnections ends a connection that asks nothing in time, and none that is served", () => {
  const clock = new FakeClock();
  const connections = new HttpConnections(clock);
  const [idle, secured, served] = accept(connections, "a", 3);
  assert.ok(idle && secured && served);
  assert.ok(connections.beginServing(served));
  clock.advance(CONNECTION_WAIT_MS - 1);
  connections.renew(secured);
  assert.ok(idle.isOpen);
  clock.advance(1);
  assert.deepEqual([idle.isOpen, secured.isOpen, served.isOpen], [false, true, true]);
  clock.advance(CONNECTION_WAIT_MS - 1);
  assert.ok(!secured.isOpen);
  clock.advance(10 * 60_000);
  assert.ok(served.isOpen);
  connections.endServing(served);
  clock.advance(CONNECTION_WAIT_MS);
  assert.ok(!served.isOpen);
  assert.equal(connections.size, 0);
  assert.equal(clock.pendingTimers, 0);
});

Deno.test("HttpConnections serves one request a connection", () => {
  const connections = new HttpConnections(new FakeClock());
  const [socket] = accept(connections, "a");
  assert.ok(socket);
  assert.ok(connections.beginServing(socket));
  assert.ok(!connections.beginServing(socket));
  connections.endServing(socket);
  assert.ok(!connections.beginServing(socket));
  assert.ok(!connections.beginServing(new SocketDouble("never accepted")));
});

Deno.test("HttpConnections lets the oldest idle one of a crowded address make room", () => {
  const connections = new HttpConnections(new FakeClock());
  const other = accept(connections, "b")[0];
  const crowd = accept(connections, "a", CONNECTIONS_PER_ADDRESS_MAX);
  assert.ok(crowd[0] && crowd[1] && other);
  assert.ok(connections.beginServing(crowd[0]));
  assert.ok(crowd.every((socket) => socket.isOpen));
  const [surplus] = accept(connections, "a");
  assert.deepEqual(
    [crowd[0].isOpen, crowd[1].isOpen, surplus?.isOpen, other.isOpen],
    [true, false, true, true],
  );
});

Deno.test("HttpConnections refuses one more when all of an address are served", () => {
  const connections = new HttpConnections(new FakeClock());
  for (const socket of accept(connections, "a", CONNECTIONS_PER_ADDRESS_MAX)) {
    assert.ok(connections.beginServing(socket));
  }
  assert.equal(accept(connections, "a")[0]?.isOpen, false);
  assert.equal(accept(connections, "b")[0]?.isOpen, true);
});

Deno.test("HttpConnections holds a limited number in all and closes every one", () => {
  const clock = new FakeClock();
  const connections = new HttpConnections(clock);
  const sockets: SocketDouble[] = [];
  for (let index = 0; index < CONNECTIONS_MAX; index++) {
    sockets.push(...accept(connections, `${Math.floor(index / 10)}`));
  }
  assert.ok(sockets.every((socket) => socket.isOpen));
  accept(connections, "one more");
  assert.equal(sockets[0]?.isOpen, false);
  assert.equal(connections.size, CONNECTIONS_MAX);
  connections.close();
  connections.close();
  assert.ok(sockets.every((socket) => !socket.isOpen));
  assert.equal(clock.pendingTimers, 0);
});

import assert from "node:assert/strict";
import { toHex } from "../../../../src/lib/bytes.ts";
import { EnetClient } from "../../../../src/protocol/enet/client.ts";
import { CLIENT_ADDRESS, connect, CONNECT_DATA, messagesOf } from "./connected.ts";
import { hex, recorded } from "./vectors.ts";

const RELIABLE = { channel: 0, delivery: "reliable" } as const;

Deno.test("EnetPeer.send() carries every delivery both ways, in order of the calls", () => {
  const { client, peer, exchange } = connect();
  for (const side of [client, peer]) {
    side.send(new Uint8Array([1]), { channel: 0, delivery: "reliable" });
    side.send(new Uint8Array([2]), { channel: 0, delivery: "unreliable" });
    side.send(new Uint8Array([3]), { channel: 47, delivery: "unsequenced" });
    side.send(new Uint8Array(3000), { channel: 1, delivery: "reliable" });
  }
  const { atServer, atClient } = exchange(1);
  for (const events of [atServer, atClient]) {
    assert.deepEqual(messagesOf(events), [
      new Uint8Array([1]),
      new Uint8Array([2]),
      new Uint8Array([3]),
      new Uint8Array(3000),
    ]);
  }
});

Deno.test("EnetPeer.send() refuses a channel that was not granted, and says no when not connected", () => {
  const { peer } = connect();
  assert.throws(() => peer.send(new Uint8Array(1), { ...RELIABLE, channel: 48 }), RangeError);
  assert.throws(() => peer.send(new Uint8Array(1), { ...RELIABLE, channel: -1 }), RangeError);
  assert.equal(peer.send(new Uint8Array(1), { ...RELIABLE, channel: 47 }), true);
  peer.disconnect();
  assert.equal(peer.send(new Uint8Array(1), RELIABLE), false);
  const client = new EnetClient({ connectData: 0, connectId: 0 });
  assert.equal(client.send(new Uint8Array(1), RELIABLE), false);
});

Deno.test("EnetPeer acknowledges duplicates and what lies out of window, and delivers neither", () => {
  const { server } = connect();
  const first = hex("80000001 86000001 0001 aa");
  const far = hex("80000001 8600 7000 0001 aa");
  const answers: string[] = [];
  let delivered = 0;
  for (const bytes of [first, first, far]) {
    delivered += messagesOf(server.receive({ ...CLIENT_ADDRESS, bytes }, 1)).length;
    answers.push(...server.tick(1).datagrams.map((datagram) => toHex(datagram.bytes)));
  }
  assert.equal(delivered, 1);
  assert.deepEqual(answers, [
    "80000001" + "0100000100010001",
    "80000001" + "0100000100010001",
    "80000001" + "0100700070000001",
  ]);
});

Deno.test("EnetPeer does not acknowledge what it refuses, nor what carries no time", () => {
  const { server } = connect();
  const refused = [
    "80000001 8630 0001 0001 aa", // channel 48
    "80000001 8800 0001 0001 0001 00000001 00000001 00000001 00000000 aa", // fragment 1 of 1
    "80000001 82ff 0001" + "00".repeat(44), // CONNECT
    "80000001 83ff 0001" + "00".repeat(40), // VERIFY_CONNECT
    "0000 85ff0009",
  ];
  for (const datagram of refused) {
    server.receive({ ...CLIENT_ADDRESS, bytes: hex(datagram) }, 1);
    assert.deepEqual(server.tick(1).datagrams, [], datagram);
  }
});

Deno.test("EnetPeer pings after half a second without an acknowledgement, and not while one is due", () => {
  const { server, client, peer, exchange } = connect();
  assert.equal(server.nextTickMs, 500);
  assert.deepEqual(server.tick(499).datagrams, []);
  assert.deepEqual(
    server.tick(500).datagrams.map(({ bytes }) => toHex(bytes)),
    ["800001f4" + "85ff0002"],
  );
  client.receive(hex("800001f485ff0002"), 500);
  exchange(501);
  assert.equal(server.nextTickMs, 1001);
  peer.send(new Uint8Array(1), RELIABLE);
  server.tick(1000);
  assert.deepEqual(server.tick(1001).datagrams, []);
});

Deno.test("EnetPeer measures the round trip by the echo of its own time", () => {
  const { server, client, peer } = connect();
  assert.equal(peer.roundTripMs, 1);
  peer.send(new Uint8Array(1), RELIABLE);
  const [datagram] = server.tick(100).datagrams;
  assert.ok(datagram);
  client.receive(datagram.bytes, 150);
  for (const bytes of client.tick(150).datagrams) {
    server.receive({ ...CLIENT_ADDRESS, bytes }, 200);
  }
  assert.equal(peer.roundTripMs, 1 + Math.trunc((99 + 7) / 8));
});

Deno.test("EnetPeer is lost ten seconds after the oldest command nobody acknowledged", () => {
  const { server, peer } = connect();
  peer.send(new Uint8Array(1), RELIABLE);
  server.tick(100);
  let lostMs: number | undefined;
  for (let nowMs = server.nextTickMs; nowMs !== undefined; nowMs = server.nextTickMs) {
    for (const event of server.tick(nowMs).events) {
      assert.deepEqual(event.kind === "disconnected" && event.reason, "timeout");
      lostMs = nowMs;
    }
  }
  assert.equal(lostMs, 10_100);
});

Deno.test("EnetPeer while disconnecting acknowledges and delivers nothing, and repeats what was sent before", () => {
  const { server, peer } = connect();
  peer.send(new Uint8Array([0x55]), RELIABLE);
  server.tick(1);
  peer.disconnect();
  peer.disconnect();
  assert.deepEqual(server.tick(1).datagrams.map(({ bytes }) => bytes.byteLength), [12]);
  const bytes = hex("80000001 86000001 0001 aa");
  assert.deepEqual(server.receive({ ...CLIENT_ADDRESS, bytes }, 2), []);
  assert.deepEqual(server.tick(2).datagrams, []);
  const repeated = server.tick(60).datagrams.map((datagram) => toHex(datagram.bytes));
  assert.equal(repeated.length, 2);
  assert.ok(repeated.some((text) => text.endsWith("86000001000155")));
  assert.ok(repeated.some((text) => text.endsWith("84ff000200000000")));
});

Deno.test("EnetPeer that both sides leave at once is gone on both", () => {
  const { server, client, peer } = connect();
  peer.disconnect();
  client.peer.disconnect();
  const [fromClient] = client.tick(1).datagrams;
  const fromServer = server.tick(1).datagrams[0]?.bytes;
  assert.ok(fromClient && fromServer);
  const atServer = server.receive({ ...CLIENT_ADDRESS, bytes: fromClient }, 2);
  const atClient = client.receive(fromServer, 2);
  for (const events of [atServer, atClient]) {
    assert.deepEqual(events.map((event) => event.kind === "disconnected" && event.reason), [
      "local",
    ]);
  }
  server.tick(2);
  assert.deepEqual(server.peers, []);
});

Deno.test("EnetPeer.drop() says so once, ends at once, and twice is legal", () => {
  const { server, client, peer } = connect();
  peer.drop();
  peer.drop();
  const { datagrams, events } = server.tick(1);
  assert.deepEqual(datagrams.map(({ bytes }) => toHex(bytes)), ["8000000144ff000200000000"]);
  assert.deepEqual(events.map((event) => event.kind === "disconnected" && event.reason), ["local"]);
  peer.drop();
  peer.disconnect();
  assert.deepEqual(server.tick(2), { datagrams: [], events: [] });
  const [farewell] = datagrams;
  assert.ok(farewell);
  assert.deepEqual(client.receive(farewell.bytes, 1), [
    { kind: "disconnected", reason: "peer", wasConnected: true },
  ]);
});

Deno.test("EnetPeer puts 32 commands in a datagram at most, and no more than the MTU allows", () => {
  const { server, peer } = connect();
  for (let count = 0; count < 40; count++) peer.send(new Uint8Array(1), RELIABLE);
  assert.deepEqual(
    server.tick(1).datagrams.map(({ bytes }) => bytes.byteLength),
    [4 + 32 * 7, 4 + 8 * 7],
  );
  for (let count = 0; count < 3; count++) peer.send(new Uint8Array(442), RELIABLE);
  assert.deepEqual(
    server.tick(1).datagrams.map(({ bytes }) => bytes.byteLength),
    [900, 4 + 448],
  );
});

Deno.test("EnetPeer takes THROTTLE_CONFIGURE and BANDWIDTH_LIMIT with an acknowledgement each", () => {
  const { server } = connect();
  const bytes = hex(`80000001 8aff0003 ${"00".repeat(8)} 8bff0004 ${"00".repeat(12)}`);
  assert.deepEqual(server.receive({ ...CLIENT_ADDRESS, bytes }, 1), []);
  assert.deepEqual(server.tick(1).datagrams.map((datagram) => toHex(datagram.bytes)), [
    "80000001" + "01ff000300030001" + "01ff000400040001",
  ]);
});

Deno.test("EnetClient takes only the answer to its own CONNECT", () => {
  const [, verify] = recorded("handshake");
  assert.ok(verify);
  // Offsets of connect id, throttle interval, acceleration and deceleration; channel count; peer id.
  for (const offset of [47, 35, 39, 43, 23, 1]) {
    const client = new EnetClient({ connectData: CONNECT_DATA, connectId: 0xb23cfba1 });
    client.tick(0);
    const changed = verify.bytes.slice();
    changed[offset] = (changed[offset] ?? 0) ^ 0x40;
    assert.deepEqual(client.receive(changed, 1), [], `offset ${offset}`);
    assert.deepEqual(client.receive(verify.bytes, 1), [{ kind: "connected" }]);
  }
});

Deno.test("EnetClient acknowledges a repeated VERIFY_CONNECT and connects once", () => {
  const [, verify] = recorded("handshake");
  assert.ok(verify);
  const client = new EnetClient({ connectData: CONNECT_DATA, connectId: 0xb23cfba1 });
  client.tick(0);
  assert.equal(client.receive(verify.bytes, 1).length, 1);
  client.tick(1);
  assert.deepEqual(client.receive(verify.bytes, 2), []);
  assert.deepEqual(client.tick(2).datagrams.map(toHex), ["000001ff00010001b775"]);
});

Deno.test("EnetClient gives up a CONNECT that nobody answers after ten seconds", () => {
  const client = new EnetClient({ connectData: CONNECT_DATA, connectId: 1 });
  client.tick(0);
  let connects = 0;
  for (let nowMs = client.nextTickMs; nowMs !== undefined; nowMs = client.nextTickMs) {
    const { datagrams, events } = client.tick(nowMs);
    connects += datagrams.length;
    if (events.length > 0) {
      assert.equal(nowMs, 10_000);
      assert.deepEqual(events, [
        { kind: "disconnected", reason: "timeout", wasConnected: false },
      ]);
    }
  }
  assert.ok(connects >= 5);
  assert.equal(client.peer.state, "closed");
});

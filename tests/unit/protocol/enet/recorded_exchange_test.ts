import assert from "node:assert/strict";
import { toHex } from "../../../../src/lib/bytes.ts";
import { EnetClient } from "../../../../src/protocol/enet/client.ts";
import type { PeerEvent } from "../../../../src/protocol/enet/peer.ts";
import type { EnetServer } from "../../../../src/protocol/enet/server.ts";
import controlVectors from "../../../vectors/gamestream-control.json" with { type: "json" };
import { CLIENT_ADDRESS, CONNECT_DATA, createServer, messagesOf } from "./connected.ts";
import { hex, recorded } from "./vectors.ts";

/** The host's clock in the recordings, from the sent-time of its datagrams. */
const HANDSHAKE_MS = 0xb775;

/** Give one datagram to the server; its answers as hexadecimal text, and all events. */
function feed(server: EnetServer<string>, bytes: Uint8Array, nowMs: number) {
  const received = server.receive({ ...CLIENT_ADDRESS, bytes }, nowMs);
  const { datagrams, events } = server.tick(nowMs);
  return {
    answers: datagrams.map((datagram) => toHex(datagram.bytes)),
    events: [...received, ...events],
  };
}

/** A server after the first four datagrams of the recorded handshake. */
function handshaken(nowMs = HANDSHAKE_MS): EnetServer<string> {
  const server = createServer();
  const [connect, verify, acknowledge] = recorded("handshake");
  assert.ok(connect && verify && acknowledge);
  feed(server, connect.bytes, nowMs);
  // The answer to a VERIFY sent at another time than the recorded one.
  const bytes = acknowledge.bytes.slice();
  new DataView(bytes.buffer).setUint16(10, nowMs);
  assert.deepEqual(feed(server, bytes, nowMs).events.map((event) => event.kind), ["connected"]);
  return server;
}

Deno.test("EnetServer answers the recorded handshake byte for byte", () => {
  const server = createServer();
  const datagrams = recorded("handshake");
  const events: PeerEvent[] = [];
  for (let index = 0; index < datagrams.length; index += 2) {
    const [request, answer] = datagrams.slice(index, index + 2);
    assert.ok(request?.from === "client" && answer?.from === "host");
    const { answers, events: new_ } = feed(server, request.bytes, HANDSHAKE_MS);
    assert.deepEqual(answers, [toHex(answer.bytes)]);
    events.push(...new_);
  }
  assert.deepEqual(events.map((event) => event.kind), ["connected", "message", "message"]);
  assert.deepEqual(
    messagesOf(events).map(toHex),
    controlVectors.v2.slice(0, 2).map((vector) => vector.message),
  );
});

Deno.test("EnetClient sends the recorded handshake byte for byte", () => {
  const client = new EnetClient({ connectData: CONNECT_DATA, connectId: 0xb23cfba1 });
  const nowMs = 0x6649;
  const datagrams = recorded("handshake");
  const sent: string[] = [];
  const send = () => sent.push(...client.tick(nowMs).datagrams.map(toHex));
  send();
  for (const { from, bytes } of datagrams) {
    if (from === "client") continue;
    client.receive(bytes, nowMs);
    send();
    const vector = controlVectors.v2[sent.length - 2];
    if (sent.length < 2 || sent.length === 4 || vector === undefined) continue;
    client.send(hex(vector.message), { channel: 0, delivery: "reliable" });
    send();
  }
  const recordedByClient = datagrams.filter(({ from }) => from === "client");
  assert.deepEqual(sent, recordedByClient.map(({ bytes }) => toHex(bytes)));
});

Deno.test("EnetServer acknowledges the recorded BANDWIDTH_LIMIT with the message before it", () => {
  const server = handshaken();
  for (let sequence = 1; sequence < 14; sequence++) {
    feed(server, hex(`80006a33 8600 ${sequence.toString(16).padStart(4, "0")} 0001 aa`), 1);
  }
  const [datagram] = recorded("bandwidthLimit");
  assert.ok(datagram);
  const { answers, events } = feed(server, datagram.bytes, HANDSHAKE_MS);
  assert.deepEqual(answers, ["8000b775" + "0100000e000e6a33" + "01ff000300036a33"]);
  assert.equal(messagesOf(events).length, 1);
});

Deno.test("EnetServer delivers the recorded unreliable message and answers nothing", () => {
  const [datagram] = recorded("unreliable");
  assert.ok(datagram);
  const { answers, events } = feed(handshaken(), datagram.bytes, HANDSHAKE_MS);
  assert.deepEqual(answers, []);
  assert.deepEqual(events.map((event) => event.kind === "message" && event.channel), [0x22]);
  assert.deepEqual(messagesOf(events), [datagram.bytes.slice(10)]);
});

Deno.test("EnetServer delivers the recorded unsequenced messages once", () => {
  const server = handshaken();
  const [datagram] = recorded("unsequenced");
  assert.ok(datagram);
  const { answers, events } = feed(server, datagram.bytes, HANDSHAKE_MS);
  assert.deepEqual(answers, []);
  assert.equal(messagesOf(events).length, 4);
  assert.equal(
    toHex(messagesOf(events)[0] ?? hex("")),
    controlVectors.v2.find((vector) => vector.delivery === "unsequenced")?.message,
  );
  assert.deepEqual(feed(server, datagram.bytes, HANDSHAKE_MS).events, []);
});

Deno.test("EnetServer delivers three recorded commands of one datagram and acknowledges them in one", () => {
  const [datagram] = recorded("batched");
  assert.ok(datagram);
  const { answers, events } = feed(handshaken(), datagram.bytes, HANDSHAKE_MS);
  assert.equal(messagesOf(events).length, 3);
  assert.deepEqual(answers, [
    "8000b775" + "010600010001670c" + "010600020002670c" + "010600030003670c",
  ]);
});

Deno.test("EnetServer sends the recorded message in the recorded fragments, EnetClient joins them", () => {
  const nowMs = 0xd07a;
  const server = handshaken(nowMs);
  const fragments = recorded("fragmentsFromHost");
  const bodies = fragments.map(({ bytes }) => bytes.subarray(28));
  const message = new Uint8Array(bodies.flatMap((body) => [...body]));
  assert.equal(message.byteLength, 3028);
  const [peer] = server.peers;
  assert.ok(peer?.send(message, { channel: 0, delivery: "reliable" }));
  assert.deepEqual(
    server.tick(nowMs).datagrams.map(({ bytes }) => toHex(bytes)),
    fragments.map(({ bytes }) => toHex(bytes)),
  );

  const client = new EnetClient({ connectData: CONNECT_DATA, connectId: 0xb23cfba1 });
  client.tick(0);
  const [, verify] = recorded("handshake");
  assert.ok(verify);
  client.receive(verify.bytes, 0);
  for (const late of [3, 1, 0, 2]) {
    const bytes = fragments[late]?.bytes ?? hex("");
    const events = client.receive(bytes, 0);
    assert.deepEqual(messagesOf(events), late === 2 ? [message] : []);
  }
});

Deno.test("EnetPeer.disconnect() sends the recorded DISCONNECT and ends with the recorded answer", () => {
  const sentMs = 0x3fe1;
  const server = handshaken(sentMs);
  const [peer] = server.peers;
  peer?.disconnect();
  assert.deepEqual(
    server.tick(sentMs).datagrams.map(({ bytes }) => toHex(bytes)),
    recorded("hostDisconnect").map(({ bytes }) => toHex(bytes)),
  );
  const repeatMs = server.nextTickMs ?? 0;
  assert.ok(repeatMs > sentMs && repeatMs < sentMs + 1000);
  assert.equal(server.tick(repeatMs).datagrams[0]?.bytes.byteLength, 12);
  const [answer] = recorded("hostDisconnectAnswer");
  assert.ok(answer);
  const { answers, events } = feed(server, answer.bytes, 0x41d8);
  assert.deepEqual(answers, []);
  assert.deepEqual(events.map((event) => event.kind === "disconnected" && event.reason), ["local"]);
  assert.deepEqual(server.peers, []);
});

Deno.test("EnetServer forgets a peer at the recorded immediate DISCONNECT and answers nothing", () => {
  const server = handshaken();
  const [datagram] = recorded("clientImmediateDisconnect");
  assert.ok(datagram);
  const { answers, events } = feed(server, datagram.bytes, HANDSHAKE_MS);
  assert.deepEqual(answers, []);
  assert.deepEqual(events.map((event) => event.kind === "disconnected" && event.reason), ["peer"]);
  assert.deepEqual(server.peers, []);
});

Deno.test("EnetServer answers the recorded graceful DISCONNECT byte for byte and forgets the peer", () => {
  const server = handshaken();
  const [request, answer] = recorded("clientGracefulDisconnect");
  assert.ok(request && answer);
  const { answers, events } = feed(server, request.bytes, 0x1c63);
  assert.deepEqual(answers, [toHex(answer.bytes)]);
  assert.deepEqual(events.map((event) => event.kind === "disconnected" && event.reason), ["peer"]);
  assert.deepEqual(server.peers, []);
});

Deno.test("EnetServer reads a PING, an unknown command and nothing after it", () => {
  const server = handshaken();
  const { answers } = feed(server, hex("80000001 85ff0009 80000000 85ff000a"), HANDSHAKE_MS);
  assert.deepEqual(answers, ["8000b775" + "01ff000900090001"]);
});

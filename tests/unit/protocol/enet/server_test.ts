import assert from "node:assert/strict";
import { toHex } from "../../../../src/lib/bytes.ts";
import { EnetClient } from "../../../../src/protocol/enet/client.ts";
import {
  type ConnectFields,
  decodeCommand,
  decodeHeader,
  encodeCommand,
  encodeHeader,
  type EnetCommand,
} from "../../../../src/protocol/enet/datagram.ts";
import {
  CHANNEL_COUNT_MAX,
  HALF_OPEN_COUNT_MAX,
  MTU_BYTES_MIN,
  MTU_BYTES_OWN,
  PEER_COUNT_MAX,
} from "../../../../src/protocol/enet/limits.ts";
import { EnetServer } from "../../../../src/protocol/enet/server.ts";
import { SeededRandom } from "../../../fuzz/seeded_random.ts";
import { CLIENT_ADDRESS, connect, CONNECT_DATA, createServer, messagesOf } from "./connected.ts";
import { hex } from "./vectors.ts";

const FIELDS: ConnectFields = {
  outgoingPeerId: 5,
  incomingSessionId: 0xff,
  outgoingSessionId: 0xff,
  mtuBytes: 900,
  windowBytes: 65_536,
  channelCount: 48,
  incomingBandwidth: 1,
  outgoingBandwidth: 2,
  throttleIntervalMs: 5001,
  throttleAcceleration: 3,
  throttleDeceleration: 4,
  connectId: 0xdeadbeef,
};

function connectDatagram(fields: Partial<ConnectFields> = {}, data = CONNECT_DATA): Uint8Array {
  const command: EnetCommand = {
    kind: "connect",
    channel: 0xff,
    sequence: 1,
    isReliable: true,
    isUnsequenced: false,
    fields: { ...FIELDS, ...fields },
    data,
  };
  const bytes = new Uint8Array(52);
  encodeCommand(command, bytes, encodeHeader({ peerId: 0xfff, sessionId: 0, sentTime: 7 }, bytes));
  return bytes;
}

/** Header and fields of the server's answer to a CONNECT, or undefined when it gave none. */
function answerTo(server: EnetServer<string>, bytes: Uint8Array, source = CLIENT_ADDRESS) {
  server.receive({ ...source, bytes }, 0);
  const [datagram] = server.tick(0).datagrams;
  if (datagram === undefined) return undefined;
  const { header, offset } = decodeHeader(datagram.bytes);
  const { command } = decodeCommand(datagram.bytes, offset);
  assert.ok(command.kind === "verify-connect");
  return { header, command, fields: command.fields, datagram };
}

/** The acknowledgement of a VERIFY that was sent at time 0, from a peer that holds `peerId`. */
function acknowledgeVerify(peerId: number, sessionId = 0): Uint8Array {
  const bytes = hex("0000 01ff0001 0001 0000");
  new DataView(bytes.buffer).setUint16(0, peerId | sessionId << 12);
  return bytes;
}

Deno.test("EnetServer answers CONNECT with what was agreed and echoes what must come back unchanged", () => {
  const server = new EnetServer({ admit: () => "yes", random: () => 0x123 });
  const answer = answerTo(server, connectDatagram());
  assert.ok(answer);
  assert.deepEqual(answer.header, { peerId: 5, sessionId: 0, sentTime: 0 });
  assert.deepEqual(answer.fields, {
    ...FIELDS,
    outgoingPeerId: 0x123,
    incomingSessionId: 0,
    outgoingSessionId: 0,
    incomingBandwidth: 0,
    outgoingBandwidth: 0,
  });
  assert.deepEqual([answer.command.sequence, answer.command.isReliable], [1, true]);
  assert.deepEqual(
    [answer.datagram.address, answer.datagram.port],
    [CLIENT_ADDRESS.address, CLIENT_ADDRESS.port],
  );
});

Deno.test("EnetServer clamps MTU, window and channels to its own limits", () => {
  const large = answerTo(
    createServer(),
    connectDatagram({ mtuBytes: 0xffff_ffff, windowBytes: 0xffff_ffff, channelCount: 255 }),
  );
  assert.equal(large?.fields.mtuBytes, MTU_BYTES_OWN);
  assert.equal(large?.fields.windowBytes, 65_536);
  assert.equal(large?.fields.channelCount, CHANNEL_COUNT_MAX);
  const small = answerTo(createServer(), connectDatagram({ mtuBytes: 1, channelCount: 1 }));
  assert.equal(small?.fields.mtuBytes, MTU_BYTES_MIN);
  assert.equal(small?.fields.channelCount, 1);
});

Deno.test("EnetServer drops a CONNECT that is not admitted, has no sensible channels, or is cut", () => {
  const server = createServer();
  assert.equal(answerTo(server, connectDatagram({}, 1)), undefined);
  for (const channelCount of [0, 256]) {
    assert.equal(answerTo(server, connectDatagram({ channelCount })), undefined);
  }
  const connect = connectDatagram();
  for (let length = 0; length < connect.byteLength; length++) {
    assert.equal(answerTo(server, connect.subarray(0, length)), undefined);
  }
  assert.deepEqual(server.peers, []);
  assert.equal(server.nextTickMs, undefined);
});

Deno.test("EnetServer asks admit once a handshake, with data and source", () => {
  const asked: unknown[] = [];
  const server = new EnetServer({
    admit: (data, from) => {
      asked.push([data, from]);
      return "yes";
    },
    random: () => 0,
  });
  answerTo(server, connectDatagram());
  answerTo(server, connectDatagram());
  assert.deepEqual(asked, [[CONNECT_DATA, CLIENT_ADDRESS]]);
  assert.equal(server.peers.length, 1);
  answerTo(server, connectDatagram({ connectId: 1 }));
  answerTo(server, connectDatagram(), { ...CLIENT_ADDRESS, port: 1 });
  assert.equal(server.peers.length, 3);
});

Deno.test("EnetServer repeats VERIFY_CONNECT until it is acknowledged, and gives up after ten seconds", () => {
  const server = createServer();
  assert.ok(answerTo(server, connectDatagram()));
  let repeated = 0;
  for (let nowMs = server.nextTickMs; nowMs !== undefined; nowMs = server.nextTickMs) {
    assert.ok(nowMs <= 10_000);
    const { datagrams, events } = server.tick(nowMs);
    repeated += datagrams.length;
    for (const event of events) {
      assert.deepEqual(
        [event.kind, event.kind === "disconnected" && event.reason, nowMs],
        ["disconnected", "timeout", 10_000],
      );
      assert.ok(event.kind === "disconnected" && !event.wasConnected);
    }
  }
  assert.ok(repeated >= 5 && repeated <= 15, `${repeated} times`);
  assert.deepEqual(server.peers, []);
});

Deno.test("EnetServer delivers and acknowledges nothing before the handshake is done", () => {
  const server = createServer();
  answerTo(server, connectDatagram());
  const data = hex("80000001 86000001 0001 aa");
  assert.deepEqual(server.receive({ ...CLIENT_ADDRESS, bytes: data }, 0), []);
  assert.deepEqual(server.tick(0).datagrams, []);
  // A wrong acknowledgement, then the right one.
  const wrong = hex("0000 01000001 0001 0000");
  assert.deepEqual(server.receive({ ...CLIENT_ADDRESS, bytes: wrong }, 0), []);
  const events = server.receive({ ...CLIENT_ADDRESS, bytes: acknowledgeVerify(0) }, 0);
  assert.deepEqual(events.map(({ kind, admission }) => [kind, admission]), [
    ["connected", "admitted"],
  ]);
  assert.equal(messagesOf(server.receive({ ...CLIENT_ADDRESS, bytes: data }, 0)).length, 1);
});

Deno.test("EnetServer gives a slot's next peer other session ids, and drops what carries the old ones", () => {
  const server = createServer();
  const ids: number[][] = [];
  for (const connectId of [1, 2, 3, 4, 5]) {
    const answer = answerTo(server, connectDatagram({ connectId }));
    assert.ok(answer);
    ids.push([answer.fields.incomingSessionId, answer.fields.outgoingSessionId]);
    const sessionId = answer.fields.outgoingSessionId;
    const stale = acknowledgeVerify(0, (sessionId + 3) & 3);
    assert.deepEqual(server.receive({ ...CLIENT_ADDRESS, bytes: stale }, 0), []);
    const fresh = acknowledgeVerify(0, sessionId);
    assert.equal(server.receive({ ...CLIENT_ADDRESS, bytes: fresh }, 0).length, 1);
    server.peers[0]?.drop();
    server.tick(0);
  }
  assert.deepEqual(ids, [[0, 0], [1, 1], [2, 2], [3, 3], [0, 0]]);
});

Deno.test("EnetServer derives session ids from the ones in CONNECT, apart for each direction", () => {
  const server = createServer();
  const first = answerTo(server, connectDatagram({ incomingSessionId: 2, outgoingSessionId: 0 }));
  assert.equal(first?.fields.incomingSessionId, 3);
  assert.equal(first?.fields.outgoingSessionId, 1);
  assert.equal(first?.header.sessionId, 3);
  server.peers[0]?.drop();
  server.tick(0);
  // One more than asked would be the slot's last one again.
  const second = answerTo(
    server,
    connectDatagram({ connectId: 1, incomingSessionId: 2, outgoingSessionId: 0 }),
  );
  assert.equal(second?.fields.incomingSessionId, 0);
  assert.equal(second?.fields.outgoingSessionId, 2);
});

Deno.test("EnetServer draws slots at random and finds a free one when the drawn one is taken", () => {
  const server = new EnetServer({ admit: () => "yes", random: (bound) => bound - 1 });
  const slots = [1, 2, 3].map((connectId) =>
    answerTo(server, connectDatagram({ connectId }))?.fields.outgoingPeerId
  );
  assert.deepEqual(slots, [0xffe, 0, 1]);
});

Deno.test("EnetServer takes handshakes and peers up to its limits and none beyond", () => {
  const server = new EnetServer({ admit: () => "yes", random: () => 0 });
  let connectId = 1;
  const open = () => answerTo(server, connectDatagram({ connectId: connectId++ }));
  for (let count = 0; count < HALF_OPEN_COUNT_MAX; count++) assert.ok(open());
  assert.equal(open(), undefined);
  for (let peerId = 0; peerId < PEER_COUNT_MAX; peerId++) {
    if (peerId >= HALF_OPEN_COUNT_MAX) assert.ok(open());
    server.receive({ ...CLIENT_ADDRESS, bytes: acknowledgeVerify(peerId) }, 0);
  }
  assert.equal(server.peers.length, PEER_COUNT_MAX);
  assert.ok(server.peers.every((peer) => peer.state === "connected"));
  assert.equal(open(), undefined);
});

Deno.test("EnetServer follows a peer to a new address once what comes from there makes sense", () => {
  const { server, peer } = connect();
  const elsewhere = { address: "192.0.2.7", port: 9 };
  server.receive({ ...elsewhere, bytes: hex("0000 0f") }, 1);
  server.receive({ ...elsewhere, bytes: hex("1000 85ff0009") }, 1);
  assert.deepEqual(server.addressOf(peer), CLIENT_ADDRESS);
  server.receive({ ...elsewhere, bytes: hex("80000001 85ff0009") }, 1);
  assert.deepEqual(server.addressOf(peer), elsewhere);
  const [answer] = server.tick(1).datagrams;
  assert.deepEqual([answer?.address, answer?.port], [elsewhere.address, elsewhere.port]);
  server.receive({ ...CLIENT_ADDRESS, bytes: hex("000044ff000a00000000") }, 2);
  server.tick(2);
  assert.equal(server.addressOf(peer), undefined);
});

Deno.test("EnetServer makes no peer, no answer and no growth of 10 000 datagrams of noise", () => {
  const { server, peer, exchange } = connect();
  const random = new SeededRandom(1);
  let admitted = 0;
  const strict = new EnetServer({ admit: () => void admitted++, random: () => 0 });
  for (let count = 0; count < 10_000; count++) {
    const bytes = Uint8Array.from({ length: random.below(80) }, () => random.below(256));
    // A quarter looks like a CONNECT from afar.
    if (count % 4 === 0 && bytes.byteLength > 24) {
      bytes.set([0x8f, 0xff, 0, 0, 0x82]);
      bytes.set([0, 0, 0, 48], 20);
    }
    for (const each of [server, strict]) {
      assert.deepEqual(each.receive({ address: "198.51.100.1", port: count, bytes }, 0), []);
      assert.deepEqual(each.tick(0).datagrams, []);
    }
  }
  assert.deepEqual(server.peers, [peer]);
  assert.deepEqual(peer.bufferedBytes, { received: 0, toSend: 0 });
  assert.deepEqual(server.addressOf(peer), CLIENT_ADDRESS);
  assert.deepEqual(strict.peers, []);
  // Some of it was a whole CONNECT and was asked about; the others did not get as far.
  assert.ok(admitted > 100 && admitted < 2_500, `${admitted}`);
  const bytes = new Uint8Array([1]);
  peer.send(bytes, { channel: 0, delivery: "reliable" });
  assert.deepEqual(messagesOf(exchange(1).atClient), [bytes]);
});

Deno.test("EnetServer drops a compressed datagram and one for a slot that is free", () => {
  const { server } = connect();
  for (
    const bytes of [hex("c0000001 85ff0009"), hex("80010001 85ff0009"), hex("8fff0001 85ff0009")]
  ) {
    server.receive({ ...CLIENT_ADDRESS, bytes }, 1);
    assert.deepEqual(server.tick(1).datagrams, []);
  }
});

Deno.test("EnetServer serves two clients apart from one another", () => {
  let drawn = 0;
  const server = new EnetServer({ admit: (data) => `data ${data}`, random: () => drawn++ });
  const clients = [1, 2].map((data) => new EnetClient({ connectData: data, connectId: data }));
  const events: string[] = [];
  for (let round = 0; round < 4; round++) {
    for (const [index, client] of clients.entries()) {
      const source = { address: "127.0.0.1", port: 1000 + index };
      for (const bytes of client.tick(round).datagrams) {
        for (const event of server.receive({ ...source, bytes }, round)) {
          const text = event.kind === "message" ? toHex(event.bytes) : event.kind;
          events.push(`${event.admission}: ${text}`);
        }
      }
      for (const { bytes, port } of server.tick(round).datagrams) {
        clients[port - 1000]?.receive(bytes, round);
      }
      if (round === 2) client.send(new Uint8Array([index]), { channel: 0, delivery: "reliable" });
    }
  }
  assert.deepEqual(events, [
    "data 1: connected",
    "data 2: connected",
    "data 1: 00",
    "data 2: 01",
  ]);
});

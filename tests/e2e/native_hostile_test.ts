/**
 * Peers that mean no good, against a native plane that runs as a process of its own.
 *
 * @module
 */
import assert from "node:assert/strict";
import { UdpSocket } from "../../ffi/wire.ts";
import { ControlStream } from "../../src/planes/native/control_stream.ts";
import { openSystemClock } from "../../src/platform/system_clock.ts";
import { encodeHello, HELLO_DEFAULTS } from "../../src/protocol/punktfunk1/hello.ts";
import { encodePunch } from "../../src/protocol/punktfunk1/punch.ts";
import { encodeStart, START_EXTENSIONS_NONE } from "../../src/protocol/punktfunk1/start.ts";
import { decodeWelcome, type Welcome } from "../../src/protocol/punktfunk1/welcome.ts";
import { openNativeConnector } from "../../src/quic/native_quic.ts";
import type { QuicConnection, QuicConnector } from "../../src/quic/ports.ts";
import { openNativeLab } from "./native_lab.ts";

const CLOCK = openSystemClock();
const HELLO = encodeHello({
  ...HELLO_DEFAULTS,
  mode: { width: 1280, height: 720, refreshHz: 60 },
  videoCodecs: 1,
});
const CONNECTIONS = 1000;
/** The first ones load code and fill pools. */
const SETTLED_AFTER = 200;
/** In flight: a laptop of the network, not a data centre. */
const CONNECTIONS_AT_ONCE = 8;

function connect(connector: QuicConnector, port: number): Promise<QuicConnection> {
  return connector.connect({
    address: "127.0.0.1",
    port,
    alpn: ["pkf1"],
    idleTimeoutMs: 8000,
    keepAliveMs: 4000,
    datagramSendBufferBytes: 4096,
    serverName: "punktfunk",
    timeoutMs: 10_000,
  });
}

async function sendFirst(connection: QuicConnection, payload: Uint8Array): Promise<ControlStream> {
  const stream = await connection.openStream({ timeoutMs: 5000 });
  assert.ok(stream);
  const control = new ControlStream(stream, CLOCK);
  assert.ok(control.send(payload));
  return control;
}

async function welcomed(connection: QuicConnection): Promise<[ControlStream, Welcome]> {
  const control = await sendFirst(connection, HELLO);
  const payload = await control.next(10_000);
  assert.ok(payload);
  return [control, decodeWelcome(payload)];
}

Deno.test("A thousand connections with garbage leave memory, descriptors and slots as they were", async () => {
  await using host = await openNativeLab("quinn", ["--allow-tofu", "--frames", "5"]);
  await using connector = openNativeConnector();
  const garbage = [
    new Uint8Array(0),
    Uint8Array.of(0xff),
    new TextEncoder().encode("PKF1 too short"),
  ];
  let begun = 0;
  const worker = async () => {
    for (let index = begun++; index < CONNECTIONS; index = begun++) {
      const connection = await connect(connector, host.port);
      await sendFirst(connection, garbage[index % garbage.length] ?? new Uint8Array(0));
      const { code, isByPeer } = await connection.closed;
      assert.deepEqual([code, isByPeer], [0x68, true]);
      if (index === SETTLED_AFTER) early = await host.usage();
    }
  };
  let early = await host.usage();
  await Promise.all(Array.from({ length: CONNECTIONS_AT_ONCE }, worker));
  const late = await host.usage();
  const grownBytes = late.residentBytes - early.residentBytes;
  assert.ok(grownBytes < 24 * 1024 * 1024, `grown by ${grownBytes} bytes`);
  assert.ok(late.descriptors <= early.descriptors + 2);
  const [, welcome] = await welcomed(await connect(connector, host.port));
  assert.equal(welcome.frameCount, 5);
});

Deno.test("Clients that never send Start lose their slot within the stated time", async () => {
  await using host = await openNativeLab("quinn", ["--allow-tofu", "--max-concurrent", "1"]);
  await using connector = openNativeConnector();
  const idle = await connect(connector, host.port);
  await welcomed(idle);
  const patient = await connect(connector, host.port);
  const waiting = sendFirst(patient, HELLO).then((control) => control.next());
  const { code } = await idle.closed;
  assert.equal(code, 0x68);
  assert.ok(await waiting);
  patient.close(0, "");
});

Deno.test("A punch from a stranger's address moves no stream, and neither does anything else", async () => {
  await using host = await openNativeLab("quinn", ["--allow-tofu", "--frames", "30"]);
  await using connector = openNativeConnector();
  const connection = await connect(connector, host.port);
  const [control, welcome] = await welcomed(connection);
  await using stranger = UdpSocket.open({ address: "127.0.0.2", port: 0 });
  await using client = UdpSocket.open({ address: "127.0.0.1", port: 0 });
  const video = { address: "127.0.0.1", port: welcome.udpPort };
  for (const bytes of [encodePunch(), new Uint8Array(1400), new Uint8Array(0)]) {
    stranger.send(bytes, video);
    client.send(bytes.byteLength === 8 ? new Uint8Array(8) : bytes, video);
  }
  control.send(
    encodeStart({ kind: "start", udpPort: client.port, extensions: START_EXTENSIONS_NONE }),
  );
  // No punch of the client: after 2.5 s the port of Start counts.
  assert.ok(await client.receive(10_000));
  assert.equal(await stranger.receive(0), null);
  connection.close(0, "");
});

Deno.test("A flood of datagrams and control messages does not stop a session", async () => {
  await using host = await openNativeLab("quinn", ["--allow-tofu", "--frames", "120"]);
  await using connector = openNativeConnector();
  const connection = await connect(connector, host.port);
  const [control, welcome] = await welcomed(connection);
  await using client = UdpSocket.open({ address: "127.0.0.1", port: 0 });
  control.send(
    encodeStart({ kind: "start", udpPort: client.port, extensions: START_EXTENSIONS_NONE }),
  );
  client.send(encodePunch(), { address: "127.0.0.1", port: welcome.udpPort });
  const noise = crypto.getRandomValues(new Uint8Array(1100));
  for (let round = 0; round < 2000; round++) {
    noise[0] = 0xc8 + round % 13;
    connection.sendDatagram(noise);
    control.send(noise.subarray(0, round % 300));
  }
  const seen = new Set<number>();
  while (seen.size < 120) {
    const datagram = await client.receive(5000);
    assert.ok(datagram, `only ${seen.size} packets came`);
    seen.add(new DataView(datagram.bytes.buffer, datagram.bytes.byteOffset).getUint32(4));
  }
  connection.close(0, "");
});

import assert from "node:assert/strict";
import { type Datagram, UdpSocket } from "../../../../ffi/wire.ts";
import { FrameKernel } from "../../../../ffi/wire_frame.ts";
import { toHex } from "../../../../src/lib/bytes.ts";
import { OperationError } from "../../../../src/lib/errors.ts";
import type { WireJob } from "../../../../src/media/wire/kernel.ts";
import {
  openNativeKernel,
  openNativePacketStream,
} from "../../../../src/media/wire/native_kernel.ts";
import { gamestreamSeal } from "./jobs.ts";

const LOOPBACK = { address: "127.0.0.1", port: 0 };
/** Long enough to be no limit: what is waited for has been sent. */
const WAIT_MS = 5_000;
const AT_ONCE = { burstBytesMax: 65536, burstPacketsMax: 64, rateBytesPerSecond: 0 };

const hasCode = (code: string) => (error: unknown) =>
  error instanceof OperationError && error.code === code;

async function receiveOne(socket: UdpSocket): Promise<Datagram> {
  const datagram = await socket.receive(WAIT_MS);
  assert.ok(datagram !== null);
  return datagram;
}

/** 150 sealed packets of 1440 bytes. */
function largeJob(): { job: WireJob; au: Uint8Array<ArrayBuffer> } {
  const auSizeBytes = 125 * 1376;
  return {
    au: Uint8Array.from({ length: auSizeBytes }, (_, index) => index >> 4),
    job: {
      shardSizeBytes: 1408,
      headerSizeBytes: 32,
      headers: Uint8Array.from({ length: 150 * 32 }, (_, index) => index >> 5),
      packetCount: 150,
      prologue: new Uint8Array(0),
      auSizeBytes,
      blocks: [{ dataCount: 125, parityCount: 25 }],
      blockCount: 1,
      fieldBits: 8,
      order: "block",
      fecOffsetBytes: 0,
      dataHeaderMask: new Uint8Array(32).fill(0xff, 16, 28),
      parityHeaderMask: new Uint8Array(32).fill(0xff, 0, 16),
      seal: gamestreamSeal(new Uint8Array(16)),
      sealCounter: 1n,
      sealPrefix: new Uint8Array(32),
    },
  };
}

Deno.test("UdpSocket sends and receives over IPv4, with the sender's address", async () => {
  await using a = UdpSocket.open(LOOPBACK);
  await using b = UdpSocket.open(LOOPBACK);
  assert.equal(a.send(Uint8Array.of(1, 2, 3), { address: "127.0.0.1", port: b.port }), true);
  const { bytes, address, port } = await receiveOne(b);
  assert.deepEqual([toHex(bytes), address, port], ["010203", "127.0.0.1", a.port]);
});

Deno.test("UdpSocket sends and receives over IPv6", async () => {
  await using a = UdpSocket.open({ address: "::1", port: 0 });
  await using b = UdpSocket.open({ address: "::1", port: 0 });
  a.send(Uint8Array.of(9), { address: "::1", port: b.port });
  const { bytes, address, port } = await receiveOne(b);
  assert.deepEqual([toHex(bytes), address, port], ["09", "::1", a.port]);
});

Deno.test('UdpSocket on "::" talks to IPv4 peers under their own addresses', async () => {
  await using both = UdpSocket.open({ address: "::", port: 0 });
  await using peer = UdpSocket.open(LOOPBACK);
  peer.send(Uint8Array.of(1), { address: "127.0.0.1", port: both.port });
  const { address, port } = await receiveOne(both);
  assert.equal(address, "127.0.0.1");
  both.send(Uint8Array.of(2), { address, port });
  assert.equal(toHex((await receiveOne(peer)).bytes), "02");
});

Deno.test("UdpSocket.receive() gives a batch one by one, empty and largest included", async () => {
  await using a = UdpSocket.open(LOOPBACK);
  await using b = UdpSocket.open(LOOPBACK);
  const sizes = [5, 0, 65507, 1400, 0, 1];
  for (const [index, size] of sizes.entries()) {
    a.send(new Uint8Array(size).fill(index), { address: "127.0.0.1", port: b.port });
  }
  for (const [index, size] of sizes.entries()) {
    const { bytes } = await receiveOne(b);
    assert.equal(bytes.byteLength, size);
    assert.ok(bytes.every((byte) => byte === index));
  }
  assert.equal(await b.receive(0), null);
});

Deno.test("UdpSocket.open() tells a port in use, and addresses it cannot bind", async () => {
  await using taken = UdpSocket.open(LOOPBACK);
  const again = () => UdpSocket.open({ address: "127.0.0.1", port: taken.port });
  assert.throws(again, hasCode("port-in-use"));
  assert.throws(() => UdpSocket.open({ address: "192.0.2.1", port: 0 }), hasCode("invalid"));
  assert.throws(() => UdpSocket.open({ address: "localhost", port: 0 }), hasCode("invalid"));
  assert.throws(() => UdpSocket.open({ address: "127.0.0.1", port: 65536 }), hasCode("invalid"));
});

Deno.test("UdpSocket.send() refuses names and ports that are none", async () => {
  await using socket = UdpSocket.open(LOOPBACK);
  const bytes = Uint8Array.of(1);
  assert.throws(() => socket.send(bytes, { address: "localhost", port: 9 }), hasCode("invalid"));
  assert.throws(() => socket.send(bytes, { address: "127.0.0.1", port: 0 }), hasCode("invalid"));
  assert.throws(
    () => socket.send(bytes, { address: "127.0.0.1", port: 65536 }),
    hasCode("invalid"),
  );
  // Broadcast was not asked for, so the system refuses the datagram.
  assert.equal(socket.send(bytes, { address: "255.255.255.255", port: 9 }), false);
});

Deno.test("UdpSocket.wake() ends the receive that waits", async () => {
  await using socket = UdpSocket.open(LOOPBACK);
  const waiting = socket.receive(WAIT_MS * 100);
  socket.wake();
  assert.equal(await waiting, null);
});

Deno.test("UdpSocket.receive() refuses a second one at the same time", async () => {
  await using socket = UdpSocket.open(LOOPBACK);
  const waiting = socket.receive(WAIT_MS * 100);
  await assert.rejects(socket.receive(0), hasCode("failed"));
  socket.wake();
  await waiting;
});

Deno.test("UdpSocket.close() ends the receive that waits, and twice is legal", async () => {
  const socket = UdpSocket.open(LOOPBACK);
  const waiting = socket.receive(WAIT_MS * 100);
  const closing = socket.close();
  assert.equal(await waiting, null);
  await closing;
  await socket.close();
  assert.equal(await socket.receive(WAIT_MS), null);
  assert.throws(() => socket.port, hasCode("failed"));
  assert.throws(() => socket.wake(), hasCode("failed"));
});

Deno.test("UdpSocket.setDscp() takes 0…63 on sockets of both families", async () => {
  for (const address of ["127.0.0.1", "::1", "::"]) {
    await using socket = UdpSocket.open({ address, port: 0 });
    socket.setDscp(63);
    socket.setDscp(0);
    assert.throws(() => socket.setDscp(64), { name: "NativeError" });
  }
});

Deno.test("FrameKernel.send() sends what build() gives, in every way of sending", async () => {
  await using from = UdpSocket.open(LOOPBACK);
  await using to = UdpSocket.open(LOOPBACK);
  using kernel = new FrameKernel();
  const { job, au } = largeJob();
  const expected = new Uint8Array(150 * 1440);
  kernel.build(job, au, expected);
  const destination = { address: "127.0.0.1", port: to.port };
  for (const mode of ["gso", "batch", "single"] as const) {
    kernel.setSendMode(mode);
    // Paced, so that the receiver's buffer holds the burst whatever the system grants.
    const pacing = { burstBytesMax: 65536, burstPacketsMax: 32, rateBytesPerSecond: 100_000_000 };
    assert.equal(kernel.send(job, au, { socket: from.handle, destination, pacing }), 0);
    assert.equal(kernel.sendMode, mode);
    for (let index = 0; index < 150; index++) {
      const { bytes } = await receiveOne(to);
      assert.equal(toHex(bytes), toHex(expected.subarray(index * 1440, (index + 1) * 1440)));
    }
  }
});

Deno.test("NativeKernel.send() counts what the system refuses, and fails on no socket", async () => {
  await using socket = UdpSocket.open(LOOPBACK);
  using kernel = openNativeKernel();
  const { job, au } = largeJob();
  const destination = { address: "255.255.255.255", port: 9 };
  const options = { socket: socket.handle, destination, pacing: AT_ONCE };
  assert.deepEqual(kernel.send(job, au, options), {
    packetCount: 150,
    bytes: 150 * 1440,
    refusedPackets: 150,
  });
  const nowhere = { ...options, socket: -1 as typeof socket.handle };
  assert.throws(() => kernel.send(job, au, nowhere), { name: "NativeError" });
  const unpaced = { ...options, pacing: { ...AT_ONCE, burstPacketsMax: 0 } };
  assert.throws(() => kernel.send(job, au, unpaced), { name: "NativeError" });
});

Deno.test("opening and closing wire handles leaves no descriptor behind", async () => {
  const count = () => [...Deno.readDirSync("/proc/self/fd")].length;
  const spec = {
    dataCount: 4,
    parityCount: 2,
    parityMatrix: new Uint8Array(8),
    cbcKey: new Uint8Array(16),
  };
  const openAll = async () => {
    const socket = UdpSocket.open(LOOPBACK);
    assert.throws(() => UdpSocket.open({ ...LOOPBACK, port: socket.port }));
    openNativeKernel().close();
    openNativePacketStream(spec).close();
    await socket.close();
  };
  await openAll();
  const before = count();
  for (let round = 0; round < 100; round++) await openAll();
  assert.equal(count(), before);
});

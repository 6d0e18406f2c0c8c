import assert from "node:assert/strict";
import { type SocketAddress, UdpSocket } from "../../../../ffi/wire.ts";
import { type SealedBatch, SealedReceiver } from "../../../../ffi/wire_receive.ts";
import { OperationError } from "../../../../src/lib/errors.ts";
import { openNativeKernel } from "../../../../src/media/wire/native_kernel.ts";
import { REPLAY_WINDOW_SIZE } from "../../../../src/protocol/punktfunk1/replay_window.ts";
import {
  DATAGRAM_SIZE_BYTES_MAX,
  VideoOpener,
} from "../../../../src/protocol/punktfunk1/video_opener.ts";
import { VideoPacketiser } from "../../../../src/protocol/punktfunk1/video_packetiser.ts";
import {
  hostSealRule,
  SealCounter,
  type SealSecrets,
} from "../../../../src/protocol/punktfunk1/video_seal.ts";
import {
  SEAL_CIPHERS,
  SEAL_SECRETS,
  SEALED_TEXT,
  SEALED_VECTORS,
} from "../../../support/punktfunk1_seal.ts";

const LOOPBACK: SocketAddress = { address: "127.0.0.1", port: 0 };
/** Long enough to be no limit: what is waited for has been sent. */
const WAIT_MS = 5_000;
const PACING = { burstBytesMax: 65536, burstPacketsMax: 64, rateBytesPerSecond: 0 };

const SECRETS = SEAL_SECRETS["aes-128-gcm"];

function openReceiver(socket: UdpSocket, secrets = SECRETS): SealedReceiver {
  return new SealedReceiver({
    socket: socket.handle,
    seal: hostSealRule(secrets),
    datagramSizeBytesMax: DATAGRAM_SIZE_BYTES_MAX,
    replayWindowSize: REPLAY_WINDOW_SIZE,
  });
}

/** Sealed packets of frames of `sizeBytes`, each with its number, from `first` on. */
function sealedFrames(
  { first, frames, sizeBytes, secrets = SECRETS }: {
    first: bigint;
    frames: number;
    sizeBytes: number;
    secrets?: SealSecrets;
  },
): Uint8Array<ArrayBuffer>[] {
  using kernel = openNativeKernel();
  const packetiser = openPacketiser(first, secrets);
  return Array.from({ length: frames }, (_, index) => {
    const au = new Uint8Array(sizeBytes).fill(index);
    const job = packetiser.plan({ sizeBytes, kind: "p", capturedAtUs: index, nowUs: index });
    const bytes = kernel.build(job, au);
    const datagramBytes = bytes.byteLength / job.packetCount;
    return Array.from(
      { length: job.packetCount },
      (_, at) => bytes.subarray(at * datagramBytes, (at + 1) * datagramBytes),
    );
  }).flat();
}

function openPacketiser(firstSequence = 0n, secrets = SECRETS): VideoPacketiser {
  return new VideoPacketiser({
    terms: { scheme: "gf65536", percent: 20, blockDataShardsMax: 64 },
    shardPayloadBytes: 1024,
    shardPayloadCeilingBytes: 1024,
    frameBytesMax: 8 * 1024 * 1024,
    seal: { secrets, counter: new SealCounter(firstSequence) },
    wallOffsetNs: 0n,
  });
}

/** Copies of the packets of a batch, and their numbers. */
function contentOf(batch: SealedBatch | null): { packets: string[]; sequences: bigint[] } {
  const packets: string[] = [];
  const sequences: bigint[] = [];
  for (let index = 0; index < (batch?.count ?? 0); index++) {
    packets.push(batch?.packet(index).toHex() ?? "");
    sequences.push(batch?.sequence(index) ?? -1n);
  }
  return { packets, sequences };
}

Deno.test("SealedReceiver opens what the vectors' host sealed and nothing that the client did", async () => {
  for (const { secrets, from: sender, sequence, datagram } of SEALED_VECTORS) {
    await using from = UdpSocket.open(LOOPBACK);
    await using to = UdpSocket.open(LOOPBACK);
    await using receiver = openReceiver(to, secrets);
    from.send(datagram, { ...LOOPBACK, port: to.port });
    const batch = await receiver.receive(WAIT_MS);
    const isOurs = sender === "host";
    assert.deepEqual(contentOf(batch), {
      packets: isOurs ? [new TextEncoder().encode(SEALED_TEXT).toHex()] : [],
      sequences: isOurs ? [sequence] : [],
    });
    const { opened, forged } = receiver.stats;
    assert.deepEqual([opened, forged], isOurs ? [1, 0] : [0, 1]);
  }
});

for (const cipher of SEAL_CIPHERS) {
  Deno.test(`SealedReceiver and VideoOpener agree on a ${cipher} stream that is bent, doubled and shuffled`, async () => {
    await using from = UdpSocket.open(LOOPBACK);
    await using to = UdpSocket.open(LOOPBACK);
    const secrets = SEAL_SECRETS[cipher];
    await using receiver = openReceiver(to, secrets);
    const opener = new VideoOpener(secrets);
    const destination = { ...LOOPBACK, port: to.port };
    const stream = [
      ...sealedFrames({ first: 1n << 40n, frames: 8, sizeBytes: 9_000, secrets }),
      // So far on that the numbers before are too old.
      ...sealedFrames({ first: (1n << 40n) + 200_000n, frames: 8, sizeBytes: 9_000, secrets }),
    ];
    let choice = 7;
    const below = (limit: number) => (choice = choice * 48271 % 2147483647) % limit;
    for (let round = 0; round < 20; round++) {
      const expected: string[] = [];
      for (let count = 0; count < 20; count++) {
        const datagram = stream[below(stream.length)]?.slice() ?? new Uint8Array(0);
        const kind = below(5);
        const at = below(datagram.byteLength);
        if (kind === 0) datagram[at] = (datagram[at] ?? 0) ^ 1 << below(8);
        const sent = kind === 1 ? datagram.subarray(0, below(48)) : datagram;
        from.send(sent, destination);
        const packet = opener.open(sent);
        if (packet !== undefined) expected.push(packet.toHex());
      }
      assert.deepEqual(contentOf(await receiver.receive(WAIT_MS)).packets, expected);
      const { opened, misshapen, forged, replayed } = receiver.stats;
      assert.deepEqual({ opened, misshapen, forged, replayed }, opener.stats);
    }
    assert.ok(Object.values(opener.stats).every((count) => count > 5), "not every fate was met");
  });
}

Deno.test("SealedReceiver opens what NativeKernel sends, in order and with its numbers and times", async () => {
  await using from = UdpSocket.open(LOOPBACK);
  await using to = UdpSocket.open(LOOPBACK);
  await using receiver = openReceiver(to);
  using kernel = openNativeKernel();
  const packetiser = openPacketiser();
  const destination = { ...LOOPBACK, port: to.port };
  let next = 0n;
  for (let frame = 0; frame < 5; frame++) {
    const au = new Uint8Array(30_000).fill(frame);
    const facts = { kind: "p", capturedAtUs: frame, nowUs: frame } as const;
    const job = packetiser.plan({ sizeBytes: au.byteLength, ...facts });
    kernel.send(job, au, { socket: from.handle, destination, pacing: PACING });
    const batch = await receiver.receive(WAIT_MS);
    assert.equal(batch?.count, job.packetCount);
    for (let index = 0; index < job.packetCount; index++) {
      assert.equal(batch.sequence(index), next++);
      assert.equal(batch.packet(index).byteLength, 1064);
      assert.ok(batch.arrivedAtUs(index) > 0 && batch.arrivedAtUs(index) <= batch.fetchedAtUs);
      if (index < 29) assert.ok(batch.packet(index).subarray(40).every((byte) => byte === frame));
    }
    assert.throws(() => batch.packet(job.packetCount), RangeError);
  }
  assert.equal(receiver.stats.bytes, Number(next) * 1088);
  assert.equal(receiver.stats.overflowed, 0);
  assert.ok(receiver.stats.bufferBytes > 0);
});

Deno.test("SealedBatch makes no new views for packets that lie where others lay", async () => {
  await using from = UdpSocket.open(LOOPBACK);
  await using to = UdpSocket.open(LOOPBACK);
  await using receiver = openReceiver(to);
  const destination = { ...LOOPBACK, port: to.port };
  const [first, second] = sealedFrames({ first: 0n, frames: 1, sizeBytes: 100 });
  assert.ok(first && second);
  from.send(first, destination);
  const view = (await receiver.receive(WAIT_MS))?.packet(0);
  assert.equal(view?.byteLength, 1064);
  from.send(second, destination);
  assert.equal((await receiver.receive(WAIT_MS))?.packet(0), view);
});

Deno.test("SealedReceiver hands plain datagrams over as they are", async () => {
  await using from = UdpSocket.open(LOOPBACK);
  await using to = UdpSocket.open(LOOPBACK);
  await using receiver = new SealedReceiver({
    socket: to.handle,
    seal: null,
    datagramSizeBytesMax: 3,
    replayWindowSize: 0,
  });
  for (const bytes of ["", "010203", "01020304", "ff"]) {
    from.send(Uint8Array.fromHex(bytes), { ...LOOPBACK, port: to.port });
  }
  assert.deepEqual(contentOf(await receiver.receive(WAIT_MS)), {
    packets: ["", "010203", "ff"],
    sequences: [0n, 0n, 0n],
  });
  assert.equal(receiver.stats.misshapen, 1);
});

Deno.test("SealedReceiver refuses options outside their limits and handles that are no socket", async () => {
  await using socket = UdpSocket.open(LOOPBACK);
  const good = {
    socket: socket.handle,
    seal: hostSealRule(SECRETS),
    datagramSizeBytesMax: 1500,
    replayWindowSize: 64,
  };
  const nothing = -1 as UdpSocket["handle"];
  for (
    const wrong of [
      { datagramSizeBytesMax: 23 },
      { datagramSizeBytesMax: 65536 },
      { replayWindowSize: 100 },
      { replayWindowSize: 2 ** 21 },
      { seal: null },
      { seal: { ...good.seal, tagOffset: 3 } },
      { socket: nothing },
    ]
  ) assert.throws(() => new SealedReceiver({ ...good, ...wrong }), { name: "NativeError" });
  const seal = { ...good.seal, key: new Uint8Array(15) };
  assert.throws(() => new SealedReceiver({ ...good, seal }), RangeError);
});

Deno.test("SealedReceiver.wake() and close() end the receive that waits, and a second one is refused", async () => {
  await using socket = UdpSocket.open(LOOPBACK);
  const receiver = openReceiver(socket);
  const waiting = receiver.receive(-1);
  await assert.rejects(
    receiver.receive(0),
    (error) => error instanceof OperationError && error.code === "failed",
  );
  receiver.wake();
  assert.equal(await waiting, null);
  const again = receiver.receive(-1);
  const closing = receiver.close();
  assert.equal(await again, null);
  await closing;
  await receiver.close();
  assert.equal(await receiver.receive(-1), null);
  assert.throws(() => receiver.wake(), OperationError);
});

Deno.test("SealedReceiver gives the socket and every descriptor back", async () => {
  await using from = UdpSocket.open(LOOPBACK);
  await using to = UdpSocket.open(LOOPBACK);
  const count = () => [...Deno.readDirSync("/proc/self/fd")].length;
  await openReceiver(to).close();
  const before = count();
  for (let round = 0; round < 50; round++) await openReceiver(to).close();
  assert.equal(count(), before);
  from.send(Uint8Array.of(5), { ...LOOPBACK, port: to.port });
  assert.deepEqual((await to.receive(WAIT_MS))?.bytes, Uint8Array.of(5));
});

/** Which of the numbers of `frames` frames arrive, and how many packets the kernel said it sent. */
async function sendDropping(dropPercent: number, frames: number) {
  await using from = UdpSocket.open(LOOPBACK);
  await using to = UdpSocket.open(LOOPBACK);
  await using receiver = openReceiver(to);
  using kernel = openNativeKernel({ dropPercent });
  const packetiser = openPacketiser();
  const au = new Uint8Array(30_000);
  const destination = { ...LOOPBACK, port: to.port };
  const arrived: bigint[] = [];
  let sent = 0;
  for (let frame = 0; frame < frames; frame++) {
    const facts = { kind: "p", capturedAtUs: frame, nowUs: frame } as const;
    const job = packetiser.plan({ sizeBytes: au.byteLength, ...facts });
    const result = kernel.send(job, au, { socket: from.handle, destination, pacing: PACING });
    assert.equal(result.refusedPackets, 0);
    sent += result.packetCount;
    arrived.push(...contentOf(await receiver.receive(WAIT_MS)).sequences);
  }
  return { sent, arrived, description: kernel.description };
}

Deno.test("NativeKernel drops its share of sealed packets, the same in each run, and says so", async () => {
  const { sent, arrived, description } = await sendDropping(30, 20);
  assert.match(description, /30 % dropped/);
  const share = 1 - arrived.length / sent;
  assert.ok(share > 0.25 && share < 0.35, `${share}`);
  // The numbers of dropped packets are used up.
  assert.equal(new Set(arrived).size, arrived.length);
  assert.ok((arrived.at(-1) ?? 0n) >= BigInt(sent) - 20n);
  assert.deepEqual((await sendDropping(30, 20)).arrived, arrived);
});

Deno.test("NativeKernel drops nothing unless told to, and refuses a share above 90", async () => {
  const { sent, arrived, description } = await sendDropping(0, 3);
  assert.equal(arrived.length, sent);
  assert.doesNotMatch(description, /dropped/);
  assert.throws(() => openNativeKernel({ dropPercent: 91 }), { name: "NativeError" });
});

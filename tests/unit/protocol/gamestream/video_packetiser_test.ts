import assert from "node:assert/strict";
import fc from "fast-check";
import { ProtocolError } from "../../../../src/lib/errors.ts";
import { createReferenceKernel } from "../../../../src/media/wire/reference_kernel.ts";
import { VIDEO_FRAME_PACKETS_MAX } from "../../../../src/protocol/gamestream/video_blocks.ts";
import {
  createVideoPacketiser,
  type VideoPacketiserOptions,
} from "../../../../src/protocol/gamestream/video_packetiser.ts";
import type {
  AccessUnitFacts,
  AccessUnitKind,
  WireJob,
} from "../../../../src/protocol/wire_job.ts";
import vectors from "../../../vectors/gamestream-video.json" with { type: "json" };

const KEY = Uint8Array.fromHex(vectors.encryption.rikey);
const SETTINGS: VideoPacketiserOptions = {
  packetSizeBytes: 1392,
  fecPercent: 20,
  minParityPackets: 2,
  key: null,
};
const PAYLOAD_SIZE_BYTES = SETTINGS.packetSizeBytes - 16;

const factsOf = (sizeBytes: number, changes: Partial<AccessUnitFacts> = {}): AccessUnitFacts => ({
  sizeBytes,
  kind: "p",
  capturedAtUs: 0,
  nowUs: 0,
  ...changes,
});

const header = (job: WireJob, packet: number) =>
  new DataView(
    job.headers.buffer,
    job.headers.byteOffset + packet * job.headerSizeBytes,
    job.headerSizeBytes,
  );
const sequences = (job: WireJob) =>
  Array.from({ length: job.packetCount }, (_, packet) => header(job, packet).getUint16(2));

/** The recorded frames as datagrams, cut from what the kernel made. */
function buildRecorded(key: Uint8Array | null): Uint8Array[][] {
  const { packetSize, fecPercent, minRequiredFecPackets, frames } = vectors.packetiser;
  const packetiser = createVideoPacketiser({
    packetSizeBytes: packetSize,
    fecPercent,
    minParityPackets: minRequiredFecPackets,
    key,
  });
  return frames.map((frame) => {
    const au = Uint8Array.fromHex(frame.encodedFrame);
    const capturedAtUs = frame.rtpTimestamp / 0.09;
    const job = packetiser.plan({
      sizeBytes: au.length,
      kind: frame.frameType === 2 ? "idr" : "p",
      capturedAtUs: Math.ceil(capturedAtUs),
      nowUs: Math.ceil(capturedAtUs) + frame.latencyTenthsMs * 100,
    });
    const bytes = createReferenceKernel().build(job, au);
    const size = bytes.length / job.packetCount;
    return Array.from(
      { length: job.packetCount },
      (_, packet) => bytes.slice(packet * size, (packet + 1) * size),
    );
  });
}

Deno.test("createVideoPacketiser() makes the recorded datagrams with the reference kernel", () => {
  const frames = buildRecorded(null).map((frame) => frame.map((bytes) => bytes.toHex()));
  assert.deepEqual(frames, vectors.packetiser.frames.map(({ datagrams }) => datagrams));
});

Deno.test("createVideoPacketiser() seals the recorded datagram and repeats no nonce", () => {
  const datagrams = buildRecorded(KEY).flat();
  assert.equal(datagrams[0]?.toHex(), vectors.encryption.wire);
  const nonces = datagrams.map((bytes) => bytes.subarray(0, 12).toHex());
  assert.equal(new Set(nonces).size, datagrams.length);
  assert.ok(nonces.every((nonce) => nonce.endsWith("00000056")));
  const frameIndices = datagrams.map((bytes) => bytes.subarray(12, 16).toHex());
  assert.deepEqual(frameIndices, [...Array(6).fill("01000000"), ...Array(3).fill("02000000")]);
});

Deno.test("Packetiser.plan() marks first and last data packet of each block, and the blocks", () => {
  const packetiser = createVideoPacketiser(SETTINGS);
  const job = packetiser.plan(factsOf(213 * PAYLOAD_SIZE_BYTES - 8));
  const blocks = job.blocks.slice(0, job.blockCount);
  assert.deepEqual(blocks.map(({ dataCount, parityCount }) => [dataCount, parityCount]), [
    [107, 22],
    [106, 22],
  ]);
  let packet = 0;
  blocks.forEach(({ dataCount, parityCount }, block) => {
    for (let shard = 0; shard < dataCount + parityCount; shard++) {
      const view = header(job, packet++);
      const expected = shard >= dataCount
        ? 0
        : 1 | (shard === 0 ? 4 : 0) | (shard === dataCount - 1 ? 2 : 0);
      assert.equal(view.getUint8(24), expected);
      assert.equal(view.getUint8(27), block << 4 | 1 << 6);
      assert.equal(view.getUint32(28, true), (dataCount << 22 | shard << 12 | 20 << 4) >>> 0);
    }
  });
  assert.equal(packet, job.packetCount);
  assert.deepEqual(sequences(job), Array.from({ length: packet }, (_, index) => index));
});

Deno.test("Packetiser.plan() writes the frame header of each kind", () => {
  const packetiser = createVideoPacketiser(SETTINGS);
  const prologue = (changes: Partial<AccessUnitFacts>, sizeBytes = 100) =>
    packetiser.plan(factsOf(sizeBytes, changes)).prologue.toHex();
  const kinds: [AccessUnitKind, string][] = [["p", "01"], ["idr", "02"], [
    "p-after-invalidation",
    "05",
  ]];
  for (const [kind, type] of kinds) assert.equal(prologue({ kind }), `010000${type}6c000000`);
  assert.equal(prologue({ nowUs: 1_249 }), "010c00016c000000");
  assert.equal(prologue({ nowUs: 60_000_000 }), "01ffff016c000000");
  assert.equal(prologue({ capturedAtUs: 500 }), "010000016c000000", "a clock that runs backwards");
  assert.equal(prologue({}, PAYLOAD_SIZE_BYTES - 8), "0100000160050000", "a full last packet");
  assert.equal(prologue({}, PAYLOAD_SIZE_BYTES - 7), "0100000101000000");
});

Deno.test("Packetiser.plan() keeps timestamps from running backwards and wraps them", () => {
  const packetiser = createVideoPacketiser(SETTINGS);
  const timestamp = (capturedAtUs: number) =>
    header(packetiser.plan(factsOf(1, { capturedAtUs })), 0).getUint32(4);
  assert.equal(timestamp(16_667), 1_500);
  assert.equal(timestamp(16_667), 1_500);
  assert.equal(timestamp(10_000), 1_500);
  assert.equal(timestamp(2 ** 32 * 100 / 9 + 1_000_000), 90_000);
});

Deno.test("Packetiser.plan() wraps the 16-bit sequence and the 24-bit packet number", () => {
  const packetiser = createVideoPacketiser({ ...SETTINGS, fecPercent: 0 });
  const largest = factsOf(VIDEO_FRAME_PACKETS_MAX * PAYLOAD_SIZE_BYTES - 8);
  let sent = 0;
  const isWrapDue = () => sent + VIDEO_FRAME_PACKETS_MAX >= 2 ** 24;
  while (!isWrapDue()) {
    const job = packetiser.plan(largest);
    assert.equal(header(job, 0).getUint16(2), sent % 2 ** 16);
    assert.equal(header(job, 0).getUint32(16, true), sent * 2 ** 8);
    sent += job.packetCount;
  }
  const job = packetiser.plan(largest);
  const last = header(job, job.packetCount - 1);
  sent += job.packetCount - 1;
  assert.equal(last.getUint16(2), sent % 2 ** 16);
  assert.equal(last.getUint32(16, true), sent % 2 ** 24 * 2 ** 8);
  assert.equal(job.sealCounter + BigInt(job.packetCount - 1), BigInt(sent));
});

Deno.test("Packetiser.plan() refuses a frame one packet too large and moves no number", () => {
  const packetiser = createVideoPacketiser(SETTINGS);
  const largestBytes = VIDEO_FRAME_PACKETS_MAX * PAYLOAD_SIZE_BYTES - 8;
  const first = packetiser.plan(factsOf(10));
  const counter = first.sealCounter + BigInt(first.packetCount);
  for (const sizeBytes of [largestBytes + 1, 0]) {
    assert.throws(
      () => packetiser.plan(factsOf(sizeBytes)),
      (error) => error instanceof ProtocolError && error.code === "limit",
    );
    assert.equal(packetiser.nextFrameIndex, 2);
  }
  const job = packetiser.plan(factsOf(largestBytes));
  assert.equal(job.packetCount, VIDEO_FRAME_PACKETS_MAX);
  assert.equal(job.sealCounter, counter);
  assert.equal(sequences(job)[0], 3);
  assert.equal(header(job, 0).getUint32(20, true), 2);
});

Deno.test("Packetiser.plan() reuses its job and its memory once it has grown", () => {
  const packetiser = createVideoPacketiser({ ...SETTINGS, key: KEY });
  const job = packetiser.plan(factsOf(100_000));
  const { headers, blocks, prologue, sealPrefix } = job;
  const next = packetiser.plan(factsOf(100_000));
  assert.equal(next, job);
  assert.equal(next.headers, headers);
  assert.equal(next.blocks, blocks);
  assert.equal(next.prologue, prologue);
  assert.equal(next.sealPrefix, sealPrefix);
  const smaller = packetiser.plan(factsOf(10));
  assert.equal(smaller.headers.buffer, headers.buffer);
  assert.equal(smaller.headers.byteLength, smaller.packetCount * 32);
});

Deno.test("Packetiser.plan() numbers every datagram once, whatever the frames", () => {
  const frame = fc.tuple(fc.integer({ min: 1, max: 400_000 }), fc.boolean());
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 8 }), fc.nat(255), (frames, fecPercent) => {
      const packetiser = createVideoPacketiser({ ...SETTINGS, fecPercent, key: KEY });
      let sent = 0;
      frames.forEach(([sizeBytes, isIdr], index) => {
        assert.equal(packetiser.nextFrameIndex, index + 1);
        const job = packetiser.plan(factsOf(sizeBytes, { kind: isIdr ? "idr" : "p" }));
        assert.equal(job.sealCounter, BigInt(sent));
        for (const sequence of sequences(job)) assert.equal(sequence, sent++ % 2 ** 16);
      });
    }),
    { numRuns: 30 },
  );
});

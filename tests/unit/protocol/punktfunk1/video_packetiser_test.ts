import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { ProtocolError } from "../../../../src/lib/errors.ts";
import { createReferenceKernel } from "../../../../src/media/wire/reference_kernel.ts";
import type { FecTerms } from "../../../../src/protocol/punktfunk1/fec_plan.ts";
import {
  decodeVideoHeader,
  ptsNsOf,
  VIDEO_HEADER_SIZE_BYTES,
  type VideoHeader,
} from "../../../../src/protocol/punktfunk1/video_header.ts";
import {
  FRAME_PACKETS_MAX,
  VideoPacketiser,
  type VideoPacketiserOptions,
} from "../../../../src/protocol/punktfunk1/video_packetiser.ts";
import { SealCounter } from "../../../../src/protocol/punktfunk1/video_seal.ts";
import type { AccessUnitFacts, WireJob } from "../../../../src/protocol/wire_job.ts";
import vectors from "../../../vectors/punktfunk1-video.json" with { type: "json" };

const TERMS: FecTerms = { scheme: "gf65536", percent: 10, blockDataShardsMax: 4096 };
const SECRETS = {
  cipher: "aes-128-gcm",
  key: Uint8Array.fromHex(vectors.key),
  salt: Uint8Array.fromHex(vectors.salt),
} as const;
const OPTIONS: VideoPacketiserOptions = {
  terms: TERMS,
  shardPayloadBytes: 512,
  shardPayloadCeilingBytes: 1408,
  frameBytesMax: 8 * 1024 * 1024,
  seal: null,
  wallOffsetNs: 0n,
};

const openPacketiser = (changes: Partial<VideoPacketiserOptions> = {}) =>
  new VideoPacketiser({ ...OPTIONS, ...changes });

const factsOf = (sizeBytes: number, changes: Partial<AccessUnitFacts> = {}): AccessUnitFacts => ({
  sizeBytes,
  kind: "p",
  capturedAtUs: 0,
  nowUs: 0,
  ...changes,
});

const headersOf = (job: WireJob): VideoHeader[] =>
  Array.from({ length: job.packetCount }, (_, packet) => {
    const from = packet * VIDEO_HEADER_SIZE_BYTES;
    return decodeVideoHeader(job.headers.subarray(from, from + VIDEO_HEADER_SIZE_BYTES));
  });

Deno.test("VideoPacketiser makes and seals the specification's frame with the reference kernel", () => {
  const { frame } = vectors;
  const packetiser = openPacketiser({
    seal: { secrets: SECRETS, counter: new SealCounter(BigInt(frame.firstSequence)) },
    wallOffsetNs: BigInt(frame.ptsNs) - 5_000n,
    firstFrameIndex: frame.frameIndex,
    firstStreamSequence: frame.firstSequence,
  });
  const au = Uint8Array.fromHex(frame.hex);
  const job = packetiser.plan(factsOf(au.length, { kind: "idr", capturedAtUs: 5 }));
  const bytes = createReferenceKernel().build(job, au);
  const size = bytes.length / job.packetCount;
  assert.equal(size, frame.shardPayloadBytes + 64);
  assert.equal(job.packetCount, frame.packets.length);
  frame.packets.forEach((packet, index) => {
    const datagram = bytes.slice(index * size, (index + 1) * size);
    const headerAt = index * VIDEO_HEADER_SIZE_BYTES;
    const header = job.headers.slice(headerAt, headerAt + VIDEO_HEADER_SIZE_BYTES);
    assert.equal(header.toHex(), packet.header);
    assert.equal(datagram.slice(0, 32).toHex(), packet.first32);
    assert.equal(datagram.slice(-16).toHex(), packet.tag);
    assert.equal(createHash("sha256").update(datagram).digest("hex"), packet.sha256);
  });
});

Deno.test("VideoPacketiser sends all data first and numbers packets in send order", () => {
  const packetiser = openPacketiser({
    terms: { scheme: "gf65536", percent: 50, blockDataShardsMax: 4 },
    seal: { secrets: SECRETS, counter: new SealCounter() },
  });
  const job = packetiser.plan(factsOf(6 * 512 - 3));
  const headers = headersOf(job);
  assert.deepEqual(
    headers.map((header) => [header.blockIndex, header.shardIndex, header.packetFlags]),
    [
      [0, 0, 5],
      [0, 1, 1],
      [0, 2, 1],
      [0, 3, 1],
      [1, 0, 1],
      [1, 1, 1],
      [0, 4, 1],
      [0, 5, 1],
      [1, 2, 1],
      [1, 3, 3],
    ],
  );
  for (const [index, header] of headers.entries()) {
    assert.equal(header.streamSequence, index);
    assert.equal(header.blockCount, 2);
    assert.equal(header.frameBytes, 6 * 512 - 3);
    assert.deepEqual([header.dataCount, header.parityCount], header.blockIndex ? [2, 2] : [4, 2]);
  }
  const next = packetiser.plan(factsOf(1));
  assert.equal(next.sealCounter, 10n);
  assert.equal(headersOf(next)[0]?.streamSequence, 10);
  assert.equal(headersOf(next)[0]?.frameIndex, 1);
});

Deno.test("VideoPacketiser marks the frame's end on its last data packet when there is no parity", () => {
  const packetiser = openPacketiser({ terms: { ...TERMS, percent: 0 } });
  const flags = (sizeBytes: number) =>
    headersOf(packetiser.plan(factsOf(sizeBytes))).map((header) => header.packetFlags);
  assert.deepEqual(flags(1), [7]);
  assert.deepEqual(flags(1025), [5, 1, 3]);
});

Deno.test("VideoPacketiser tells each kind of access unit in the user flags", () => {
  const packetiser = openPacketiser();
  const flags = (changes: Partial<AccessUnitFacts>) =>
    headersOf(packetiser.plan(factsOf(1, changes)))[0]?.userFlags;
  assert.equal(flags({ kind: "p" }), 0x001);
  assert.equal(flags({ kind: "idr" }), 0x005);
  assert.equal(flags({ kind: "p-after-invalidation" }), 0x021);
  assert.equal(flags({ kind: "p", isRepeat: true }), 0x101);
  assert.equal(flags({ kind: "idr", isRepeat: true }), 0x105);
  assert.equal(flags({ kind: "p", wave: "start" }), 0x011);
  assert.equal(flags({ kind: "p", wave: "close" }), 0x211);
});

Deno.test("VideoPacketiser writes capture times on the wall clock that never run backwards", () => {
  const packetiser = openPacketiser({ wallOffsetNs: 1_751_500_000_000_000_000n });
  const pts = (capturedAtUs: number) => {
    const [header] = headersOf(packetiser.plan(factsOf(1, { capturedAtUs })));
    return header && ptsNsOf(header);
  };
  assert.equal(pts(16_667), 1_751_500_000_016_667_000n);
  assert.equal(pts(16_000), 1_751_500_000_016_667_000n);
  assert.equal(pts(20_000.25), 1_751_500_000_020_000_000n);
});

Deno.test("VideoPacketiser wraps frame index and packet number at 32 bits", () => {
  const packetiser = openPacketiser({
    firstFrameIndex: 0xffff_ffff,
    firstStreamSequence: 0xffff_fffe,
  });
  const sequences = headersOf(packetiser.plan(factsOf(1))).map((header) => header.streamSequence);
  assert.deepEqual(sequences, [0xffff_fffe, 0xffff_ffff, 0]);
  assert.equal(packetiser.nextFrameIndex, 0);
});

Deno.test("VideoPacketiser.setFecPercent() holds from the next frame on", () => {
  const packetiser = openPacketiser();
  const parityOf = () => packetiser.plan(factsOf(100 * 512)).blocks[0]?.parityCount;
  assert.equal(parityOf(), 10);
  for (const percent of [0, 50, 90]) {
    packetiser.setFecPercent(percent);
    assert.equal(packetiser.fecPercent, percent);
    assert.equal(parityOf(), percent);
  }
  for (const percent of [-1, 91, 0.5, Number.NaN]) {
    assert.throws(() => packetiser.setFecPercent(percent), RangeError);
  }
  assert.equal(packetiser.fecPercent, 90);
});

Deno.test("VideoPacketiser.setShardPayload() holds from the next frame on, within its bounds", () => {
  const packetiser = openPacketiser();
  packetiser.setShardPayload(1408);
  const job = packetiser.plan(factsOf(1409));
  assert.equal(job.shardSizeBytes, 1448);
  assert.deepEqual(headersOf(job).map((header) => header.shardBytes), [1408, 1408, 1408, 1408]);
  for (const size of [510, 511, 513, 1410, 9154]) {
    assert.throws(() => packetiser.setShardPayload(size), ProtocolError);
  }
  assert.equal(packetiser.shardPayloadBytes, 1408);
});

Deno.test("VideoPacketiser refuses terms and sizes that no client accepts", () => {
  assert.throws(() => openPacketiser({ shardPayloadBytes: 511 }), ProtocolError);
  assert.throws(() => openPacketiser({ shardPayloadBytes: 1410 }), ProtocolError);
  assert.throws(() => openPacketiser({ terms: { ...TERMS, percent: 91 } }), ProtocolError);
  const terms = { ...TERMS, blockDataShardsMax: 4097 };
  assert.throws(() => openPacketiser({ terms }), ProtocolError);
});

Deno.test("VideoPacketiser refuses a frame that the client would drop, and moves no number", () => {
  const packetiser = openPacketiser({ seal: { secrets: SECRETS, counter: new SealCounter() } });
  const largest = OPTIONS.frameBytesMax;
  assert.throws(() => packetiser.plan(factsOf(largest + 1)), ProtocolError);
  assert.equal(packetiser.nextFrameIndex, 0);
  const job = packetiser.plan(factsOf(largest));
  assert.equal(job.sealCounter, 0n);
  assert.ok(job.packetCount <= FRAME_PACKETS_MAX);
  assert.equal(headersOf(packetiser.plan(factsOf(0)))[0]?.frameBytes, 0);
});

Deno.test("VideoPacketiser makes plain jobs without a seal, over the field of the scheme", () => {
  const plain = openPacketiser().plan(factsOf(1));
  assert.equal(plain.seal, null);
  assert.equal(plain.sealPrefix.byteLength, 0);
  assert.equal(plain.fieldBits, 16);
  const terms: FecTerms = { scheme: "gf256", percent: 10, blockDataShardsMax: 200 };
  const job = openPacketiser({ terms }).plan(factsOf(1));
  assert.equal(job.fieldBits, 8);
  assert.equal(headersOf(job)[0]?.fecScheme, 0);
});

const STREAMED: FecTerms = { scheme: "gf65536", percent: 50, blockDataShardsMax: 4 };
const totals = (job: WireJob) =>
  headersOf(job).map((header) => [
    header.blockIndex,
    header.blockCount,
    header.frameBytes,
    header.packetFlags,
  ]);

Deno.test("VideoPacketiser.planPart() sends full blocks before the size is known", () => {
  const packetiser = openPacketiser({ terms: STREAMED });
  packetiser.beginStreamed(factsOf(0, { kind: "idr" }), { isSliced: false });
  assert.equal(packetiser.partBytesMax, 2048);
  const first = packetiser.planPart(2048, { isLast: false });
  assert.equal(first.auSizeBytes, 2048);
  assert.deepEqual(totals(first), [0, 1, 2, 3, 4, 5].map((at) => [0, 0, 0, at === 0 ? 5 : 1]));
  assert.ok(headersOf(first).every((header) => header.userFlags === 5 && header.frameIndex === 0));
  assert.equal(packetiser.nextFrameIndex, 0);
  const last = packetiser.planPart(600, { isLast: true });
  assert.deepEqual(totals(last), [0, 1, 2, 3].map((at) => [1, 2, 2648, at === 3 ? 3 : 1]));
  assert.deepEqual(last.blocks[0], { dataCount: 2, parityCount: 2 });
  assert.equal(headersOf(last)[0]?.streamSequence, 6);
  assert.equal(packetiser.nextFrameIndex, 1);
});

Deno.test("VideoPacketiser.planPart() tells where a slice begins", () => {
  const packetiser = openPacketiser({ terms: STREAMED });
  packetiser.beginStreamed(factsOf(0), { isSliced: true });
  const begins = [512, 1024].map((size) => packetiser.planPart(size, { isLast: false }))
    .map((job) => headersOf(job)[0]);
  assert.deepEqual(begins.map((header) => header?.userFlags), [0x81, 0x81]);
  const last = packetiser.planPart(3, { isLast: true });
  assert.deepEqual(totals(last)[0], [2, 3, 1539, 1]);
});

Deno.test("VideoPacketiser.planPart() refuses parts that leave holes, and parts of nothing", () => {
  const packetiser = openPacketiser({ terms: STREAMED, frameBytesMax: 4096 });
  assert.throws(() => packetiser.planPart(512, { isLast: true }), RangeError);
  packetiser.beginStreamed(factsOf(0), { isSliced: false });
  for (const size of [0, 512, 2047, 2049]) {
    assert.throws(() => packetiser.planPart(size, { isLast: false }), RangeError);
  }
  assert.throws(() => packetiser.planPart(2049, { isLast: true }), RangeError);
  assert.throws(() => packetiser.planPart(0, { isLast: true }), RangeError);
  packetiser.planPart(2048, { isLast: false });
  packetiser.planPart(2048, { isLast: false });
  assert.throws(() => packetiser.planPart(1, { isLast: true }), ProtocolError);
});

Deno.test("VideoPacketiser lets nothing between the parts of a frame until it is done or abandoned", () => {
  const packetiser = openPacketiser({ terms: STREAMED });
  packetiser.beginStreamed(factsOf(0), { isSliced: true });
  assert.throws(() => packetiser.plan(factsOf(1)), RangeError);
  assert.throws(() => packetiser.setShardPayload(1024), RangeError);
  assert.throws(() => packetiser.beginStreamed(factsOf(0), { isSliced: true }), RangeError);
  packetiser.abandonStreamed();
  packetiser.abandonStreamed();
  assert.equal(packetiser.nextFrameIndex, 1);
  assert.equal(headersOf(packetiser.plan(factsOf(1)))[0]?.frameIndex, 1);
});

/**
 * Video from the packetiser through the reference kernel and a network that loses, to the access units a client decodes.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { createReferenceKernel } from "../../src/media/wire/reference_kernel.ts";
import {
  createVideoPacketiser,
  type VideoPacketiserOptions,
} from "../../src/protocol/gamestream/video_packetiser.ts";
import type { AccessUnitKind } from "../../src/protocol/wire_job.ts";
import { type ReceivedFrame, VideoAssembler } from "../client/video_assembler.ts";

const KEY = Uint8Array.from({ length: 16 }, (_, index) => index);
const SETTINGS: VideoPacketiserOptions = {
  packetSizeBytes: 160,
  fecPercent: 20,
  minParityPackets: 2,
  key: null,
};
const START_CODE = [0, 0, 0, 1];

/** An access unit in H.264's clothes; its bytes tell of `seed`, and none of them is a start code. */
function accessUnit(kind: AccessUnitKind, sizeBytes: number, seed: number): Uint8Array {
  const head = kind === "idr"
    ? [...START_CODE, 0x67, 0x64, ...START_CODE, 0x68, 0xee, ...START_CODE, 0x65]
    : [...START_CODE, 0x41];
  const filler = Math.max(1, sizeBytes - head.length);
  return Uint8Array.from([
    ...head,
    ...Array.from({ length: filler }, (_, index) => 2 + (index * 7 + seed * 13) % 250),
  ]);
}

/** A host's stream and a client's view of it. */
function openStream(changes: Partial<VideoPacketiserOptions> = {}) {
  const settings = { ...SETTINGS, ...changes };
  const packetiser = createVideoPacketiser(settings);
  const kernel = createReferenceKernel();
  const frames: ReceivedFrame[] = [];
  const losses: string[] = [];
  const assembler = new VideoAssembler({
    packetSizeBytes: settings.packetSizeBytes,
    key: settings.key,
    codec: "h264",
    onFrame: (frame) => frames.push(frame),
    onLost: ({ first, last }) => losses.push(`${first}-${last}`),
    nowMs: () => 0,
  });
  const sent: Uint8Array[] = [];
  let index = 0;
  /** Datagrams of the next frame. */
  const packetise = (kind: AccessUnitKind, sizeBytes: number): Uint8Array[] => {
    const au = accessUnit(kind, sizeBytes, sent.length);
    sent.push(au);
    const job = packetiser.plan({
      sizeBytes: au.length,
      kind,
      capturedAtUs: 16_667 * index,
      nowUs: 16_667 * index++ + 2_500,
    });
    const bytes = kernel.build(job, au);
    const size = bytes.length / job.packetCount;
    return Array.from(
      { length: job.packetCount },
      (_, packet) => bytes.slice(packet * size, (packet + 1) * size),
    );
  };
  const deliver = (
    datagrams: readonly Uint8Array[],
    isLost: (at: number) => boolean = () => false,
  ) => datagrams.forEach((bytes, at) => isLost(at) || assembler.accept(bytes));
  return { assembler, frames, losses, sent, packetise, deliver };
}

for (const key of [null, KEY]) {
  const name = key === null ? "plain" : "encrypted";
  Deno.test(`a client gets every ${name} frame back from an orderly network`, () => {
    const { assembler, frames, losses, sent, packetise, deliver } = openStream({ key });
    const sizes = [20, 136, 137, 500, 5_000, 40_000, 70_000];
    sizes.forEach((size, index) => deliver(packetise(index === 0 ? "idr" : "p", size)));
    assert.deepEqual(frames.map(({ data }) => data), sent);
    assert.deepEqual(frames.map(({ frameIndex }) => frameIndex), [1, 2, 3, 4, 5, 6, 7]);
    assert.deepEqual(frames.map(({ isKey }) => isKey), [true, ...Array(6).fill(false)]);
    assert.ok(frames.every(({ isDecodable }) => isDecodable));
    assert.ok(frames.every(({ hostLatencyTenthsMs }) => hostLatencyTenthsMs === 25));
    assert.equal(frames[6]?.blockCount, 3);
    assert.deepEqual(frames.map(({ timestamp }) => timestamp).slice(0, 3), [0, 1500, 3000]);
    assert.deepEqual(assembler.violations, []);
    assert.deepEqual(losses, []);
    const blockCount = frames.reduce((sum, frame) => sum + frame.blockCount, 0);
    assert.equal(assembler.stats.parityChecks, blockCount, "one check a block");
    assert.equal(assembler.stats.parityMismatches, 0);
    assert.equal(assembler.stats.lostDatagrams, 0);
  });
}

Deno.test("a client rebuilds a block from any of its packets, as many as it has data", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12_000 }),
      fc.integer({ min: 1, max: 255 }),
      fc.infiniteStream(fc.nat()),
      (sizeBytes, fecPercent, random) => {
        const { assembler, frames, sent, packetise, deliver } = openStream({ fecPercent });
        const datagrams = packetise("idr", sizeBytes);
        const dataCount = Math.ceil(((sent[0]?.length ?? 0) + 8) / (SETTINGS.packetSizeBytes - 16));
        // Only frames of one block here: the losses below are counted per block.
        fc.pre(dataCount <= Math.floor(25_500 / (100 + fecPercent)));
        const lost = new Set<number>();
        while (lost.size < datagrams.length - dataCount) {
          lost.add(random.next().value % datagrams.length);
        }
        deliver(datagrams, (at) => lost.has(at));
        assert.deepEqual(frames.map(({ data }) => data), sent);
        assert.deepEqual(assembler.violations, []);
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("a client loses the frame, and only that, when one packet too many is gone", () => {
  const { assembler, frames, losses, packetise, deliver } = openStream();
  deliver(packetise("idr", 1_000));
  const datagrams = packetise("p", 1_000);
  deliver(datagrams, (at) => at < 3);
  assert.equal(frames.length, 1);
  deliver(packetise("p", 1_000));
  assert.deepEqual(losses, ["2-2"]);
  assert.equal(frames[1]?.frameIndex, 3);
  assert.equal(frames[1]?.isDecodable, false, "it predicts from the lost frame");
  deliver(packetise("p-after-invalidation", 1_000));
  assert.equal(frames[2]?.isDecodable, true);
  assert.equal(frames[2]?.type, "p-after-invalidation");
  assert.equal(assembler.stats.lostDatagrams, 3);
  assert.equal(assembler.stats.lostFrames, 1);
  assert.deepEqual(assembler.violations, []);
});

Deno.test("a client counts frames of which nothing came, and cannot decode before a key frame", () => {
  const { frames, losses, packetise, deliver } = openStream();
  packetise("idr", 300);
  packetise("p", 300);
  deliver(packetise("p", 300));
  assert.deepEqual(losses, ["1-2"]);
  assert.equal(frames[0]?.isDecodable, false);
  deliver(packetise("idr", 300));
  assert.equal(frames[1]?.isDecodable, true);
});

Deno.test("a client gives up a frame of which a whole block is missing", () => {
  const { frames, losses, packetise, deliver } = openStream();
  deliver(packetise("idr", 300));
  const datagrams = packetise("p", 70_000);
  const blockOf = (at: number) => (datagrams[at]?.[27] ?? 0) >> 4 & 3;
  deliver(datagrams, (at) => blockOf(at) === 1);
  assert.deepEqual(losses, ["2-2"]);
  deliver(packetise("p", 300));
  assert.deepEqual(frames.map(({ frameIndex }) => frameIndex), [1, 3]);
  assert.deepEqual(losses, ["2-2"], "the loss is told once");
});

Deno.test("a client sees what a host does wrong", () => {
  const deliverChanged = (change: (datagrams: Uint8Array[]) => void) => {
    const { assembler, packetise, deliver } = openStream();
    deliver(packetise("idr", 300));
    const datagrams = packetise("p", 1_000);
    change(datagrams);
    deliver(datagrams);
    return assembler;
  };
  const set = (at: number, offset: number, value: number) => (datagrams: Uint8Array[]) => {
    const bytes = datagrams[at];
    if (bytes !== undefined) bytes[offset] = value;
  };
  assert.match(deliverChanged(set(1, 24, 5)).violations[0] ?? "", /flags 5/);
  assert.match(deliverChanged(set(1, 17, 9)).violations[0] ?? "", /packet number/);
  assert.match(deliverChanged(set(1, 7, 9)).violations[0] ?? "", /contradicts its block/);
  assert.match(deliverChanged(set(0, 32, 2)).violations[0] ?? "", /no good frame header/);
  assert.match(deliverChanged(set(0, 35, 2)).violations[0] ?? "", /type idr, key: false/);
  assert.equal(deliverChanged(set(1, 0, 0x80)).stats.noise, 1);
  const swapped = deliverChanged((datagrams) =>
    datagrams.splice(0, 2, ...datagrams.slice(0, 2).reverse())
  );
  assert.match(swapped.violations[0] ?? "", /sequence/);
  const spoilt = deliverChanged((datagrams) =>
    datagrams.slice(-2).forEach((bytes) => bytes.fill(0xaa, 40))
  );
  assert.equal(spoilt.stats.parityMismatches, 1);
});

Deno.test("a client takes datagrams under another key, and every other size, for noise", () => {
  const { assembler, packetise } = openStream({ key: KEY });
  const [datagram = new Uint8Array(0)] = packetise("idr", 300);
  for (let length = 0; length < datagram.length; length += 7) {
    assembler.accept(datagram.subarray(0, length));
  }
  const forged = datagram.slice();
  forged[100] = (forged[100] ?? 0) ^ 1;
  assembler.accept(forged);
  assert.equal(assembler.stats.noise, assembler.stats.datagrams);
  assembler.accept(datagram);
  assembler.accept(datagram);
  assert.match(assembler.violations.join(), /nonce .* is repeated/);
});

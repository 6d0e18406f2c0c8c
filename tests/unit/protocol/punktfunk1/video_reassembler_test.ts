import assert from "node:assert/strict";
import fc from "fast-check";
import { ProtocolError } from "../../../../src/lib/errors.ts";
import type { FecTerms } from "../../../../src/protocol/punktfunk1/fec_plan.ts";
import {
  decodeVideoHeader,
  encodeVideoHeader,
  USER_FLAG_PROBE,
  USER_FLAG_SLICE_STREAMED,
  type VideoHeader,
} from "../../../../src/protocol/punktfunk1/video_header.ts";
import type { VideoPacketiserOptions } from "../../../../src/protocol/punktfunk1/video_packetiser.ts";
import {
  type ReceivedVideoFrame,
  type VideoGap,
  VideoReassembler,
  type VideoReassemblerOptions,
} from "../../../../src/protocol/punktfunk1/video_reassembler.ts";
import {
  FRAME_BYTES_MAX,
  SHARD_PAYLOAD_BYTES,
  TERMS,
  testAccessUnit,
  TestVideoStream,
} from "../../../support/punktfunk1_video.ts";

const SMALL_BLOCKS: FecTerms = { scheme: "gf65536", percent: 50, blockDataShardsMax: 4 };

function openClient(changes: Partial<VideoReassemblerOptions> = {}) {
  const frames: (Omit<ReceivedVideoFrame, "data"> & { readonly data: Uint8Array })[] = [];
  const gaps: VideoGap[] = [];
  const reassembler = new VideoReassembler({
    terms: TERMS,
    shardPayloadCeilingBytes: SHARD_PAYLOAD_BYTES,
    frameBytesMax: FRAME_BYTES_MAX,
    onFrame: (frame) => frames.push({ ...frame, data: frame.data.slice() }),
    onGap: (gap) => gaps.push(gap),
    ...changes,
  });
  const deliver = (packets: readonly Uint8Array[], nowUs = 0) => {
    for (const packet of packets) reassembler.accept(packet, nowUs);
  };
  const indices = () => frames.map(({ frameIndex }) => frameIndex);
  return { reassembler, frames, gaps, deliver, indices };
}

function openBoth(
  host: Partial<VideoPacketiserOptions> = {},
  client: Partial<VideoReassemblerOptions> = {},
) {
  const stream = new TestVideoStream(host);
  const { terms = TERMS } = host;
  return { stream, ...openClient({ terms, ...client }) };
}

/** A copy of `packet` with another header. */
function withHeader(packet: Uint8Array, changes: Partial<VideoHeader>): Uint8Array {
  const changed = packet.slice();
  encodeVideoHeader({ ...decodeVideoHeader(packet), ...changes }, new DataView(changed.buffer));
  return changed;
}

Deno.test("VideoReassembler gives every frame back from an orderly network", () => {
  for (const terms of [TERMS, SMALL_BLOCKS]) {
    const { stream, reassembler, frames, gaps, deliver } = openBoth({ terms });
    const sizes = [0, 1, 511, 512, 513, 2_048, 2_049, 20_000];
    sizes.forEach((size, at) => deliver(stream.next(size, { kind: at === 0 ? "idr" : "p" }), at));
    assert.deepEqual(
      frames.map(({ data }) => data),
      sizes.map((size, index) => testAccessUnit(index, size)),
    );
    assert.deepEqual(frames.map(({ userFlags }) => userFlags), [5, 1, 1, 1, 1, 1, 1, 1]);
    assert.deepEqual(frames.map(({ deliveredAtUs }) => deliveredAtUs), sizes.map((_, at) => at));
    assert.equal(frames[2]?.ptsNs, 1_751_500_000_000_000_000n + 2n * 16_667_000n);
    assert.deepEqual(gaps, []);
    assert.equal(reassembler.inFlightBytes, 0);
    assert.equal(reassembler.stats.frames, sizes.length);
    assert.equal(reassembler.stats.refusedPackets + reassembler.stats.recoveredShards, 0);
  }
});

Deno.test("VideoReassembler rebuilds a frame from any packets as many as each block has data", () => {
  const schemes: FecTerms[] = [SMALL_BLOCKS, { ...SMALL_BLOCKS, scheme: "gf256" }];
  fc.assert(
    fc.property(
      fc.constantFrom(...schemes),
      fc.integer({ min: 1, max: 9_000 }),
      fc.infiniteStream(fc.nat()),
      (terms, sizeBytes, random) => {
        const { stream, reassembler, frames, deliver } = openBoth({ terms });
        const packets = stream.next(sizeBytes).map((bytes) => ({
          bytes,
          header: decodeVideoHeader(bytes),
          rank: random.next().value,
        })).sort((a, b) => a.rank - b.rank);
        const taken = new Map<number, number>();
        const arrived = packets.filter(({ header }) => {
          const count = taken.get(header.blockIndex) ?? 0;
          taken.set(header.blockIndex, count + 1);
          return count < header.dataCount;
        });
        deliver(arrived.map(({ bytes }) => bytes));
        assert.deepEqual(frames.map(({ data }) => data), [testAccessUnit(0, sizeBytes)]);
        const parity = arrived.filter(({ header }) => header.shardIndex >= header.dataCount);
        assert.equal(reassembler.stats.recoveredShards, parity.length);
        assert.equal(frames[0]?.recoveredCount, parity.length);
        assert.equal(reassembler.inFlightBytes, 0);
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("VideoReassembler delivers in order what arrives out of order", () => {
  const { stream, frames, gaps, deliver, indices } = openBoth();
  const packets = [0, 1, 2].map(() => stream.next(1_000));
  deliver(packets[2] ?? [], 1);
  deliver(packets[1] ?? [], 2);
  assert.deepEqual(indices(), []);
  deliver(packets[0] ?? [], 3);
  assert.deepEqual(indices(), [0, 1, 2]);
  assert.deepEqual(frames.map((frame) => [frame.firstPacketAtUs, frame.deliveredAtUs]), [
    [3, 3],
    [2, 3],
    [1, 3],
  ]);
  assert.deepEqual(gaps, []);
});

Deno.test("VideoReassembler gives up a frame when the newest is more than 120 ms ahead", () => {
  const { stream, gaps, deliver, indices } = openBoth();
  deliver(stream.next(1_000));
  deliver(stream.next(2_000).slice(0, 1));
  // Frames are 16.667 ms apart: the seventh after it is 116.7 ms ahead, the eighth 133.3 ms.
  for (let ahead = 1; ahead <= 7; ahead++) deliver(stream.next(1_000));
  assert.deepEqual(indices(), [0]);
  deliver(stream.next(1_000).slice(0, 1));
  assert.deepEqual(indices(), [0, 2, 3, 4, 5, 6, 7, 8]);
  assert.deepEqual(gaps, [{ first: 1, last: 1 }]);
});

Deno.test("VideoReassembler gives up a frame when the newest is more than 64 indices ahead", () => {
  const { stream, gaps, reassembler, deliver, indices } = openBoth();
  stream.next(2_000).slice(0, 1).forEach((packet) => reassembler.accept(packet, 0));
  const still = { capturedAtUs: 0 };
  for (let ahead = 1; ahead <= 64; ahead++) deliver(stream.next(100, still));
  assert.deepEqual(indices(), []);
  deliver(stream.next(100, still).slice(0, 1));
  assert.equal(indices().length, 65);
  assert.deepEqual(gaps, [{ first: 0, last: 0 }]);
  assert.equal(reassembler.inFlightBytes, 0);
});

Deno.test("VideoReassembler waits for a frame of which nothing came as for the one before it", () => {
  const { stream, gaps, deliver, indices } = openBoth();
  deliver(stream.next(100));
  stream.next(100);
  for (let ahead = 1; ahead <= 6; ahead++) deliver(stream.next(100));
  assert.deepEqual(indices(), [0]);
  deliver(stream.next(100));
  assert.deepEqual(indices(), [0, 2, 3, 4, 5, 6, 7, 8]);
  assert.deepEqual(gaps, [{ first: 1, last: 1 }]);
});

Deno.test("VideoReassembler shows the frame after a still screen at once", () => {
  const { stream, gaps, deliver, indices } = openBoth();
  deliver(stream.next(100, { capturedAtUs: 0 }));
  deliver(stream.next(100, { capturedAtUs: 1_000_000 }));
  assert.deepEqual(indices(), [0, 1]);
  stream.next(100, { capturedAtUs: 2_000_000 });
  deliver(stream.next(100, { capturedAtUs: 3_000_000 }));
  assert.deepEqual(indices(), [0, 1, 3]);
  assert.deepEqual(gaps, [{ first: 2, last: 2 }]);
});

Deno.test("VideoReassembler tells one gap for all frames lost in a row, also over the index's end", () => {
  const firstFrameIndex = 0xffff_fff0;
  const { stream, gaps, reassembler, deliver, indices } = openBoth({ firstFrameIndex }, {
    firstFrameIndex,
  });
  deliver(stream.next(100));
  for (let lost = 0; lost < 300; lost++) stream.next(10);
  deliver(stream.next(100));
  assert.deepEqual(indices(), [0xffff_fff0, 285]);
  assert.deepEqual(gaps, [{ first: 0xffff_fff1, last: 284 }]);
  assert.equal(reassembler.stats.lostFrames, 300);
});

Deno.test("VideoReassembler leaps over a gap of a billion frames without counting them one by one", () => {
  const { stream, gaps, deliver, indices } = openBoth();
  const packets = [0, 1].map(() => stream.next(100)).map((packets) => packets.slice(0, 1));
  const leapt = (packets[1] ?? []).map((packet) =>
    withHeader(packet, { frameIndex: 1_000_000_000 })
  );
  deliver(packets[0] ?? []);
  deliver(leapt);
  assert.deepEqual(indices(), [0]);
  assert.deepEqual(gaps, [{ first: 1, last: 1_000_000_000 - 65 }]);
});

Deno.test("VideoReassembler ignores packets of finished frames, and repeated ones", () => {
  const { stream, reassembler, deliver, indices } = openBoth();
  const first = stream.next(1_000);
  deliver(first.slice(0, 1));
  deliver(first.slice(0, 1));
  assert.equal(reassembler.stats.duplicatePackets, 1);
  deliver(first.slice(1));
  deliver(first);
  assert.equal(reassembler.stats.latePackets, first.length + 2, "its parity came late as well");
  assert.deepEqual(indices(), [0]);
  assert.equal(reassembler.inFlightBytes, 0);
});

Deno.test("VideoReassembler counts rebuilt shards that arrive after all, before and after delivery", () => {
  const { stream, reassembler, deliver, indices } = openBoth({ terms: SMALL_BLOCKS });
  const packets = stream.next(8 * SHARD_PAYLOAD_BYTES);
  const [held, second] = [packets[0] ?? [], packets[4] ?? []] as [Uint8Array, Uint8Array];
  deliver([...packets.slice(1, 4), ...packets.slice(8, 10)]);
  assert.equal(reassembler.stats.recoveredShards, 1);
  deliver([held, held]);
  assert.equal(reassembler.stats.lateRecoveredShards, 1);
  assert.equal(reassembler.stats.duplicatePackets, 1);
  deliver([...packets.slice(5, 8), ...packets.slice(10)]);
  assert.deepEqual(indices(), [0]);
  deliver([second, second, held]);
  assert.equal(reassembler.stats.recoveredShards, 2);
  assert.equal(reassembler.stats.lateRecoveredShards, 2);
});

Deno.test("VideoReassembler counts probe filler and keeps it from the video", () => {
  const { stream, reassembler, deliver, indices } = openBoth();
  const packets = stream.next(100).map((packet) =>
    withHeader(packet, { userFlags: USER_FLAG_PROBE, frameIndex: 77 })
  );
  deliver(packets);
  assert.equal(reassembler.stats.probePackets, packets.length);
  assert.equal(reassembler.stats.probeBytes, packets.length * (40 + SHARD_PAYLOAD_BYTES));
  deliver(stream.next(100));
  assert.deepEqual(indices(), []);
  assert.equal(reassembler.stats.packets, 3);
});

Deno.test("VideoReassembler refuses every packet that no frame can have", () => {
  const { stream, reassembler } = openBoth({ terms: SMALL_BLOCKS });
  const [packet = new Uint8Array(0)] = stream.next(10 * SHARD_PAYLOAD_BYTES);
  const last = { blockIndex: 2, dataCount: 2 };
  const wrong: Partial<VideoHeader>[] = [
    { shardBytes: 510 },
    { shardBytes: 511 },
    { shardBytes: 514 },
    { dataCount: 0 },
    { dataCount: 3 },
    { dataCount: 5 },
    { parityCount: 5 },
    { parityCount: 0xffff },
    { shardIndex: 6 },
    { frameBytes: FRAME_BYTES_MAX + 1 },
    { frameBytes: 8 * SHARD_PAYLOAD_BYTES },
    { blockCount: 2 },
    { blockCount: 4 },
    { blockCount: 0 },
    { blockIndex: 2 },
    { blockIndex: 3 },
    { ...last, dataCount: 1 },
    { ...last, dataCount: 3 },
    { blockCount: 0, frameBytes: 0, dataCount: 3 },
    { blockCount: 0, frameBytes: 0, blockIndex: 0xffff },
  ];
  for (const changes of wrong) reassembler.accept(withHeader(packet, changes), 0);
  for (let length = 0; length < packet.length; length++) {
    reassembler.accept(packet.subarray(0, length), 0);
  }
  const magic = packet.slice();
  magic[36] = 0xc8;
  reassembler.accept(magic, 0);
  assert.equal(reassembler.stats.refusedPackets, wrong.length + packet.length + 1);
  assert.equal(reassembler.stats.packets, 0);
  assert.equal(reassembler.inFlightBytes, 0);
  const right: Partial<VideoHeader>[] = [{}, last, { version: 9, fecScheme: 7, packetFlags: 0 }];
  for (const changes of right) reassembler.accept(withHeader(packet, changes), 0);
  reassembler.accept(new Uint8Array([...packet, 1, 2, 3]), 0);
  assert.equal(reassembler.stats.packets, right.length + 1);
});

Deno.test("VideoReassembler lets only as much parity through as its code has", () => {
  const open = (terms: FecTerms) => {
    const client = openClient({ terms });
    const [packet = new Uint8Array(0)] = new TestVideoStream().next(100);
    return (changes: Partial<VideoHeader>) => {
      client.reassembler.accept(withHeader(packet, changes), 0);
      return client.reassembler.stats.packets;
    };
  };
  const gf256 = open({ scheme: "gf256", percent: 10, blockDataShardsMax: 200 });
  assert.equal(gf256({ parityCount: 255 }), 0);
  assert.equal(gf256({ parityCount: 254 }), 1);
  const gf65536 = open({ scheme: "gf65536", percent: 10, blockDataShardsMax: 40_000 });
  const frameBytes = 10_000 * SHARD_PAYLOAD_BYTES;
  assert.equal(gf65536({ frameBytes, dataCount: 10_000, parityCount: 60_000 }), 0);
  assert.equal(gf65536({ frameBytes, dataCount: 10_000, parityCount: 40_000 }), 1);
});

Deno.test("VideoReassembler refuses packets that contradict their frame or block", () => {
  const { stream, reassembler, deliver, indices } = openBoth({ terms: SMALL_BLOCKS });
  const packets = stream.next(5 * SHARD_PAYLOAD_BYTES);
  const [first = new Uint8Array(0), second = new Uint8Array(0)] = packets;
  deliver([first]);
  const wrong: Partial<VideoHeader>[] = [
    { frameBytes: 5 * SHARD_PAYLOAD_BYTES - 1 },
    { frameBytes: 9 * SHARD_PAYLOAD_BYTES, blockCount: 3 },
    { parityCount: 1 },
    { blockIndex: 0, blockCount: 1, dataCount: 3, frameBytes: 3 * SHARD_PAYLOAD_BYTES },
    { userFlags: 1 | USER_FLAG_SLICE_STREAMED, blockIndex: 1, blockCount: 2, dataCount: 1 },
    { blockIndex: 1, blockCount: 0, frameBytes: 0 },
  ];
  for (const changes of wrong) reassembler.accept(withHeader(second, changes), 0);
  assert.equal(reassembler.stats.refusedPackets, wrong.length);
  deliver([withHeader(second, { userFlags: 0x305 })]);
  deliver(packets.slice(2));
  assert.deepEqual(indices(), [0], "other flags may differ");
});

Deno.test("VideoReassembler takes shards up to the ceiling after a change of size", () => {
  const ceiling = { shardPayloadCeilingBytes: 1_024 };
  const { stream, deliver, frames, indices } = openBoth(ceiling, ceiling);
  deliver(stream.next(3_000));
  stream.packetiser.setShardPayload(1_024);
  deliver(stream.next(3_000));
  assert.deepEqual(indices(), [0, 1]);
  assert.deepEqual(frames[1]?.data, testAccessUnit(1, 3_000));
});

Deno.test("VideoReassembler puts a frame together that was streamed in full blocks, in any order", () => {
  const sizes = [[2_048, 2_048, 7], [2_048, 2_048], [100]];
  for (const partSizes of sizes) {
    const sizeBytes = partSizes.reduce((sum, size) => sum + size, 0);
    const { stream, deliver, frames } = openBoth({ terms: SMALL_BLOCKS });
    const parts = stream.nextStreamed(sizeBytes, { partSizes, isSliced: false });
    deliver(parts.flat());
    const reversed = stream.nextStreamed(sizeBytes, { partSizes, isSliced: false });
    deliver(reversed.flat().reverse());
    assert.deepEqual(
      frames.map(({ data }) => data),
      [0, 1].map((index) => testAccessUnit(index, sizeBytes)),
    );
  }
});

Deno.test("VideoReassembler puts slices together, and rebuilds lost ones", () => {
  const partSizes = [512, 2_048, 1_024, 600];
  const { stream, reassembler, deliver, frames } = openBoth({ terms: SMALL_BLOCKS });
  const slices = { partSizes, isSliced: true };
  deliver(stream.nextStreamed(4_184, slices).flat());
  deliver(stream.nextStreamed(4_184, slices).flat().reverse());
  const lossy = stream.nextStreamed(4_184, slices);
  lossy.forEach((packets) => deliver(packets.slice(1)));
  assert.deepEqual(
    frames.map(({ data }) => data),
    [0, 1, 2].map((index) => testAccessUnit(index, 4_184)),
  );
  assert.ok(reassembler.stats.recoveredShards >= 4);
  assert.equal(reassembler.inFlightBytes, 0);
});

Deno.test("VideoReassembler gives up a frame whose slices leave a hole", () => {
  const terms = { ...SMALL_BLOCKS, percent: 0 };
  const { stream, gaps, deliver, indices } = openBoth({ terms });
  const parts = stream.nextStreamed(1_600, { partSizes: [512, 512, 576], isSliced: true });
  const moved = parts.map((packets, part) =>
    part === 1 ? packets.map((packet) => withHeader(packet, { frameBytes: 1_024 })) : packets
  );
  deliver(moved.flat());
  assert.deepEqual(gaps, [{ first: 0, last: 0 }]);
  deliver(stream.next(10));
  assert.deepEqual(indices(), [1]);
});

Deno.test("VideoReassembler refuses slices at places that no frame has", () => {
  const { stream, reassembler } = openBoth({ terms: SMALL_BLOCKS });
  const parts = stream.nextStreamed(1_600, { partSizes: [512, 1_088], isSliced: true });
  const [first = new Uint8Array(0)] = parts[0] ?? [];
  const [last = new Uint8Array(0)] = parts[1] ?? [];
  const wrong: [Uint8Array, Partial<VideoHeader>][] = [
    [first, { frameBytes: 100 }],
    [first, { frameBytes: 512 }],
    [first, { blockIndex: 1 }],
    [first, { blockIndex: 3, frameBytes: 1_024 }],
    [first, { blockIndex: 1, frameBytes: FRAME_BYTES_MAX }],
    [last, { blockIndex: 0 }],
    [last, { blockCount: 3 }],
    [last, { frameBytes: 512 }],
    [last, { frameBytes: 3 * 512 }],
  ];
  for (const [packet, changes] of wrong) reassembler.accept(withHeader(packet, changes), 0);
  assert.equal(reassembler.stats.refusedPackets, wrong.length);
});

Deno.test("VideoReassembler holds four of the largest frames, and gives up the oldest for the next", () => {
  const frameBytesMax = 64 * SHARD_PAYLOAD_BYTES;
  const terms = { ...TERMS, percent: 0 };
  const { stream, reassembler, gaps, deliver, indices } = openBoth({ terms }, { frameBytesMax });
  for (let frame = 0; frame < 6; frame++) {
    deliver(stream.next(60 * SHARD_PAYLOAD_BYTES, { capturedAtUs: 0 }).slice(0, 59));
    assert.ok(reassembler.inFlightBytes <= 4 * frameBytesMax);
  }
  assert.ok(gaps.length > 0);
  assert.deepEqual(gaps.map(({ first }) => first), gaps.map((_, index) => index));
  deliver(stream.next(600));
  assert.deepEqual(indices(), []);
  for (let frame = 0; frame < 10; frame++) deliver(stream.next(600));
  assert.deepEqual(indices(), Array.from({ length: 11 }, (_, index) => 6 + index));
  assert.equal(reassembler.inFlightBytes, 0);
});

Deno.test("VideoReassembler releases a frame that its consumer could not take", () => {
  const stream = new TestVideoStream();
  const { reassembler } = openClient({
    onFrame: () => {
      throw new Error("Cannot decode");
    },
  });
  const packets = stream.next(100).slice(0, 1);
  assert.throws(() => packets.forEach((packet) => reassembler.accept(packet, 0)), /Cannot decode/);
  assert.equal(reassembler.inFlightBytes, 0);
});

Deno.test("VideoReassembler hands blocks with losses to the decoder it was given", () => {
  const calls: string[] = [];
  const { stream, frames, deliver } = openBoth({ terms: SMALL_BLOCKS }, {
    decodeBlock: ({ dataCount, parityCount, data, parity, present }) => {
      calls.push(`${dataCount}+${parityCount} ${present.join("")}`);
      assert.equal(data.byteLength, dataCount * SHARD_PAYLOAD_BYTES);
      assert.equal(parity.byteLength, parityCount * SHARD_PAYLOAD_BYTES);
      data.fill(7, 2 * SHARD_PAYLOAD_BYTES, 3 * SHARD_PAYLOAD_BYTES);
    },
  });
  const packets = stream.next(4 * SHARD_PAYLOAD_BYTES);
  deliver([...packets.slice(0, 2), ...packets.slice(3)]);
  assert.deepEqual(calls, ["4+2 110110"]);
  assert.deepEqual(frames[0]?.data.slice(1_024, 1_536), new Uint8Array(512).fill(7));
});

Deno.test("VideoReassembler refuses terms under which a frame may have more blocks than can be counted", () => {
  const terms = { ...TERMS, percent: 0, blockDataShardsMax: 1 };
  openClient({ terms, frameBytesMax: 65_535 * 512 });
  assert.throws(() => openClient({ terms, frameBytesMax: 65_535 * 512 + 1 }), ProtocolError);
});

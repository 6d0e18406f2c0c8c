import assert from "node:assert/strict";
import fc from "fast-check";
import { BlockRebuilder } from "../../../../ffi/wire_rebuild.ts";
import { concatBytes } from "../../../../src/lib/bytes.ts";
import { OperationError } from "../../../../src/lib/errors.ts";
import { encodeLeopard16, reconstructLeopard16 } from "../../../../src/protocol/fec/leopard16.ts";
import { VideoReassembler } from "../../../../src/protocol/punktfunk1/video_reassembler.ts";
import {
  FRAME_BYTES_MAX,
  SHARD_PAYLOAD_BYTES,
  TERMS,
  testAccessUnit,
  TestVideoStream,
} from "../../../support/punktfunk1_video.ts";

/** A block whose shards count up, without those at `lost`. */
function lossyBlock(
  { dataCount, parityCount, sizeBytes, lost }: {
    readonly dataCount: number;
    readonly parityCount: number;
    readonly sizeBytes: number;
    readonly lost: readonly number[];
  },
) {
  const shards = Array.from(
    { length: dataCount },
    (_, shard) => Uint8Array.from({ length: sizeBytes }, (_, at) => shard * 31 + at * 7),
  );
  const parity = encodeLeopard16(shards, parityCount);
  const present = new Uint8Array(dataCount + parityCount).fill(1);
  for (const index of lost) present[index] = 0;
  const keep = (shard: Uint8Array, index: number) =>
    present[index] === 0 ? new Uint8Array(sizeBytes).fill(0xee) : shard;
  return {
    dataCount,
    parityCount,
    present,
    data: concatBytes(...shards.map(keep)),
    parity: concatBytes(...parity.map((shard, index) => keep(shard, dataCount + index))),
    whole: concatBytes(...shards),
    known: [...shards, ...parity].map((shard, index) => present[index] === 0 ? undefined : shard),
  };
}

const arbitraryLoss = fc.record({
  dataCount: fc.integer({ min: 1, max: 40 }),
  parityCount: fc.integer({ min: 1, max: 40 }),
  sizeBytes: fc.integer({ min: 1, max: 150 }).map((half) => 2 * half),
  order: fc.infiniteStream(fc.nat()),
  share: fc.double({ min: 0, max: 1, noNaN: true }),
}, { noNullPrototype: true }).map(({ order, share, ...shape }) => {
  const indices = Array.from({ length: shape.dataCount + shape.parityCount }, (_, index) => index);
  const lost: number[] = [];
  const wanted = Math.round(share * shape.parityCount);
  for (const choice of order) {
    if (lost.length === wanted) break;
    lost.push(...indices.splice(choice % indices.length, 1));
  }
  return { ...shape, lost };
});

Deno.test("BlockRebuilder and reconstructLeopard16() rebuild the same from arbitrary losses", () => {
  using rebuilder = new BlockRebuilder();
  fc.assert(
    fc.property(arbitraryLoss, (loss) => {
      const block = lossyBlock(loss);
      rebuilder.rebuild(block);
      assert.deepEqual(block.data, block.whole);
      assert.deepEqual(concatBytes(...reconstructLeopard16(block.known, block)), block.whole);
    }),
    { numRuns: 40 },
  );
});

Deno.test("BlockRebuilder refuses a block of which too little arrived, and sizes that do not agree", () => {
  using rebuilder = new BlockRebuilder();
  const block = lossyBlock({ dataCount: 3, parityCount: 2, sizeBytes: 8, lost: [0, 2, 4] });
  assert.throws(() => rebuilder.rebuild(block), { name: "NativeError" });
  const enough = lossyBlock({ dataCount: 3, parityCount: 2, sizeBytes: 8, lost: [0, 2] });
  for (
    const wrong of [
      { data: enough.data.subarray(2) },
      { parity: enough.parity.subarray(8) },
      { present: enough.present.subarray(1) },
      { dataCount: 2 },
      { parityCount: 0 },
    ]
  ) assert.throws(() => rebuilder.rebuild({ ...enough, ...wrong }), { name: "NativeError" });
  rebuilder.rebuild(enough);
  assert.deepEqual(enough.data, enough.whole);
});

Deno.test("BlockRebuilder.close() twice is legal, and later calls fail", () => {
  const rebuilder = new BlockRebuilder();
  rebuilder.close();
  rebuilder.close();
  const block = lossyBlock({ dataCount: 2, parityCount: 1, sizeBytes: 2, lost: [1] });
  assert.throws(() => rebuilder.rebuild(block), OperationError);
});

Deno.test("VideoReassembler delivers frames that BlockRebuilder completed", () => {
  using rebuilder = new BlockRebuilder();
  const sizes = [1, 5_000, 40_001, 100_000];
  const stream = new TestVideoStream();
  const frames: Uint8Array[] = [];
  const reassembler = new VideoReassembler({
    terms: TERMS,
    shardPayloadCeilingBytes: SHARD_PAYLOAD_BYTES,
    frameBytesMax: FRAME_BYTES_MAX,
    onFrame: ({ data }) => frames.push(data.slice()),
    onGap: () => assert.fail("no frame is lost"),
    decodeBlock: (block) => rebuilder.rebuild(block),
  });
  for (const sizeBytes of sizes) {
    // The parity of the smallest frame is two packets.
    for (const packet of stream.next(sizeBytes).toSpliced(0, 2)) reassembler.accept(packet, 0);
  }
  assert.deepEqual(frames, sizes.map((sizeBytes, index) => testAccessUnit(index, sizeBytes)));
  assert.equal(reassembler.stats.recoveredShards, 1 + 2 * 3);
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { ProtocolError } from "../../../../src/lib/errors.ts";
import {
  blockShardsMax,
  checkFecTerms,
  dataShardsOf,
  type FecTerms,
  frameBytesMaxOf,
  isBlockSupported,
  isShardPayload,
  planBlocks,
  proportionalParityCount,
  receiverBlockShardsMax,
  wantedParityCount,
} from "../../../../src/protocol/punktfunk1/fec_plan.ts";
import type { WireBlock } from "../../../../src/protocol/wire_job.ts";
import vectors from "../../../vectors/punktfunk1-video.json" with { type: "json" };

const TERMS: FecTerms = { scheme: "gf65536", percent: 10, blockDataShardsMax: 4096 };

function planned(
  dataCount: number,
  options: {
    readonly terms?: Partial<FecTerms>;
    readonly percent?: number;
    readonly packetsMax?: number;
  } = {},
): [dataCount: number, parityCount: number][] {
  const blocks: WireBlock[] = [];
  const count = planBlocks(dataCount, blocks, {
    terms: { ...TERMS, ...options.terms },
    percent: options.percent ?? 10,
    packetsMax: options.packetsMax ?? 100_000,
  });
  return blocks.slice(0, count).map((block) => [block.dataCount, block.parityCount]);
}

Deno.test("wantedParityCount() and proportionalParityCount() give the specification's counts", () => {
  for (const { dataCount, proportional, wanted } of vectors.parityCountsAtTenPercent) {
    assert.equal(proportionalParityCount(dataCount, 10), proportional);
    assert.equal(wantedParityCount(dataCount, 10), wanted);
    assert.deepEqual(planned(dataCount), [[dataCount, wanted]]);
  }
  assert.equal(wantedParityCount(100, 0), 0);
});

Deno.test("planBlocks() fills all blocks but the last", () => {
  const terms = { blockDataShardsMax: 16, percent: 50 };
  assert.deepEqual(planned(16, { terms, percent: 50 }), [[16, 8]]);
  assert.deepEqual(planned(35, { terms, percent: 25 }), [[16, 4], [16, 4], [3, 2]]);
});

Deno.test("planBlocks() gives a full block no more parity than Welcome's percentage made room for", () => {
  const terms = { blockDataShardsMax: 20, percent: 10 };
  assert.deepEqual(planned(30, { terms, percent: 90 }), [[20, 2], [10, 9]]);
  assert.deepEqual(planned(20, { terms: { ...terms, percent: 0 }, percent: 50 }), [[20, 0]]);
});

Deno.test("planBlocks() keeps blocks over GF(2^8) within 255 shards", () => {
  const terms = { scheme: "gf256", blockDataShardsMax: 200, percent: 27 } as const;
  assert.deepEqual(planned(200, { terms, percent: 27 }), [[200, 54]]);
  assert.deepEqual(planned(150, { terms, percent: 90 }), [[150, 104]]);
});

Deno.test("planBlocks() cuts parity to the packets of a frame, in every block alike", () => {
  const terms = { blockDataShardsMax: 10, percent: 50 };
  assert.deepEqual(planned(30, { terms, percent: 50, packetsMax: 36 }), [[10, 2], [10, 2], [
    10,
    2,
  ]]);
  assert.deepEqual(planned(30, { terms, percent: 50, packetsMax: 30 }), [[10, 0], [10, 0], [
    10,
    0,
  ]]);
});

Deno.test("planBlocks() refuses frames of no packets, of too many, and of too many blocks", () => {
  assert.equal(planned(50, { packetsMax: 50 }).length, 1);
  assert.throws(() => planned(51, { packetsMax: 50 }), ProtocolError);
  assert.throws(() => planned(0), ProtocolError);
  const terms = { blockDataShardsMax: 1 };
  assert.equal(planned(65_535, { terms }).length, 65_535);
  assert.throws(() => planned(65_536, { terms }), ProtocolError);
});

Deno.test("planBlocks() makes blocks that hold the data, that the code has, and that receivers have room for", () => {
  const terms = fc.record({
    scheme: fc.constant("gf65536" as const),
    percent: fc.integer({ min: 0, max: 90 }),
    blockDataShardsMax: fc.integer({ min: 1, max: 4096 }),
  }, { noNullPrototype: true });
  fc.assert(fc.property(
    terms,
    fc.integer({ min: 1, max: 9_000 }),
    fc.integer({ min: 0, max: 90 }),
    (terms, dataCount, percent) => {
      const blocks = planned(dataCount, { terms, percent });
      assert.equal(blocks.reduce((sum, [count]) => sum + count, 0), dataCount);
      assert.equal(blocks.length, Math.ceil(dataCount / terms.blockDataShardsMax));
      for (const [dataCount, parityCount] of blocks) {
        assert.ok(isBlockSupported({ dataCount, parityCount }, terms.scheme));
        assert.ok(dataCount + parityCount <= blockShardsMax(terms));
        assert.ok(dataCount + parityCount <= receiverBlockShardsMax(terms));
        assert.equal(parityCount === 0 && percent > 0 && terms.percent > 0, false);
      }
    },
  ));
});

Deno.test("checkFecTerms() holds each code's limit", () => {
  const legal: FecTerms[] = [
    TERMS,
    { scheme: "gf65536", percent: 90, blockDataShardsMax: 4096 },
    { scheme: "gf65536", percent: 0, blockDataShardsMax: 65_535 },
    { scheme: "gf256", percent: 27, blockDataShardsMax: 200 },
    { scheme: "gf256", percent: 0, blockDataShardsMax: 255 },
  ];
  for (const terms of legal) checkFecTerms(terms);
  const illegal: FecTerms[] = [
    { scheme: "gf65536", percent: 50, blockDataShardsMax: 40_000 },
    { scheme: "gf65536", percent: 10, blockDataShardsMax: 60_000 },
    { scheme: "gf65536", percent: 91, blockDataShardsMax: 100 },
    { scheme: "gf65536", percent: -1, blockDataShardsMax: 100 },
    { scheme: "gf65536", percent: 10, blockDataShardsMax: 0 },
    { scheme: "gf256", percent: 28, blockDataShardsMax: 200 },
    { scheme: "gf256", percent: 0, blockDataShardsMax: 256 },
  ];
  for (const terms of illegal) assert.throws(() => checkFecTerms(terms), ProtocolError);
});

Deno.test("isShardPayload() takes even sizes from 512 to the ceiling", () => {
  assert.deepEqual([511, 512, 513, 1408, 1410].map((size) => isShardPayload(size, 1408)), [
    false,
    true,
    false,
    true,
    false,
  ]);
  assert.equal(isShardPayload(9152), true);
  assert.equal(isShardPayload(9154, 10_000), false);
});

Deno.test("frameBytesMaxOf() is four mean frames between 8 and 64 MiB", () => {
  const MIB = 1024 * 1024;
  assert.equal(frameBytesMaxOf(20_000, 60), 8 * MIB);
  assert.equal(frameBytesMaxOf(2_000_000, 60), Math.floor(4 * 2_000_000 * 125 / 60));
  assert.equal(frameBytesMaxOf(8_000_000, 30), 64 * MIB);
  assert.equal(frameBytesMaxOf(0, 60), 64 * MIB);
});

Deno.test("dataShardsOf() gives an empty access unit one shard", () => {
  assert.deepEqual([0, 1, 512, 513].map((size) => dataShardsOf(size, 512)), [1, 1, 1, 2]);
});

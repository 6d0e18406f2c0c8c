import assert from "node:assert/strict";
import fc from "fast-check";
import { ProtocolError } from "../../../../src/lib/errors.ts";
import {
  parityCountOf,
  type ParitySettings,
  planVideoBlocks,
  VIDEO_BLOCK_DATA_PACKETS_MAX,
  VIDEO_BLOCKS_MAX,
  VIDEO_FRAME_PACKETS_MAX,
  type VideoBlock,
} from "../../../../src/protocol/gamestream/video_blocks.ts";
import vectors from "../../../vectors/gamestream-video.json" with { type: "json" };

function plan(packetCount: number, settings: ParitySettings): VideoBlock[] {
  const blocks = Array.from(
    { length: VIDEO_BLOCKS_MAX },
    () => ({ dataCount: -1, parityCount: -1, percent: -1 }),
  );
  return blocks.slice(0, planVideoBlocks(packetCount, blocks, settings));
}

Deno.test("planVideoBlocks() makes every plan of the specification", () => {
  for (const row of vectors.blockPlans) {
    assert.deepEqual(
      plan(row.packets, { fecPercent: row.percentSetting, minParityPackets: row.minParity }),
      row.blocks.map(({ data, parity, percent }) => ({
        dataCount: data,
        parityCount: parity,
        percent,
      })),
      `${row.packets} packets`,
    );
  }
});

Deno.test("planVideoBlocks() sends a frame too large for four blocks without parity", () => {
  assert.deepEqual(
    plan(849, { fecPercent: 20, minParityPackets: 2 }),
    [213, 213, 213, 210].map((dataCount) => ({ dataCount, parityCount: 0, percent: 0 })),
  );
});

Deno.test("planVideoBlocks() declares a percentage that fits the client's minimum", () => {
  const blockOf = (packetCount: number, minParityPackets: number, fecPercent = 20) =>
    plan(packetCount, { fecPercent, minParityPackets })[0];
  assert.deepEqual(blockOf(1, 3), { dataCount: 1, parityCount: 3, percent: 255 });
  // No percentage gives one packet four parities; three is the most.
  assert.deepEqual(blockOf(1, 4), { dataCount: 1, parityCount: 3, percent: 255 });
  // One percent of 250 makes three, two percent make five; nothing makes four.
  assert.deepEqual(blockOf(250, 4, 1), { dataCount: 250, parityCount: 3, percent: 1 });
  assert.deepEqual(blockOf(250, 5, 1), { dataCount: 250, parityCount: 5, percent: 2 });
  // Data and parity share 255 numbers.
  assert.deepEqual(blockOf(252, 64, 1), { dataCount: 252, parityCount: 3, percent: 1 });
});

Deno.test("planVideoBlocks() accepts the largest frame and refuses one packet more, or none", () => {
  const settings = { fecPercent: 20, minParityPackets: 2 };
  assert.deepEqual(
    plan(VIDEO_FRAME_PACKETS_MAX, settings).map((block) => block.dataCount),
    Array(4).fill(VIDEO_BLOCK_DATA_PACKETS_MAX),
  );
  for (const packetCount of [0, VIDEO_FRAME_PACKETS_MAX + 1]) {
    assert.throws(
      () => plan(packetCount, settings),
      (error) => error instanceof ProtocolError && error.code === "limit",
    );
  }
});

Deno.test("planVideoBlocks() keeps the client's formula, the field's size and every packet", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: VIDEO_FRAME_PACKETS_MAX }),
      fc.nat(255),
      fc.nat(64),
      (packetCount, fecPercent, minParityPackets) => {
        const blocks = plan(packetCount, { fecPercent, minParityPackets });
        assert.equal(blocks.reduce((sum, block) => sum + block.dataCount, 0), packetCount);
        assert.ok(blocks.length >= 1 && blocks.length <= VIDEO_BLOCKS_MAX);
        const [first] = blocks;
        blocks.forEach(({ dataCount, parityCount, percent }, index) => {
          const isLast = index === blocks.length - 1;
          assert.ok(dataCount >= 1 && dataCount <= VIDEO_BLOCK_DATA_PACKETS_MAX);
          assert.ok(isLast || dataCount === first?.dataCount);
          assert.equal(parityCountOf(dataCount, percent), parityCount);
          assert.ok(percent <= 255);
          if (percent > 0) assert.ok(dataCount + parityCount <= 255);
          // Less than asked for only where no percentage gives more.
          if (percent > 0 && parityCount < minParityPackets) {
            for (let other = 1; other <= 255; other++) {
              const count = parityCountOf(dataCount, other);
              const isUsable = count <= minParityPackets && dataCount + count <= 255;
              assert.ok(!isUsable || count <= parityCount);
            }
          }
        });
      },
    ),
    { numRuns: 300 },
  );
});

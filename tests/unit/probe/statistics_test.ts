import assert from "node:assert/strict";
import fc from "fast-check";
import {
  Samples,
  StreamStatistics,
  TIMELINE_BUCKET_MS,
  TIMELINE_BUCKETS_MAX,
} from "../../../src/probe/statistics.ts";

function samplesOf(values: readonly number[]): Samples {
  const samples = new Samples();
  for (const value of values) samples.add(value);
  return samples;
}

function frame(
  deliveredAtUs: number,
  changes: { latencyUs?: number; recoveredShards?: number } = {},
) {
  return {
    sizeBytes: 1_000,
    deliveredAtUs,
    latencyUs: changes.latencyUs,
    assemblyUs: 500,
    recoveredShards: changes.recoveredShards ?? 0,
    isKeyFrame: deliveredAtUs === 0,
  };
}

Deno.test("Samples give percentiles by nearest rank, whatever order values come in", () => {
  const values = Array.from({ length: 100 }, (_, index) => (index * 37) % 100 + 1);
  assert.deepEqual(samplesOf(values).distribution(), {
    count: 100,
    min: 1,
    mean: 50.5,
    p50: 50,
    p95: 95,
    p99: 99,
    max: 100,
  });
  assert.equal(samplesOf([]).distribution(), null);
  const one = samplesOf([7]).distribution();
  assert.deepEqual([one?.p50, one?.p99, one?.mean], [7, 7, 7]);
});

Deno.test("Samples keep percentiles in order and within the values", () => {
  const numbers = fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { minLength: 1 });
  fc.assert(fc.property(numbers, (values) => {
    const { min, p50, p95, p99, max } = samplesOf(values).distribution() ?? assert.fail();
    assert.ok(min <= p50 && p50 <= p95 && p95 <= p99 && p99 <= max);
    assert.ok([p50, p95, p99].every((value) => values.includes(value)));
  }));
});

Deno.test("Samples put every value into one bin of the histogram, outliers into the last", () => {
  const bins = samplesOf([...Array.from({ length: 1_000 }, (_, index) => index), 1e6]).histogram(
    10,
  );
  assert.equal(bins.length, 10);
  assert.equal(bins.reduce((sum, { count }) => sum + count, 0), 1_001);
  assert.equal(bins[0]?.from, 0);
  assert.equal(bins.at(-1)?.to, 1e6);
  assert.deepEqual(samplesOf([4, 4]).histogram(10), [{ from: 4, to: 4, count: 2 }]);
  assert.deepEqual(samplesOf([]).histogram(10), []);
});

Deno.test("StreamStatistics counts frames, gaps, rates and what was lost, and where", () => {
  const statistics = new StreamStatistics();
  assert.equal(statistics.lastFrameAtUs, undefined);
  statistics.frame(frame(0));
  statistics.frame(frame(10_000, { latencyUs: 3_000 }));
  statistics.lost(2, 20_000);
  statistics.frame(frame(TIMELINE_BUCKET_MS * 1000, { recoveredShards: 4 }));
  assert.equal(statistics.frames, 3);
  assert.equal(statistics.keyFrames, 1);
  assert.equal(statistics.lostFrames, 2);
  assert.equal(statistics.recoveredFrames, 1);
  assert.equal(statistics.durationMs, TIMELINE_BUCKET_MS);
  assert.equal(statistics.videoKbps(), 3_000 * 8 / TIMELINE_BUCKET_MS);
  assert.equal(statistics.gaps.distribution()?.min, 10);
  assert.equal(statistics.latency.distribution()?.count, 1);
  assert.deepEqual(statistics.timeline, [
    { frames: 2, bytes: 2_000, lost: 2, recovered: 0, latencyMax: 3 },
    { frames: 1, bytes: 1_000, lost: 0, recovered: 1, latencyMax: 0 },
  ]);
});

Deno.test("StreamStatistics keeps the time line of an hour and counts on", () => {
  const statistics = new StreamStatistics();
  const bucketUs = TIMELINE_BUCKET_MS * 1000;
  statistics.frame(frame(0));
  statistics.frame(frame((TIMELINE_BUCKETS_MAX - 1) * bucketUs));
  assert.equal(statistics.timeline.length, TIMELINE_BUCKETS_MAX);
  statistics.frame(frame(TIMELINE_BUCKETS_MAX * bucketUs));
  assert.equal(statistics.timeline.length, TIMELINE_BUCKETS_MAX);
  assert.equal(statistics.frames, 3);
});

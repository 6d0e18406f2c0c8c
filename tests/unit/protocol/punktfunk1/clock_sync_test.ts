import assert from "node:assert/strict";
import {
  CLOCK_ROUNDS,
  ClockBatch,
  ClockEstimate,
  type ClockRound,
  clockSampleOf,
} from "../../../../src/protocol/punktfunk1/clock_sync.ts";
import vectors from "../../../vectors/punktfunk1-video.json" with { type: "json" };

const MS = 1_000;
const NS_PER_MS = 1_000_000n;

/** A round that began at `t1` ms with a host `offsetMs` ahead. */
function roundOf(t1: number, way: { readonly outMs: number; readonly backMs: number }): ClockRound {
  const offset = 5;
  const times = [t1, t1 + way.outMs + offset, t1 + way.outMs + offset, t1 + way.outMs + way.backMs];
  const [sent = 0n, received = 0n, echoed = 0n, arrived = 0n] = times.map((ms) =>
    BigInt(Math.round(ms * 1_000)) * 1_000n
  );
  return { t1: sent, t2: received, t3: echoed, t4: arrived };
}

/** A batch whose rounds took `rttsMs`, all of it on the way back. */
function batchOf(...rttsMs: number[]): ClockBatch {
  const batch = new ClockBatch("later");
  rttsMs.forEach((rttMs, index) => {
    const round = roundOf(index * 100, { outMs: 0, backMs: rttMs });
    batch.sent(round.t1, index * 7 * MS);
    assert.equal(batch.answered(round), true);
  });
  return batch;
}

Deno.test("clockSampleOf() computes the specification's round", () => {
  const { t1, t2, t3, t4 } = vectors.clock.round;
  const round = { t1: BigInt(t1), t2: BigInt(t2), t3: BigInt(t3), t4: BigInt(t4) };
  const expected = {
    offsetNs: BigInt(vectors.clock.offsetNs),
    rttNs: BigInt(vectors.clock.rttNs),
  };
  assert.deepEqual(clockSampleOf(round), expected);
  const slow = { ...round, t1: 10_000_000n, t2: 11_200_000n, t3: 11_250_000n, t4: 15_250_000n };
  const batch = new ClockBatch("later");
  for (const one of [round, slow]) {
    batch.sent(one.t1, 0);
    batch.answered(one);
  }
  assert.deepEqual(batch.best, expected, "a return of 5 ms loses");
});

Deno.test("ClockBatch sends one probe after another at connect", () => {
  const batch = new ClockBatch("connect");
  for (let round = 0; round < CLOCK_ROUNDS; round++) {
    const nowUs = round * 10 * MS;
    assert.equal(batch.poll(nowUs), "send");
    batch.sent(BigInt(round), nowUs);
    assert.equal(batch.poll(nowUs + 9 * MS), "wait");
    assert.equal(batch.answered({ t1: BigInt(round), t2: 0n, t3: 0n, t4: 9n }), true);
  }
  assert.equal(batch.poll(80 * MS), "done");
});

Deno.test("ClockBatch ends at connect when the host is silent for 2 s, with what it has", () => {
  const batch = new ClockBatch("connect");
  batch.sent(1n, 0);
  batch.answered({ t1: 1n, t2: 2n, t3: 2n, t4: 3n });
  assert.equal(batch.poll(10 * MS), "send");
  batch.sent(2n, 10 * MS);
  assert.equal(batch.poll(2_009 * MS), "wait");
  assert.equal(batch.poll(2_010 * MS), "done");
  assert.equal(batch.answered({ t1: 2n, t2: 2n, t3: 2n, t4: 2n }), false, "too late");
  assert.equal(batch.best?.rttNs, 2n);
});

Deno.test("ClockBatch sends later probes 7 ms apart without waiting, then waits for all", () => {
  const batch = new ClockBatch("later");
  let nowUs = 0;
  for (let round = 0; round < CLOCK_ROUNDS; round++) {
    assert.equal(batch.poll(nowUs), "send");
    batch.sent(BigInt(round), nowUs);
    if (round < CLOCK_ROUNDS - 1) assert.equal(batch.poll(nowUs + 6_999), "wait");
    nowUs += 7_000;
  }
  assert.equal(batch.poll(nowUs), "wait");
  for (let round = 0; round < CLOCK_ROUNDS; round++) {
    batch.answered({ t1: BigInt(round), t2: 0n, t3: 0n, t4: 0n });
  }
  assert.equal(batch.poll(nowUs), "done");
});

Deno.test("ClockBatch takes no echo of a probe it did not send, and none twice", () => {
  const batch = new ClockBatch("later");
  batch.sent(7n, 0);
  assert.equal(batch.answered({ t1: 8n, t2: 0n, t3: 0n, t4: 9n }), false);
  assert.equal(batch.answered({ t1: 7n, t2: 0n, t3: 0n, t4: 9n }), true);
  assert.equal(batch.answered({ t1: 7n, t2: 0n, t3: 0n, t4: 8n }), false);
  assert.equal(batch.best?.rttNs, 2n);
});

Deno.test("ClockEstimate assumes equal clocks until something answered", () => {
  const estimate = new ClockEstimate();
  assert.equal(estimate.take(new ClockBatch("connect")), false);
  assert.equal(estimate.offsetNs, 0n);
  assert.equal(estimate.rttNs, undefined);
  assert.equal(estimate.take(batchOf(40, 30, 50)), true);
  assert.equal(estimate.rttNs, 30n * NS_PER_MS);
  assert.equal(estimate.offsetNs, -10n * NS_PER_MS, "5 ms ahead, less half of the way back");
});

Deno.test("ClockEstimate takes batches of 2 ms, or of 1.5 × the quickest", () => {
  const estimate = new ClockEstimate();
  estimate.take(batchOf(10));
  assert.equal(estimate.take(batchOf(15)), true);
  assert.equal(estimate.take(batchOf(15.001)), false);
  estimate.take(batchOf(1));
  assert.equal(estimate.take(batchOf(2)), true);
  assert.equal(estimate.take(batchOf(2.001)), false);
  assert.equal(estimate.rttNs, 2n * NS_PER_MS);
});

Deno.test("ClockEstimate takes the best of three batches that were all too slow", () => {
  const estimate = new ClockEstimate();
  estimate.take(batchOf(10));
  assert.deepEqual([batchOf(50), batchOf(30), batchOf(40)].map((batch) => estimate.take(batch)), [
    false,
    false,
    true,
  ]);
  assert.equal(estimate.rttNs, 30n * NS_PER_MS);
  assert.equal(estimate.take(batchOf(60)), false, "and counts anew");
});

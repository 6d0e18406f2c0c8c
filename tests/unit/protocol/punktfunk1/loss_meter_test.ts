import assert from "node:assert/strict";
import { LossMeter } from "../../../../src/protocol/punktfunk1/loss_meter.ts";

const counters = (packets: number, recoveredShards = 0, lateRecoveredShards = 0) => ({
  packets,
  recoveredShards,
  lateRecoveredShards,
});

Deno.test("LossMeter reports each window once, also one without loss", () => {
  const meter = new LossMeter(1_000_000);
  assert.equal(meter.poll(counters(10), 1_749_999), undefined);
  assert.deepEqual(meter.poll(counters(20), 1_750_000), { lossPpm: 0, packetsReceived: 20n });
  assert.equal(meter.poll(counters(20), 1_750_001), undefined);
  assert.equal(meter.poll(counters(20), 2_499_999), undefined);
  assert.deepEqual(meter.poll(counters(20), 2_500_000), { lossPpm: 0, packetsReceived: 20n });
});

Deno.test("LossMeter counts what parity stood in for and did not arrive, of the window alone", () => {
  const meter = new LossMeter(0);
  assert.equal(meter.poll(counters(900, 100), 750_000)?.lossPpm, 100_000);
  assert.equal(meter.poll(counters(1_800, 220, 20), 1_500_000)?.lossPpm, 100_000);
  assert.equal(meter.poll(counters(1_801, 221, 20), 2_250_000)?.lossPpm, 500_000);
});

Deno.test("LossMeter reports no loss where more came late than was rebuilt", () => {
  const meter = new LossMeter(0);
  meter.poll(counters(100, 10), 750_000);
  assert.equal(meter.poll(counters(200, 12, 8), 1_500_000)?.lossPpm, 0);
  assert.equal(meter.poll(counters(297, 15, 8), 2_250_000)?.lossPpm, 30_000);
});

Deno.test("LossMeter reports no loss of a discarded window, only what arrived", () => {
  const meter = new LossMeter(0);
  meter.discard();
  assert.deepEqual(meter.poll(counters(100, 50), 750_000), {
    lossPpm: undefined,
    packetsReceived: 100n,
  });
  assert.equal(meter.poll(counters(190, 60), 1_500_000)?.lossPpm, 100_000);
});

Deno.test("LossMeter makes one window of a long pause", () => {
  const meter = new LossMeter(0);
  assert.notEqual(meter.poll(counters(1), 60_000_000), undefined);
  assert.equal(meter.poll(counters(1), 60_749_999), undefined);
});

import assert from "node:assert/strict";
import { DelayTrend } from "../../../../../src/protocol/punktfunk1/rate/delay_trend.ts";

const FRAME_US = 16_667;
const CALM = { us: 150_000, framesMin: 3 };
const NEWEST = { us: 0, framesMin: 2 };

/** A trend of frames 16.7 ms apart with these delays. */
function trendOf(delaysUs: readonly number[], fromUs = 0): DelayTrend {
  const trend = new DelayTrend();
  delaysUs.forEach((delayUs, index) => trend.sample(delayUs, fromUs + index * FRAME_US));
  return trend;
}

Deno.test("DelayTrend knows nothing of fewer frames than it is asked to look at", () => {
  assert.equal(new DelayTrend().queueUs(NEWEST), undefined);
  assert.equal(new DelayTrend().slope(NEWEST), 0);
  const trend = trendOf([5_000, 9_000]);
  assert.equal(trend.queueUs(CALM), undefined);
  assert.equal(trend.slope(CALM), 0);
  assert.equal(trend.queueUs(NEWEST), 0);
});

Deno.test("DelayTrend measures the queue above the least delay, whatever is between the clocks", () => {
  for (const offsetUs of [0, 1.7e15, -1.7e15]) {
    const delays = [4_000, 5_000, 30_000, 31_000, 29_000].map((delayUs) => delayUs + offsetUs);
    assert.equal(trendOf(delays).queueUs({ us: 0, framesMin: 3 }), 25_000);
  }
});

Deno.test("DelayTrend takes the least of a span, which jitter does not raise", () => {
  const delays = Array.from({ length: 60 }, (_, index) => (index * 7 % 20) * 1_000);
  assert.equal(trendOf(delays).queueUs(CALM), 4_000);
});

Deno.test("DelayTrend tells how fast the delay grows and falls", () => {
  const rising = trendOf([0, 0, 0, 10_000, 20_000, 30_000]);
  assert.ok(Math.abs(rising.slope({ us: 40_000, framesMin: 2 }) - 10_000 / FRAME_US) < 1e-9);
  const falling = trendOf([0, 40_000, 30_000, 20_000]);
  assert.ok(Math.abs(falling.slope(NEWEST) + 10_000 / FRAME_US) < 1e-9);
  const atOnce = new DelayTrend();
  atOnce.sample(0, 5);
  atOnce.sample(9, 5);
  assert.equal(atOnce.slope(NEWEST), 0);
});

Deno.test("DelayTrend forgets a base after 30 s, and not before 27 s", () => {
  const trend = new DelayTrend();
  trend.sample(1_000, 0);
  for (let atUs = FRAME_US; atUs < 27e6; atUs += FRAME_US) trend.sample(9_000, atUs);
  assert.equal(trend.queueUs(CALM), 8_000);
  for (let atUs = 27e6; atUs < 31e6; atUs += FRAME_US) trend.sample(9_000, atUs);
  assert.equal(trend.queueUs(CALM), 0);
});

Deno.test("DelayTrend keeps its base over a long silence", () => {
  const trend = trendOf([1_000, 1_000, 1_000]);
  [0, 1, 2].forEach((index) => trend.sample(6_000, 600e6 + index * FRAME_US));
  assert.equal(trend.queueUs(CALM), 5_000);
});

Deno.test("DelayTrend does not take frames of half a second ago for the newest", () => {
  const trend = trendOf([1_000, 1_000]);
  trend.sample(1_000, FRAME_US + 400_001);
  assert.equal(trend.queueUs(CALM), undefined);
  assert.equal(trend.queueUs({ us: 500_000, framesMin: 3 }), 0);
});

Deno.test("DelayTrend starts anew with the base it has", () => {
  const trend = trendOf([1_000, 50_000, 60_000, 70_000]);
  trend.restart();
  assert.equal(trend.queueUs(NEWEST), undefined);
  trend.sample(4_000, 5 * FRAME_US);
  trend.sample(4_000, 6 * FRAME_US);
  assert.equal(trend.queueUs(NEWEST), 3_000);
});

Deno.test("DelayTrend.jitterUs nears the mean difference of neighbours", () => {
  assert.equal(trendOf([7_000]).jitterUs, 0);
  const delays = Array.from({ length: 250 }, (_, index) => (index % 2) * 6_000);
  assert.ok(Math.abs(trendOf(delays).jitterUs - 6_000) < 100);
});

Deno.test("DelayTrend looks back over more frames than it keeps", () => {
  const trend = trendOf(Array.from({ length: 1_000 }, () => 3_000));
  assert.equal(trend.queueUs({ us: 60e6, framesMin: 3 }), 0);
});

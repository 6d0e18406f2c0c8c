import assert from "node:assert/strict";
import { Climb, CLIMB_STEP_US } from "../../../../../src/protocol/punktfunk1/rate/climb.ts";

/** Rates of `steps` steps, percent above the one before. */
function gains(
  climb: Climb,
  from: { readonly kbps: number; readonly atUs: number },
  steps: number,
) {
  let { kbps } = from;
  return Array.from({ length: steps }, (_, step) => {
    const next = climb.next(kbps, 0, from.atUs + step * CLIMB_STEP_US);
    const percent = Math.round((next / kbps - 1) * 1000) / 10;
    kbps = next;
    return percent;
  });
}

Deno.test("Climb rises ever faster while it knows no limit, up to 12 % a step", () => {
  assert.deepEqual(gains(new Climb(), { kbps: 10_000, atUs: 0 }, 7), [
    2,
    3,
    4.5,
    6.7,
    10.1,
    12,
    12,
  ]);
});

Deno.test("Climb waits after a failure, then nears it carefully and passes it ever faster", () => {
  const climb = new Climb();
  climb.failed(10_000, 0);
  assert.equal(climb.failedKbps, 10_000);
  assert.equal(climb.next(9_000, 0, 1_499_999), 9_000);
  const rises = gains(climb, { kbps: 9_000, atUs: 1_500_000 }, 17);
  assert.deepEqual(rises.slice(0, 3), [2, 2, 2]);
  assert.deepEqual(rises.slice(3, 14), new Array(11).fill(1));
  assert.deepEqual(rises.slice(14), [2, 3, 4.5]);
  assert.equal(climb.failedKbps, undefined);
});

Deno.test("Climb waits longer each time it fails at about the same rate, 12 s at most", () => {
  const climb = new Climb();
  const waits: number[] = [];
  let nowUs = 0;
  for (let round = 0; round < 7; round++) {
    climb.failed(10_000 + round * 100, nowUs);
    const failedAtUs = nowUs;
    while (climb.next(9_500, 0, nowUs) === 9_500) nowUs += 100_000;
    waits.push((nowUs - failedAtUs) / 1e6);
  }
  assert.deepEqual(waits, [1.5, 2.4, 3.9, 6.2, 9.9, 12, 12]);
  climb.failed(5_000, nowUs);
  assert.ok(climb.next(4_500, 0, nowUs + 1_500_000) > 4_500, "another path, no long wait");
});

Deno.test("Climb does not wait longer when it was pushed", () => {
  const climb = new Climb();
  climb.failed(10_000, 0);
  climb.failed(10_000, 1_000_000);
  assert.equal(climb.next(9_000, 0, 2_499_999), 9_000);
  assert.ok(climb.next(9_000, 0, 2_500_000) > 9_000);
});

Deno.test("Climb takes larger steps on a path of which it has a small part, fourfold at most", () => {
  for (const [pathKbps, percent] of [[5_000, 2], [10_000, 2], [20_000, 4], [90_000, 8]] as const) {
    const rate = new Climb().next(10_000, pathKbps, 0);
    assert.equal(Math.round(rate), 10_000 * (1 + percent / 100));
  }
});

Deno.test("Climb.hold() keeps the rate until then", () => {
  const climb = new Climb();
  climb.hold(5_000_000);
  assert.equal(climb.next(10_000, 0, 4_999_999), 10_000);
  assert.equal(climb.next(10_000, 0, 5_000_000), 10_200);
});

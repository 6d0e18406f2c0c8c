import assert from "node:assert/strict";
import { SurplusGate } from "../../../src/media/sources/wlroots.ts";

/** How many of `count` pictures, one each `intervalUs`, pass a gate of `periodUs`. */
function passing(intervalUs: number, periodUs: number, count: number): number {
  const gate = new SurplusGate();
  let passed = 0;
  for (let index = 0; index < count; index++) {
    if (gate.isSurplus(index * intervalUs, periodUs)) continue;
    gate.pass(index * intervalUs, periodUs);
    passed++;
  }
  return passed;
}

Deno.test("SurplusGate leaves one picture in 25 out where 62.5 come for 60", () => {
  // 625 pictures are ten seconds; the one over 600 is the slack of one period.
  assert.equal(passing(16_000, 1e6 / 60, 625), 601);
});

Deno.test("SurplusGate lets every picture pass at or below the rate", () => {
  assert.equal(passing(16_667, 1e6 / 60, 1000), 1000);
  assert.equal(passing(40_000, 1e6 / 60, 1000), 1000);
});

Deno.test("SurplusGate gives no credit for time without pictures", () => {
  const gate = new SurplusGate();
  gate.pass(0, 10_000);
  gate.pass(1_000_000, 10_000);
  assert.equal(gate.isSurplus(1_000_000, 10_000), false);
  gate.pass(1_000_000, 10_000);
  assert.equal(gate.isSurplus(1_000_001, 10_000), true);
});

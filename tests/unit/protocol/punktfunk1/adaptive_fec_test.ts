import assert from "node:assert/strict";
import fc from "fast-check";
import { AdaptiveFec } from "../../../../src/protocol/punktfunk1/adaptive_fec.ts";

const percent = (ppm: number, reports = 1) => {
  const fec = new AdaptiveFec();
  for (let report = 1; report < reports; report++) fec.report(ppm);
  return fec.report(ppm);
};

Deno.test("AdaptiveFec starts at 10 % and comes down to 5 % while nothing is lost", () => {
  const fec = new AdaptiveFec();
  assert.equal(fec.percent, 10);
  assert.deepEqual(Array.from({ length: 8 }, () => fec.report(0)), [9, 8, 7, 6, 5, 5, 5, 5]);
  assert.equal(fec.percent, 5);
});

Deno.test("AdaptiveFec follows the loss of the window at once, times 1.4 and a point", () => {
  assert.equal(percent(70_000), 11);
  assert.equal(percent(100_000), 15);
  assert.equal(percent(100_001), 16);
  assert.equal(percent(340_000), 49);
  assert.equal(percent(350_000), 50);
  assert.equal(percent(1_000_000), 50);
  assert.equal(percent(0xffff_ffff), 50);
});

Deno.test("AdaptiveFec keeps the memory of a loss, at most 25 %, and forgets a point a window", () => {
  const fec = new AdaptiveFec();
  fec.report(300_000);
  assert.equal(fec.percent, 43);
  assert.deepEqual([0, 0, 0].map((ppm) => fec.report(ppm)), [24, 23, 22]);
  fec.report(100_000);
  assert.equal(fec.percent, 21, "more is still remembered than is needed");
});

Deno.test("AdaptiveFec adds 3 points for each of the first 4 windows that were not repaired", () => {
  const fec = new AdaptiveFec();
  for (let window = 0; window < 10; window++) fec.report(0);
  const unrepaired = Array.from({ length: 6 }, () => {
    fec.noteUnrepaired();
    fec.noteUnrepaired();
    return fec.report(0);
  });
  assert.deepEqual(unrepaired, [8, 11, 14, 17, 17, 17]);
  assert.deepEqual([0, 0, 0].map((ppm) => fec.report(ppm)), [16, 15, 14]);
  fec.noteUnrepaired();
  assert.equal(fec.report(350_000), 50);
});

Deno.test("AdaptiveFec stays within its band whatever is reported", () => {
  fc.assert(fc.property(
    fc.array(fc.tuple(fc.integer({ min: 0, max: 0xffff_ffff }), fc.boolean())),
    (windows) => {
      const fec = new AdaptiveFec();
      for (const [ppm, isUnrepaired] of windows) {
        if (isUnrepaired) fec.noteUnrepaired();
        const percent = fec.report(ppm);
        assert.ok(Number.isInteger(percent) && percent >= 5 && percent <= 50);
      }
    },
  ));
});

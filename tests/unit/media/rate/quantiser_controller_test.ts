import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type PictureFacts,
  QUANTISER_MAX,
  QuantiserController,
} from "../../../../src/media/rate/quantiser_controller.ts";

const PIXELS = 1280 * 720;
const INTERVAL_US = 1e6 / 60;
const OPTIONS = { bitrateKbps: 12_000, refreshMilliHz: 60_000, pixels: PIXELS };
/** 200 000 bits. */
const SHARE_BITS = 12_000 * INTERVAL_US / 1000;

const MOVING: PictureFacts = {
  isIdr: false,
  intra: 10,
  inter: 8,
  qpMin: 10,
  elapsedUs: INTERVAL_US,
};

/** An encoder whose pictures cost `cost` bits a pixel at step 1 and complexity 1, falling with the step by `slope`. */
function sizeBytes(facts: PictureFacts, quantiser: number, cost: number, slope: number): number {
  const step = 2 ** ((quantiser - 4) / 6);
  return cost * (facts.isIdr ? facts.intra : facts.inter) * PIXELS / step ** slope / 8;
}

function run(
  controller: QuantiserController,
  count: number,
  facts: PictureFacts,
  cost = 1,
  slope = 1.2,
): { readonly bits: number[]; readonly quantisers: number[] } {
  const bits: number[] = [];
  const quantisers: number[] = [];
  for (let index = 0; index < count; index++) {
    const quantiser = controller.plan(facts);
    const size = sizeBytes(facts, quantiser, cost, slope);
    controller.update(size);
    bits.push(size * 8);
    quantisers.push(quantiser);
  }
  return { bits, quantisers };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

Deno.test("QuantiserController meets the rate for content of any cost, without a large picture", () => {
  for (const cost of [0.3, 1, 3]) {
    for (const slope of [0.9, 1.2, 1.7]) {
      const controller = new QuantiserController(OPTIONS);
      run(controller, 1, { ...MOVING, isIdr: true }, cost, slope);
      const { bits } = run(controller, 120, MOVING, cost, slope);
      const share = mean(bits.slice(60)) / SHARE_BITS;
      assert.ok(Math.abs(share - 1) < 0.1, `cost ${cost}, slope ${slope}: ${share.toFixed(2)}`);
      const largest = Math.max(...bits) / SHARE_BITS;
      assert.ok(largest < 2, `cost ${cost}, slope ${slope}: ${largest.toFixed(2)}`);
    }
  }
});

Deno.test("QuantiserController.setBitrate() takes effect with the next picture", () => {
  const controller = new QuantiserController(OPTIONS);
  run(controller, 60, MOVING);
  controller.setBitrate(3_000);
  const { bits } = run(controller, 30, MOVING);
  assert.ok((bits[0] ?? Infinity) < SHARE_BITS / 2);
  assert.ok(Math.abs(mean(bits.slice(10)) / (SHARE_BITS / 4) - 1) < 0.1);
  controller.setBitrate(24_000);
  run(controller, 30, MOVING);
  assert.ok(Math.abs(mean(run(controller, 30, MOVING).bits) / (SHARE_BITS * 2) - 1) < 0.1);
});

Deno.test("QuantiserController gives pictures that come at half the refresh rate two shares each", () => {
  const controller = new QuantiserController(OPTIONS);
  const slow = { ...MOVING, elapsedUs: INTERVAL_US * 2 };
  run(controller, 60, slow);
  assert.ok(Math.abs(mean(run(controller, 60, slow).bits) / (SHARE_BITS * 2) - 1) < 0.1);
});

Deno.test("QuantiserController charges content it has not seen at the highest cost", () => {
  const controller = new QuantiserController(OPTIONS);
  const easy = { ...MOVING, inter: 1 };
  run(controller, 60, easy, 0.02);
  const cut = { ...MOVING, inter: 40 };
  const { bits } = run(controller, 2, cut, 6);
  assert.ok(Math.max(...bits) < 2 * SHARE_BITS, `${Math.max(...bits) / SHARE_BITS}`);
});

Deno.test("QuantiserController keeps an IDR within four shares once it knows its cost", () => {
  const controller = new QuantiserController(OPTIONS);
  const idr = { ...MOVING, isIdr: true };
  for (let round = 0; round < 6; round++) {
    const [bits = 0] = run(controller, 1, idr, 2).bits;
    assert.ok(bits < 4.6 * SHARE_BITS, `${bits / SHARE_BITS}`);
    run(controller, 60, MOVING);
  }
});

Deno.test("QuantiserController sharpens a still picture step by step and stops at the finest quantiser", () => {
  const controller = new QuantiserController(OPTIONS);
  run(controller, 1, { ...MOVING, isIdr: true }, 6);
  const { quantisers } = run(controller, 60, { ...MOVING, inter: 0 });
  for (let index = 1; index < quantisers.length; index++) {
    assert.ok((quantisers[index - 1] ?? 0) - (quantisers[index] ?? 0) <= 1);
  }
  assert.equal(quantisers.at(-1), 14);
});

Deno.test("QuantiserController.plan() stays between the picture's lowest quantiser and 51, whatever comes", () => {
  fc.assert(fc.property(
    fc.array(
      fc.record({
        isIdr: fc.boolean(),
        intra: fc.double({ min: 0, max: 255, noNaN: true }),
        inter: fc.double({ min: 0, max: 255, noNaN: true }),
        qpMin: fc.integer({ min: 10, max: 51 }),
        elapsedUs: fc.integer({ min: 1, max: 500_000 }),
        sizeBytes: fc.integer({ min: 1, max: 2_000_000 }),
        kbps: fc.integer({ min: 500, max: 100_000 }),
      }, { noNullPrototype: true }),
      { minLength: 1, maxLength: 60 },
    ),
    (pictures) => {
      const controller = new QuantiserController(OPTIONS);
      for (const picture of pictures) {
        const quantiser = controller.plan(picture);
        assert.ok(Number.isInteger(quantiser));
        assert.ok(quantiser >= picture.qpMin && quantiser <= QUANTISER_MAX);
        controller.update(picture.sizeBytes);
        controller.setBitrate(picture.kbps);
      }
    },
  ));
});

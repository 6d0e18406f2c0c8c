/**
 * Video of the native plane through networks that lose, delay, double and reorder. What a trial says of every frame: it
 * comes out whole and in order, unless some block of it got fewer packets than it has data.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { FRAME_BYTES_MAX } from "../support/punktfunk1_video.ts";
import type { Weather } from "./lossy_link.ts";
import { type LossOutcome, type LossTrial, runLossTrial } from "./punktfunk1_loss.ts";

const TRIAL: LossTrial = {
  seed: 1,
  weather: {},
  fecPercent: 10,
  frameCount: 30,
  frameSizeBytesMax: 14_000,
};

function runChecked(changes: Partial<LossTrial>): LossOutcome {
  const trial = { ...TRIAL, ...changes };
  const outcome = runLossTrial(trial);
  const name = JSON.stringify(trial);
  assert.deepEqual(outcome.wrongFrames, [], name);
  assert.deepEqual(outcome.lostFrames, outcome.hopelessFrames, name);
  assert.equal(outcome.stats.frames + outcome.stats.lostFrames, outcome.fecPercents.length, name);
  assert.equal(outcome.stats.refusedPackets, 0, name);
  assert.ok(outcome.inFlightBytesMax <= 4 * FRAME_BYTES_MAX, name);
  return outcome;
}

const WEATHERS: Readonly<Record<string, Partial<Weather>>> = {
  "at random": {},
  "in bursts": { burstLength: 4 },
  "at random, out of order": { delayMsMin: 1, delayMsMax: 45 },
  "in bursts, doubled and out of order": {
    burstLength: 3,
    duplicateRatio: 0.1,
    delayMsMin: 5,
    delayMsMax: 30,
  },
};

for (const [name, weather] of Object.entries(WEATHERS)) {
  Deno.test(`a client loses no frame that can be saved when packets are lost ${name}`, () => {
    for (const lossRatio of [0.02, 0.1, 0.3]) {
      for (const fecPercent of [0, 10, 30, 50]) {
        const seed = lossRatio * 100 + fecPercent;
        const { lostPackets } = runChecked({
          seed,
          fecPercent,
          weather: { ...weather, lossRatio },
        });
        assert.ok(lostPackets > 0);
      }
    }
  });
}

Deno.test("a client gets every frame of a network that loses none, however it delays and doubles them", () => {
  const weather = { duplicateRatio: 0.3, delayMsMin: 1, delayMsMax: 100 };
  for (const isSealed of [false, true]) {
    const { lostFrames, stats } = runChecked({ weather, isSealed });
    assert.deepEqual(lostFrames, []);
    assert.equal(stats.recoveredShards, stats.lateRecoveredShards);
  }
});

Deno.test("a client loses no frame that can be saved of a sealed stream, and of one over GF(2^8)", () => {
  const weather = { lossRatio: 0.1, duplicateRatio: 0.1, delayMsMin: 1, delayMsMax: 20 };
  const sealed = runChecked({ weather, fecPercent: 30, isSealed: true });
  assert.equal(sealed.stats.duplicatePackets, 0, "a double is a replay");
  runChecked({ weather, fecPercent: 30, scheme: "gf256" });
});

Deno.test("a client saves more frames the more parity there is", () => {
  const lost = [0, 10, 25, 50].map((fecPercent) =>
    runChecked({ seed: 7, fecPercent, frameCount: 60, weather: { lossRatio: 0.08 } }).lostFrames
      .length
  );
  for (const [index, count] of lost.slice(1).entries()) {
    assert.ok(count < (lost[index] ?? 0), `${lost}`);
  }
  assert.equal(lost.at(-1), 0);
});

Deno.test("a client loses no frame that can be saved in any weather", () => {
  const trials = fc.record({
    seed: fc.integer({ min: 0, max: 0xffff_ffff }),
    fecPercent: fc.integer({ min: 0, max: 50 }),
    frameCount: fc.constant(12),
    blockDataShardsMax: fc.integer({ min: 1, max: 40 }),
    weather: fc.record({
      lossRatio: fc.double({ min: 0, max: 0.3, noNaN: true }),
      duplicateRatio: fc.double({ min: 0, max: 0.2, noNaN: true }),
      burstLength: fc.integer({ min: 1, max: 8 }),
      delayMsMin: fc.constant(1),
      delayMsMax: fc.integer({ min: 1, max: 60 }),
    }, { noNullPrototype: true }),
  }, { noNullPrototype: true });
  fc.assert(fc.property(trials, (trial) => void runChecked(trial)), { numRuns: 15 });
});

Deno.test("a host's parity follows the weather up and down again", () => {
  const rainy = runChecked({
    fecPercent: "adaptive",
    frameCount: 300,
    frameSizeBytesMax: 6_000,
    weather: { lossRatio: 0.1 },
  });
  const at = (frame: number) => rainy.fecPercents[frame] ?? 0;
  assert.equal(at(0), 10);
  assert.ok(at(299) >= 15, `${at(299)} % against 10 % loss`);
  assert.ok(rainy.fecPercents.every((percent) => percent >= 5 && percent <= 50));
  const late = rainy.lostFrames.filter((frame) => frame >= 150).length;
  assert.ok(late <= rainy.lostFrames.length / 2, "it loses no more once it knows");
  const fine = runChecked({ fecPercent: "adaptive", frameCount: 300, frameSizeBytesMax: 2_000 });
  assert.equal(fine.fecPercents.at(-1), 5);
});

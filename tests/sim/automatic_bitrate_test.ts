/**
 * The automatic bitrate on simulated paths. Unless said otherwise: 30 Mbit/s, 10 ms each way, a queue of 107 ms, 60 frames
 * a second, a start at 20 Mbit/s.
 *
 * @module
 */
import assert from "node:assert/strict";
import {
  asksWithin,
  jainIndex,
  longestFreezeMs,
  meanKbps,
  percentile,
  queuePercentileMs,
} from "./rate_figures.ts";
import {
  type RateOutcome,
  type RateTrial,
  runRateTrial,
  type SessionOutcome,
} from "./rate_trial.ts";

const PATH_KBPS = 30_000;
const PATH = {
  delayMs: 10,
  queueBytes: 400_000,
  durationMs: 60_000,
  rate: [{ fromMs: 0, kbps: PATH_KBPS }],
  sessions: [{ startKbps: 20_000 }],
};
const SEEDS = [1, 2, 3] as const;
const HALVES_AT_MS = 20_000;

function first({ sessions }: RateOutcome): SessionOutcome {
  const session = sessions[0];
  assert.ok(session !== undefined);
  return session;
}

/** One test, run for each seed; a failure names it. */
function simulate(
  name: string,
  trial: Partial<RateTrial>,
  check: (outcome: RateOutcome, seed: string) => void,
): void {
  Deno.test(`AutomaticBitrate ${name}`, () => {
    for (const seed of SEEDS) check(runRateTrial({ ...PATH, ...trial, seed }), `seed ${seed}`);
  });
}

/** What a rate on a steady path must keep from 20 s on: 80 % of it used, asks within 10 % of their median, a short queue. */
function checkSteady(outcome: RateOutcome, seed: string): void {
  const span = { fromMs: 20_000, toMs: outcome.sessions[0]?.kbpsBySecond.length ?? 0 };
  span.toMs *= 1000;
  const session = first(outcome);
  assert.ok(meanKbps(session, span) >= PATH_KBPS * 0.8, `${seed}: uses too little`);
  const asks = asksWithin(session, span).map(({ kbps }) => kbps);
  assert.ok(asks.length > 10, `${seed}: does not look for more`);
  const median = percentile(asks, 50);
  for (const kbps of asks) {
    assert.ok(Math.abs(kbps / median - 1) <= 0.1, `${seed}: asks for ${kbps} around ${median}`);
  }
  assert.ok(queuePercentileMs(outcome, 95, span) < 30, `${seed}: the queue stands`);
  assert.ok(longestFreezeMs(session, span) <= 50, `${seed}: a picture stood`);
}

simulate(
  "keeps the picture moving when the path halves, and is below the new rate within a second",
  {
    durationMs: 45_000,
    rate: [{ fromMs: 0, kbps: PATH_KBPS }, { fromMs: HALVES_AT_MS, kbps: PATH_KBPS / 2 }],
  },
  (outcome, seed) => {
    const session = first(outcome);
    const freezeMs = longestFreezeMs(session, { fromMs: 5_000, toMs: 45_000 });
    assert.ok(freezeMs <= 250, `${seed}: a picture stood for ${freezeMs} ms`);
    const inForce = session.asks.findLast(({ atMs }) => atMs < HALVES_AT_MS + 1_000);
    assert.ok((inForce?.kbps ?? Infinity) < PATH_KBPS / 2, `${seed}: asks for ${inForce?.kbps}`);
    const queueMs = queuePercentileMs(outcome, 95, { fromMs: 22_000, toMs: 45_000 });
    assert.ok(queueMs < 40, `${seed}: the queue stands at ${queueMs} ms`);
    const usedKbps = meanKbps(session, { fromMs: 22_000, toMs: 45_000 });
    assert.ok(usedKbps >= PATH_KBPS / 2 * 0.8, `${seed}: uses ${usedKbps}`);
  },
);

for (
  const { name, delayMs, refreshHz, kbps } of [
    { name: "over a round trip of 4 ms at 120 Hz", delayMs: 2, refreshHz: 120, kbps: 100_000 },
    { name: "over a round trip of 80 ms", delayMs: 40, refreshHz: 60, kbps: 30_000 },
    { name: "at 8 Mbit/s", delayMs: 10, refreshHz: 60, kbps: 8_000 },
  ]
) {
  simulate(`keeps the picture moving when the path halves ${name}`, {
    delayMs,
    durationMs: 30_000,
    queueBytes: kbps * 20,
    rate: [{ fromMs: 0, kbps }, { fromMs: HALVES_AT_MS, kbps: kbps / 2 }],
    sessions: [{ startKbps: kbps * 0.7, refreshHz }],
  }, (outcome, seed) => {
    const freezeMs = longestFreezeMs(first(outcome), { fromMs: 5_000, toMs: 30_000 });
    assert.ok(freezeMs <= 250, `${seed}: a picture stood for ${freezeMs} ms`);
  });
}

simulate("finds 85 % of a path that doubled within 12 s", {
  durationMs: 45_000,
  rate: [{ fromMs: 0, kbps: PATH_KBPS / 2 }, { fromMs: 20_000, kbps: PATH_KBPS }],
  sessions: [{ startKbps: 12_000 }],
}, (outcome, seed) => {
  const usedKbps = meanKbps(first(outcome), { fromMs: 32_000, toMs: 45_000 });
  assert.ok(usedKbps >= PATH_KBPS * 0.85, `${seed}: uses ${usedKbps}`);
});

simulate(
  "neither swings nor fills the queue of a steady path",
  { durationMs: 120_000 },
  checkSteady,
);

simulate("takes no notice of clocks that differ by 5 s and drift by 100 ppm", {
  durationMs: 120_000,
  sessions: [{ startKbps: 20_000, clockOffsetUs: 5_000_000, driftPpm: 100 }],
}, checkSteady);

simulate("takes no notice of clocks that drift by 100 ppm the other way", {
  durationMs: 120_000,
  sessions: [{ startKbps: 20_000, clockOffsetUs: -5_000_000, driftPpm: -100 }],
}, checkSteady);

for (const startKbps of [3_000, 20_000]) {
  simulate(`shares a path with a second session that starts at ${startKbps} kbit/s`, {
    durationMs: 90_000,
    sessions: [{ startKbps: 20_000 }, { startKbps, fromMs: 15_000 }],
  }, (outcome, seed) => {
    const span = { fromMs: 60_000, toMs: 90_000 };
    const shares = outcome.sessions.map((session) => meanKbps(session, span));
    assert.ok(jainIndex(shares) >= 0.95, `${seed}: shares ${shares}`);
    for (const session of outcome.sessions) {
      for (const kbps of session.kbpsBySecond.slice(20)) {
        assert.ok(kbps >= PATH_KBPS * 0.1, `${seed}: one starves at ${kbps}`);
      }
    }
    const used = shares.reduce((sum, kbps) => sum + kbps, 0);
    assert.ok(used >= PATH_KBPS * 0.85, `${seed}: both use ${used}`);
  });
}

simulate("shares a path among four sessions", {
  durationMs: 90_000,
  sessions: [20_000, 10_000, 5_000, 10_000].map((startKbps, index) => ({
    startKbps,
    fromMs: index * 5_000,
  })),
}, (outcome, seed) => {
  const span = { fromMs: 60_000, toMs: 90_000 };
  const shares = outcome.sessions.map((session) => meanKbps(session, span));
  assert.ok(jainIndex(shares) >= 0.9, `${seed}: shares ${shares}`);
});

for (const lossRatio of [0.03, 0.15]) {
  simulate(
    `leaves a loss of ${lossRatio * 100} % that no rate mends to the parity`,
    { lossRatio },
    (outcome, seed) => {
      const usedKbps = meanKbps(first(outcome), { fromMs: 20_000, toMs: 60_000 });
      // What is lost on the way is not received.
      assert.ok(usedKbps >= PATH_KBPS * 0.8 * (1 - lossRatio), `${seed}: uses ${usedKbps}`);
    },
  );
}

simulate("takes no notice of 20 ms of jitter", { jitterMs: 20 }, (outcome, seed) => {
  const usedKbps = meanKbps(first(outcome), { fromMs: 20_000, toMs: 60_000 });
  assert.ok(usedKbps >= PATH_KBPS * 0.8, `${seed}: uses ${usedKbps}`);
});

const STILL = { fromMs: 20_000, toMs: 40_000 };

simulate("does not climb on a still picture, and motion finds the rate it left", {
  sessions: [{
    startKbps: 20_000,
    // Two small repeats a second.
    demand: (nowMs) => nowMs < STILL.fromMs || nowMs >= STILL.toMs ? 1 : nowMs % 500 < 17 ? 0.2 : 0,
  }],
}, (outcome, seed) => {
  const session = first(outcome);
  // The last frames of motion still are on their way.
  assert.deepEqual(asksWithin(session, { fromMs: STILL.fromMs + 100, toMs: STILL.toMs }), [], seed);
  const freezeMs = longestFreezeMs(session, { fromMs: STILL.toMs + 100, toMs: 60_000 });
  assert.ok(freezeMs <= 250, `${seed}: a picture stood for ${freezeMs} ms`);
  const usedKbps = meanKbps(session, { fromMs: 42_000, toMs: 60_000 });
  assert.ok(usedKbps >= PATH_KBPS * 0.8, `${seed}: uses ${usedKbps}`);
});

simulate("does not read a gap of the host's pipeline, and a slow start after it, as congestion", {
  sessions: [{
    startKbps: 20_000,
    ceilingKbps: 20_000,
    pipelineGap: { atMs: 30_000, gapMs: 600 },
  }],
}, (outcome, seed) => {
  assert.deepEqual(first(outcome).asks, [], seed);
});

simulate("makes room for traffic that does not give way, and takes it back", {
  cross: [{ fromMs: 20_000, toMs: 35_000, kbps: 12_000 }],
}, (outcome, seed) => {
  const session = first(outcome);
  const queueMs = queuePercentileMs(outcome, 50, { fromMs: 22_000, toMs: 35_000 });
  assert.ok(queueMs < 40, `${seed}: the queue stands at ${queueMs} ms`);
  const besideKbps = meanKbps(session, { fromMs: 22_000, toMs: 35_000 });
  assert.ok(besideKbps >= 18_000 * 0.7, `${seed}: uses ${besideKbps} of 18000`);
  const afterKbps = meanKbps(session, { fromMs: 48_000, toMs: 60_000 });
  assert.ok(afterKbps >= PATH_KBPS * 0.85, `${seed}: uses ${afterKbps} afterwards`);
});

simulate("asks for no more than its ceiling", {
  sessions: [{ startKbps: 10_000, ceilingKbps: 15_000 }],
}, (outcome, seed) => {
  const { asks } = first(outcome);
  assert.equal(Math.max(...asks.map(({ kbps }) => kbps)), 15_000, seed);
});

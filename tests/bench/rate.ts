/**
 * How the automatic bitrate of the native plane fares on simulated paths. A table, the same on every machine.
 *
 *     freeze   longest time without a new picture after the first 10 s, the worst of the seeds
 *     lost     packets that the queue dropped, the mean
 *     used     received in the last 20 s, percent of the path
 *     queue    95th percentile of what a packet waits in those 20 s
 *     swing    least and greatest rate asked for in those 20 s, percent from their median, the widest of the seeds
 *     jain     shares of two sessions in the last 30 s of 90, the second starting 15 s later at a third of the path; the worst
 *
 * @module
 */
import {
  asksWithin,
  jainIndex,
  longestFreezeMs,
  meanKbps,
  percentile,
  queuePercentileMs,
} from "../sim/rate_figures.ts";
import { type RateTrial, runRateTrial } from "../sim/rate_trial.ts";

interface Path {
  readonly kbps: number;
  readonly refreshHz: number;
  readonly delayMs: number;
  /** At this rate. */
  readonly queueMs: number;
  readonly profile?: "burst" | "smooth";
}

const SEEDS = [1, 2, 3] as const;
/** Before this a session looks for its rate. */
const SETTLED_MS = 10_000;
const PATHS: readonly Path[] = [
  { kbps: 4_000, refreshHz: 30, delayMs: 20, queueMs: 300 },
  { kbps: 8_000, refreshHz: 60, delayMs: 10, queueMs: 150 },
  { kbps: 15_000, refreshHz: 30, delayMs: 20, queueMs: 100 },
  { kbps: 30_000, refreshHz: 60, delayMs: 2, queueMs: 60 },
  { kbps: 30_000, refreshHz: 60, delayMs: 2, queueMs: 60, profile: "smooth" },
  { kbps: 30_000, refreshHz: 60, delayMs: 10, queueMs: 107 },
  { kbps: 30_000, refreshHz: 60, delayMs: 40, queueMs: 200 },
  { kbps: 100_000, refreshHz: 60, delayMs: 10, queueMs: 40, profile: "smooth" },
  { kbps: 100_000, refreshHz: 120, delayMs: 5, queueMs: 60 },
  { kbps: 200_000, refreshHz: 60, delayMs: 5, queueMs: 80 },
];
const CHANGE_MS = 20_000;
const HEAD = ["freeze ms", "lost", "used %", "queue ms", "swing %"];

type Scenario = (path: Path) => Omit<RateTrial, "seed" | "delayMs" | "queueBytes">;

function session({ kbps, refreshHz, profile = "burst" }: Path, share: number, fromMs = 0) {
  return { startKbps: Math.round(kbps * share), refreshHz, profile, fromMs };
}

/** The path's rate in the end is the whole one, so that "used" means the same in each. */
const SCENARIOS: Readonly<Record<string, Scenario>> = {
  "steady": (path) => ({
    durationMs: 120_000,
    rate: [{ fromMs: 0, kbps: path.kbps }],
    sessions: [session(path, 0.7)],
  }),
  "halves to this": (path) => ({
    durationMs: 45_000,
    rate: [{ fromMs: 0, kbps: path.kbps * 2 }, { fromMs: CHANGE_MS, kbps: path.kbps }],
    sessions: [session(path, 1.4)],
  }),
  "doubles to this": (path) => ({
    durationMs: 60_000,
    rate: [{ fromMs: 0, kbps: path.kbps / 2 }, { fromMs: CHANGE_MS, kbps: path.kbps }],
    sessions: [session(path, 0.4)],
  }),
  "loses 3 %": (path) => ({ ...steady(path), lossRatio: 0.03 }),
  "20 ms of jitter": (path) => ({ ...steady(path), jitterMs: 20 }),
};

function steady(path: Path) {
  return {
    durationMs: 60_000,
    rate: [{ fromMs: 0, kbps: path.kbps }],
    sessions: [session(path, 0.7)],
  };
}

function cellsOf(path: Path, scenario: Scenario): string[] {
  const plan = scenario(path);
  const queueBytes = path.kbps / 8 * path.queueMs;
  const span = { fromMs: plan.durationMs - 20_000, toMs: plan.durationMs };
  const figures = SEEDS.map((seed) => {
    const outcome = runRateTrial({ ...plan, seed, delayMs: path.delayMs, queueBytes });
    const [only] = outcome.sessions;
    if (only === undefined) throw new TypeError("Cannot read a trial: it has no session");
    const asks = asksWithin(only, span).map(({ kbps }) => kbps);
    const median = percentile(asks, 50);
    return {
      freezeMs: longestFreezeMs(only, { fromMs: SETTLED_MS, toMs: plan.durationMs }),
      lost: outcome.droppedPackets,
      used: 100 * meanKbps(only, span) / path.kbps,
      queueMs: queuePercentileMs(outcome, 95, span),
      lowest: 100 * Math.min(...asks) / median - 100,
      highest: 100 * Math.max(...asks) / median - 100,
    };
  });
  const mean = (of: (figure: typeof figures[number]) => number) =>
    figures.reduce((sum, figure) => sum + of(figure), 0) / figures.length;
  const lowest = Math.min(...figures.map((figure) => figure.lowest));
  const highest = Math.max(...figures.map((figure) => figure.highest));
  return [
    Math.max(...figures.map(({ freezeMs }) => freezeMs)).toFixed(0),
    mean(({ lost }) => lost).toFixed(0),
    mean(({ used }) => used).toFixed(0),
    mean(({ queueMs }) => queueMs).toFixed(0),
    `${lowest.toFixed(0)}/+${highest.toFixed(0)}`,
  ];
}

function worstJain(path: Path): string {
  const queueBytes = path.kbps / 8 * path.queueMs;
  return Math.min(...SEEDS.map((seed) => {
    const { sessions } = runRateTrial({
      seed,
      delayMs: path.delayMs,
      queueBytes,
      durationMs: 90_000,
      rate: [{ fromMs: 0, kbps: path.kbps }],
      sessions: [session(path, 0.7), session(path, 0.33, 15_000)],
    });
    return jainIndex(sessions.map((one) => meanKbps(one, { fromMs: 60_000, toMs: 90_000 })));
  })).toFixed(3);
}

export function benchRate(): string {
  const lines = [
    `Automatic bitrate, ${SEEDS.length} seeds a row`,
    `  ${"".padEnd(18)}${HEAD.map((text) => text.padStart(11)).join("")}`,
  ];
  for (const path of PATHS) {
    const { kbps, refreshHz, delayMs, queueMs, profile = "burst" } = path;
    const name = `${kbps / 1000} Mbit/s, ${refreshHz} Hz, 2 × ${delayMs} ms, queue ${queueMs} ms`;
    lines.push(`${name}, ${profile}; two sessions: jain ${worstJain(path)}`);
    for (const [title, scenario] of Object.entries(SCENARIOS)) {
      const cells = cellsOf(path, scenario).map((text) => text.padStart(11));
      lines.push(`  ${title.padEnd(18)}${cells.join("")}`);
    }
  }
  return lines.join("\n");
}

if (import.meta.main) console.log(benchRate());

/**
 * What is read off a simulated run of the automatic bitrate.
 *
 * @module
 */
import type { RateAsk, RateOutcome, SessionOutcome } from "./rate_trial.ts";

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** The longest time without a new picture that ended within the span. */
export function longestFreezeMs({ shownMs }: SessionOutcome, { fromMs, toMs }: Span): number {
  let longestMs = 0;
  for (let index = 1; index < shownMs.length; index++) {
    const atMs = shownMs[index] ?? 0;
    if (atMs > fromMs && atMs <= toMs) {
      longestMs = Math.max(longestMs, atMs - (shownMs[index - 1] ?? 0));
    }
  }
  return longestMs;
}

/** Received, whole seconds. */
export function meanKbps({ kbpsBySecond }: SessionOutcome, { fromMs, toMs }: Span): number {
  const seconds = kbpsBySecond.slice(fromMs / 1000, toMs / 1000);
  return seconds.reduce((sum, kbps) => sum + kbps, 0) / seconds.length;
}

export function asksWithin({ asks }: SessionOutcome, { fromMs, toMs }: Span): readonly RateAsk[] {
  return asks.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
}

/** The least that `percent` of the values do not exceed. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(Math.ceil(sorted.length * percent / 100) - 1, 0)] ?? Number.NaN;
}

/** How long a packet would wait, percentile of the span. */
export function queuePercentileMs(outcome: RateOutcome, percent: number, span: Span): number {
  const { queueMs, sampleMs } = outcome;
  return percentile(queueMs.slice(span.fromMs / sampleMs, span.toMs / sampleMs), percent);
}

/** Jain's index: 1 is equal shares, 1 ÷ n is all for one. */
export function jainIndex(shares: readonly number[]): number {
  const sum = shares.reduce((total, share) => total + share, 0);
  return sum ** 2 / (shares.length * shares.reduce((total, share) => total + share ** 2, 0));
}

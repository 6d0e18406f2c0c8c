/**
 * What a check of this machine is, and how many of them run without one spoiling the others.
 *
 *     gather facts (reads the machine) → evaluate (pure) → Finding        one file a subject
 *     runChecks: all at once, each within CHECK_TIMEOUT_MS, the worst first
 *
 * @module
 */
import type { Clock } from "../lib/clock.ts";
import { describeError } from "../lib/errors.ts";

/** Longer than any check's own limits together. */
export const CHECK_TIMEOUT_MS = 8000;

/**
 * - fault: streaming fails, or part of it
 * - warning: streaming works, less well
 * - unknown: only somebody else can tell, e.g. root
 * - skipped: does not apply here
 */
export type CheckState = "fault" | "warning" | "unknown" | "skipped" | "ok";

const STATES: readonly CheckState[] = ["fault", "warning", "unknown", "skipped", "ok"];
const STATE_WIDTH = Math.max(...STATES.map((state) => state.length));

export interface Finding {
  readonly state: CheckState;
  /** What was found, as one sentence without a full stop. */
  readonly summary: string;
  /** What to do, commands where there are any; one a line. The program never runs them itself. */
  readonly remedy?: string;
}

export interface Check {
  /** Stable, for scripts: lower-case words joined by hyphens. */
  readonly id: string;
  /** Changes nothing on the machine. May throw. */
  readonly find: () => Promise<Finding>;
}

export interface CheckResult extends Finding {
  readonly id: string;
}

/** Run all at once. Never rejects: a check that throws or does not end is a fault of its own. */
export async function runChecks(
  checks: readonly Check[],
  { clock }: { readonly clock: Clock },
): Promise<CheckResult[]> {
  const results = await Promise.all(
    checks.map(async ({ id, find }) => ({ id, ...await findInTime(find, clock) })),
  );
  return results.sort((a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state));
}

async function findInTime(find: () => Promise<Finding>, clock: Clock): Promise<Finding> {
  const late = Promise.withResolvers<never>();
  const timer = clock.after(CHECK_TIMEOUT_MS, () => {
    late.reject(new Error(`no answer within ${CHECK_TIMEOUT_MS / 1000} s`));
  });
  try {
    return await Promise.race([find(), late.promise]);
  } catch (error) {
    return {
      state: "fault",
      summary: `Could not be checked: ${describeError(error).replace(/\s+/g, " ")}`,
    };
  } finally {
    timer.cancel();
  }
}

/** One line a check, its remedy below it, and the count at the end. */
export function describeResults(results: readonly CheckResult[]): string {
  const idWidth = Math.max(0, ...results.map(({ id }) => id.length));
  const indent = " ".repeat(STATE_WIDTH + 1 + idWidth + 1);
  const lines = results.flatMap(({ id, state, summary, remedy }) => [
    `${state.padEnd(STATE_WIDTH)} ${id.padEnd(idWidth)} ${summary}`,
    ...(remedy?.split("\n").map((line) => `${indent}→ ${line}`) ?? []),
  ]);
  const counted = STATES.flatMap((state) => {
    const count = results.filter((result) => result.state === state).length;
    return count === 0 ? [] : [`${count} ${state}`];
  });
  return [...lines, "", counted.join(", ")].join("\n");
}

/**
 * Which lines reach the console: `PUNKTFUNK_LOG`, else `RUST_LOG`, in the form that operators know.
 *
 *     info                     everything from INFO up
 *     warn,session=debug       WARN and up, from session.* DEBUG and up
 *     off
 *
 * @module
 */
import type { LogLevel } from "./ring.ts";

const RANKS: Readonly<Record<LogLevel, number>> = {
  ERROR: 1,
  WARN: 2,
  INFO: 3,
  DEBUG: 4,
  TRACE: 5,
};
const WORDS: Readonly<Record<string, number>> = {
  off: 0,
  error: 1,
  warn: 2,
  warning: 2,
  info: 3,
  debug: 4,
  trace: 5,
};

export class LogFilter {
  readonly #defaultRank: number;
  readonly #targets: ReadonlyMap<string, number>;

  private constructor(defaultRank: number, targets: ReadonlyMap<string, number>) {
    this.#defaultRank = defaultRank;
    this.#targets = targets;
  }

  /** Parse comma-separated directives. What is not understood is left out: a typing error must not silence a host. */
  static parse(text: string | undefined): LogFilter {
    let defaultRank = RANKS.INFO;
    const targets = new Map<string, number>();
    for (const directive of (text ?? "").toLowerCase().split(",")) {
      const [left = "", right] = directive.trim().split("=", 2);
      const rank = WORDS[(right ?? left).trim()];
      if (rank === undefined) continue;
      if (right === undefined) defaultRank = rank;
      else targets.set(left.trim(), rank);
    }
    return new LogFilter(defaultRank, targets);
  }

  /** `target` is the first part of the event's name. */
  passes(level: LogLevel, target: string): boolean {
    return RANKS[level] <= (this.#targets.get(target) ?? this.#defaultRank);
  }
}

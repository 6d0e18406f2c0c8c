/**
 * What a command is given instead of reaching for the process itself.
 *
 * @module
 */
import type { Directories } from "../platform/paths.ts";
import type { Clock } from "../lib/clock.ts";
import type { CommandOutput, Terminal } from "./print.ts";

export interface CliEnvironment {
  /** The process's variables; a command may take credentials out of them. */
  readonly env: { get(name: string): string | undefined; delete(name: string): void };
  readonly terminal: Terminal;
  /** Throws OperationError when this user has no home. */
  directories(): Directories;
  openClock(): Promise<Clock>;
  /** Calls `onSignal` at every SIGINT, SIGTERM and SIGHUP until disposed. */
  onStopSignal(onSignal: () => void): Disposable;
  /** End the process at once. */
  exit(code: number): never;
}

/** What a command module exports as `run`. */
export type CommandRun<Flags, Args extends readonly unknown[] = []> = (
  environment: CliEnvironment,
  flags: Flags,
  ...args: Args
) => Promise<CommandOutput>;

/** Flags that every command with a result understands. */
export type JsonFlag = { readonly json?: boolean };

/**
 * A command's surroundings made of memory: what it prints is kept, signals are raised by hand, nothing exits.
 *
 * @module
 */
import { FakeClock, type Timer } from "../../../src/lib/clock.ts";
import type { CliEnvironment } from "../../../src/cli/environment.ts";
import { runProgram } from "../../../src/cli/program.ts";
import { resolveDirectories } from "../../../src/platform/paths.ts";

export class ExitRequest extends Error {
  constructor(readonly code: number) {
    super(`exit ${code}`);
  }
}

/** Tells when somebody begins to wait, so that a test can move the clock then. */
class WatchedClock extends FakeClock {
  readonly #waited = Promise.withResolvers<void>();
  /** Resolves at the first timer. */
  readonly firstTimer = this.#waited.promise;

  override after(delayMs: number, callback: () => void): Timer {
    const timer = super.after(delayMs, callback);
    this.#waited.resolve();
    return timer;
  }
}

export class FakeCli {
  out = "";
  err = "";
  readonly variables: Map<string, string>;
  readonly clock = new WatchedClock();
  readonly listeners = new Set<() => void>();
  readonly environment: CliEnvironment;

  constructor(
    variables: Record<string, string> = {},
    { isInteractive = false }: { readonly isInteractive?: boolean } = {},
  ) {
    this.variables = new Map(Object.entries({ HOME: "/nonexistent", ...variables }));
    this.environment = {
      env: this.variables,
      terminal: {
        writeOut: (text) => {
          this.out += text;
        },
        writeErr: (text) => {
          this.err += text;
        },
        isInteractive,
        hasColor: isInteractive,
      },
      directories: () => resolveDirectories(Object.fromEntries(this.variables), "linux"),
      openClock: () => Promise.resolve(this.clock),
      onStopSignal: (onSignal) => {
        this.listeners.add(onSignal);
        return { [Symbol.dispose]: () => void this.listeners.delete(onSignal) };
      },
      exit: (code) => {
        throw new ExitRequest(code);
      },
    };
  }

  run(...args: string[]): Promise<number> {
    return runProgram(args, this.environment);
  }
}

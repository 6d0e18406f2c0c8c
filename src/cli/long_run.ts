/**
 * What the commands that run until they are stopped have in common: their log, signals, crashes, and an end in time.
 *
 * @module
 */
import type { Host } from "../host_options.ts";
import type { Clock } from "../lib/clock.ts";
import { OperationError } from "../lib/errors.ts";
import type { Logger } from "../lib/logger.ts";
import { LogFilter } from "../log/filter.ts";
import { type Log, openLog } from "../log/log.ts";
import type { CliEnvironment } from "./environment.ts";
import { describeChain } from "./print.ts";

/** Sessions, sound and displays are put back within this time (product specification 1.2). */
const CLOSE_TIMEOUT_MS = 20_000;

/** Lines to stderr, of the level and form the environment asks for. */
export function openCommandLog(
  { terminal }: CliEnvironment,
  env: { get(name: string): string | undefined },
): Log {
  return openLog({
    filter: LogFilter.parse(env.get("PUNKTFUNK_LOG") ?? env.get("RUST_LOG")),
    format: env.get("PUNKTFUNK_LOG_FORMAT")?.toLowerCase() === "json" ? "json" : "text",
    hasColor: terminal.hasColor,
    wallMs: () => Date.now(),
    write: (line) => terminal.writeErr(line),
  });
}

export interface Surroundings {
  readonly environment: CliEnvironment;
  readonly logger: Logger;
  readonly clock: Clock;
}

/**
 * Open the host and wait for its end, a signal or a crash; true after a crash. A second signal ends the process at once.
 */
export async function runUntilStopped(
  { environment, logger, clock }: Surroundings,
  open: () => Promise<Host>,
): Promise<boolean> {
  const stop = Promise.withResolvers<void>();
  let hasCrashed = false;
  let hasSignal = false;
  using _signals = environment.onStopSignal(() => {
    if (hasSignal) environment.exit(1);
    hasSignal = true;
    logger.info("host.stopping", { reason: "signal" });
    stop.resolve();
  });
  using _crashes = onCrash((error) => {
    hasCrashed = true;
    logger.error("host.crashed", { error: describeChain(error) });
    stop.resolve();
  });
  const host = await open();
  try {
    for (const line of host.summary.lines) logger.info("host.ready", { detail: line });
    await Promise.race([host.ended, stop.promise]);
  } finally {
    await closeInTime(host, clock);
  }
  logger.info("host.stopped");
  return hasCrashed;
}

/** Calls `onError` for every error that nobody awaited; the process lives on until the host is closed. */
function onCrash(onError: (error: unknown) => void): Disposable {
  const hear = (event: ErrorEvent | PromiseRejectionEvent) => {
    event.preventDefault();
    onError("reason" in event ? event.reason : event.error);
  };
  addEventListener("error", hear);
  addEventListener("unhandledrejection", hear);
  return {
    [Symbol.dispose]() {
      removeEventListener("error", hear);
      removeEventListener("unhandledrejection", hear);
    },
  };
}

async function closeInTime(host: Host, clock: Clock): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = clock.after(CLOSE_TIMEOUT_MS, () => {
    const seconds = CLOSE_TIMEOUT_MS / 1000;
    late.reject(
      new OperationError("failed", `Cannot end within ${seconds} s: a part does not close`),
    );
  });
  try {
    await Promise.race([host.close(), late.promise]);
  } finally {
    timer.cancel();
  }
}

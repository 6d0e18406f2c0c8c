/**
 * The frame around a pump inside its Worker: takes commands, opens the parts, reports, closes everything in reverse
 * order, and answers every way of ending with exactly one "ended".
 *
 * @module
 */
import type { Clock } from "../../lib/clock.ts";
import { describeError, OperationError } from "../../lib/errors.ts";
import { openSystemClock } from "../../platform/system_clock.ts";
import type { PumpCommand, PumpReport, PumpStats } from "./messages.ts";

const STATS_INTERVAL_MS = 1000;

/** What both kinds of pump have in common for the frame around them. */
export interface RunningPump {
  readonly stats: PumpStats;
  stop(): void;
  run(onFirstPacket: () => void): Promise<void>;
  /** Commands other than start and stop. */
  command(command: PumpCommand<unknown>): void;
}

export interface OpenedPump {
  readonly pump: RunningPump;
  readonly description: string;
}

/** The part of a Worker's global scope that is used. */
export interface WorkerScope {
  onmessage: ((event: MessageEvent) => void) | null;
  postMessage(report: PumpReport): void;
  close(): void;
}

const NO_STATS: PumpStats = {
  units: 0,
  idrs: 0,
  repeats: 0,
  packets: 0,
  bytes: 0,
  refusedPackets: 0,
  droppedUnits: 0,
  encodeUs: 0,
  sendUs: 0,
};

export interface PumpSurroundings {
  /** Closes what the pump opened. */
  readonly stack: DisposableStack;
  readonly clock: Clock;
  readonly report: (report: PumpReport) => void;
}

/** Serve one pump in `scope`. `open` registers what it opens in the stack. */
export function servePump<Spec>(
  scope: WorkerScope,
  open: (spec: Spec, surroundings: PumpSurroundings) => Promise<OpenedPump>,
): void {
  let pump: RunningPump | undefined;
  let isStopped = false;
  const early: PumpCommand<Spec>[] = [];

  const run = async (spec: Spec) => {
    let stats = NO_STATS;
    let error: { code: string; message: string } | undefined;
    try {
      using stack = new DisposableStack();
      const opened = await open(spec, {
        stack,
        clock: openSystemClock(),
        report: (report) => scope.postMessage(report),
      });
      pump = opened.pump;
      scope.postMessage({ kind: "ready", description: opened.description });
      for (const command of early) opened.pump.command(command);
      if (isStopped) opened.pump.stop();
      const timer = setInterval(
        () => scope.postMessage({ kind: "stats", stats: opened.pump.stats }),
        STATS_INTERVAL_MS,
      );
      stack.defer(() => clearInterval(timer));
      try {
        await opened.pump.run(() => scope.postMessage({ kind: "first-packet" }));
      } finally {
        stats = opened.pump.stats;
      }
    } catch (cause) {
      error = {
        code: cause instanceof OperationError ? cause.code : "failed",
        // With the remedy, which does not cross by itself.
        message: describeError(cause),
      };
    }
    scope.postMessage({ kind: "ended", stats, ...(error === undefined ? {} : { error }) });
    scope.close();
  };

  scope.onmessage = (event: MessageEvent) => {
    const command = event.data as PumpCommand<Spec>;
    if (command.kind === "start") void run(command.spec);
    else if (command.kind === "stop") {
      isStopped = true;
      pump?.stop();
    } else if (pump === undefined) early.push(command);
    else pump.command(command);
  };
}

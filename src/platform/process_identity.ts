/**
 * Which process wrote something that outlives it. A process number alone is used again; with the start time it names one
 * process for as long as the machine runs.
 *
 * @module
 */

export interface ProcessIdentity {
  readonly processId: number;
  /** Clock ticks since boot. */
  readonly startTicks: number;
}

/** Position of `starttime` in /proc/<pid>/stat, counted after the command's name, which may hold spaces. */
const START_TICKS_INDEX = 19;

async function startTicksOf(processId: number): Promise<number | undefined> {
  try {
    const stat = await Deno.readTextFile(`/proc/${processId}/stat`);
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[START_TICKS_INDEX]);
  } catch {
    return undefined;
  }
}

export async function thisProcess(): Promise<ProcessIdentity> {
  return { processId: Deno.pid, startTicks: await startTicksOf(Deno.pid) ?? 0 };
}

/** Whether that process runs. Always false where there is no /proc. */
export async function isRunning(identity: ProcessIdentity): Promise<boolean> {
  return await startTicksOf(identity.processId) === identity.startTicks;
}

/** True for a running process other than this one: what it wrote is in use, not left behind. */
export async function isRunningElsewhere(identity: ProcessIdentity): Promise<boolean> {
  return identity.processId !== Deno.pid && await isRunning(identity);
}

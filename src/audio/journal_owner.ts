/**
 * Whether the process that wrote a journal still runs: then what it changed is in use, not left behind.
 *
 * @module
 */
import type { JournalOwner } from "./journal.ts";

/** Position of `starttime` in /proc/<pid>/stat, counted after the command's name, which may hold spaces. */
const START_TICKS_INDEX = 19;

async function startTicksOf(processId: number): Promise<number | undefined> {
  try {
    const stat = await Deno.readTextFile(`/proc/${processId}/stat`);
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return Number(fields[START_TICKS_INDEX]);
  } catch {
    return undefined;
  }
}

export async function thisProcess(): Promise<JournalOwner> {
  return { processId: Deno.pid, startTicks: await startTicksOf(Deno.pid) ?? 0 };
}

/** True for a running process other than this one. */
export async function isOwnedByAnother(owner: JournalOwner): Promise<boolean> {
  if (owner.processId === Deno.pid) return false;
  return await startTicksOf(owner.processId) === owner.startTicks;
}

/**
 * Programs that run on this machine, as far as /proc shows them to everybody.
 *
 * @module
 */
import type { Machine } from "./machine.ts";

export interface RunningProcess {
  readonly processId: number;
  /** The kernel's name of it, at most 15 bytes. */
  readonly name: string;
}

/** None where there is no /proc. */
export async function listProcesses(machine: Machine): Promise<readonly RunningProcess[]> {
  const processIds = (await machine.list("/proc")).filter((name) => /^\d+$/.test(name));
  const processes = await Promise.all(processIds.map(async (processId) => ({
    processId: Number(processId),
    name: (await machine.readText(`/proc/${processId}/comm`))?.trim() ?? "",
  })));
  // One without a name has ended since.
  return processes.filter(({ name }) => name !== "")
    .sort((a, b) => a.processId - b.processId);
}

/**
 * `detect-conflicts`: other game-streaming hosts on this machine (product specification 1.6). Exits 1 when one runs or
 * starts by itself.
 *
 * @module
 */
import { describeConflicts, findOtherHosts, isActive } from "../../health/conflicts.ts";
import { openMachine } from "../../health/machine.ts";
import type { CommandRun, JsonFlag } from "../environment.ts";

export const run: CommandRun<JsonFlag> = async ({ env }) => {
  using machine = openMachine();
  const hosts = await findOtherHosts({ env, machine });
  return {
    text: describeConflicts(hosts),
    data: { hosts: hosts.map((host) => ({ ...host, active: isActive(host) })) },
    exitCode: hosts.some(isActive) ? 1 : 0,
  };
};

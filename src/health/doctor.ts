/**
 * Every check of this machine, in the order people meet what they check.
 *
 * @module
 */
import { pipewireSocketPath } from "../audio/pipewire_socket.ts";
import type { DisplayChoiceOptions } from "../display/registry.ts";
import type { Clock } from "../lib/clock.ts";
import type { Directories } from "../platform/paths.ts";
import type { Check } from "./check.ts";
import { conflictCheck } from "./conflicts.ts";
import { displayFinding, gatherDisplay, gatherSound, soundFinding } from "./desktop.ts";
import { deviceChecks } from "./devices.ts";
import type { Machine } from "./machine.ts";
import {
  firewallFinding,
  gatherFirewalls,
  gatherMdns,
  mdnsFinding,
  sendBufferFinding,
} from "./network.ts";
import { portChecks, type PortSettings, wantedPorts } from "./ports.ts";
import { encoderChecks, quicCheck, runtimeFinding, shimChecks } from "./runtime.ts";
import { clockFinding, directoryChecks, limitsFinding } from "./system.ts";

export interface DoctorOptions {
  readonly machine: Machine;
  readonly env: { get(name: string): string | undefined };
  readonly clock: Clock;
  /** Throws OperationError when this user has none. */
  readonly directories: () => Directories;
  readonly settings: PortSettings & {
    readonly source: DisplayChoiceOptions["source"];
    readonly isMdnsOn: boolean;
  };
  /** `Deno.version.deno`. */
  readonly runtimeVersion: string;
  readonly isCompiled: boolean;
  /** Of this program's first module. */
  readonly mainPath: string;
}

export function doctorChecks(options: DoctorOptions): Check[] {
  const { machine, env, settings } = options;
  const wanted = wantedPorts(settings);
  return [
    {
      id: "runtime",
      find: () =>
        Promise.resolve(
          runtimeFinding({
            version: options.runtimeVersion,
            isCompiled: options.isCompiled,
            isGamestreamOn: settings.isGamestreamOn,
          }),
        ),
    },
    ...shimChecks(),
    {
      id: "display",
      find: async () =>
        displayFinding(
          await gatherDisplay({ source: settings.source, environment: env, clock: options.clock }),
        ),
    },
    {
      id: "sound",
      find: async () => soundFinding(await gatherSound(pipewireSocketPath(env))),
    },
    ...encoderChecks(),
    ...deviceChecks(machine),
    quicCheck(env),
    ...portChecks(machine, { wanted, mainPath: options.mainPath }),
    conflictCheck({ env, machine }),
    ...networkChecks(options),
    ...systemChecks(options),
  ];
}

function networkChecks({ machine, settings }: DoctorOptions): Check[] {
  const { isMdnsOn } = settings;
  const wanted = wantedPorts(settings).filter(({ isForClients }) => isForClients);
  return [
    { id: "mdns", find: async () => mdnsFinding(await gatherMdns(machine, { isOn: isMdnsOn })) },
    {
      id: "firewall",
      find: async () => firewallFinding(await gatherFirewalls(machine), { wanted, isMdnsOn }),
    },
    {
      id: "send-buffer",
      find: async () => sendBufferFinding(await machine.readText("/proc/sys/net/core/wmem_max")),
    },
  ];
}

function systemChecks({ machine, clock, directories }: DoctorOptions): Check[] {
  return [
    {
      id: "clock",
      find: () =>
        Promise.resolve(
          clockFinding({
            wallMs: clock.wallMs(),
            isSynchronised: machine.isClockSynchronised(),
          }),
        ),
    },
    ...directoryChecks(machine, directories),
    {
      id: "limits",
      find: async () => limitsFinding(await machine.readText("/proc/self/limits")),
    },
  ];
}

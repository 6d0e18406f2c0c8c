/**
 * The ports the host listens on: free, held by a host of ours that runs, or taken.
 *
 * @module
 */
import { findPortUses, type PortUse, type Transport } from "../platform/port_owner.ts";
import type { Check, Finding } from "./check.ts";
import type { Machine } from "./machine.ts";

export interface WantedPort {
  readonly transport: Transport;
  readonly port: number;
  /** What listens there. */
  readonly purpose: string;
  /** Whether the host does not start without it, as it is set up. */
  readonly isNeeded: boolean;
  /** Whether firewalls must let clients reach it. */
  readonly isForClients: boolean;
  /** How to have the host use another one. */
  readonly flag: string;
}

/** The ports that lie around GameStream's base. */
const GAMESTREAM_PORTS: readonly (readonly [Transport, number, string])[] = [
  ["tcp", -5, "GameStream over TLS"],
  ["tcp", 0, "GameStream"],
  ["tcp", 21, "GameStream's RTSP"],
  ["udp", 9, "GameStream's video"],
  ["udp", 10, "GameStream's control"],
  ["udp", 11, "GameStream's sound"],
];

export interface PortSettings {
  readonly nativePort: number;
  readonly managementPort: number;
  readonly gamestreamPortBase: number;
  readonly isGamestreamOn: boolean;
}

export function wantedPorts(settings: PortSettings): WantedPort[] {
  return [
    {
      transport: "udp",
      port: settings.nativePort,
      purpose: "the native plane",
      isNeeded: true,
      isForClients: true,
      flag: "--native-port",
    },
    {
      transport: "tcp",
      port: settings.managementPort,
      purpose: "the management API",
      isNeeded: true,
      isForClients: false,
      flag: "--mgmt-bind",
    },
    ...GAMESTREAM_PORTS.map(([transport, distance, purpose]) => ({
      transport,
      port: settings.gamestreamPortBase + distance,
      purpose,
      isNeeded: settings.isGamestreamOn,
      isForClients: settings.isGamestreamOn,
      flag: "--gamestream-port",
    })),
  ];
}

export function portChecks(
  machine: Machine,
  { wanted, mainPath }: { readonly wanted: readonly WantedPort[]; readonly mainPath: string },
): Check[] {
  let uses: Promise<PortUse[]> | undefined;
  return wanted.map((port, index) => ({
    id: `port-${port.port}-${port.transport}`,
    find: async () => {
      if (machine.os !== "linux") {
        return { state: "unknown", summary: `Who uses ports cannot be seen on ${machine.os}` };
      }
      uses ??= findPortUses(wanted);
      const use = (await uses)[index];
      const owner = use?.owner;
      const isOurs = owner !== undefined &&
        await isThisProgram(machine, { processId: owner.processId, mainPath });
      return portFinding(port, { isTaken: use?.isTaken === true, owner, isOurs });
    },
  }));
}

export function portFinding(
  { transport, port, purpose, isNeeded, flag }: WantedPort,
  use: PortUse & { readonly isOurs: boolean },
): Finding {
  const what = `${transport.toUpperCase()} ${port} for ${purpose}`;
  if (!use.isTaken) return { state: "ok", summary: `${what} is free` };
  const { owner } = use;
  if (use.isOurs) {
    return { state: "ok", summary: `${what} is held by the host that runs (${owner?.processId})` };
  }
  const [by, remedy] = owner === undefined
    ? [
      "a program of another user",
      `sudo ss -lnp ${transport === "tcp" ? "-t" : "-u"} 'sport = :${port}'`,
    ]
    : [`${owner.name} (${owner.processId})`, `kill ${owner.processId}`];
  return {
    state: isNeeded ? "fault" : "warning",
    summary: `${what} is taken by ${by}`,
    remedy: `${remedy}\nor start the host with another ${flag}`,
  };
}

/** Whether a process is this program: compiled, or run from the same checkout. */
export async function isThisProgram(
  machine: Machine,
  { processId, mainPath }: { readonly processId: number; readonly mainPath: string },
): Promise<boolean> {
  const parts = (await machine.readText(`/proc/${processId}/cmdline`) ?? "").split("\0");
  if (/(^|\/)punktfunk-host[^/]*$/.test(parts[0] ?? "")) return true;
  const directory = await machine.readLink(`/proc/${processId}/cwd`) ?? "/";
  return parts.slice(1).some((part) =>
    part.endsWith(".ts") && new URL(part, `file://${directory}/`).pathname === mainPath
  );
}

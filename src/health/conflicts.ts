/**
 * Other game-streaming hosts on this machine (product specification 1.6, 10): they want the same ports, the same pads and
 * the same default sink.
 *
 * One is *active* when it runs or starts by itself. Everything is read from files: no service manager is asked, so that
 * none can keep the answer back.
 *
 * @module
 */
import { socketInodes } from "../platform/port_owner.ts";
import type { Check, Finding } from "./check.ts";
import type { Machine } from "./machine.ts";
import { listProcesses, type RunningProcess } from "./processes.ts";

const GAMESTREAM_PORT = 47_989;

interface KnownHost {
  readonly name: string;
  /** Name of its executable and of its processes, which the kernel cuts to 15 bytes. */
  readonly program: RegExp;
  /** Name of its systemd units and desktop files, without ".service" or ".desktop". */
  readonly unit: RegExp;
  readonly flatpak?: string;
  /** Other programs have this name too: processes count only while somebody listens on a port of GameStream. */
  readonly isCommonWord?: boolean;
}

const KNOWN_HOSTS: readonly KnownHost[] = [
  {
    name: "Sunshine",
    program: /^sunshine(-[v0-9].*)?$/,
    unit: /^(.*\.)?sunshine$/i,
    flatpak: "dev.lizardbyte.app.Sunshine",
  },
  { ...knownByName("Apollo"), isCommonWord: true },
  knownByName("Vibeshine"),
  {
    name: "Vibepollo",
    program: /^vibepollo/,
    unit: /^vibepollo(-session-controller)?$/,
  },
  knownByName("LuminalShine"),
  { ...knownByName("Moonshine"), isCommonWord: true },
  { ...knownByName("Wolf"), isCommonWord: true },
  { ...knownByName("GameStream"), isCommonWord: true },
];

function knownByName(name: string): KnownHost {
  const exactly = new RegExp(`^${name.toLowerCase()}$`);
  return { name, program: exactly, unit: exactly };
}

/** What starts a host without anybody asking. */
export interface Starter {
  readonly kind: "user-unit" | "system-unit" | "autostart";
  /** A unit's name, or the path of a desktop file. */
  readonly name: string;
}

export interface OtherHost {
  readonly name: string;
  readonly processes: readonly RunningProcess[];
  readonly starters: readonly Starter[];
  /** Paths of executables, ids of Flatpaks. */
  readonly installed: readonly string[];
}

export interface ConflictSearch {
  readonly env: { get(name: string): string | undefined };
  readonly machine: Machine;
}

export function isActive({ processes, starters }: OtherHost): boolean {
  return processes.length > 0 || starters.length > 0;
}

/** Every other host of which there is a trace, the active ones first. */
export async function findOtherHosts(search: ConflictSearch): Promise<readonly OtherHost[]> {
  const [processes, isServed, starters, executables, flatpaks] = await Promise.all([
    listProcesses(search.machine),
    isGamestreamServed(search.machine),
    listStarters(search),
    listExecutables(search),
    listFlatpaks(search),
  ]);
  const hosts = KNOWN_HOSTS.map((known): OtherHost => ({
    name: known.name,
    processes: known.isCommonWord === true && !isServed
      ? []
      : processes.filter((one) => known.program.test(one.name)),
    starters: starters.filter((one) => known.unit.test(bareName(one.name))),
    installed: [
      ...executables.filter((path) => known.program.test(bareName(path))),
      ...flatpaks.filter((id) => id === known.flatpak),
    ],
  }));
  return hosts.filter((host) => isActive(host) || host.installed.length > 0)
    .sort((a, b) => Number(isActive(b)) - Number(isActive(a)));
}

/** The last part of a path, without ".service" or ".desktop". */
function bareName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1).replace(/\.(service|desktop)$/, "");
}

async function listStarters({ env, machine }: ConflictSearch): Promise<Starter[]> {
  const config = configHome(env);
  const under = (path: string) => config === undefined ? [] : [`${config}/${path}`];
  const unitDirectories = [
    ...[...under("systemd/user"), "/etc/systemd/user"].map((path) => ({
      path,
      kind: "user-unit" as const,
    })),
    { path: "/etc/systemd/system", kind: "system-unit" as const },
  ];
  const starters: Starter[] = [];
  for (const { path, kind } of unitDirectories) {
    // An enabled unit is a link in the directory of what wants it.
    for (const name of await machine.list(path)) {
      if (!/\.(wants|requires)$/.test(name)) continue;
      const units = await machine.list(`${path}/${name}`);
      starters.push(...units.map((unit) => ({ kind, name: unit })));
    }
  }
  for (const directory of [...under("autostart"), "/etc/xdg/autostart"]) {
    for (const name of await machine.list(directory)) {
      const path = `${directory}/${name}`;
      const text = await machine.readText(path);
      if (text !== undefined && !/^Hidden\s*=\s*true\s*$/m.test(text)) {
        starters.push({ kind: "autostart", name: path });
      }
    }
  }
  return starters;
}

function configHome(env: ConflictSearch["env"]): string | undefined {
  const home = env.get("HOME");
  return env.get("XDG_CONFIG_HOME") || (home ? `${home}/.config` : undefined);
}

/** Whether somebody, maybe this host, listens where GameStream's HTTP is found by default. */
async function isGamestreamServed(machine: Machine): Promise<boolean> {
  const tables = await Promise.all(
    ["/proc/net/tcp", "/proc/net/tcp6"].map((path) => machine.readText(path)),
  );
  return tables.some((table) =>
    socketInodes(table ?? "", { transport: "tcp", port: GAMESTREAM_PORT }).length > 0
  );
}

/** What a shell would find in PATH. */
async function listExecutables({ env, machine }: ConflictSearch): Promise<string[]> {
  const directories = new Set((env.get("PATH") ?? "").split(":").filter((path) => path !== ""));
  const listed = await Promise.all(
    [...directories].map(async (directory) =>
      (await machine.list(directory)).map((name) => `${directory}/${name}`)
    ),
  );
  const byName = new Map(listed.flat().toReversed().map((path) => [bareName(path), path]));
  return [...byName.values()];
}

async function listFlatpaks({ env, machine }: ConflictSearch): Promise<string[]> {
  const home = env.get("HOME");
  const data = env.get("XDG_DATA_HOME") || (home ? `${home}/.local/share` : undefined);
  const own = data === undefined ? [] : await machine.list(`${data}/flatpak/app`);
  return [...new Set([...own, ...await machine.list("/var/lib/flatpak/app")])];
}

/** One sentence: what it does, or where it lies. */
function describeHost(host: OtherHost): string {
  const { name, processes, starters, installed } = host;
  const parts = [
    ...processes.map((one) => `runs as ${one.name} (${one.processId})`),
    ...starters.map((one) => `is started by ${one.name}`),
  ];
  if (parts.length > 0) return `${name} ${parts.join(" and ")}`;
  return `${name} is installed and at rest: ${installed.join(", ")}`;
}

/** Commands that end it for good, one a line. */
function remedyAgainst({ processes, starters, installed }: OtherHost): string {
  const commands = starters.map(({ kind, name }) =>
    kind === "autostart"
      ? `${name.startsWith("/etc/") ? "sudo " : ""}rm ${name}`
      : `${kind === "user-unit" ? "systemctl --user" : "sudo systemctl"} disable --now ${name}`
  );
  const flatpaks = installed.filter((one) => !one.startsWith("/"));
  if (processes.length > 0 && flatpaks.length > 0) commands.push(`flatpak kill ${flatpaks[0]}`);
  else if (processes.length > 0 && starters.every(({ kind }) => kind === "autostart")) {
    commands.push(`kill ${processes.map(({ processId }) => processId).join(" ")}`);
  }
  return [...new Set(commands)].join("\n");
}

/** The text of `detect-conflicts`. */
export function describeConflicts(hosts: readonly OtherHost[]): string {
  const active = hosts.filter(isActive);
  return [
    ...(active.length === 0 ? ["No conflicting game-streaming host detected."] : []),
    ...active.flatMap((host) => [
      describeHost(host),
      ...remedyAgainst(host).split("\n").map((line) => `  → ${line}`),
    ]),
    ...hosts.filter((host) => !isActive(host)).map(describeHost),
  ].join("\n");
}

export function conflictCheck(search: ConflictSearch): Check {
  return { id: "other-hosts", find: async () => conflictFinding(await findOtherHosts(search)) };
}

/** The same as one line among other checks. Ports that are really taken are faults of their own. */
export function conflictFinding(hosts: readonly OtherHost[]): Finding {
  const active = hosts.filter(isActive);
  if (active.length > 0) {
    return {
      state: "warning",
      summary: active.map(describeHost).join("; "),
      remedy: active.map(remedyAgainst).join("\n"),
    };
  }
  if (hosts.length === 0) return { state: "ok", summary: "No other game-streaming host" };
  return { state: "ok", summary: hosts.map(describeHost).join("; ") };
}

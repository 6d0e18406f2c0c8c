/**
 * The clock, the directories and the limits of this user.
 *
 * @module
 */
import { OperationError } from "../lib/errors.ts";
import type { Directories } from "../platform/paths.ts";
import type { Check, Finding } from "./check.ts";
import type { FileFacts, Machine } from "./machine.ts";

/** The host's certificates are valid between these. */
const WALL_MS_MIN = Date.UTC(2020, 0, 1);
const WALL_MS_MAX = Date.UTC(2040, 0, 1);

export function clockFinding(
  { wallMs, isSynchronised }: {
    readonly wallMs: number;
    readonly isSynchronised: boolean | undefined;
  },
): Finding {
  const time = new Date(wallMs).toISOString();
  if (wallMs < WALL_MS_MIN || wallMs >= WALL_MS_MAX) {
    return {
      state: "fault",
      summary: `The clock says ${time}, when the host's certificates are not valid`,
      remedy: "sudo timedatectl set-ntp true",
    };
  }
  if (isSynchronised === false) {
    return {
      state: "warning",
      summary: `The clock says ${time}, and nothing keeps it right`,
      remedy: "sudo timedatectl set-ntp true",
    };
  }
  const how = isSynchronised === undefined ? "" : " and is kept right";
  return { state: "ok", summary: `The clock says ${time}${how}` };
}

const FREE_BYTES_MIN = 64 * 1024 * 1024;
const OWNER = "-o $(id -u) -g $(id -g)";
const SET_HOME = 'export HOME=$(getent passwd "$(id -u)" | cut -d: -f6)';
const SET_RUNTIME = "export XDG_RUNTIME_DIR=/run/user/$(id -u)";

export interface DirectoryFacts {
  readonly path: string;
  /** Undefined when it does not exist yet. */
  readonly found: FileFacts | undefined;
  /** The directory, or the nearest above it that exists. */
  readonly base: string;
  readonly canWriteBase: boolean;
  readonly freeBytes: number | undefined;
}

/** Which of the directories; the runtime one is shared and so not ours alone. */
export type DirectoryName = "config" | "state" | "runtime";

/** `find` throws OperationError when this user has no directories: that is one fault, not three. */
export function directoryChecks(machine: Machine, find: () => Directories): Check[] {
  let directories: Directories;
  try {
    directories = find();
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    const finding: Finding = { state: "fault", summary: error.message, remedy: SET_HOME };
    return [{ id: "directories", find: () => Promise.resolve(finding) }];
  }
  return (["config", "state", "runtime"] as const).map((name) => ({
    id: `directory-${name}`,
    find: async () => {
      const facts = await gatherDirectory(machine, directories[name]);
      return directoryFinding(facts, { name, userId: machine.userId });
    },
  }));
}

export async function gatherDirectory(machine: Machine, path: string): Promise<DirectoryFacts> {
  const found = await machine.look(path);
  let base = path;
  while (!/^[./]$/.test(base) && await machine.look(base) === undefined) base = parentOf(base);
  return {
    path,
    found,
    base,
    canWriteBase: machine.canWrite(base),
    freeBytes: await machine.freeBytes(base),
  };
}

function parentOf(path: string): string {
  const end = path.lastIndexOf("/");
  return end < 0 ? "." : path.slice(0, Math.max(end, 1));
}

export function directoryFinding(
  { path, found, base, canWriteBase, freeBytes }: DirectoryFacts,
  { name, userId }: { readonly name: DirectoryName; readonly userId: number },
): Finding {
  if (found !== undefined && found.kind !== "directory") {
    return { state: "fault", summary: `${path} is no directory`, remedy: `mv ${path} ${path}.old` };
  }
  if (!canWriteBase) {
    return {
      state: "fault",
      summary: found === undefined
        ? `${path} does not exist and cannot be made in ${base}`
        : `${path} cannot be written to`,
      remedy: name === "runtime" ? SET_RUNTIME : `sudo install -d -m 700 ${OWNER} ${path}`,
    };
  }
  if (freeBytes !== undefined && freeBytes < FREE_BYTES_MIN) {
    return {
      state: "warning",
      summary: `${path} has ${mebibytes(freeBytes)} free, which may not last`,
      remedy: `df -h ${base}`,
    };
  }
  if (found === undefined) return { state: "ok", summary: `${path} will be made when needed` };
  if (found.userId !== userId) {
    return {
      state: name === "config" ? "fault" : "warning",
      summary: `${path} belongs to user ${found.userId}, this program runs as ${userId}`,
      remedy: name === "runtime" ? SET_RUNTIME : `sudo chown -R $(id -u):$(id -g) ${path}`,
    };
  }
  if (name === "config" && (found.mode & 0o077) !== 0) {
    return {
      state: "warning",
      summary: `${path} holds secrets and has mode ${octal(found.mode)}; the host tightens it`,
      remedy: `chmod 700 ${path}`,
    };
  }
  const free = freeBytes === undefined ? "" : `, ${mebibytes(freeBytes)} free`;
  return { state: "ok", summary: `${path}, mode ${octal(found.mode)}${free}` };
}

function mebibytes(bytes: number): string {
  return `${Math.floor(bytes / 1024 / 1024)} MiB`;
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

/** The text of /proc/self/limits: hints, for nothing here depends on them. */
export function limitsFinding(text: string | undefined): Finding {
  const locked = softLimit(text, "Max locked memory");
  const nice = softLimit(text, "Max nice priority");
  if (locked === undefined || nice === undefined) {
    return { state: "unknown", summary: "The system does not tell this user's limits" };
  }
  const memory = locked === "unlimited" ? "any memory" : `${Number(locked) / 1024} KiB of memory`;
  // The limit counts from the lowest priority: 20 is the ordinary one.
  const priority = nice === "unlimited" || Number(nice) > 20
    ? "its priority may be raised"
    : "its priority may not be raised";
  return { state: "ok", summary: `A program may lock ${memory}, ${priority}` };
}

function softLimit(text: string | undefined, name: string): string | undefined {
  return new RegExp(`^${name}\\s+(\\d+|unlimited)\\s`, "m").exec(text ?? "")?.[1];
}

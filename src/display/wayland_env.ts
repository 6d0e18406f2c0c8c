/**
 * Finds the desktop's Sway: the sockets named in the environment, else those in the runtime directory. A service of the
 * user is often started without the variables, or with those of a Sway that has ended since.
 *
 * @module
 */

export interface EnvironmentReader {
  get(name: string): string | undefined;
}

/** Absolute paths of the two sockets of one Sway. */
export interface SwaySockets {
  readonly sway: string;
  readonly wayland: string;
}

export type SwaySearch =
  | { readonly sockets: SwaySockets }
  /** Why there are none, as one sentence without a full stop. */
  | { readonly reason: string };

const SWAY_SOCKET = /^sway-ipc\.[0-9]+\.([0-9]+)\.sock$/;
const WAYLAND_SOCKET = /^wayland-[0-9]+$/;

export interface SwaySearchOptions {
  /** The user this program runs as. */
  readonly uid: number;
  /** Where the kernel tells about sockets and processes. */
  readonly procDirectory?: string;
}

/** Search once; nothing is changed. A path named in the environment is trusted, a found one must belong to `uid`. */
export async function findSway(
  environment: EnvironmentReader,
  { uid, procDirectory = "/proc" }: SwaySearchOptions,
): Promise<SwaySearch> {
  const runtimeDirectory = environment.get("XDG_RUNTIME_DIR") || `/run/user/${uid}`;
  const waylandName = environment.get("WAYLAND_DISPLAY") || undefined;
  const named = {
    sway: environment.get("SWAYSOCK") || undefined,
    wayland: waylandName?.startsWith("/") === false
      ? `${runtimeDirectory}/${waylandName}`
      : waylandName,
  };
  if (
    named.sway !== undefined && named.wayland !== undefined && await isLive(named.sway) &&
    await isSocket(named.wayland)
  ) {
    return { sockets: { sway: named.sway, wayland: named.wayland } };
  }
  const found = await listSockets(runtimeDirectory, uid);
  if (found === undefined) {
    return { reason: `${runtimeDirectory} is no runtime directory of this user` };
  }
  for (const sway of found.sway) {
    if (!await isLive(sway.path)) continue;
    const wayland = await waylandOf(sway.processId, found.wayland, procDirectory);
    if (wayland !== undefined) return { sockets: { sway: sway.path, wayland } };
  }
  return {
    reason: named.sway === undefined
      ? `No Sway runs in ${runtimeDirectory}`
      : `No Sway listens at ${named.sway} or runs in ${runtimeDirectory}`,
  };
}

interface FoundSockets {
  /** The newest first. */
  readonly sway: readonly { readonly path: string; readonly processId: number }[];
  readonly wayland: readonly string[];
}

/** Undefined when the directory is not there or not this user's: then anyone could have put the sockets there. */
async function listSockets(directory: string, uid: number): Promise<FoundSockets | undefined> {
  const sway: { path: string; processId: number; changedMs: number }[] = [];
  const wayland: string[] = [];
  try {
    if ((await Deno.stat(directory)).uid !== uid) return undefined;
    for await (const { name } of Deno.readDir(directory)) {
      const path = `${directory}/${name}`;
      const match = SWAY_SOCKET.exec(name);
      if (match === null && !WAYLAND_SOCKET.test(name)) continue;
      const info = await Deno.lstat(path);
      if (info.isSocket !== true || info.uid !== uid) continue;
      if (match === null) wayland.push(path);
      else sway.push({ path, processId: Number(match[1]), changedMs: info.mtime?.getTime() ?? 0 });
    }
  } catch {
    return undefined;
  }
  return { sway: sway.sort((a, b) => b.changedMs - a.changedMs), wayland };
}

/** The Wayland socket that process `processId` listens on; the only one there is when the kernel does not tell. */
async function waylandOf(
  processId: number,
  candidates: readonly string[],
  procDirectory: string,
): Promise<string | undefined> {
  if (candidates.length <= 1) return candidates[0];
  const owned = await socketInodesOf(processId, procDirectory);
  const table = await Deno.readTextFile(`${procDirectory}/net/unix`).catch(() => "");
  for (const line of table.split("\n")) {
    // Num RefCount Protocol Flags Type St Inode Path
    const fields = line.trim().split(/\s+/);
    const [inode, path] = [fields[6], fields[7]];
    if (inode !== undefined && path !== undefined && owned.has(inode)) {
      if (candidates.includes(path)) return path;
    }
  }
  return undefined;
}

async function socketInodesOf(
  processId: number,
  procDirectory: string,
): Promise<ReadonlySet<string>> {
  const inodes = new Set<string>();
  const directory = `${procDirectory}/${processId}/fd`;
  try {
    for await (const { name } of Deno.readDir(directory)) {
      // A descriptor may close while the list is read.
      const target = await Deno.readLink(`${directory}/${name}`).catch(() => "");
      const match = /^socket:\[([0-9]+)\]$/.exec(target);
      if (match?.[1] !== undefined) inodes.add(match[1]);
    }
  } catch {
    // Another user's process: nothing is known about it.
  }
  return inodes;
}

async function isSocket(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isSocket === true;
  } catch {
    return false;
  }
}

/** A socket file stays when its program is killed; only connecting tells. */
async function isLive(path: string): Promise<boolean> {
  try {
    using _connection = await Deno.connect({ transport: "unix", path });
    return true;
  } catch {
    return false;
  }
}

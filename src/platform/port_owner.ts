/**
 * Which program listens on a TCP port, as far as Linux tells this user.
 *
 * @module
 */

/** State of a listening socket in /proc/net/tcp. */
const STATE_LISTEN = "0A";

/** `name (pid)` of the program that listens on `port`, or undefined when that cannot be seen. */
export async function findPortOwner(port: number): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return undefined;
  const inodes = new Set<string>();
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    const text = await Deno.readTextFile(table).catch(() => "");
    for (const inode of listeningInodes(text, port)) inodes.add(inode);
  }
  if (inodes.size === 0) return undefined;
  for await (const entry of Deno.readDir("/proc")) {
    if (/^\d+$/.test(entry.name) && await hasSocket(entry.name, inodes)) {
      const name = await Deno.readTextFile(`/proc/${entry.name}/comm`).catch(() => "");
      return `${name.trim()} (${entry.name})`;
    }
  }
  return undefined;
}

/** Inodes of the sockets that listen on `port` in the text of /proc/net/tcp or tcp6. */
export function listeningInodes(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return table.split("\n").slice(1).flatMap((line) => {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
    return local?.endsWith(suffix) && state === STATE_LISTEN && inode !== undefined ? [inode] : [];
  });
}

async function hasSocket(pid: string, inodes: ReadonlySet<string>): Promise<boolean> {
  try {
    for await (const entry of Deno.readDir(`/proc/${pid}/fd`)) {
      const target = await Deno.readLink(`/proc/${pid}/fd/${entry.name}`).catch(() => "");
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
      if (inode !== undefined && inodes.has(inode)) return true;
    }
  } catch {
    // Another user's program, or one that has just ended.
  }
  return false;
}

/**
 * Which program uses a port, as far as Linux tells this user.
 *
 * @module
 */

export type Transport = "tcp" | "udp";

export interface PortOwner {
  readonly processId: number;
  readonly name: string;
}

export interface PortUse {
  /** False also where there is no /proc. */
  readonly isTaken: boolean;
  /** Undefined when nobody has the port, or it is another user's program. */
  readonly owner: PortOwner | undefined;
}

/** State of a listening socket in /proc/net/tcp. */
const STATE_LISTEN = "0A";

/** `name (pid)` of the program that has the port, or undefined when that cannot be seen. */
export async function findPortOwner(
  port: number,
  transport: Transport = "tcp",
): Promise<string | undefined> {
  const [use] = await findPortUses([{ transport, port }]);
  return use?.owner === undefined ? undefined : `${use.owner.name} (${use.owner.processId})`;
}

/** The use of each port, in order. Opens no socket and so disturbs nobody. */
export async function findPortUses(
  ports: readonly { readonly transport: Transport; readonly port: number }[],
): Promise<PortUse[]> {
  if (Deno.build.os !== "linux") return ports.map(() => ({ isTaken: false, owner: undefined }));
  const read = async (transport: Transport) =>
    await Promise.all(
      [transport, `${transport}6`].map((name) =>
        Deno.readTextFile(`/proc/net/${name}`).catch(() => "")
      ),
    );
  const tables = { tcp: await read("tcp"), udp: await read("udp") };
  const inodes = ports.map(({ transport, port }) =>
    tables[transport].flatMap((table) => socketInodes(table, { transport, port }))
  );
  const owners = await findOwners(new Set(inodes.flat()));
  return inodes.map((ofPort) => ({
    isTaken: ofPort.length > 0,
    owner: ofPort.map((inode) => owners.get(inode)).find((owner) => owner !== undefined),
  }));
}

/**
 * Inodes of the sockets that keep others from `port`, in the text of /proc/net/tcp, udp or their twins for IPv6: listening
 * ones of TCP, all of UDP.
 */
export function socketInodes(
  table: string,
  { transport, port }: { readonly transport: Transport; readonly port: number },
): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return table.split("\n").slice(1).flatMap((line) => {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
    const isHeld = local?.endsWith(suffix) === true &&
      (transport === "udp" || state === STATE_LISTEN);
    return isHeld && inode !== undefined ? [inode] : [];
  });
}

/** Who has each of these sockets open; those that cannot be seen are left out. */
async function findOwners(inodes: ReadonlySet<string>): Promise<Map<string, PortOwner>> {
  const owners = new Map<string, PortOwner>();
  if (inodes.size === 0) return owners;
  for await (const { name: processId } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(processId)) continue;
    for (const inode of await socketsOf(processId)) {
      if (!inodes.has(inode) || owners.has(inode)) continue;
      const name = await Deno.readTextFile(`/proc/${processId}/comm`).catch(() => "");
      owners.set(inode, { processId: Number(processId), name: name.trim() });
    }
    if (owners.size === inodes.size) break;
  }
  return owners;
}

async function socketsOf(processId: string): Promise<string[]> {
  const inodes: string[] = [];
  try {
    for await (const entry of Deno.readDir(`/proc/${processId}/fd`)) {
      const target = await Deno.readLink(`/proc/${processId}/fd/${entry.name}`).catch(() => "");
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
      if (inode !== undefined) inodes.push(inode);
    }
  } catch {
    // Another user's program, or one that has just ended.
  }
  return inodes;
}

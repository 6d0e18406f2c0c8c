/**
 * The kernel's doors for virtual game controllers: /dev/uinput and /dev/uhid.
 *
 * @module
 */
import type { Check, Finding } from "./check.ts";
import type { Machine } from "./machine.ts";

export interface DeviceFacts {
  /** "uinput" or "uhid". */
  readonly name: string;
  readonly exists: boolean;
  readonly isWritable: boolean;
  /** Group of the device that may write to it, when it has a name. */
  readonly group?: string;
  /** The user database has this user in the group, and this process does not have it. */
  readonly wantsLogin: boolean;
}

const GIVES: Readonly<Record<string, string>> = {
  uinput: "Xbox controllers",
  uhid: "PlayStation controllers",
};

/** Names of the devices, of their nodes in /dev and of the kernel modules that make them. */
export const CONTROLLER_DEVICES = Object.keys(GIVES);

export function deviceChecks(machine: Machine): Check[] {
  return CONTROLLER_DEVICES.map((name) => ({
    id: name,
    find: async () => deviceFinding(await gatherDevice(machine, name)),
  }));
}

export async function gatherDevice(machine: Machine, name: string): Promise<DeviceFacts> {
  const path = `/dev/${name}`;
  const device = await machine.look(path);
  if (device === undefined) return { name, exists: false, isWritable: false, wantsLogin: false };
  const user = userNameOf(await machine.readText("/etc/passwd") ?? "", machine.userId);
  const isGroupWritable = (device.mode & 0o020) !== 0;
  const entry = parseGroups(await machine.readText("/etc/group") ?? "").get(device.groupId);
  const held = parseHeldGroups(await machine.readText("/proc/self/status") ?? "");
  return {
    name,
    exists: true,
    isWritable: machine.canWrite(path),
    ...(isGroupWritable && entry !== undefined ? { group: entry.name } : {}),
    wantsLogin: isGroupWritable && user !== undefined && entry?.members.includes(user) === true &&
      !held.has(device.groupId),
  };
}

function userNameOf(passwd: string, userId: number): string | undefined {
  const line = passwd.split("\n").find((one) => one.split(":")[2] === String(userId));
  return line?.split(":")[0];
}

/** /etc/group by number. */
export function parseGroups(
  text: string,
): ReadonlyMap<number, { readonly name: string; readonly members: readonly string[] }> {
  return new Map(
    text.split("\n").flatMap((line) => {
      const [name, , id, members = ""] = line.split(":");
      if (name === undefined || id === undefined || !/^\d+$/.test(id)) return [];
      return [[Number(id), { name, members: members.split(",").filter((one) => one !== "") }]];
    }),
  );
}

/** Numbers of the groups in the text of /proc/self/status. */
export function parseHeldGroups(text: string): ReadonlySet<number> {
  const line = /^Groups:\s*([\d ]*)$/m.exec(text)?.[1] ?? "";
  return new Set(line.split(" ").filter((one) => one !== "").map(Number));
}

export function deviceFinding(facts: DeviceFacts): Finding {
  const { name, group } = facts;
  const path = `/dev/${name}`;
  const gives = GIVES[name] ?? "controllers";
  if (!facts.exists) {
    return {
      state: "warning",
      summary: `${path} does not exist: clients' ${gives} cannot be shown to games`,
      remedy:
        `sudo modprobe ${name}\necho ${name} | sudo tee -a /etc/modules-load.d/punktfunk.conf`,
    };
  }
  if (facts.isWritable) return { state: "ok", summary: `${path} can be written to: ${gives}` };
  if (facts.wantsLogin) {
    return {
      state: "warning",
      summary:
        `This user is in the group ${group} that may write to ${path}, this login is not yet`,
      remedy: "Log out of the desktop and in again",
    };
  }
  return {
    state: "warning",
    summary: `This user may not write to ${path}: clients' ${gives} cannot be shown to games`,
    // The rule works for whoever sits at the machine and needs no group, which some systems do not keep.
    remedy: [
      `echo '${udevRule(name)}' | sudo tee -a /etc/udev/rules.d/60-punktfunk.rules`,
      "sudo udevadm control --reload",
      `sudo udevadm trigger --name-match=${name}`,
    ].join("\n"),
  };
}

/** Lets the person at the machine write to device `name`, and members of its group. */
export function udevRule(name: string): string {
  return `KERNEL=="${name}", SUBSYSTEM=="misc", OPTIONS+="static_node=${name}", ` +
    'GROUP="input", MODE="0660", TAG+="uaccess"';
}

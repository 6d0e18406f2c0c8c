/**
 * The network: announcement, firewalls and the send buffer.
 *
 * @module
 */
import { createSocket } from "node:dgram";
import { findPortUses, type PortUse } from "../platform/port_owner.ts";
import type { Finding } from "./check.ts";
import type { Machine } from "./machine.ts";
import type { WantedPort } from "./ports.ts";
import { listProcesses } from "./processes.ts";

const MDNS_PORT = 5353;
/** Flags of an interface in linux/if.h. */
const IFF_UP = 0x1;
const IFF_LOOPBACK = 0x8;
const IFF_MULTICAST = 0x1000;

export interface MdnsFacts {
  readonly isOn: boolean;
  readonly use: PortUse;
  /** Whether the port can be shared with whoever has it. */
  readonly canBind: boolean;
  /** Interfaces that are up and carry multicast; undefined where the system does not tell. */
  readonly interfaces: readonly string[] | undefined;
}

export async function gatherMdns(
  machine: Machine,
  { isOn }: { readonly isOn: boolean },
): Promise<MdnsFacts> {
  const [use = { isTaken: false, owner: undefined }] = await findPortUses([
    { transport: "udp", port: MDNS_PORT },
  ]);
  return {
    isOn,
    use,
    canBind: !isOn || await canBindShared(MDNS_PORT),
    interfaces: await multicastInterfaces(machine),
  };
}

/** Binds for a moment in the way the library that announces does. */
function canBindShared(port: number): Promise<boolean> {
  const socket = createSocket({ type: "udp4", reuseAddr: true });
  const { promise, resolve } = Promise.withResolvers<boolean>();
  socket.once("error", () => resolve(false));
  socket.bind(port, () => resolve(true));
  return promise.finally(() => socket.close());
}

export async function multicastInterfaces(
  machine: Machine,
): Promise<readonly string[] | undefined> {
  const names = await machine.list("/sys/class/net");
  if (names.length === 0) return undefined;
  const capable: string[] = [];
  for (const name of [...names].sort()) {
    const flags = Number((await machine.readText(`/sys/class/net/${name}/flags`))?.trim());
    const isCapable = (flags & IFF_UP) !== 0 && (flags & IFF_MULTICAST) !== 0 &&
      (flags & IFF_LOOPBACK) === 0;
    if (isCapable) capable.push(name);
  }
  return capable;
}

export function mdnsFinding({ isOn, use, canBind, interfaces }: MdnsFacts): Finding {
  if (!isOn) return { state: "skipped", summary: "The host is not announced: mdns is off" };
  const other = use.owner === undefined
    ? "another responder"
    : `${use.owner.name} (${use.owner.processId})`;
  if (!canBind) {
    return {
      state: "warning",
      summary: `UDP ${MDNS_PORT} cannot be shared with ${other}: clients need this host's address`,
      remedy: `sudo ss -lnup 'sport = :${MDNS_PORT}'`,
    };
  }
  if (interfaces?.length === 0) {
    return {
      state: "warning",
      summary:
        "No network interface is up that carries multicast: clients need this host's address",
      remedy: "ip -brief link",
    };
  }
  const via = interfaces === undefined ? "" : ` by ${interfaces.join(", ")}`;
  const beside = use.isTaken ? `, beside ${other}` : "";
  return { state: "ok", summary: `Clients can find this host${via}${beside}` };
}

export type FirewallName = "ufw" | "firewalld" | "nftables";

/** The firewalls that are switched on, as far as their files and processes show to anybody. */
export async function gatherFirewalls(machine: Machine): Promise<readonly FirewallName[]> {
  const found: FirewallName[] = [];
  const ufw = await machine.readText("/etc/ufw/ufw.conf") ?? "";
  if (/^\s*ENABLED\s*=\s*"?yes"?\s*$/im.test(ufw)) found.push("ufw");
  const processes = await listProcesses(machine);
  if (processes.some(({ name }) => name === "firewalld")) found.push("firewalld");
  for (const target of ["sysinit", "multi-user"]) {
    const units = await machine.list(`/etc/systemd/system/${target}.target.wants`);
    if (units.includes("nftables.service") && !found.includes("nftables")) found.push("nftables");
  }
  return found;
}

/** `wanted` are the ports clients reach. Only root sees the rules, so that this is never "ok" with a firewall. */
export function firewallFinding(
  firewalls: readonly FirewallName[],
  { wanted, isMdnsOn }: { readonly wanted: readonly WantedPort[]; readonly isMdnsOn: boolean },
): Finding {
  if (firewalls.length === 0) {
    return { state: "ok", summary: "No ufw, firewalld or nftables service is switched on" };
  }
  const ports = { tcp: portsOf(wanted, "tcp"), udp: portsOf(wanted, "udp") };
  if (isMdnsOn) ports.udp.push(MDNS_PORT);
  return {
    state: "unknown",
    summary: `${firewalls.join(" and ")} is on, and only root can see whether it lets clients in`,
    remedy: firewalls.flatMap((firewall) => allowCommands(firewall, ports)).join("\n"),
  };
}

function portsOf(wanted: readonly WantedPort[], transport: "tcp" | "udp"): number[] {
  return wanted.filter((one) => one.transport === transport).map(({ port }) => port)
    .sort((a, b) => a - b);
}

function allowCommands(
  firewall: FirewallName,
  ports: Readonly<Record<"tcp" | "udp", readonly number[]>>,
): string[] {
  const used = (["tcp", "udp"] as const).filter((transport) => ports[transport].length > 0);
  switch (firewall) {
    case "ufw":
      return used.map((transport) => `sudo ufw allow ${ports[transport].join(",")}/${transport}`);
    case "firewalld":
      return [
        `sudo firewall-cmd --permanent ${
          used.flatMap((transport) =>
            ports[transport].map((port) => `--add-port=${port}/${transport}`)
          ).join(" ")
        }`,
        "sudo firewall-cmd --reload",
      ];
    case "nftables":
      return used.map((transport) =>
        `sudo nft add rule inet filter input ${transport} dport '{ ${
          ports[transport].join(", ")
        } }' accept`
      );
  }
}

/** What native/wire asks for: more than any frame's packets. */
export const SEND_BUFFER_BYTES = 2 << 20;

/** `text` of /proc/sys/net/core/wmem_max. */
export function sendBufferFinding(text: string | undefined): Finding {
  if (text === undefined) {
    return { state: "unknown", summary: "The system does not tell the largest send buffer" };
  }
  const bytes = Number(text.trim());
  const kibibytes = Math.floor(bytes / 1024);
  if (bytes >= SEND_BUFFER_BYTES) {
    return { state: "ok", summary: `A socket may hold ${kibibytes} KiB to send` };
  }
  return {
    state: "warning",
    summary: `A socket may hold ${kibibytes} KiB to send, the host asks for ${
      SEND_BUFFER_BYTES / 1024
    } KiB: large frames may lose packets`,
    remedy:
      `echo net.core.wmem_max=${SEND_BUFFER_BYTES} | sudo tee /etc/sysctl.d/60-punktfunk.conf\n` +
      "sudo sysctl --system",
  };
}

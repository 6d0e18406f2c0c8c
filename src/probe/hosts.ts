/**
 * Which host is meant, and which there are: addresses as people write them, and adverts of `_punktfunk._udp` (punktfunk/1
 * specification 1.6).
 *
 * @module
 */
import { lookup } from "node:dns/promises";
import { browseMdns, type FoundService } from "../discovery/mdns_browse.ts";
import type { Clock } from "../lib/clock.ts";
import { OperationError } from "../lib/errors.ts";
import type { HostAddress } from "./dial.ts";

export const DEFAULT_PORT = 9777;
const SERVICE_TYPE = "_punktfunk._udp";
const PROTOCOL = "punktfunk/1";

/** A host as it announces itself; everything but the address is a hint that anyone may send. */
export interface AdvertisedHost extends HostAddress {
  readonly name: string;
  /** 64 lower-case hexadecimal digits; undefined when it does not tell. */
  readonly fingerprint: string | undefined;
  readonly pairing: "required" | "optional" | undefined;
  readonly id: string | undefined;
}

export interface HostName {
  /** Name or IPv4 literal. */
  readonly name: string;
  readonly port: number;
}

/** "HOST" or "HOST:PORT". Throws RangeError for anything else. */
export function parseHostName(text: string): HostName {
  const match = /^([A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?)(:([0-9]{1,5}))?$/.exec(text);
  const port = match?.[4] === undefined ? DEFAULT_PORT : Number(match[4]);
  if (match?.[1] === undefined || port < 1 || port > 65_535) {
    throw new RangeError("it must be HOST or HOST:PORT, a name or an IPv4 address");
  }
  return { name: match[1], port };
}

/** The IPv4 address of `host`. Throws OperationError "unreachable" when it has none. */
export async function resolveHost({ name, port }: HostName): Promise<HostAddress> {
  try {
    const { address } = await lookup(name, { family: 4 });
    return { address, port };
  } catch (cause) {
    throw new OperationError("unreachable", `Cannot find host ${name}: it has no IPv4 address`, {
      cause,
    });
  }
}

/** Look for hosts on the local network. */
export async function listHosts(
  options: { readonly clock: Clock; readonly durationMs: number },
): Promise<readonly AdvertisedHost[]> {
  const from = Deno.networkInterfaces().filter(({ family }) => family === "IPv4")
    .map(({ address }) => address);
  const services = await browseMdns({ ...options, type: SERVICE_TYPE, from });
  return services.flatMap((service) => advertisedHostOf(service, from) ?? []);
}

/**
 * The advert as a host, or undefined for one of another protocol. Of its addresses the one that shares the longest prefix
 * with an own address counts, then the one the advert names, then the lowest.
 */
export function advertisedHostOf(
  { instanceName, port, addresses, txt }: FoundService,
  ownAddresses: readonly string[],
): AdvertisedHost | undefined {
  const protocol = txt.get("proto") ?? "";
  if (protocol !== "" && protocol !== PROTOCOL) return undefined;
  const named = txt.get("addr");
  const rankOf = (address: string) =>
    Math.max(0, ...ownAddresses.map((own) => commonPrefixBits(address, own)));
  const [address] = [...addresses].sort((a, b) =>
    rankOf(b) - rankOf(a) || Number(b === named) - Number(a === named) || numberOf(a) - numberOf(b)
  );
  if (address === undefined) return undefined;
  const fingerprint = txt.get("fp")?.toLowerCase() ?? "";
  const pairing = txt.get("pair");
  return {
    name: instanceName.split(".")[0] ?? "",
    address,
    port,
    fingerprint: /^[0-9a-f]{64}$/.test(fingerprint) ? fingerprint : undefined,
    pairing: pairing === "required" || pairing === "optional" ? pairing : undefined,
    id: txt.get("id"),
  };
}

function numberOf(address: string): number {
  return address.split(".").reduce((number, part) => number * 256 + Number(part), 0);
}

function commonPrefixBits(a: string, b: string): number {
  return Math.clz32(numberOf(a) ^ numberOf(b));
}

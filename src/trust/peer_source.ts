/**
 * Where a peer is: an operator may admit what is near with one click, and nothing else (product specification 3.3).
 *
 * @module
 */
import { isLocalAddress, isSameHost, plainAddress } from "../lib/address.ts";

export type PeerSource = "lan" | "wan";

/** What is known of the way to a peer. */
export interface PeerPath {
  /** The address of this machine that the peer reached, where the socket tells. */
  readonly localAddress: string | undefined;
  readonly interfaces: readonly { readonly name: string; readonly address: string }[];
}

/**
 * "lan" for loopback, private, link-local and unique-local addresses. 100.64.0.0/10 belongs to providers' networks as
 * well as to tailnets: it is "lan" only when the peer reached this machine at an address of a Tailscale interface.
 */
export function peerSourceOf(address: string, path: PeerPath): PeerSource {
  if (isLocalAddress(address)) return "lan";
  const { localAddress, interfaces } = path;
  if (!isSharedAddress(address) || localAddress === undefined) return "wan";
  const isTailnet = interfaces.some((one) =>
    /^tailscale/i.test(one.name) && isSameHost(one.address, localAddress)
  );
  return isTailnet ? "lan" : "wan";
}

function isSharedAddress(address: string): boolean {
  const second = Number(/^100\.(\d{1,3})\.\d{1,3}\.\d{1,3}$/.exec(plainAddress(address))?.[1]);
  return second >= 64 && second <= 127;
}

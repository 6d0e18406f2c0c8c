/**
 * Numbers that host and client work out alike (punktfunk/1 specification 2.9).
 *
 *     granted    20 000 kbit/s for 0, else the wish within 500 … 8 000 000
 *     video      (granted − audio) · P / (P + 64) · 100 / (100 + FEC percentage), 500 at least
 *
 * P is the shard payload; 64 bytes a packet are header, sequence and tag.
 *
 * @module
 */
import { SHARD_PAYLOAD_BYTES_MAX, SHARD_PAYLOAD_BYTES_MIN } from "./fec_plan.ts";
import { BITRATE_KBPS_MAX, BITRATE_KBPS_MIN } from "../../lib/limits.ts";

export const BITRATE_KBPS_DEFAULT = 20_000;
const PACKET_OVERHEAD_BYTES = 64;

/** What a client that asks for `requestedKbps` gets on the wire. */
export function grantedBitrateKbps(requestedKbps: number): number {
  if (requestedKbps === 0) return BITRATE_KBPS_DEFAULT;
  return Math.min(Math.max(requestedKbps, BITRATE_KBPS_MIN), BITRATE_KBPS_MAX);
}

/** What a stream's packets carry besides the encoder's bytes. */
export interface WireCosts {
  readonly audioKbps: number;
  readonly shardPayloadBytes: number;
  readonly fecPercent: number;
}

export interface WireBudget extends WireCosts {
  readonly wireKbps: number;
}

/** The encoder's share of what may go over the wire. */
export function videoBitrateKbps(budget: WireBudget): number {
  const kbps = (budget.wireKbps - budget.audioKbps) * videoShareOf(budget);
  return Math.max(Math.floor(kbps), BITRATE_KBPS_MIN);
}

/** The rate on the wire that an encoder of `videoKbps` fills. */
export function wireBitrateKbps(videoKbps: number, costs: WireCosts): number {
  return Math.ceil(videoKbps / videoShareOf(costs) + costs.audioKbps);
}

function videoShareOf({ shardPayloadBytes, fecPercent }: WireCosts): number {
  return shardPayloadBytes / (shardPayloadBytes + PACKET_OVERHEAD_BYTES) * 100 /
    (100 + fecPercent);
}

/** IP and UDP in front of a datagram. */
const IP_OVERHEAD_BYTES = { ipv4: 28, ipv6: 48 } as const;
/** Sealed packets with this payload fill an Ethernet frame. */
const SHARD_PAYLOAD_BYTES_ETHERNET = { ipv4: 1408, ipv6: 1388 } as const;

export interface ShardLimits {
  readonly family: "ipv4" | "ipv6";
  /** Of the whole path, when the operator knows it; undefined is an ordinary one. */
  readonly mtuBytes: number | undefined;
  /** Hello.max_shard_payload: 0 forbids changes. */
  readonly clientBytesMax: number;
}

/**
 * Payload of a packet as Welcome says it, and what it may grow to once the client agreed. Older clients take no larger
 * packets than Ethernet's, so a session always starts there.
 */
export function shardPayloadsOf(
  { family, mtuBytes, clientBytesMax }: ShardLimits,
): { readonly first: number; readonly later: number } {
  const ordinary = SHARD_PAYLOAD_BYTES_ETHERNET[family];
  if (mtuBytes === undefined) return { first: ordinary, later: ordinary };
  const room = mtuBytes - IP_OVERHEAD_BYTES[family] - PACKET_OVERHEAD_BYTES;
  const fitting = Math.max(Math.min(room, SHARD_PAYLOAD_BYTES_MAX), SHARD_PAYLOAD_BYTES_MIN) & ~1;
  const first = Math.min(ordinary, fitting);
  return { first, later: Math.max(first, Math.min(fitting, clientBytesMax & ~1)) };
}

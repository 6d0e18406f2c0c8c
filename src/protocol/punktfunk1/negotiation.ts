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

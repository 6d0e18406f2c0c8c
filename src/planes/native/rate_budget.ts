/**
 * From the rate on the wire, which clients name, to the encoder's (native specification 2.9), and back. Pure.
 *
 *     video = (wire − sound) × payload / (payload + 64) × 100 / (100 + FEC %)        at least 500 kbit/s
 *
 * @module
 */
import { BITRATE_KBPS_MAX, BITRATE_KBPS_MIN } from "../../lib/limits.ts";

export const WIRE_KBPS_DEFAULT = 20_000;
/** Header, sequence and tag of a sealed packet, with IP and UDP left to the link. */
const PACKET_OVERHEAD_BYTES = 64;

export interface WireCosts {
  readonly soundKbps: number;
  readonly shardPayloadBytes: number;
  readonly fecPercent: number;
}

/** What a client gets on the wire that asks for `askedKbps`; 0 leaves it to the host. */
export function grantedWireKbps(askedKbps: number): number {
  if (askedKbps === 0) return WIRE_KBPS_DEFAULT;
  return Math.min(Math.max(askedKbps, BITRATE_KBPS_MIN), BITRATE_KBPS_MAX);
}

export function videoKbps(wireKbps: number, costs: WireCosts): number {
  const share = shareOf(costs);
  return Math.max(Math.floor((wireKbps - costs.soundKbps) * share), BITRATE_KBPS_MIN);
}

/** The rate on the wire that `encoderKbps` fills. */
export function wireKbps(encoderKbps: number, costs: WireCosts): number {
  return Math.ceil(encoderKbps / shareOf(costs) + costs.soundKbps);
}

function shareOf({ shardPayloadBytes, fecPercent }: WireCosts): number {
  return shardPayloadBytes / (shardPayloadBytes + PACKET_OVERHEAD_BYTES) * 100 /
    (100 + fecPercent);
}

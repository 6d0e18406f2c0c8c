/**
 * How the host spreads a frame's packets over time, by delivery profile (punktfunk/1 specification 4.11). The numbers are
 * those of the wire kernel's pacing: packets leave in bursts, each as long after the one before as the rate says.
 *
 *     profile   rate                                          one burst
 *     burst     3 × the stream's                              10 ms of the rate, 16 … 256 KiB
 *     capped    what the link proved, within 10/9 … 3 ×       2 ms of the rate, 16 … 256 KiB, 64 packets
 *     smooth    1.5 ×                                         16 packets
 *
 * The specification gives "burst"; the other two are this host's.
 *
 * @module
 */
import type { DeliveryProfile } from "./enums.ts";

export type { DeliveryProfile };

/** As the wire kernel takes it. */
export interface PacingNumbers {
  readonly burstBytesMax: number;
  readonly burstPacketsMax: number;
  readonly rateBytesPerSecond: number;
}

export interface PacedLink {
  /** Everything that goes over the wire for the stream. */
  readonly wireKbps: number;
  /** What the client measured, LinkReport; absent while unknown. */
  readonly provenKbps?: number;
}

const BYTES_PER_KBIT = 125;
const KIB = 1024;
const HEADROOM = 3;
/** A frame of mean size fills nine tenths of its time. */
const HEADROOM_MIN = 10 / 9;
const HEADROOM_SMOOTH = 1.5;
const BURST_BYTES_MIN = 16 * KIB;
const BURST_BYTES_MAX = 256 * KIB;
const GROUP_PACKETS_MIN = 16;
const GROUP_PACKETS_MAX = 64;
/** No limit of its own: 256 KiB of the smallest packets. */
const BURST_PACKETS_MAX = 512;

export function pacingOf(
  profile: DeliveryProfile,
  { wireKbps, provenKbps }: PacedLink,
): PacingNumbers {
  const streamRate = wireKbps * BYTES_PER_KBIT;
  if (profile === "smooth") {
    return {
      rateBytesPerSecond: Math.ceil(streamRate * HEADROOM_SMOOTH),
      burstBytesMax: BURST_BYTES_MAX,
      burstPacketsMax: GROUP_PACKETS_MIN,
    };
  }
  const fullRate = streamRate * HEADROOM;
  const isCapped = profile === "capped" && provenKbps !== undefined;
  const rate = isCapped
    ? clamp(provenKbps * BYTES_PER_KBIT, streamRate * HEADROOM_MIN, fullRate)
    : fullRate;
  return {
    rateBytesPerSecond: Math.ceil(rate),
    burstBytesMax: Math.ceil(
      clamp(rate * (profile === "burst" ? 0.01 : 0.002), BURST_BYTES_MIN, BURST_BYTES_MAX),
    ),
    burstPacketsMax: profile === "burst" ? BURST_PACKETS_MAX : GROUP_PACKETS_MAX,
  };
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max);
}

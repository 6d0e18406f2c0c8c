/**
 * The datagram with which a client opens the way for video through its NAT, and when it is sent (punktfunk/1
 * specification 4.1).
 *
 *     offset  size  field
 *     0       8     "PFpunch1", never encrypted
 *
 * The host streams to where the first one came from, if that is the QUIC peer's address; without one in PUNCH_WAIT_MS, to
 * the peer's address and the port that Start names.
 *
 * @module
 */
import { equalBytes } from "../../lib/bytes.ts";

export const PUNCH_WAIT_MS = 2_500;

const PUNCH = new TextEncoder().encode("PFpunch1");
const FAST_PUNCHES = 15;
const FAST_INTERVAL_MS = 200;
const SLOW_INTERVAL_MS = 2_000;

/** Whether `bytes` are a punch and nothing else. */
export function isPunch(bytes: Uint8Array): boolean {
  return equalBytes(bytes, PUNCH);
}

export function encodePunch(): Uint8Array<ArrayBuffer> {
  return PUNCH.slice();
}

/** Milliseconds that a client waits after the `sentCount`th punch. It goes on for the whole session. */
export function punchDelayMs(sentCount: number): number {
  return sentCount < FAST_PUNCHES ? FAST_INTERVAL_MS : SLOW_INTERVAL_MS;
}

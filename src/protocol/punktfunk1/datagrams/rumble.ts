/**
 * Rumble of one pad, datagram ca (specification 7.5). Little-endian.
 *
 *     offset  size  field
 *     0       1     tag ca
 *     1       2     pad
 *     3       2     low-frequency (left) motor
 *     5       2     high-frequency (right) motor
 *     7       1     sequence of the pad, never reset; perhaps absent
 *     8       2     milliseconds after which the motors stop by themselves
 *     10      2     motor of the left trigger; perhaps absent: 0
 *     12      2     motor of the right trigger
 *
 * Levels are absolute. A torn tail reads as the next shorter form.
 *
 * @module
 */
import { openDatagram, PAD_COUNT_MAX, startDatagram } from "./tags.ts";

const SHORT_BYTES = 7;
const LEASE_BYTES = 10;
const TRIGGERS_BYTES = 14;

/** What the four motors of a pad do, 0…65535 each. */
export interface RumbleLevels {
  readonly low: number;
  readonly high: number;
  readonly leftTrigger: number;
  readonly rightTrigger: number;
}

export const RUMBLE_STOP: RumbleLevels = { low: 0, high: 0, leftTrigger: 0, rightTrigger: 0 };

export interface Rumble {
  readonly pad: number;
  readonly levels: RumbleLevels;
  /** Undefined in the shortest form. */
  readonly lease: { readonly sequence: number; readonly ttlMs: number } | undefined;
}

/** Undefined when `bytes` are shorter than the shortest form or name no such pad. */
export function decodeRumble(bytes: Uint8Array): Rumble | undefined {
  const view = openDatagram(bytes, "rumble", SHORT_BYTES);
  if (view === undefined) return undefined;
  const pad = view.getUint16(1, true);
  if (pad >= PAD_COUNT_MAX) return undefined;
  const hasTriggers = bytes.byteLength >= TRIGGERS_BYTES;
  return {
    pad,
    levels: {
      low: view.getUint16(3, true),
      high: view.getUint16(5, true),
      leftTrigger: hasTriggers ? view.getUint16(10, true) : 0,
      rightTrigger: hasTriggers ? view.getUint16(12, true) : 0,
    },
    lease: bytes.byteLength < LEASE_BYTES
      ? undefined
      : { sequence: view.getUint8(7), ttlMs: view.getUint16(8, true) },
  };
}

/** In the shortest form that says it all. Trigger levels need a lease: without one they are left out. */
export function encodeRumble({ pad, levels, lease }: Rumble): Uint8Array<ArrayBuffer> {
  const hasTriggers = levels.leftTrigger !== 0 || levels.rightTrigger !== 0;
  const sizeBytes = lease === undefined ? SHORT_BYTES : hasTriggers ? TRIGGERS_BYTES : LEASE_BYTES;
  const { bytes, view } = startDatagram("rumble", sizeBytes);
  view.setUint16(1, pad, true);
  view.setUint16(3, levels.low, true);
  view.setUint16(5, levels.high, true);
  if (lease === undefined) return bytes;
  view.setUint8(7, lease.sequence);
  view.setUint16(8, lease.ttlMs, true);
  if (!hasTriggers) return bytes;
  view.setUint16(10, levels.leftTrigger, true);
  view.setUint16(12, levels.rightTrigger, true);
  return bytes;
}

export function isSameRumble(a: RumbleLevels, b: RumbleLevels): boolean {
  return a.low === b.low && a.high === b.high && a.leftTrigger === b.leftTrigger &&
    a.rightTrigger === b.rightTrigger;
}

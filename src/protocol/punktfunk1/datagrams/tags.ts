/**
 * First bytes of the QUIC datagrams of punktfunk/1 (specification 7).
 *
 *     tag  direction       name              bytes
 *     c8   client to host  input             18
 *     c9   host to client  audio             13 + n
 *     ca   host to client  rumble            7, 10 or 14
 *     cb   client to host  microphone        13 + n
 *     cc   client to host  rich-input        by kind
 *     cd   host to client  hid-feedback      by kind
 *     ce   host to client  hdr-metadata      29
 *     cf   host to client  host-timing       13, 25 or 29
 *     d0   host to client  cursor            14
 *     d1   host to client  pad-audio         15 + n
 *     d2   host to client  redundant-audio   15 + n
 *     d3   host to client  pcm               13 + n
 *
 * A datagram of a fixed size is refused for being short, never for being long: later editions append. Integers are
 * little-endian. What cannot be read is dropped without a word, so every decoder here answers undefined where others
 * would throw.
 *
 * @module
 */

export const DATAGRAM_TAGS = {
  "input": 0xc8,
  "audio": 0xc9,
  "rumble": 0xca,
  "microphone": 0xcb,
  "rich-input": 0xcc,
  "hid-feedback": 0xcd,
  "hdr-metadata": 0xce,
  "host-timing": 0xcf,
  "cursor": 0xd0,
  "pad-audio": 0xd1,
  "redundant-audio": 0xd2,
  "pcm": 0xd3,
} as const;

export type DatagramType = keyof typeof DATAGRAM_TAGS;

/** Pads of one client, numbered from 0. */
export const PAD_COUNT_MAX = 16;

/** Exactly the bytes of `bytes`, when they start with the tag of `type` and are `sizeBytesMin` at least. */
export function openDatagram(
  bytes: Uint8Array,
  type: DatagramType,
  sizeBytesMin: number,
): DataView | undefined {
  if (bytes.byteLength < sizeBytesMin || bytes[0] !== DATAGRAM_TAGS[type]) return undefined;
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A datagram of `sizeBytes`, all zero behind the tag of `type`. */
export function startDatagram(
  type: DatagramType,
  sizeBytes: number,
): { readonly bytes: Uint8Array<ArrayBuffer>; readonly view: DataView } {
  const bytes = new Uint8Array(sizeBytes);
  bytes[0] = DATAGRAM_TAGS[type];
  return { bytes, view: new DataView(bytes.buffer) };
}

/** Whether `sequence` comes after `last`, both counting round in `bits` bits. */
export function isNewerSequence(sequence: number, last: number, bits: 8 | 16 | 32): boolean {
  return (sequence - last) << (32 - bits) > 0;
}

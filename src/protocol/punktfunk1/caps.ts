/**
 * Capability bits and grants (punktfunk/1 specification 2.5, 2.7). Sets are numbers; `hasBits` asks them.
 *
 * @module
 */

/** Whether all of `bits` are in `set`. */
export function hasBits(set: number, bits: number): boolean {
  return (set & bits) === bits;
}

/** What the client's decoder and packet reader take. */
export const VIDEO_CAPS = {
  tenBit: 0x01,
  /** PQ in BT.2020 is wanted. */
  hdr: 0x02,
  chroma444: 0x04,
  /** Datagram 0xCF is wanted for every frame. */
  hostTiming: 0x08,
  /** Probe bursts count frames apart from video. */
  probeSequence: 0x10,
  /** Blocks may be sent before their access unit is complete. */
  streamedAccessUnits: 0x20,
  chaCha20: 0x40,
  /** Access units may be streamed slice by slice; only with `streamedAccessUnits`. */
  multiSlice: 0x80,
} as const;

export const CLIENT_CAPS = {
  cursor: 0x01,
  phaseLock: 0x02,
  audioRed: 0x04,
  padAudio: 0x08,
  audioHiRes: 0x10,
  /** The machine's own speakers should keep playing. */
  keepHostAudio: 0x20,
  /** An EXT block after Welcome is understood. */
  ext: 0x40,
} as const;

export const HOST_CAPS = {
  /** Input kinds 12, 13 and 14 are understood. */
  gamepadState: 0x01,
  clipboard: 0x02,
  textInput: 0x04,
  cursor: 0x08,
  pen: 0x10,
  audioRed: 0x20,
  padAudio: 0x40,
  audioHiRes: 0x80,
} as const;

export const HOST_CAPS2 = {
  /** Repeated frames are marked. */
  repeatMark: 0x01,
  touch: 0x02,
  /** An EXT block after Start is understood. */
  ext: 0x04,
  /** Input kind 16 is understood. */
  scroll: 0x08,
  /** Probes are answered between punch and first frame. */
  ramp: 0x10,
  /** Delivery reports are wanted as often as they come. */
  delivery: 0x20,
  inputEdges: 0x40,
} as const;

/** What a device may do, 32 bits. Without a bit the host drops what would need it. */
export const GRANTS = {
  gamepad: 0x01,
  /** Mouse, scrolling, touch and pen. */
  pointer: 0x02,
  /** Keys and text. */
  keyboard: 0x04,
  clipboard: 0x08,
  microphone: 0x10,
  launch: 0x20,
  power: 0x40,
  manageGames: 0x80,
} as const;

export const GRANTS_ALL = 0xff;
export const GRANTS_VIEW_ONLY = 0;

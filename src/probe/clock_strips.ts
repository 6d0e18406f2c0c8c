/**
 * Reads the clock strips of a test picture: when it was drawn, and which one it is.
 *
 *     rows          64 cells over the full width, most significant bit left, white is 1
 *     0 … H/12      1010 │ 44 bits: CLOCK_MONOTONIC, 100 µs │ 12 bits: sum of its four 11-bit groups │ 0101
 *     H/12 … H/6    1010 │ 24 bits: counter │ 8 bits: sum of its three bytes │ 28 bits: 0x5555555
 *
 * @module
 */

/** Where to find brightness: one byte a pixel, `pixelSizeBytes` apart. For BGRX give green: offset 1, size 4. */
export interface StripImage {
  readonly data: Uint8Array;
  readonly widthPixels: number;
  readonly heightPixels: number;
  readonly strideBytes: number;
  readonly pixelSizeBytes: number;
  readonly offsetBytes: number;
}

export interface ClockStrips {
  /** CLOCK_MONOTONIC modulo 2^44 × 100 µs, in microseconds, rounded down to 100. */
  readonly drawnAtUs: number;
  /** Modulo 2^24. */
  readonly counter: number;
}

const CELLS = 64;
/** Below this much between black and white the picture carries no strips. */
const CONTRAST_MIN = 60;

/** The strips of `image`, or null when it has none or they are damaged. */
export function readClockStrips(image: StripImage): ClockStrips | null {
  const time = readStrip(image, Math.floor(image.heightPixels / 24));
  const counter = readStrip(image, Math.floor(image.heightPixels / 8));
  if (time === null || counter === null) return null;
  return decodeClockStrips(time, counter);
}

/** The same from the 64 bits of each strip. */
export function decodeClockStrips(timeStrip: bigint, counterStrip: bigint): ClockStrips | null {
  const time = (timeStrip >> 16n) & 0xFFF_FFFF_FFFFn;
  let sum = 0n;
  for (let rest = time; rest > 0n; rest >>= 11n) sum += rest & 0x7FFn;
  const counter = Number((counterStrip >> 36n) & 0xFF_FFFFn);
  const byteSum = ((counter & 0xFF) + ((counter >> 8) & 0xFF) + (counter >> 16)) & 0xFF;
  const isSound = timeStrip >> 60n === 0xAn && (timeStrip & 0xFn) === 0x5n &&
    counterStrip >> 60n === 0xAn && (counterStrip & 0xFFF_FFFFn) === 0x555_5555n &&
    ((timeStrip >> 4n) & 0xFFFn) === (sum & 0xFFFn) &&
    Number((counterStrip >> 28n) & 0xFFn) === byteSum;
  return isSound ? { drawnAtUs: Number(time) * 100, counter } : null;
}

function readStrip(image: StripImage, y: number): bigint | null {
  const cells: number[] = [];
  for (let cell = 0; cell < CELLS; cell++) {
    const x = Math.floor((cell + 0.5) * image.widthPixels / CELLS);
    const at = y * image.strideBytes + x * image.pixelSizeBytes + image.offsetBytes;
    const brightness = image.data[at];
    if (brightness === undefined) return null;
    cells.push(brightness);
  }
  // Every strip begins 1010, which tells how bright white and black came out.
  const [white0 = 0, black0 = 0, white1 = 0, black1 = 0] = cells;
  if (white0 + white1 - black0 - black1 < 2 * CONTRAST_MIN) return null;
  const threshold = (white0 + white1 + black0 + black1) / 4;
  return cells.reduce((bits, brightness) => bits << 1n | (brightness > threshold ? 1n : 0n), 0n);
}

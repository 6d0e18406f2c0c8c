/**
 * Arithmetic of ENet's 16-bit sequence numbers (GameStream specification 5.4).
 *
 * @module
 */

const WINDOW_SHIFT = 12;
const WINDOW_COUNT = 16;
/** The current window of 4096 numbers and the six after it. */
const WINDOWS_ACCEPTED = 7;

/** The number after `sequence`. */
export function nextSequence(sequence: number): number {
  return (sequence + 1) & 0xffff;
}

/** Steps from `from` to `to` by the shorter way round: −32768…32767. */
export function sequenceDistance(from: number, to: number): number {
  return ((to - from) << 16) >> 16;
}

/** Whether `sequence` is `current` or lies ahead of it within the windows a receiver accepts. */
export function isWithinWindows(current: number, sequence: number): boolean {
  const currentWindow = current >> WINDOW_SHIFT;
  const window = (sequence >> WINDOW_SHIFT) + (sequence < current ? WINDOW_COUNT : 0);
  return window >= currentWindow && window < currentWindow + WINDOWS_ACCEPTED;
}

/**
 * Seeded change of bytes: the same seed gives the same bytes, on every machine.
 *
 * @module
 */

import type { SeededRandom } from "./seeded_random.ts";

const CHANGES_MAX = 4;
const RANDOM_BYTES_MAX = 64;
/** Values at which sizes and counters go wrong. */
const EDGES = [0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff];

/** A changed copy of one of `seeds`, or random bytes. */
export function mutate(seeds: readonly Uint8Array[], random: SeededRandom): Uint8Array {
  const seed = seeds[random.below(seeds.length)];
  if (seed === undefined || random.below(10) === 0) return randomBytes(random);
  let bytes = seed.slice();
  const changes = 1 + random.below(CHANGES_MAX);
  for (let change = 0; change < changes; change++) bytes = changeOnce(bytes, seeds, random);
  return bytes;
}

function changeOnce(
  bytes: Uint8Array<ArrayBuffer>,
  seeds: readonly Uint8Array[],
  random: SeededRandom,
): Uint8Array<ArrayBuffer> {
  const at = random.below(bytes.byteLength + 1);
  switch (random.below(6)) {
    case 0:
      if (at < bytes.byteLength) bytes[at] = (bytes[at] ?? 0) ^ 1 << random.below(8);
      return bytes;
    case 1:
      if (at < bytes.byteLength) bytes[at] = EDGES[random.below(EDGES.length)] ?? 0;
      return bytes;
    case 2:
      return bytes.slice(0, at);
    case 3:
      return joined(bytes.subarray(0, at), randomBytes(random), bytes.subarray(at));
    case 4: {
      const other = seeds[random.below(seeds.length)] ?? bytes;
      return joined(bytes.subarray(0, at), other.subarray(random.below(other.byteLength + 1)));
    }
    default:
      return joined(bytes.subarray(0, at), bytes.subarray(random.below(at + 1)));
  }
}

function randomBytes(random: SeededRandom): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: random.below(RANDOM_BYTES_MAX) }, () => random.below(256));
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const sizes = parts.map((part) => part.byteLength);
  const whole = new Uint8Array(sizes.reduce((sum, size) => sum + size, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.byteLength;
  }
  return whole;
}

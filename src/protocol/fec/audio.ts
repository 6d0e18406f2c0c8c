/**
 * The code of GameStream's audio: two parity shards over the payloads of four packets. GameStream specification 8.4.
 *
 *     parity 0 = 77·d0 ⊕ 40·d1 ⊕ 38·d2 ⊕ 0e·d3      coefficients in hexadecimal,
 *     parity 1 = c7·d0 ⊕ a7·d1 ⊕ 0d·d2 ⊕ 6c·d3      field of gf256.ts
 *
 * Any four of the six shards give the four data shards. The matrix is fixed and no Cauchy matrix of that size.
 *
 * @module
 */
import type { ErasureCode } from "./gf256.ts";

export const AUDIO_FEC_CODE: ErasureCode = {
  dataCount: 4,
  parityCount: 2,
  matrix: Uint8Array.of(0x77, 0x40, 0x38, 0x0e, 0xc7, 0xa7, 0x0d, 0x6c),
};

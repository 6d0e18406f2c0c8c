/**
 * Reed–Solomon over GF(2^8), polynomial x⁸+x⁴+x³+x²+1 (0x11D). GameStream specification 7.5, and scheme 0 of punktfunk/1,
 * 4.8.2.
 *
 *     shards 0 … k−1        data
 *     shards k … k+p−1      parity; parity j = Σ c(j, i) · data i, byte by byte
 *     c(j, i)               1 / ((p + i) ⊕ j) in the Cauchy code, anything in a code with a matrix of its own
 *
 * A matrix is p rows of k coefficients, row by row. Sums are XOR. This is the reference: the host's own parity is made
 * by native/wire, which the contract test holds against it.
 *
 * @module
 */
import { mergeFound, surveyBlock } from "./received_block.ts";

/** Data and parity shards of a block together. */
export const GF256_SHARDS_MAX = 255;

const POLYNOMIAL = 0x11d;

/** 2^n for n = 0 … 509, twice round, so that sums of two logarithms need no reduction. */
const EXPONENTS = exponents();
const LOGARITHMS = logarithms(EXPONENTS);

function exponents(): Uint8Array {
  const table = new Uint8Array(510);
  for (let exponent = 0, power = 1; exponent < 510; exponent++) {
    table[exponent] = power;
    power <<= 1;
    if (power >= 0x100) power ^= POLYNOMIAL;
  }
  return table;
}

function logarithms(powers: Uint8Array): Uint8Array {
  const table = new Uint8Array(256);
  for (let exponent = 0; exponent < 255; exponent++) table[powers[exponent] ?? 0] = exponent;
  return table;
}

export function multiplyGf256(a: number, b: number): number {
  if (a === 0 || b === 0) return 0;
  return EXPONENTS[(LOGARITHMS[a] ?? 0) + (LOGARITHMS[b] ?? 0)] ?? 0;
}

/** The inverse of 1 … 255. Throws RangeError for 0, which has none. */
export function invertGf256(value: number): number {
  if (value === 0) throw new RangeError("Cannot invert 0");
  return EXPONENTS[255 - (LOGARITHMS[value] ?? 0)] ?? 0;
}

/** A systematic code: how many shards of each sort, and the matrix that makes one from the other. */
export interface ErasureCode {
  readonly dataCount: number;
  readonly parityCount: number;
  /** parityCount rows of dataCount coefficients. */
  readonly matrix: Uint8Array;
}

/** Throws RangeError unless 1 ≤ dataCount and dataCount + parityCount ≤ 255. */
export function cauchyCode(dataCount: number, parityCount: number): ErasureCode {
  if (dataCount < 1 || parityCount < 0 || dataCount + parityCount > GF256_SHARDS_MAX) {
    throw new RangeError(
      `Cannot make Cauchy code: ${dataCount} data and ${parityCount} parity shards, at most ` +
        `${GF256_SHARDS_MAX} together`,
    );
  }
  const matrix = new Uint8Array(dataCount * parityCount);
  for (let row = 0; row < parityCount; row++) {
    for (let column = 0; column < dataCount; column++) {
      matrix[row * dataCount + column] = invertGf256((parityCount + column) ^ row);
    }
  }
  return { dataCount, parityCount, matrix };
}

/** target ⊕= coefficient · source. */
function addProduct(target: Uint8Array, source: Uint8Array, coefficient: number): void {
  if (coefficient === 0) return;
  const products = new Uint8Array(256);
  const logarithm = LOGARITHMS[coefficient] ?? 0;
  for (let value = 1; value < 256; value++) {
    products[value] = EXPONENTS[(LOGARITHMS[value] ?? 0) + logarithm] ?? 0;
  }
  for (let index = 0; index < target.byteLength; index++) {
    target[index] = (target[index] ?? 0) ^ (products[source[index] ?? 0] ?? 0);
  }
}

/** The parity shards of `data`, which holds dataCount shards of equal size. */
export function encodeParity(
  data: readonly Uint8Array[],
  code: ErasureCode,
): Uint8Array<ArrayBuffer>[] {
  const sizeBytes = data[0]?.byteLength ?? 0;
  if (data.length !== code.dataCount || data.some((shard) => shard.byteLength !== sizeBytes)) {
    throw new RangeError(`Cannot encode parity: expected ${code.dataCount} shards of equal size`);
  }
  return Array.from({ length: code.parityCount }, (_, row) => {
    const parity = new Uint8Array(sizeBytes);
    data.forEach((shard, column) => {
      addProduct(parity, shard, code.matrix[row * code.dataCount + column] ?? 0);
    });
    return parity;
  });
}

/**
 * The data shards of a block of which some shards were lost. `shards` holds data then parity, undefined where lost; those
 * that arrived are returned as they are. Throws ProtocolError "short" when fewer than dataCount arrived, "malformed" when
 * their sizes differ.
 */
export function reconstruct(
  shards: readonly (Uint8Array | undefined)[],
  code: ErasureCode,
): Uint8Array[] {
  const { dataCount, parityCount, matrix } = code;
  const { sizeBytes, lost } = surveyBlock(shards, code);
  const rows: number[] = [];
  for (let row = 0; row < parityCount && rows.length < lost.length; row++) {
    if (shards[dataCount + row] !== undefined) rows.push(row);
  }
  // What the chosen parity shards say about the lost data shards alone.
  const remainders = rows.map((row) => {
    const remainder = Uint8Array.from(shards[dataCount + row] ?? []);
    for (let column = 0; column < dataCount; column++) {
      const shard = shards[column];
      if (shard !== undefined) addProduct(remainder, shard, matrix[row * dataCount + column] ?? 0);
    }
    return remainder;
  });
  const inverse = invertMatrix(
    rows.map((row) => Uint8Array.from(lost, (column) => matrix[row * dataCount + column] ?? 0)),
  );
  const found = inverse.map((coefficients) => {
    const shard = new Uint8Array(sizeBytes);
    remainders.forEach((remainder, index) =>
      addProduct(shard, remainder, coefficients[index] ?? 0)
    );
    return shard;
  });
  return mergeFound(shards, lost, { dataCount, found });
}

/** Gauss–Jordan elimination of a square matrix. Throws RangeError when it is singular. */
function invertMatrix(rows: readonly Uint8Array[]): Uint8Array[] {
  const size = rows.length;
  // Each row carries its row of the unit matrix behind it.
  const work = rows.map((row, index) => {
    const wide = new Uint8Array(2 * size);
    wide.set(row);
    wide[size + index] = 1;
    return wide;
  });
  for (let column = 0; column < size; column++) {
    const pivotAt = work.findIndex((row, index) => index >= column && row[column] !== 0);
    const pivot = work[pivotAt];
    if (pivot === undefined) throw new RangeError("Cannot invert matrix: it is singular");
    work[pivotAt] = work[column] ?? pivot;
    work[column] = pivot;
    const factor = invertGf256(pivot[column] ?? 0);
    for (let index = 0; index < 2 * size; index++) {
      pivot[index] = multiplyGf256(pivot[index] ?? 0, factor);
    }
    work.forEach((row, index) => {
      if (index !== column) addProduct(row, pivot, row[column] ?? 0);
    });
  }
  return work.map((row) => row.subarray(size));
}

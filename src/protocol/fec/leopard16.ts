/**
 * Leopard Reed–Solomon over GF(2^16). punktfunk/1 specification 4.8.1.
 *
 *     shards 0 … k−1        data, all of one even size
 *     shards k … k+m−1      parity
 *     chunk of 64 bytes     32 low bytes, then the 32 high bytes of the same elements
 *     chunk of r < 64       r/2 low bytes, then r/2 high bytes
 *
 * Element p of all shards is one code word. The code is evaluated by an additive FFT over rows, a row being the elements
 * of one shard; which half of the transform the data fills depends on the rate:
 *
 *     high rate    pow2(k) > pow2(m), or equal and k ≤ m     rows: parity up to c = pow2(m), then data
 *     low rate     otherwise                                 rows: data up to c = pow2(k), then parity
 *
 * This is the reference, and the receiver's decoder where native/wire is not at hand; the tests hold native/wire against it
 * in both directions.
 *
 * @module
 */
import { ProtocolError } from "../../lib/errors.ts";
import {
  addLogarithms,
  LEOPARD16_MODULUS,
  LEOPARD16_ORDER,
  leopard16Tables,
  walshTransform,
} from "./leopard16_tables.ts";
import { type BlockShape, mergeFound, surveyBlock } from "./received_block.ts";

const CHUNK_SIZE_BYTES = 64;

/** Whether the transform has room for this code. No parity at all is a code, too. */
export function leopard16Supports(dataCount: number, parityCount: number): boolean {
  return dataCount >= 1 && parityCount >= 0 &&
    Math.min(powerOfTwo(dataCount), powerOfTwo(parityCount)) + Math.max(dataCount, parityCount) <=
      LEOPARD16_ORDER;
}

/**
 * The parity shards of `data`. Throws RangeError when the shards are not of one even size, or are too many for
 * `leopard16Supports`.
 */
export function encodeLeopard16(
  data: readonly Uint8Array[],
  parityCount: number,
): Uint8Array<ArrayBuffer>[] {
  const sizeBytes = data[0]?.byteLength ?? 0;
  if (
    !leopard16Supports(data.length, parityCount) || sizeBytes % 2 !== 0 ||
    data.some((shard) => shard.byteLength !== sizeBytes)
  ) {
    throw new RangeError(
      `Cannot encode parity: ${data.length} data and ${parityCount} parity shards of ${sizeBytes} bytes`,
    );
  }
  if (parityCount === 0) return [];
  const rows = isHighRate(data.length, parityCount)
    ? encodeHighRate(data, parityCount)
    : encodeLowRate(data, parityCount);
  return rows.map((row) => shardOf(row));
}

/**
 * The data shards of a block of which some shards were lost. `shards` holds data then parity, undefined where lost; those
 * that arrived are returned as they are. Throws ProtocolError "limit" when there is no such code, "short" when fewer than
 * dataCount arrived, "malformed" when their sizes differ or are odd.
 */
export function reconstructLeopard16(
  shards: readonly (Uint8Array | undefined)[],
  code: BlockShape,
): Uint8Array[] {
  const { dataCount, parityCount } = code;
  if (!leopard16Supports(dataCount, parityCount)) {
    throw new ProtocolError(
      "limit",
      `Cannot reconstruct block: ${dataCount} data and ${parityCount} parity shards are too many`,
    );
  }
  const { sizeBytes, lost } = surveyBlock(shards, code);
  if (sizeBytes % 2 !== 0) {
    throw new ProtocolError("malformed", "Cannot reconstruct block: shards are of an odd size");
  }
  const found = lost.length === 0 ? [] : decode(shards, { ...code, lost, sizeBytes });
  return mergeFound(shards, lost, { dataCount, found });
}

/** The least power of two that is no less than `count`; 1 for 0. */
function powerOfTwo(count: number): number {
  return count <= 1 ? 1 : 2 ** (32 - Math.clz32(count - 1));
}

function isHighRate(dataCount: number, parityCount: number): boolean {
  const dataWidth = powerOfTwo(dataCount);
  const parityWidth = powerOfTwo(parityCount);
  return dataWidth === parityWidth ? dataCount <= parityCount : dataWidth > parityWidth;
}

/** The elements of one shard. */
type Row = Uint16Array<ArrayBuffer>;

function makeRows(count: number, elementCount: number): Row[] {
  const elements = new Uint16Array(count * elementCount);
  return Array.from(
    { length: count },
    (_, index) => elements.subarray(index * elementCount, (index + 1) * elementCount),
  );
}

function fillRow(row: Row | undefined, shard: Uint8Array): void {
  if (row === undefined) return;
  for (let from = 0; from < shard.byteLength; from += CHUNK_SIZE_BYTES) {
    const half = Math.min(CHUNK_SIZE_BYTES, shard.byteLength - from) / 2;
    for (let index = 0; index < half; index++) {
      const low = shard[from + index] ?? 0;
      const high = shard[from + half + index] ?? 0;
      row[from / 2 + index] = low | high << 8;
    }
  }
}

function shardOf(row: Row): Uint8Array<ArrayBuffer> {
  const shard = new Uint8Array(row.byteLength);
  for (let from = 0; from < shard.byteLength; from += CHUNK_SIZE_BYTES) {
    const half = Math.min(CHUNK_SIZE_BYTES, shard.byteLength - from) / 2;
    for (let index = 0; index < half; index++) {
      const element = row[from / 2 + index] ?? 0;
      shard[from + index] = element;
      shard[from + half + index] = element >> 8;
    }
  }
  return shard;
}

/** target ⊕= source. */
function addRow(target: Row | undefined, source: Row | undefined): void {
  if (target === undefined || source === undefined) return;
  for (let index = 0; index < target.length; index++) {
    target[index] = (target[index] ?? 0) ^ (source[index] ?? 0);
  }
}

/** target ⊕= source · α^logarithm. */
function addProduct(target: Row, source: Row, logarithm: number): void {
  const { exponents, logarithms } = leopard16Tables();
  for (let index = 0; index < target.length; index++) {
    const element = source[index] ?? 0;
    if (element === 0) continue;
    const sum = addLogarithms(logarithms[element] ?? 0, logarithm);
    target[index] = (target[index] ?? 0) ^ (exponents[sum] ?? 0);
  }
}

/** Which rows a transform sees: `rows` themselves from the first, at the field's points from `delta` on. */
interface Transform {
  readonly delta: number;
  /** Rows from here on are zero before an inverse transform, and of no interest after a forward one. */
  readonly end: number;
}

/** Values at points → coefficients. The number of rows is a power of two. */
function inverseTransform(rows: readonly Row[], { delta, end }: Transform): void {
  const { skews } = leopard16Tables();
  for (let distance = 1; distance < rows.length; distance *= 2) {
    for (let first = 0; first < end; first += 2 * distance) {
      const skew = skews[first + distance + delta - 1] ?? 0;
      for (let index = first; index < first + distance; index++) {
        const a = rows[index];
        const b = rows[index + distance];
        if (a === undefined || b === undefined) continue;
        addRow(b, a);
        if (skew !== LEOPARD16_MODULUS) addProduct(a, b, skew);
      }
    }
  }
}

/** Coefficients → values at points. The number of rows is a power of two. */
function transform(rows: readonly Row[], { delta, end }: Transform): void {
  const { skews } = leopard16Tables();
  for (let distance = rows.length / 2; distance >= 1; distance /= 2) {
    for (let first = 0; first < end; first += 2 * distance) {
      const skew = skews[first + distance + delta - 1] ?? 0;
      for (let index = first; index < first + distance; index++) {
        const a = rows[index];
        const b = rows[index + distance];
        if (a === undefined || b === undefined) continue;
        if (skew !== LEOPARD16_MODULUS) addProduct(a, b, skew);
        addRow(b, a);
      }
    }
  }
}

function encodeHighRate(data: readonly Uint8Array[], parityCount: number): Row[] {
  const width = powerOfTwo(parityCount);
  const elementCount = (data[0]?.byteLength ?? 0) / 2;
  const sums = makeRows(width, elementCount);
  for (let first = 0; first < data.length; first += width) {
    const chunk = data.slice(first, first + width);
    const rows = makeRows(width, elementCount);
    chunk.forEach((shard, index) => fillRow(rows[index], shard));
    inverseTransform(rows, { delta: first + width, end: chunk.length });
    rows.forEach((row, index) => addRow(sums[index], row));
  }
  transform(sums, { delta: 0, end: parityCount });
  return sums.slice(0, parityCount);
}

function encodeLowRate(data: readonly Uint8Array[], parityCount: number): Row[] {
  const width = powerOfTwo(data.length);
  const elementCount = (data[0]?.byteLength ?? 0) / 2;
  const coefficients = makeRows(width, elementCount);
  data.forEach((shard, index) => fillRow(coefficients[index], shard));
  inverseTransform(coefficients, { delta: 0, end: data.length });
  const parity: Row[] = [];
  for (let first = 0; first < parityCount; first += width) {
    const count = Math.min(width, parityCount - first);
    const rows = makeRows(width, elementCount);
    rows.forEach((row, index) => row.set(coefficients[index] ?? []));
    transform(rows, { delta: first + width, end: count });
    parity.push(...rows.slice(0, count));
  }
  return parity;
}

/** Where the shards lie among the rows, and from which row on there is none. */
interface Placement {
  readonly dataFirst: number;
  readonly parityFirst: number;
  readonly end: number;
}

function placementOf({ dataCount, parityCount }: BlockShape): Placement {
  if (isHighRate(dataCount, parityCount)) {
    const dataFirst = powerOfTwo(parityCount);
    return { dataFirst, parityFirst: 0, end: dataFirst + dataCount };
  }
  const parityFirst = powerOfTwo(dataCount);
  return { dataFirst: 0, parityFirst, end: parityFirst + parityCount };
}

/** The lost data shards, in the order of `lost`. */
function decode(
  shards: readonly (Uint8Array | undefined)[],
  code: BlockShape & { readonly lost: readonly number[]; readonly sizeBytes: number },
): Uint8Array<ArrayBuffer>[] {
  const { dataFirst, parityFirst, end } = placementOf(code);
  const rowOf = (index: number) =>
    index < code.dataCount ? dataFirst + index : parityFirst + index - code.dataCount;
  const locator = errorLocator(shards, { ...code, rowOf });
  const rows = makeRows(powerOfTwo(end), code.sizeBytes / 2);
  const scratch = new Uint16Array(code.sizeBytes / 2);
  for (let index = 0; index < code.dataCount + code.parityCount; index++) {
    const shard = shards[index];
    const row = rows[rowOf(index)];
    if (shard === undefined || row === undefined) continue;
    fillRow(scratch, shard);
    addProduct(row, scratch, locator[rowOf(index)] ?? 0);
  }
  inverseTransform(rows, { delta: 0, end });
  // The formal derivative, whose terms vanish where the index of the coefficient is even.
  for (let index = 1; index < rows.length; index++) {
    const width = index & -index;
    for (let at = index - width; at < index; at++) addRow(rows[at], rows[at + width]);
  }
  transform(rows, { delta: 0, end });
  return code.lost.map((index) => {
    const row = rows[rowOf(index)] ?? scratch;
    scratch.fill(0);
    addProduct(scratch, row, LEOPARD16_MODULUS - (locator[rowOf(index)] ?? 0));
    return shardOf(scratch);
  });
}

/** Logarithms of the polynomial that is zero at the rows without a shard, or of its derivative there. */
function errorLocator(
  shards: readonly (Uint8Array | undefined)[],
  code: BlockShape & { readonly rowOf: (index: number) => number },
): Uint16Array {
  const { dataCount, parityCount, rowOf } = code;
  const locator = new Uint16Array(LEOPARD16_ORDER);
  if (isHighRate(dataCount, parityCount)) {
    locator.fill(1, parityCount, powerOfTwo(parityCount));
  } else {
    locator.fill(1, powerOfTwo(dataCount) + parityCount);
  }
  for (let index = 0; index < dataCount + parityCount; index++) {
    if (shards[index] === undefined) locator[rowOf(index)] = 1;
  }
  const { logWalsh } = leopard16Tables();
  walshTransform(locator);
  for (let index = 0; index < LEOPARD16_ORDER; index++) {
    locator[index] = (locator[index] ?? 0) * (logWalsh[index] ?? 0) % LEOPARD16_MODULUS;
  }
  walshTransform(locator);
  return locator;
}

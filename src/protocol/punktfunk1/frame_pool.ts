/**
 * Memory of frames under assembly: reused, and bounded by what a client may hold in flight (punktfunk/1 specification 4.7).
 *
 * @module
 */

const GRANULE_BYTES = 16 * 1024;
/** Free buffers are kept until they are this many, or as large together as a quarter of the bound. */
const FREE_BUFFERS_MAX = 32;
/** A buffer serves a need down to this part of its size; smaller ones would be hoarded under large ones. */
const FIT_RATIO_MAX = 8;

export class FramePool {
  readonly #bytesMax: number;
  #free: Uint8Array<ArrayBuffer>[] = [];
  #freeBytes = 0;
  #usedBytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Bytes given out and charged. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** A buffer of at least `sizeBytes` with arbitrary content, or undefined when the bound forbids it. */
  acquire(sizeBytes: number): Uint8Array<ArrayBuffer> | undefined {
    const buffer = this.#takeFree(sizeBytes) ??
      (this.#fits(roundUp(sizeBytes)) ? new Uint8Array(roundUp(sizeBytes)) : undefined);
    if (buffer !== undefined) this.#usedBytes += buffer.byteLength;
    return buffer;
  }

  release(buffer: Uint8Array<ArrayBuffer>): void {
    this.#usedBytes -= buffer.byteLength;
    if (
      this.#free.length >= FREE_BUFFERS_MAX ||
      this.#freeBytes + buffer.byteLength > this.#bytesMax / 4
    ) return;
    this.#free.push(buffer);
    this.#freeBytes += buffer.byteLength;
  }

  /** Count `sizeBytes` of bookkeeping; false when the bound forbids it. */
  charge(sizeBytes: number): boolean {
    if (!this.#fits(sizeBytes)) return false;
    this.#usedBytes += sizeBytes;
    return true;
  }

  refund(sizeBytes: number): void {
    this.#usedBytes -= sizeBytes;
  }

  #fits(sizeBytes: number): boolean {
    return this.#usedBytes + sizeBytes <= this.#bytesMax;
  }

  #takeFree(sizeBytes: number): Uint8Array<ArrayBuffer> | undefined {
    const at = this.#free.findIndex(({ byteLength }) =>
      byteLength >= sizeBytes && byteLength <= Math.max(sizeBytes, GRANULE_BYTES) * FIT_RATIO_MAX &&
      this.#fits(byteLength)
    );
    const buffer = this.#free[at];
    if (buffer === undefined) return undefined;
    this.#free.splice(at, 1);
    this.#freeBytes -= buffer.byteLength;
    return buffer;
  }
}

function roundUp(sizeBytes: number): number {
  return Math.ceil(sizeBytes / GRANULE_BYTES) * GRANULE_BYTES;
}

/**
 * Access units whose every byte a receiver can check, in place of an encoded picture (punktfunk/1 specification 10.8).
 *
 *     0   frame index, u32 little-endian
 *     4   (index + i) & 255 for i = 4, 5, …, counted from the start of the unit
 *
 * Their size follows the bitrate, so that the data path carries what an encoder of that rate would give it. A request for
 * an IDR may be answered with a wave: units that carry what the IDR has more than they, in equal parts.
 *
 * @module
 */
import { OperationError } from "../../lib/errors.ts";
import type { AccessUnit, PatternEncoderSpec, VideoEncoder, VideoFrame } from "../ports.ts";

const INDEX_SIZE_BYTES = 4;
const RAMP_PERIOD = 256;
export const PATTERN_UNIT_BYTES_MAX = 32 * 1024 * 1024;

export function openPatternEncoder(spec: PatternEncoderSpec): VideoEncoder {
  return new PatternEncoder(spec);
}

class PatternEncoder implements VideoEncoder {
  readonly description = "byte pattern";
  readonly #spec: PatternEncoderSpec;
  #kbps: number;
  #unit = new Uint8Array(0);
  #isFirst = true;
  /** Units of the running wave still to come. */
  #waveLeft = 0;
  #isClosed = false;

  constructor(spec: PatternEncoderSpec) {
    this.#spec = spec;
    this.#kbps = spec.bitrateKbps;
  }

  encode(
    _frame: VideoFrame,
    options: { readonly isIdrWanted: boolean; readonly frameIndex: number },
  ): AccessUnit {
    if (this.#isClosed) throw new OperationError("failed", "Cannot make a pattern: it is closed");
    const { waveUnits } = this.#spec;
    const isIdr = this.#isFirst || (options.isIdrWanted && waveUnits === undefined);
    const isWaveStart = options.isIdrWanted && !isIdr;
    this.#isFirst = false;
    if (isWaveStart) this.#waveLeft = waveUnits ?? 0;
    const sizeBytes = this.#unitBytes(isIdr);
    if (this.#unit.byteLength < sizeBytes) this.#unit = new Uint8Array(sizeBytes);
    fillPattern(this.#unit.subarray(0, sizeBytes), options.frameIndex);
    const pointer = Deno.UnsafePointer.of(this.#unit);
    if (pointer === null) throw new OperationError("failed", "Cannot make a pattern: no memory");
    const data = { pointer, sizeBytes };
    if (this.#waveLeft === 0) return { data, kind: isIdr ? "idr" : "p" };
    this.#waveLeft--;
    if (isWaveStart) return { data, kind: "p", wave: "start" };
    return { data, kind: "p", ...(this.#waveLeft === 0 ? { wave: "close" } : {}) };
  }

  setBitrate(kbps: number): void {
    if (this.#spec.isFollowingBitrate) this.#kbps = kbps;
  }

  /** A pattern predicts from nothing: what follows a loss is as good as an anchor. */
  invalidateReferences(): boolean {
    return false;
  }

  close(): void {
    this.#isClosed = true;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #unitBytes(isIdr: boolean): number {
    const { idrPercent, fillPercent, waveUnits } = this.#spec;
    const bytesPerSecond = this.#kbps * 125 * fillPercent / 100;
    const surplus = idrPercent / 100 - 1;
    const isInWave = this.#waveLeft > 0 && waveUnits !== undefined;
    const share = isIdr ? 1 + surplus : isInWave ? 1 + surplus / waveUnits : 1;
    const bytes = Math.round(bytesPerSecond * 1000 / this.#spec.refreshMilliHz * share);
    const bytesMax = Math.min(this.#spec.unitBytesMax, PATTERN_UNIT_BYTES_MAX);
    return Math.min(Math.max(bytes, INDEX_SIZE_BYTES), bytesMax);
  }
}

/** Write the pattern of frame `index` over all of `unit`, at least 4 bytes. */
export function fillPattern(unit: Uint8Array, index: number): void {
  const start = index & 0xff;
  const period = Math.min(unit.byteLength, RAMP_PERIOD);
  for (let i = 0; i < period; i++) unit[i] = start + i;
  // Doubling copies run at memory speed; a byte at a time would cost more than sending.
  for (let done = RAMP_PERIOD; done < unit.byteLength; done *= 2) {
    unit.copyWithin(done, 0, Math.min(done, unit.byteLength - done));
  }
  // Last: the copies would carry it along.
  new DataView(unit.buffer, unit.byteOffset).setUint32(0, index >>> 0, true);
}

/** Whether `unit` is the pattern of frame `index`, every byte of it. */
export function isPattern(unit: Uint8Array, index: number): boolean {
  if (unit.byteLength < INDEX_SIZE_BYTES) return false;
  const view = new DataView(unit.buffer, unit.byteOffset, unit.byteLength);
  if (view.getUint32(0, true) !== index >>> 0) return false;
  for (let i = INDEX_SIZE_BYTES; i < unit.byteLength; i++) {
    if (unit[i] !== ((index + i) & 0xff)) return false;
  }
  return true;
}

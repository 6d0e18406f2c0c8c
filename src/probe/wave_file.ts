/**
 * Writes sound to a RIFF WAVE file, 16-bit or as it came. Little-endian.
 *
 *     offset  size  field                     offset  size  field
 *     0       4     "RIFF"                    28      4     bytes a second
 *     4       4     size of what follows      32      2     bytes a sample of all channels
 *     8       8     "WAVE", "fmt "            34      2     bits a sample
 *     16      4     16                        36      4     "data"
 *     20      2     1, integer samples        40      4     size of the samples
 *     22      2+4   channels, rate            44      …     samples, interleaved
 *
 * Both sizes are filled in at the end; a file that was not closed has 0 there.
 *
 * @module
 */
import { viewOf } from "../lib/bytes.ts";
import { storageError } from "../store/file.ts";

export interface WaveFormat {
  readonly channels: number;
  readonly rateHz: number;
  readonly bits: 16 | 24;
}

export const WAVE_HEADER_BYTES = 44;
/** What the sizes can say. */
const DATA_BYTES_MAX = 0xffff_ffff - WAVE_HEADER_BYTES;

/** The header of a file of `dataBytes` of samples. */
export function encodeWaveHeader(
  { channels, rateHz, bits }: WaveFormat,
  dataBytes: number,
): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(WAVE_HEADER_BYTES);
  const text = (offset: number, word: string) => header.set(new TextEncoder().encode(word), offset);
  const view = viewOf(header);
  const frameBytes = channels * bits / 8;
  text(0, "RIFF");
  view.setUint32(4, WAVE_HEADER_BYTES - 8 + dataBytes, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, rateHz, true);
  view.setUint32(28, rateHz * frameBytes, true);
  view.setUint16(32, frameBytes, true);
  view.setUint16(34, bits, true);
  text(36, "data");
  view.setUint32(40, dataBytes, true);
  return header;
}

/** Samples of −1…1 as 16-bit integers; louder ones are cut. */
export function encodeSamples(sound: Float32Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(sound.length * 2);
  const view = viewOf(bytes);
  sound.forEach((sample, index) => {
    view.setInt16(index * 2, Math.round(Math.min(Math.max(sample, -1), 1) * 32_767), true);
  });
  return bytes;
}

export class WaveFile implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #format: WaveFormat;
  #dataBytes = 0;
  #isClosed = false;

  private constructor(file: Deno.FsFile, format: WaveFormat) {
    this.#file = file;
    this.#format = format;
  }

  /** Create or replace the file at `path`. Throws OperationError "storage". */
  static create(path: string, format: WaveFormat): WaveFile {
    try {
      const file = Deno.openSync(path, { write: true, create: true, truncate: true });
      const wave = new WaveFile(file, format);
      writeWhole(file, encodeWaveHeader(format, 0));
      return wave;
    } catch (cause) {
      throw storageError("write", path, cause);
    }
  }

  /** Append whole samples; what the format cannot count is left out. */
  write(samples: Uint8Array): void {
    if (this.#isClosed || this.#dataBytes + samples.byteLength > DATA_BYTES_MAX) return;
    writeWhole(this.#file, samples);
    this.#dataBytes += samples.byteLength;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#file.seekSync(0, Deno.SeekMode.Start);
    writeWhole(this.#file, encodeWaveHeader(this.#format, this.#dataBytes));
    this.#file.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Write all of `bytes`, however many calls the system makes of it. */
export function writeWhole(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.byteLength;) done += file.writeSync(bytes.subarray(done));
}

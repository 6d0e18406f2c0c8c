/**
 * Where access units go one after another: an elementary stream that players understand. What was received when is kept
 * beside it, for whoever decodes the file later.
 *
 * @module
 */
import { storageError } from "../store/file.ts";
import { writeWhole } from "./wave_file.ts";

/** Of a run of hours: later units are in the file, but not in the list. */
const TIMES_MAX = 1_000_000;

export class UnitFile implements Disposable {
  readonly path: string;
  /** When unit n was received, in microseconds of the monotonic clock. */
  readonly receivedAtUs: number[] = [];
  readonly #file: Deno.FsFile;
  #count = 0;
  #isClosed = false;

  /** Create or replace the file at `path`. Throws OperationError "storage". */
  constructor(path: string) {
    this.path = path;
    try {
      this.#file = Deno.openSync(path, { write: true, create: true, truncate: true });
    } catch (cause) {
      throw storageError("write", path, cause);
    }
  }

  get count(): number {
    return this.#count;
  }

  write(unit: Uint8Array, receivedAtUs: number): void {
    if (this.#isClosed) return;
    try {
      writeWhole(this.#file, unit);
    } catch (cause) {
      throw storageError("write", this.path, cause);
    }
    this.#count++;
    if (this.receivedAtUs.length < TIMES_MAX) this.receivedAtUs.push(receivedAtUs);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#file.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

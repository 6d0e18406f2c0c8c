/**
 * One value kept in one JSON file.
 *
 * What is in memory never differs from what is on disk: a change that cannot be written is not made. A file that cannot
 * be understood is set aside under another name and said so, or refused; it is never overwritten.
 *
 * @module
 */
import { OperationError } from "../lib/errors.ts";
import { keepDamagedFile, readFileIfPresent, SECRET_FILE_MODE, writeFileAtomic } from "./file.ts";

/** Larger than any file this program writes; a bigger one is damage. */
const FILE_SIZE_BYTES_MAX = 16 * 1024 * 1024;

export interface JsonStoreOptions<T> {
  /** Check what the file holds; throw anything when it is not a `T`. */
  readonly parse: (json: unknown) => T;
  /** The value when there is no file. */
  readonly empty: T;
  /** What `JSON.stringify` gets; the value itself when absent. */
  readonly serialise?: (value: T) => unknown;
  /** Milliseconds since 1970, for the name of a damaged file. */
  readonly nowMs: () => number;
  /** Given for a file that must not start empty: a damaged one is then an error with this remedy. */
  readonly remedyWhenDamaged?: string;
  readonly write?: typeof writeFileAtomic;
}

export class JsonStore<T> {
  readonly #path: string;
  readonly #options: JsonStoreOptions<T>;
  #value: T;
  #writes: Promise<unknown> = Promise.resolve();
  /** What a person should know about the file as it was found, as one sentence without a full stop. */
  readonly notice: string | undefined;

  private constructor(
    path: string,
    options: JsonStoreOptions<T>,
    found: { value: T; notice: string | undefined },
  ) {
    this.#path = path;
    this.#options = options;
    this.#value = found.value;
    this.notice = found.notice;
  }

  /** Read the file at `path`. Throws OperationError "storage" when it cannot be read, set aside or done without. */
  static async open<T>(path: string, options: JsonStoreOptions<T>): Promise<JsonStore<T>> {
    const bytes = await readFileIfPresent(path);
    if (bytes === undefined) {
      return new JsonStore(path, options, { value: options.empty, notice: undefined });
    }
    try {
      if (bytes.byteLength > FILE_SIZE_BYTES_MAX) throw new RangeError("too large");
      const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
      const value = options.parse(JSON.parse(text));
      return new JsonStore(path, options, { value, notice: undefined });
    } catch (cause) {
      if (options.remedyWhenDamaged !== undefined) {
        throw new OperationError("storage", `Cannot use ${path}: it is damaged`, {
          remedy: options.remedyWhenDamaged,
          cause,
        });
      }
      const kept = await keepDamagedFile(path, options.nowMs());
      const notice = `${path} was damaged: it is kept as ${kept}, and the host starts without it`;
      return new JsonStore(path, options, { value: options.empty, notice });
    }
  }

  get value(): T {
    return this.#value;
  }

  /**
   * Replace the value by `change(value)` once that is on disk. Calls wait for one another. Throws OperationError
   * "storage", and whatever `change` throws, with the value as it was.
   */
  update(change: (value: T) => T): Promise<void> {
    const done = this.#writes.then(async () => {
      const next = change(this.#value);
      const json = JSON.stringify((this.#options.serialise ?? ((value: T) => value))(next));
      const write = this.#options.write ?? writeFileAtomic;
      await write(this.#path, new TextEncoder().encode(json + "\n"), SECRET_FILE_MODE);
      this.#value = next;
    });
    this.#writes = done.catch(() => {});
    return done;
  }
}

/**
 * Messages that grow at their tail (punktfunk/1 specification 0, rule 1): a shorter one lacks its last fields, a longer one
 * has fields nobody here knows.
 *
 * @module
 */
import { viewOf } from "../../lib/bytes.ts";
import type { Field, Fields, Layout } from "./fields.ts";

/** Reads fields in order. After the first that is not whole, none is there. */
export class FieldReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset: number;

  constructor(bytes: Uint8Array, offset = 0) {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
    this.#offset = offset;
  }

  get remainingBytes(): number {
    return this.#bytes.byteLength - this.#offset;
  }

  /** The next field; undefined when it is not whole. */
  take<Value>(field: Field<Value>): Value | undefined {
    const offset = this.#advance(field.sizeBytes);
    return offset === undefined ? undefined : field.read(this.#view, offset);
  }

  /** The next `sizeBytes` bytes as a view; undefined when there are fewer. */
  takeBytes(sizeBytes: number): Uint8Array | undefined {
    const offset = this.#advance(sizeBytes);
    return offset === undefined ? undefined : this.#bytes.subarray(offset, offset + sizeBytes);
  }

  /** The fields of `layout`, each one that is not there from `defaults`. */
  takeEach<L extends Layout>(layout: L, defaults: Fields<L>): Fields<L> {
    const value: Record<string, unknown> = {};
    for (const [name, field] of Object.entries(layout)) {
      const offset = this.#advance(field.sizeBytes);
      value[name] = offset === undefined ? defaults[name] : field.read(this.#view, offset);
    }
    return value as Fields<L>;
  }

  /** The offset of the next field, which is then behind. */
  #advance(sizeBytes: number): number | undefined {
    if (this.remainingBytes < sizeBytes) {
      this.#offset = this.#bytes.byteLength;
      return undefined;
    }
    const offset = this.#offset;
    this.#offset += sizeBytes;
    return offset;
  }
}

/** Writes fields in order and leaves out those at the end that say nothing new. */
export class TailWriter {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  #offset = 0;
  /** Everything up to here is written. */
  #keptBytes = 0;

  /** For messages of at most `sizeBytesMax`. */
  constructor(sizeBytesMax: number) {
    this.#bytes = new Uint8Array(sizeBytesMax);
    this.#view = viewOf(this.#bytes);
  }

  /** One field. `isDefault`: it may be left out when nothing after it is written. */
  put<Value>(field: Field<Value>, value: Value, isDefault = false): void {
    field.write(this.#view, this.#offset, value);
    this.#offset += field.sizeBytes;
    if (!isDefault) this.#keptBytes = this.#offset;
  }

  /** `bytes` as they are. */
  putBytes(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#offset);
    this.#offset += bytes.byteLength;
    if (bytes.byteLength > 0) this.#keptBytes = this.#offset;
  }

  /** The fields of `layout`, each of which may be left out when it is that of `defaults`. */
  putEach<L extends Layout>(layout: L, value: Fields<L>, defaults: Fields<L>): void {
    for (const [name, field] of Object.entries(layout)) {
      this.put(field, value[name], value[name] === defaults[name]);
    }
  }

  /** The fields of `layout`, left out together or not at all. */
  putUnit<L extends Layout>(layout: L, value: Fields<L>, defaults: Fields<L>): void {
    const keptBytes = this.#keptBytes;
    this.putEach(layout, value, defaults);
    if (this.#keptBytes > keptBytes) this.#keptBytes = this.#offset;
  }

  /** What was written, without its silent end but at least `sizeBytesMin`. */
  finish(sizeBytesMin: number): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, Math.max(this.#keptBytes, sizeBytesMin));
  }
}

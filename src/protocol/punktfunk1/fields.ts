/**
 * The kinds of field that messages of punktfunk/1 are made of, all little-endian.
 *
 * A layout names the fields of a message in their order on the wire, so that one table gives its size, its reader, its
 * writer and its type:
 *
 *     const LINK = structOf({ rateKbps: u32, isWired: flag });     // Field<{ rateKbps: number; isWired: boolean }>
 *
 * @module
 */

/** How a value of a fixed size lies in bytes. Writing what does not fit throws RangeError. */
export interface Field<Value> {
  readonly sizeBytes: number;
  /** Reads any `sizeBytes` bytes without an error. */
  read(view: DataView, offset: number): Value;
  write(view: DataView, offset: number, value: Value): void;
}

/** Fields by name, in the order in which they lie. */
export type Layout = Readonly<Record<string, Field<unknown>>>;

export type ValueOf<F> = F extends Field<infer Value> ? Value : never;

/** The object that a layout describes. */
export type Fields<L extends Layout> = { readonly [Name in keyof L]: ValueOf<L[Name]> };

function requireRange(value: number, max: number): number {
  if (Number.isInteger(value) && value >= 0 && value <= max) return value;
  throw new RangeError(`Cannot encode ${value}: outside 0…${max}`);
}

export const u8: Field<number> = {
  sizeBytes: 1,
  read: (view, offset) => view.getUint8(offset),
  write: (view, offset, value) => view.setUint8(offset, requireRange(value, 0xff)),
};

export const u16: Field<number> = {
  sizeBytes: 2,
  read: (view, offset) => view.getUint16(offset, true),
  write: (view, offset, value) => view.setUint16(offset, requireRange(value, 0xffff), true),
};

export const u32: Field<number> = {
  sizeBytes: 4,
  read: (view, offset) => view.getUint32(offset, true),
  write: (view, offset, value) => view.setUint32(offset, requireRange(value, 0xffffffff), true),
};

export const u64: Field<bigint> = {
  sizeBytes: 8,
  read: (view, offset) => view.getBigUint64(offset, true),
  write(view, offset, value) {
    if (value !== BigInt.asUintN(64, value)) {
      throw new RangeError(`Cannot encode ${value}: outside 64 bits`);
    }
    view.setBigUint64(offset, value, true);
  },
};

/** One byte; anything but 0 is true. */
export const flag: Field<boolean> = {
  sizeBytes: 1,
  read: (view, offset) => view.getUint8(offset) !== 0,
  write: (view, offset, value) => view.setUint8(offset, value ? 1 : 0),
};

/** Exactly `sizeBytes` bytes. What is read is a copy. */
export function bytesOf(sizeBytes: number): Field<Uint8Array> {
  return {
    sizeBytes,
    read: (view, offset) =>
      new Uint8Array(view.buffer, view.byteOffset + offset, sizeBytes).slice(),
    write(view, offset, value) {
      if (value.byteLength !== sizeBytes) {
        throw new RangeError(`Cannot encode ${value.byteLength} bytes: ${sizeBytes} are the size`);
      }
      new Uint8Array(view.buffer, view.byteOffset + offset, sizeBytes).set(value);
    },
  };
}

/** One byte that stands for a word of `codes`; unknown bytes read as `otherwise`. */
export function choice<Word extends string, Otherwise extends Word | undefined>(
  codes: Readonly<Record<Word, number>>,
  otherwise: Otherwise,
): Field<Word | Otherwise> {
  const words = new Map<number, Word>();
  for (const word in codes) words.set(codes[word], word);
  return {
    sizeBytes: 1,
    read: (view, offset) => words.get(view.getUint8(offset)) ?? otherwise,
    write(view, offset, value) {
      if (value === undefined) throw new RangeError("Cannot encode a choice: none was made");
      view.setUint8(offset, codes[value]);
    },
  };
}

/** A number out of `values`; others read as `otherwise`. */
export function oneOf<Value extends number>(
  field: Field<number>,
  values: readonly Value[],
  otherwise: NoInfer<Value>,
): Field<Value> {
  return {
    sizeBytes: field.sizeBytes,
    read(view, offset) {
      const number = field.read(view, offset);
      return values.find((value) => value === number) ?? otherwise;
    },
    write: (view, offset, value) => field.write(view, offset, value),
  };
}

/** The fields of `layout` back to back, without padding. */
export function structOf<L extends Layout>(layout: L): Field<Fields<L>> {
  const entries = Object.entries(layout);
  return {
    sizeBytes: entries.reduce((sum, [, field]) => sum + field.sizeBytes, 0),
    read(view, offset) {
      const value: Record<string, unknown> = {};
      for (const [name, field] of entries) {
        value[name] = field.read(view, offset);
        offset += field.sizeBytes;
      }
      return value as Fields<L>;
    },
    write(view, offset, value) {
      for (const [name, field] of entries) {
        field.write(view, offset, value[name]);
        offset += field.sizeBytes;
      }
    },
  };
}

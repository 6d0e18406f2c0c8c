/**
 * Bytes that live in C memory and stay there: pixels, PCM, access units. TypeScript passes the pair on and never
 * looks inside on the hot path.
 *
 * @module
 */

export interface NativeBytes {
  readonly pointer: Deno.PointerObject;
  readonly sizeBytes: number;
}

/** A copy of what `bytes` holds now: for files, tests and planes that must have it. */
export function copyNativeBytes(bytes: NativeBytes): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes.sizeBytes);
  Deno.UnsafePointerView.copyInto(bytes.pointer, copy);
  return copy;
}

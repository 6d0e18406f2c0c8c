/**
 * Text in messages of punktfunk/1: UTF-8, its size counted in bytes.
 *
 * What is decoded here is still a stranger's text: whoever shows or logs it makes it harmless first.
 *
 * @module
 */
import { concatBytes } from "../../lib/bytes.ts";
import { u8 } from "./fields.ts";
import type { FieldReader } from "./growing_message.ts";

const ENCODER = new TextEncoder();
const STRICT_DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const LENIENT_DECODER = new TextDecoder("utf-8", { ignoreBOM: true });

/** The text, or undefined when `bytes` are not valid UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return STRICT_DECODER.decode(bytes);
  } catch {
    return undefined;
  }
}

/** The text, with U+FFFD for what is not valid UTF-8. */
export function decodeUtf8Leniently(bytes: Uint8Array): string {
  return LENIENT_DECODER.decode(bytes);
}

/** `text` in at most `bytesMax` bytes, cut between characters. */
export function encodeUtf8(text: string, bytesMax: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(bytesMax);
  return bytes.slice(0, ENCODER.encodeInto(text, bytes).written);
}

/** A label of 1…`bytesMax` bytes; undefined for anything else, since a bad label fails no message. */
export function decodeLabel(bytes: Uint8Array, bytesMax: number): string | undefined {
  if (bytes.byteLength === 0 || bytes.byteLength > bytesMax) return undefined;
  return decodeUtf8(bytes);
}

/** The next bytes that follow a one-byte count of them. */
export function takeShortBytes(reader: FieldReader): Uint8Array | undefined {
  const sizeBytes = reader.take(u8);
  return sizeBytes === undefined ? undefined : reader.takeBytes(sizeBytes);
}

/** `bytes`, at most 255, with a one-byte count of them. */
export function encodeShortBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return concatBytes(Uint8Array.of(bytes.byteLength), bytes);
}

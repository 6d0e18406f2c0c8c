/**
 * EXT, the block of tagged values at the end of a handshake message (punktfunk/1 specification 2.4). Little-endian.
 *
 *     offset  size  field
 *     0       2     n, bytes that follow
 *     2       n     entries, back to back:
 *                     0  2  tag
 *                     2  2  m
 *                     4  m  value
 *
 * @module
 */
import { concatBytes, viewOf } from "../../lib/bytes.ts";
import { ProtocolError } from "../../lib/errors.ts";
import { u16 } from "./fields.ts";
import { FieldReader } from "./growing_message.ts";

/** The whole block. */
export const EXT_BLOCK_BYTES_MAX = 4096;
export const EXT_ENTRIES_MAX = 64;

const LENGTH_BYTES = 2;
const ENTRY_HEAD_BYTES = 4;

/** Values by tag, views of the message they came in. */
export type ExtEntries = ReadonlyMap<number, Uint8Array>;

/**
 * Decode the block at the start of `bytes`; what follows it is ignored. Throws ProtocolError "short" for a cut one, "limit"
 * past the limits and "malformed" for a tag that comes twice.
 */
export function decodeExtBlock(bytes: Uint8Array): ExtEntries {
  const outer = new FieldReader(bytes);
  const sizeBytes = whole(outer.take(u16));
  if (LENGTH_BYTES + sizeBytes > EXT_BLOCK_BYTES_MAX) {
    throw new ProtocolError("limit", `Cannot decode EXT: ${sizeBytes} bytes are too many`);
  }
  const reader = new FieldReader(whole(outer.takeBytes(sizeBytes)));
  const entries = new Map<number, Uint8Array>();
  while (reader.remainingBytes > 0) {
    const tag = whole(reader.take(u16));
    const value = whole(reader.takeBytes(whole(reader.take(u16))));
    if (entries.has(tag)) {
      throw new ProtocolError("malformed", `Cannot decode EXT: tag ${tag} comes twice`);
    }
    if (entries.size === EXT_ENTRIES_MAX) {
      throw new ProtocolError("limit", `Cannot decode EXT: more than ${EXT_ENTRIES_MAX} entries`);
    }
    entries.set(tag, value);
  }
  return entries;
}

/** Encode `entries` in their order. Throws RangeError past the limits. */
export function encodeExtBlock(entries: ExtEntries): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  for (const [tag, value] of entries) {
    const head = new Uint8Array(ENTRY_HEAD_BYTES);
    const view = viewOf(head);
    u16.write(view, 0, tag);
    u16.write(view, 2, value.byteLength);
    parts.push(head, value);
  }
  const body = concatBytes(...parts);
  const sizeBytes = LENGTH_BYTES + body.byteLength;
  if (sizeBytes > EXT_BLOCK_BYTES_MAX || entries.size > EXT_ENTRIES_MAX) {
    throw new RangeError(`Cannot encode EXT: ${entries.size} entries of ${sizeBytes} bytes`);
  }
  const length = new Uint8Array(LENGTH_BYTES);
  viewOf(length).setUint16(0, body.byteLength, true);
  return concatBytes(length, body);
}

function whole<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new ProtocolError("short", "Cannot decode EXT: it is cut");
  return value;
}

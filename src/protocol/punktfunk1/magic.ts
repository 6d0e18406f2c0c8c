/**
 * The first bytes of every message of punktfunk/1 (specification 1.3), a little-endian number each.
 *
 *     "PKF1"   Hello, Welcome and Start; position on the stream tells which
 *     "PKFc"   everything else; one type byte follows
 *
 * @module
 */
import { viewOf } from "../../lib/bytes.ts";
import { ProtocolError } from "../../lib/errors.ts";

export const HANDSHAKE_MAGIC = 0x31464b50;
export const TYPED_MAGIC = 0x63464b50;
/** Magic and type byte. */
export const TYPED_HEAD_BYTES = 5;

/** The type byte of a typed message; undefined when `payload` is none. */
export function typeOfMessage(payload: Uint8Array): number | undefined {
  if (payload.byteLength < TYPED_HEAD_BYTES) return undefined;
  const view = viewOf(payload);
  return view.getUint32(0, true) === TYPED_MAGIC ? view.getUint8(4) : undefined;
}

/** A typed message with `bodySizeBytes` zeros behind its head. */
export function newTypedMessage(type: number, bodySizeBytes: number): Uint8Array<ArrayBuffer> {
  const payload = new Uint8Array(TYPED_HEAD_BYTES + bodySizeBytes);
  const view = viewOf(payload);
  view.setUint32(0, TYPED_MAGIC, true);
  view.setUint8(4, type);
  return payload;
}

/** Throws ProtocolError unless `payload` is a handshake message of at least `sizeBytesMin`. */
export function requireHandshake(payload: Uint8Array, sizeBytesMin: number, what: string): void {
  if (payload.byteLength < sizeBytesMin) {
    throw new ProtocolError(
      "short",
      `Cannot decode ${what}: expected at least ${sizeBytesMin} bytes, got ${payload.byteLength}`,
    );
  }
  if (viewOf(payload).getUint32(0, true) !== HANDSHAKE_MAGIC) {
    throw new ProtocolError("unknown-type", `Cannot decode ${what}: no handshake magic`);
  }
}

/**
 * The plain inside of a control frame (GameStream specification 5.8), alike in both directions.
 *
 *     offset  size  field
 *     0       2     type, little-endian
 *     2       2     payload size, little-endian
 *     4       …     payload
 *
 * @module
 */
import { concatBytes, viewOf } from "../../lib/bytes.ts";
import { ProtocolError } from "../../lib/errors.ts";

/** Type and payload of `bytes`, which must be one message and nothing else. */
export function decodeMessage(
  bytes: Uint8Array,
): { readonly type: number; readonly payload: Uint8Array } {
  if (bytes.byteLength < 4) {
    throw new ProtocolError(
      "short",
      `Cannot decode control message: expected at least 4 bytes, got ${bytes.byteLength}`,
    );
  }
  const view = viewOf(bytes);
  const payload = bytes.subarray(4);
  requireSize(payload, view.getUint16(2, true), "control message");
  return { type: view.getUint16(0, true), payload };
}

/** One message of `type` with `payload`. */
export function encodeMessage(type: number, payload: Uint8Array): Uint8Array {
  const head = payloadOf(4, (view) => {
    view.setUint16(0, type, true);
    view.setUint16(2, payload.byteLength, true);
  });
  return concatBytes(head, payload);
}

/** A payload of `sizeBytes` zeros that `write` fills in. */
export function payloadOf(sizeBytes: number, write: (view: DataView) => void): Uint8Array {
  const payload = new Uint8Array(sizeBytes);
  write(viewOf(payload));
  return payload;
}

/** Throws ProtocolError unless `payload` has exactly `sizeBytes`. */
export function requireSize(payload: Uint8Array, sizeBytes: number, what: string): void {
  if (payload.byteLength === sizeBytes) return;
  throw new ProtocolError(
    payload.byteLength < sizeBytes ? "short" : "trailing",
    `Cannot decode ${what}: expected ${sizeBytes} bytes, got ${payload.byteLength}`,
  );
}

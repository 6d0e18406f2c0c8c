/**
 * Limits of the port that both adapters keep, and how they tell the end of a connection.
 *
 * @module
 */
import { OperationError } from "../lib/errors.ts";
import type { QuicClose } from "./ports.ts";

/** Received datagrams that wait to be read; past these the oldest are dropped. */
export const DATAGRAMS_WAITING_MAX = 256;
/** Of a close, as UTF-8. */
export const REASON_BYTES_MAX = 256;
const CODE_MAX = 0xffff_ffff;

/** Throws OperationError "invalid" unless `code` is 0…2^32−1. */
export function checkCode(code: number): void {
  if (!Number.isInteger(code) || code < 0 || code > CODE_MAX) {
    throw new OperationError("invalid", `Cannot close: code is ${code}`);
  }
}

/** As much of `reason` as fits REASON_BYTES_MAX, without half a character. */
export function cutReason(
  reason: string,
): { readonly text: string; readonly bytes: Uint8Array<ArrayBuffer> } {
  const bytes = new Uint8Array(REASON_BYTES_MAX);
  const { read, written } = new TextEncoder().encodeInto(reason, bytes);
  return { text: reason.slice(0, read), bytes: bytes.slice(0, written) };
}

/** What this end asked for. */
export function closedHere(code: number, reason: string): QuicClose {
  return { kind: "application", isByPeer: false, code, reason };
}

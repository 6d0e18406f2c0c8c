/**
 * Application codes that end a connection, and the words for them in logs and answers (native specification 1.4,
 * product specification 6.7).
 *
 * @module
 */

export const CLOSE_CODES = {
  "done": 0x00,
  /** By the client: its pairing failed. */
  "pair-aborted": 0x01,
  "busy": 0x42,
  /** By the client: its user ended the stream, and no display waits for a reconnect. */
  "quit": 0x51,
  "game-exited": 0x52,
  "not-armed": 0x60,
  "bound-other": 0x61,
  "rate-limited": 0x62,
  "identity-required": 0x63,
  "denied": 0x64,
  "approval-timeout": 0x65,
  "superseded": 0x66,
  "wire-version": 0x67,
  "setup-failed": 0x68,
  "access-expired": 0x69,
  "launch-not-permitted": 0x6a,
  "host-power": 0x6b,
} as const;

export type CloseReason = keyof typeof CLOSE_CODES;

const REASONS = new Map<number, CloseReason>(
  Object.entries(CLOSE_CODES).map(([reason, code]) => [code, reason as CloseReason]),
);

/** The word for `code`, or undefined for one that means a plain transport error. */
export function closeReasonOf(code: number): CloseReason | undefined {
  return REASONS.get(code);
}

/** Whether clients tell their user why, as for "busy" and everything from "not-armed" on; other codes look like a fault. */
export function isRefusalCode(code: number): boolean {
  return code === CLOSE_CODES.busy || (code >= 0x60 && code <= 0x6f);
}

/**
 * What a connection's end means to a person (punktfunk/1 specification 1.4).
 *
 * @module
 */
import type { Clock } from "../lib/clock.ts";
import { OperationError } from "../lib/errors.ts";
import { type CloseReason, closeReasonOf } from "../protocol/punktfunk1/close_codes.ts";
import type { QuicClose, QuicConnection } from "../quic/ports.ts";

/** From a stream's end to the connection's, which may come in another packet. */
const CLOSE_WAIT_MS = 300;

const SENTENCES: Readonly<Record<CloseReason, string>> = {
  "done": "the host ended the session",
  "pair-aborted": "the pairing was broken off",
  "busy": "another session is live",
  "quit": "the session was quit",
  "game-exited": "the game ended",
  "not-armed": "the host expects no device to pair",
  "bound-other": "the host expects another device to pair",
  "rate-limited": "the last attempt to pair is too recent",
  "identity-required": "the host wants a certificate, or a device key, and got none",
  "denied": "somebody at the host denied it",
  "approval-timeout": "nobody at the host approved it in time",
  "superseded": "a newer connection of this device took its place",
  "wire-version": "the host speaks another version of the protocol",
  "setup-failed": "the host could not set the session up",
  "access-expired": "this device's access ended",
  "launch-not-permitted": "this device may not start games",
  "host-power": "the host goes down",
};

const REMEDIES: Partial<Record<CloseReason, string>> = {
  "not-armed": "Arm pairing at the host with `ctl pair arm`",
  "rate-limited": "Wait two seconds",
  "identity-required": "Hosts that see certificates want one; the others take --device-key",
  "setup-failed": "The host's log says why",
};

/** The word for the end in results: a reason of the protocol, "idle", "transport", or "code-0x…". */
export function closeWord({ kind, code }: QuicClose): string {
  if (kind !== "application") return kind;
  return closeReasonOf(code) ?? `code-0x${code.toString(16)}`;
}

/** The end as the error of `what`, e.g. "pair". Silence is "unreachable", everything else "refused". */
export function closeError(close: QuicClose, what: string): OperationError {
  if (close.kind === "idle") {
    return new OperationError("unreachable", `Cannot ${what}: the host fell silent`);
  }
  const reason = close.kind === "application" ? closeReasonOf(close.code) : undefined;
  const sentence = reason === undefined ? "the connection broke" : SENTENCES[reason];
  const remedy = reason && REMEDIES[reason];
  return new OperationError(
    "refused",
    `Cannot ${what}: ${sentence}`,
    remedy === undefined ? {} : { remedy },
  );
}

/** The error of a control stream that ended: the close that follows it says why, if one does. */
export async function streamEnded(
  { connection, clock }: { readonly connection: QuicConnection; readonly clock: Clock },
  what: string,
): Promise<OperationError> {
  const timer = clock.after(CLOSE_WAIT_MS, () => connection.close(0, ""));
  const close = await connection.closed;
  timer.cancel();
  return close.isByPeer || close.kind !== "application"
    ? closeError(close, what)
    : new OperationError("refused", `Cannot ${what}: the host ended the control stream`);
}

/**
 * The client's part of the PIN ceremony over a fresh connection (punktfunk/1 specification 3.2).
 *
 * @module
 */
import { OperationError } from "../lib/errors.ts";
import { CLOSE_CODES } from "../protocol/punktfunk1/close_codes.ts";
import {
  ClientPairing,
  type ClientPairingOptions,
  PAIRING_STEP_TIMEOUT_MS,
} from "../protocol/punktfunk1/pairing_ceremony.ts";
import {
  decodePairing,
  encodePairing,
  type PairingMessage,
} from "../protocol/punktfunk1/pairing_messages.ts";
import { streamEnded } from "./close.ts";
import type { Dialed } from "./dial.ts";

export type PairingOptions = Pick<
  ClientPairingOptions,
  "pin" | "name" | "identity" | "randomBytes"
>;

/**
 * Pair over `dialed`, which is closed afterwards. Throws OperationError "refused" when the host refuses, when the PIN is
 * wrong or somebody is in between, and ProtocolError for messages that are none.
 */
export async function pair(dialed: Dialed, options: PairingOptions): Promise<void> {
  const { connection, control, hostFingerprint } = dialed;
  const { startSpake2 } = await import("../protocol/spake2.ts");
  const ceremony = new ClientPairing({ ...options, startSpake2, hostFingerprint });
  let isPaired = false;
  try {
    control.send(encodePairing({ kind: "pair-request", ...ceremony.request }));
    const challenge = await expect(dialed, "pair-challenge");
    const answer = ceremony.receiveChallenge(challenge);
    if (answer.kind === "wrong-pin") {
      throw new OperationError(
        "refused",
        "Cannot pair: the PIN is wrong, or somebody is between this client and the host",
      );
    }
    control.send(encodePairing({ kind: "pair-proof", ...answer.proof }));
    ({ isPaired } = await expect(dialed, "pair-result"));
    if (!isPaired) {
      throw new OperationError("refused", "Cannot pair: the host did not take this device", {
        remedy: "The host's log says why",
      });
    }
  } finally {
    connection.close(isPaired ? CLOSE_CODES.done : CLOSE_CODES["pair-aborted"], "");
  }
}

async function expect<Kind extends PairingMessage["kind"]>(
  dialed: Dialed,
  kind: Kind,
): Promise<Extract<PairingMessage, { kind: Kind }>> {
  const payload = await dialed.control.next(PAIRING_STEP_TIMEOUT_MS);
  if (payload === undefined) throw await streamEnded(dialed, "pair");
  const message = decodePairing(payload);
  if (message.kind !== kind) {
    throw new OperationError("refused", `Cannot pair: the host sent ${message.kind}`);
  }
  // The kinds are equal, which the type of a generic parameter does not say.
  return message as Extract<PairingMessage, { kind: Kind }>;
}

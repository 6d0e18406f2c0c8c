/**
 * The first message on a control stream, which decides what the connection is for (punktfunk/1 specification 2.1).
 *
 *     "PKF1"      Hello         a session
 *     "PKFc" 10   PairRequest   the ceremony of 3.2
 *
 * @module
 */
import { ProtocolError } from "../../lib/errors.ts";
import { decodeHello, type Hello } from "./hello.ts";
import { typeOfMessage } from "./magic.ts";
import { decodePairing, type PairRequestMessage } from "./pairing_messages.ts";

export type FirstMessage = Hello | PairRequestMessage;

/** Decode it. Throws ProtocolError, "out-of-order" for another pairing message. */
export function decodeFirstMessage(payload: Uint8Array): FirstMessage {
  if (typeOfMessage(payload) === undefined) return decodeHello(payload);
  const message = decodePairing(payload);
  if (message.kind === "pair-request") return message;
  throw new ProtocolError("out-of-order", `Cannot begin with ${message.kind}`);
}

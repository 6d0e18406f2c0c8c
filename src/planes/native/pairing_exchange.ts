/**
 * The PIN ceremony over one connection (native specification 3.2).
 *
 *     PairRequest → PairingWindow, HostPairing → PairChallenge → PairProof → store → PairResult → close
 *
 * @module
 */
import { parseHex } from "../../lib/bytes.ts";
import { describeError } from "../../lib/errors.ts";
import { CLOSE_CODES } from "../../protocol/punktfunk1/close_codes.ts";
import {
  HostPairing,
  PAIRING_CLOSE_WAIT_MS,
  PAIRING_STEP_TIMEOUT_MS,
} from "../../protocol/punktfunk1/pairing_ceremony.ts";
import {
  decodePairing,
  encodePairing,
  type PairRequestMessage,
} from "../../protocol/punktfunk1/pairing_messages.ts";
import type { QuicConnection } from "../../quic/ports.ts";
import type { AccessOffer } from "../../trust/access.ts";
import type { PeerSource } from "../../trust/peer_source.ts";
import type { ControlStream } from "./control_stream.ts";
import type { NativeEnvironment } from "./environment.ts";

export interface PairingPeer {
  readonly connection: QuicConnection;
  readonly control: ControlStream;
  /** SHA-256 of the certificate the client proved; undefined when it showed none. */
  readonly certificateFingerprint: Uint8Array | undefined;
  readonly source: PeerSource;
}

/** Run the ceremony that `request` begins; the connection is closed afterwards. Throws ProtocolError. */
export async function exchangePairing(
  request: PairRequestMessage,
  peer: PairingPeer,
  environment: NativeEnvironment,
): Promise<void> {
  const { connection, control, certificateFingerprint, source } = peer;
  const { trust, identity, randomBytes, logger, clock } = environment;
  const { startSpake2 } = await import("../../protocol/spake2.ts");
  const pairing = new HostPairing<AccessOffer>({
    startSpake2,
    randomBytes,
    hostFingerprint: fingerprintBytes(identity.fingerprint),
    certificateFingerprint,
    admit: (fingerprint) => trust.window.admit(fingerprint, source),
  });
  const answer = pairing.receiveRequest(request);
  if (answer.kind === "refused") {
    logger.info("native.pairing.refused", { reason: answer.reason });
    return connection.close(CLOSE_CODES[answer.reason], answer.reason);
  }
  control.send(encodePairing({ kind: "pair-challenge", ...answer.challenge }));
  const payload = await control.next(PAIRING_STEP_TIMEOUT_MS);
  // The client saw that the host guessed wrong, and left.
  if (payload === undefined) return logger.info("native.pairing.abandoned");
  const proof = decodePairing(payload);
  const outcome = proof.kind === "pair-proof" ? pairing.receiveProof(proof) : undefined;
  const isPaired = outcome?.kind === "paired" &&
    await store(outcome.device, outcome.grant, environment);
  control.send(encodePairing({ kind: "pair-result", isPaired }));
  if (!isPaired) logger.warn("native.pairing.failed", { reason: outcome?.kind ?? "out-of-order" });
  await control.flush();
  const late = Promise.withResolvers<void>();
  const timer = clock.after(PAIRING_CLOSE_WAIT_MS, late.resolve);
  await Promise.race([connection.closed, late.promise]);
  timer.cancel();
  connection.close(CLOSE_CODES.done, "");
}

/** An unsaved device is no paired device. */
async function store(
  device: Parameters<NativeEnvironment["trust"]["clients"]["pair"]>[0],
  offer: AccessOffer,
  { trust, logger }: NativeEnvironment,
): Promise<boolean> {
  try {
    const client = await trust.clients.pair(device, offer);
    logger.info("native.paired", { fingerprint: client.fingerprint, device: client.kind });
    return true;
  } catch (error) {
    logger.error("native.pairing.store", { reason: describeError(error) });
    return false;
  }
}

function fingerprintBytes(fingerprint: string): Uint8Array {
  const bytes = parseHex(fingerprint);
  if (bytes === undefined) {
    throw new RangeError("Cannot pair: a fingerprint is no hexadecimal text");
  }
  return bytes;
}

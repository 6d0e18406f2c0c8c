import assert from "node:assert/strict";
import { decodeFirstMessage } from "../../../../src/protocol/punktfunk1/first_message.ts";
import pairing from "../../../vectors/punktfunk1-pairing.json" with { type: "json" };
import { handshakeVector } from "./handshake_vectors.ts";

function pairingVector(name: string): Uint8Array {
  const found = pairing.ceremony.messages.find((message) => message.name === name);
  return Uint8Array.fromHex(found?.hex ?? assert.fail(name));
}

Deno.test("decodeFirstMessage() tells a session from a pairing", () => {
  assert.equal(decodeFirstMessage(handshakeVector("hello", "session")).kind, "hello");
  assert.equal(decodeFirstMessage(pairingVector("PairRequest")).kind, "pair-request");
});

Deno.test("decodeFirstMessage() refuses everything that begins nothing", () => {
  assert.throws(() => decodeFirstMessage(pairingVector("PairProof")), { code: "out-of-order" });
  assert.throws(() => decodeFirstMessage(new Uint8Array()), { code: "short" });
  assert.throws(() => decodeFirstMessage(new Uint8Array(20)), { code: "unknown-type" });
  const requestKeyframe = Uint8Array.fromHex("504b466303");
  assert.throws(() => decodeFirstMessage(requestKeyframe), { code: "unknown-type" });
});

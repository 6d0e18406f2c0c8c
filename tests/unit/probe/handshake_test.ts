import assert from "node:assert/strict";
import { createHash, generateKeyPairSync } from "node:crypto";
import { ProtocolError } from "../../../src/lib/errors.ts";
import { helloOf, shakeHands, type StreamWish } from "../../../src/probe/handshake.ts";
import { encodeDeviceKey, verifyDeviceAuth } from "../../../src/protocol/punktfunk1/device_auth.ts";
import { decodeHello } from "../../../src/protocol/punktfunk1/hello.ts";
import { decodePairing, encodePairing } from "../../../src/protocol/punktfunk1/pairing_messages.ts";
import vectors from "../../vectors/punktfunk1-handshake.json" with { type: "json" };
import { dialFakes, HOST_FINGERPRINT } from "./fixture.ts";

const WISH: StreamWish = {
  mode: { width: 1920, height: 1080, refreshHz: 120 },
  bitrateKbps: 30_000,
  codec: undefined,
  channels: 6,
  isChaChaWanted: false,
  name: "Test",
  launch: "steam:570",
};
const WELCOME = Uint8Array.fromHex(
  vectors.welcome.find(({ hex }) => hex.length === 2 * 68)?.hex ?? "",
);
const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });

function optionsOf(timeoutMs = 1_000) {
  return {
    hello: helloOf(WISH),
    key: privateKey,
    deviceKey: encodeDeviceKey(privateKey),
    timeoutMs,
  };
}

Deno.test("helloOf() says what is wished and what today's clients can do", () => {
  const hello = helloOf(WISH);
  assert.equal(hello.videoCaps, 0x38);
  assert.equal(helloOf({ ...WISH, isChaChaWanted: true }).videoCaps, 0x78);
  assert.equal(hello.clientCaps, 0x04);
  assert.equal(hello.shardPayloadBytesMax, 9_152);
  assert.equal(hello.videoCodecs, 7);
  assert.equal(helloOf({ ...WISH, codec: "h264" }).videoCodecs, 1);
  assert.deepEqual([hello.mode, hello.bitrateKbps, hello.audioChannels], [
    WISH.mode,
    WISH.bitrateKbps,
    WISH.channels,
  ]);
});

Deno.test("shakeHands() says Hello and takes the Welcome", async () => {
  const ends = await dialFakes();
  const shaking = shakeHands(ends.dialed, optionsOf());
  const hello = decodeHello(await ends.control.next() ?? assert.fail("no Hello"));
  assert.equal(hello.launch, WISH.launch);
  ends.control.send(WELCOME);
  assert.equal((await shaking).udpPort, 50_000);
});

Deno.test("shakeHands() proves the device key for this host's certificate when asked", async () => {
  const ends = await dialFakes();
  const shaking = shakeHands(ends.dialed, optionsOf());
  await ends.control.next();
  const nonce = new Uint8Array(32).fill(9);
  ends.control.send(encodePairing({ kind: "auth-challenge", nonce }));
  const response = decodePairing(await ends.control.next() ?? assert.fail("no response"));
  assert.ok(response.kind === "auth-response");
  const device = verifyDeviceAuth(response, { certificateHash: HOST_FINGERPRINT, nonce });
  const expected = createHash("sha256").update(encodeDeviceKey(privateKey)).digest();
  assert.equal(device.fingerprint.toHex(), expected.toString("hex"));
  ends.control.send(WELCOME);
  await shaking;
});

Deno.test("shakeHands() fails for silence, a refusal, other messages and a Welcome against the rules", async () => {
  const silent = await dialFakes();
  const waiting = shakeHands(silent.dialed, optionsOf(1_000));
  await silent.control.next();
  silent.clock.advance(1_000);
  await assert.rejects(waiting, { code: "unreachable" });

  const refused = await dialFakes();
  const refusing = shakeHands(refused.dialed, optionsOf());
  await refused.control.next();
  refused.host.close(0x42, "secret");
  await assert.rejects(refusing, {
    code: "refused",
    message: "Cannot begin a session: another session is live",
  });

  // A stream that ends without a close is no reason to wait for ever.
  const ended = await dialFakes();
  const ending = shakeHands(ended.dialed, optionsOf(60_000));
  await ended.control.next();
  ended.endStream();
  // First the end of the stream is seen, which stops one timer and starts another.
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
  ended.clock.advance(300);
  await assert.rejects(ending, {
    message: "Cannot begin a session: the host ended the control stream",
  });

  const oddShard = WELCOME.slice();
  new DataView(oddShard.buffer).setUint16(26, 1_409, true);
  for (const answer of [encodePairing({ kind: "pair-result", isPaired: true }), oddShard]) {
    const ends = await dialFakes();
    const shaking = shakeHands(ends.dialed, optionsOf());
    ends.control.send(answer);
    await assert.rejects(shaking, ProtocolError);
  }
});

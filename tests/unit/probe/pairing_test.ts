import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { toHex } from "../../../src/lib/bytes.ts";
import { pair, type PairingOptions } from "../../../src/probe/pairing.ts";
import { encodeDeviceKey } from "../../../src/protocol/punktfunk1/device_auth.ts";
import { HostPairing } from "../../../src/protocol/punktfunk1/pairing_ceremony.ts";
import {
  decodePairing,
  encodePairing,
  type PairingMessage,
} from "../../../src/protocol/punktfunk1/pairing_messages.ts";
import { startSpake2 } from "../../../src/protocol/spake2.ts";
import { dialFakes, HOST_FINGERPRINT } from "./fixture.ts";

const CLIENT_FINGERPRINT = new Uint8Array(32).fill(0x11);
const bytesOf = (sizeBytes: number) => new Uint8Array(randomBytes(sizeBytes));

function optionsOf(changes: Partial<PairingOptions> = {}): PairingOptions {
  return {
    pin: "4321",
    name: "Test client",
    identity: { certificateFingerprint: CLIENT_FINGERPRINT },
    randomBytes: bytesOf,
    ...changes,
  };
}

/** A host with PIN 4321 that shows certificates as `certificateFingerprint`; gives the device it paired, if any. */
async function servePairing(
  { control }: Awaited<ReturnType<typeof dialFakes>>,
  certificateFingerprint: Uint8Array | undefined,
) {
  const pairing = new HostPairing<undefined>({
    startSpake2,
    randomBytes: bytesOf,
    hostFingerprint: HOST_FINGERPRINT,
    certificateFingerprint,
    admit: () => ({ kind: "guess", guess: { pin: "4321", grant: undefined, consume() {} } }),
  });
  const request = decodePairing(await control.next() ?? assert.fail("no request"));
  assert.ok(request.kind === "pair-request");
  const answer = pairing.receiveRequest(request);
  assert.ok(answer.kind === "challenge");
  control.send(encodePairing({ kind: "pair-challenge", ...answer.challenge }));
  const payload = await control.next();
  if (payload === undefined) return undefined;
  const proof = decodePairing(payload);
  assert.ok(proof.kind === "pair-proof");
  const outcome = pairing.receiveProof(proof);
  control.send(encodePairing({ kind: "pair-result", isPaired: outcome.kind === "paired" }));
  return outcome.kind === "paired" ? outcome.device : undefined;
}

Deno.test("pair() pairs by certificate or by device key, and closes with 0", async () => {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const cases = [
    { shown: CLIENT_FINGERPRINT, options: optionsOf() },
    {
      shown: undefined,
      options: optionsOf({ identity: { deviceKey: encodeDeviceKey(privateKey) } }),
    },
  ];
  for (const { shown, options } of cases) {
    const ends = await dialFakes();
    const [device] = await Promise.all([servePairing(ends, shown), pair(ends.dialed, options)]);
    assert.equal(device?.name, "Test client");
    assert.equal(device.kind, shown === undefined ? "device-key" : "certificate");
    if (shown !== undefined) assert.equal(device.fingerprint, toHex(shown));
    assert.equal((await ends.host.closed).code, 0);
  }
});

Deno.test("pair() tells a wrong PIN by the host's MAC, and closes with 1", async () => {
  const ends = await dialFakes();
  const hosting = servePairing(ends, CLIENT_FINGERPRINT);
  await assert.rejects(pair(ends.dialed, optionsOf({ pin: "1234" })), {
    code: "refused",
    message: "Cannot pair: the PIN is wrong, or somebody is between this client and the host",
  });
  assert.equal(await hosting, undefined);
  assert.equal((await ends.host.closed).code, 1);
});

Deno.test("pair() says why a host closes instead of answering", async () => {
  const ends = await dialFakes();
  const pairing = pair(ends.dialed, optionsOf());
  await ends.control.next();
  ends.host.close(0x60, "");
  await assert.rejects(pairing, {
    code: "refused",
    message: "Cannot pair: the host expects no device to pair",
  });
});

Deno.test("pair() refuses messages out of turn", async () => {
  const messages: PairingMessage[] = [
    { kind: "pair-result", isPaired: true },
    { kind: "pair-proof", confirm: new Uint8Array(32) },
  ];
  for (const message of messages) {
    const ends = await dialFakes();
    const pairing = pair(ends.dialed, optionsOf());
    ends.control.send(encodePairing(message));
    await assert.rejects(pairing, { code: "refused" });
    assert.equal((await ends.host.closed).code, 1);
  }
});

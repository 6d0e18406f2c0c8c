import assert from "node:assert/strict";
import { parseHex } from "../../../../src/lib/bytes.ts";
import { ProtocolError } from "../../../../src/lib/errors.ts";
import {
  ClientPairing,
  type ClientPairingOptions,
  HostPairing,
  type HostPairingOptions,
  type PairChallenge,
  type PairingAdmission,
} from "../../../../src/protocol/punktfunk1/pairing_ceremony.ts";
import { startSpake2 } from "../../../../src/protocol/spake2.ts";
import vectors from "../../../vectors/punktfunk1-pairing.json" with { type: "json" };

const { ceremony, deviceAuth } = vectors;
const CLIENT = hex(ceremony.clientFingerprint);
const HOST = hex(ceremony.hostFingerprint);

function hex(text: string): Uint8Array<ArrayBuffer> {
  const bytes = parseHex(text);
  assert.ok(bytes !== undefined);
  return bytes;
}

/** The whole message of 10.2 without its head of five bytes. */
function bodyOf(name: string): Uint8Array {
  return hex(ceremony.messages.find((message) => message.name === name)?.hex ?? "x").subarray(5);
}

/** Randomness that makes the scalar given by its little-endian digits. */
function randomOf(littleEndian: string): (sizeBytes: number) => Uint8Array {
  return (sizeBytes) => {
    const bytes = new Uint8Array(sizeBytes);
    bytes.set(hex(littleEndian).reverse(), sizeBytes - 32);
    return bytes;
  };
}

function guessOf(pin: string) {
  const consumed: string[] = [];
  const admission: PairingAdmission<string> = {
    kind: "guess",
    guess: { pin, grant: "the grant", consume: () => void consumed.push(pin) },
  };
  return { admission, consumed };
}

function hostWith(
  admission: PairingAdmission<string>,
  options: Partial<HostPairingOptions<string>> = {},
) {
  const asked: string[] = [];
  const host = new HostPairing<string>({
    startSpake2,
    randomBytes: randomOf(ceremony.yLittleEndian),
    hostFingerprint: HOST,
    certificateFingerprint: CLIENT,
    admit: (fingerprint) => {
      asked.push(fingerprint);
      return admission;
    },
    ...options,
  });
  return { host, asked };
}

function clientWith(options: Partial<ClientPairingOptions> = {}): ClientPairing {
  return new ClientPairing({
    startSpake2,
    randomBytes: randomOf(ceremony.xLittleEndian),
    pin: ceremony.pin,
    name: ceremony.name,
    hostFingerprint: HOST,
    identity: { certificateFingerprint: CLIENT },
    ...options,
  });
}

function challengeOf(host: HostPairing<string>, client: ClientPairing): PairChallenge {
  const answer = host.receiveRequest(client.request);
  assert.ok(answer.kind === "challenge", answer.kind);
  return answer.challenge;
}

Deno.test("HostPairing and ClientPairing say what the specification's ceremony says", () => {
  const { admission, consumed } = guessOf(ceremony.pin);
  const { host, asked } = hostWith(admission);
  const client = clientWith();
  assert.equal(client.request.name, ceremony.name);
  assert.deepEqual(client.request.spakeA, bodyOf("PairRequest").slice(14));
  assert.equal(client.request.deviceKey, undefined);
  const challenge = challengeOf(host, client);
  assert.deepEqual(asked, [ceremony.clientFingerprint]);
  assert.deepEqual(consumed, [ceremony.pin]);
  assert.deepEqual(challenge.spakeB, bodyOf("PairChallenge").slice(2, 35));
  assert.deepEqual(challenge.confirm, bodyOf("PairChallenge").slice(35));
  const answer = client.receiveChallenge(challenge);
  assert.ok(answer.kind === "proof");
  assert.deepEqual(answer.proof.confirm, bodyOf("PairProof").slice());
  assert.deepEqual(host.receiveProof(answer.proof), {
    kind: "paired",
    device: { fingerprint: ceremony.clientFingerprint, kind: "certificate", name: ceremony.name },
    grant: "the grant",
  });
});

Deno.test("HostPairing knows a device without a certificate by the key it sends", () => {
  const deviceKey = hex(deviceAuth.deviceKey);
  const { host, asked } = hostWith(guessOf("0007").admission, {
    certificateFingerprint: undefined,
  });
  const client = clientWith({ pin: "0007", identity: { deviceKey } });
  const answer = client.receiveChallenge(challengeOf(host, client));
  assert.ok(answer.kind === "proof");
  assert.deepEqual(asked, [deviceAuth.fingerprint]);
  const outcome = host.receiveProof(answer.proof);
  assert.ok(outcome.kind === "paired");
  assert.deepEqual(outcome.device, {
    fingerprint: deviceAuth.fingerprint,
    kind: "device-key",
    name: ceremony.name,
  });
});

Deno.test("HostPairing goes by the certificate of a client that also sends a key", () => {
  const { host, asked } = hostWith(guessOf("1").admission);
  const request = { ...clientWith().request, deviceKey: hex(deviceAuth.deviceKey) };
  assert.equal(host.receiveRequest(request).kind, "challenge");
  assert.deepEqual(asked, [ceremony.clientFingerprint]);
});

Deno.test("HostPairing and ClientPairing both notice a wrong PIN, and the guess is gone", () => {
  const { admission, consumed } = guessOf("4322");
  const { host } = hostWith(admission);
  const client = clientWith();
  assert.deepEqual(client.receiveChallenge(challengeOf(host, client)), { kind: "wrong-pin" });
  assert.deepEqual(consumed, ["4322"]);
  assert.deepEqual(host.receiveProof({ confirm: new Uint8Array(32) }), { kind: "wrong-pin" });
});

Deno.test("HostPairing and ClientPairing notice somebody between them who knows the PIN", () => {
  const { host } = hostWith(guessOf(ceremony.pin).admission);
  const client = clientWith({ hostFingerprint: new Uint8Array(32) });
  assert.deepEqual(client.receiveChallenge(challengeOf(host, client)), { kind: "wrong-pin" });
});

Deno.test("HostPairing refuses a client without identity before it asks whether anybody may pair", () => {
  const { host, asked } = hostWith(guessOf("1").admission, { certificateFingerprint: undefined });
  assert.deepEqual(host.receiveRequest(clientWith().request), {
    kind: "refused",
    reason: "identity-required",
  });
  assert.deepEqual(asked, []);
});

Deno.test("HostPairing hands a refusal on", () => {
  for (const reason of ["not-armed", "bound-other", "rate-limited"] as const) {
    const { host } = hostWith({ kind: "refused", reason });
    assert.deepEqual(host.receiveRequest(clientWith().request), { kind: "refused", reason });
  }
});

Deno.test("HostPairing keeps the guess of a request that is no request", () => {
  const { spakeA } = clientWith().request;
  const reflected = new Uint8Array(spakeA);
  reflected[0] = 0x42;
  const noPoint = new Uint8Array(33).fill(2);
  noPoint[0] = 0x41;
  for (const wrong of [spakeA.subarray(1), new Uint8Array(34), reflected, noPoint]) {
    const { admission, consumed } = guessOf("1");
    const { host } = hostWith(admission);
    assert.throws(() => host.receiveRequest({ name: "", spakeA: wrong }), ProtocolError);
    assert.deepEqual(consumed, []);
    assert.throws(() => host.receiveProof({ confirm: new Uint8Array(32) }), ProtocolError);
  }
});

Deno.test("HostPairing takes one request and one proof", () => {
  const { host } = hostWith(guessOf(ceremony.pin).admission);
  const client = clientWith();
  assert.throws(() => host.receiveProof({ confirm: new Uint8Array(32) }), ProtocolError);
  const answer = client.receiveChallenge(challengeOf(host, client));
  assert.ok(answer.kind === "proof");
  assert.throws(() => host.receiveRequest(client.request), ProtocolError);
  assert.equal(host.receiveProof(answer.proof).kind, "paired");
  assert.throws(() => host.receiveProof(answer.proof), ProtocolError);
});

Deno.test("HostPairing takes no proof that is shortened, lengthened or another one", () => {
  for (
    const change of [
      (confirm: Uint8Array) => confirm.subarray(1),
      (confirm: Uint8Array) => new Uint8Array([...confirm, 0]),
      (confirm: Uint8Array) => confirm.map((byte, index) => index === 31 ? byte ^ 1 : byte),
      () => new Uint8Array(0),
    ]
  ) {
    const { host } = hostWith(guessOf(ceremony.pin).admission);
    const client = clientWith();
    const answer = client.receiveChallenge(challengeOf(host, client));
    assert.ok(answer.kind === "proof");
    const outcome = host.receiveProof({ confirm: change(answer.proof.confirm) });
    assert.equal(outcome.kind, "wrong-pin");
  }
});

Deno.test("HostPairing and ClientPairing refuse fingerprints of a wrong size", () => {
  const short = new Uint8Array(31);
  assert.throws(() => clientWith({ hostFingerprint: short }), RangeError);
  assert.throws(() => clientWith({ identity: { certificateFingerprint: short } }), RangeError);
  const { admission } = guessOf("1");
  assert.throws(() => hostWith(admission, { hostFingerprint: short }), RangeError);
  assert.throws(() => hostWith(admission, { certificateFingerprint: short }), RangeError);
});

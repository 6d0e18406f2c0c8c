import assert from "node:assert/strict";
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { ProtocolError } from "../../../../src/lib/errors.ts";
import {
  answerClientChallenge,
  decodePairingClient,
  derivePairingKey,
  isPairingPin,
  openClientHash,
  parsePairRequest,
  signServerSecret,
  verifyClientSecret,
} from "../../../../src/protocol/gamestream/pairing.ts";
import { makeCertificate, toPem } from "../../../support/certificate_maker.ts";
import vectors from "../../../vectors/gamestream-pairing.json" with { type: "json" };

const hex = (text: string) => Uint8Array.fromHex(text);
const utf8 = (text: string) => new TextEncoder().encode(text);
const KEY = hex(vectors.aesKey);
const CLIENT = decodePairingClient(utf8(vectors.clientCertPem));

function query(parameters: Record<string, string>): URLSearchParams {
  return new URLSearchParams(parameters);
}

Deno.test("derivePairingKey() gives the keys of the vector for the right and the wrong PIN", () => {
  const salt = hex(vectors.salt);
  assert.equal(derivePairingKey(salt, vectors.pin).toHex(), vectors.aesKey);
  assert.equal(
    derivePairingKey(salt, vectors.negative.wrongPin).toHex(),
    vectors.negative.wrongPinKey,
  );
});

Deno.test("answerClientChallenge() gives the reply of the vector", () => {
  const reply = answerClientChallenge(KEY, {
    clientChallenge: hex(vectors.phase2.request.clientchallenge),
    hostSignature: hex(vectors.serverCertSignatureValue),
    serverSecret: hex(vectors.phase2.serverSecret),
    serverChallenge: hex(vectors.phase2.serverChallenge),
  });
  assert.equal(reply.toHex(), vectors.phase2.response.challengeresponse);
});

Deno.test("openClientHash() gives the hash of the vector", () => {
  assert.equal(
    openClientHash(KEY, hex(vectors.phase3.request.serverchallengeresp)).toHex(),
    vectors.phase3.clientResponseHash,
  );
  // ECB without padding: the same primitive opens the challenge, and a wrong key gives the vector's junk.
  assert.equal(
    openClientHash(KEY, hex(vectors.phase2.request.clientchallenge)).toHex(),
    vectors.phase2.clientChallengePlain,
  );
  assert.equal(
    openClientHash(
      hex(vectors.negative.wrongPinKey),
      hex(vectors.phase2.request.clientchallenge),
    ).toHex(),
    vectors.negative.clientChallengeDecryptedWithWrongPin,
  );
});

Deno.test("signServerSecret() gives the signature of the vector", () => {
  const secret = hex(vectors.phase2.serverSecret);
  const signed = signServerSecret(createPrivateKey(vectors.serverKeyPem), secret);
  assert.equal(signed.toHex(), vectors.phase3.response.pairingsecret);
  assert.equal(signed.subarray(16).toHex(), vectors.phase3.serverSecretSignature);
});

Deno.test("verifyClientSecret() accepts the vector and no byte of it altered", () => {
  const right = {
    clientPairingSecret: hex(vectors.phase4.request.clientpairingsecret),
    serverChallenge: hex(vectors.phase2.serverChallenge),
    clientHash: hex(vectors.phase3.clientResponseHash),
  };
  assert.equal(verifyClientSecret(CLIENT, right), true);
  for (const name of ["clientPairingSecret", "serverChallenge", "clientHash"] as const) {
    for (const at of [0, 15, right[name].byteLength - 1]) {
      const altered = right[name].with(at, (right[name][at] ?? 0) ^ 1);
      assert.equal(
        verifyClientSecret(CLIENT, { ...right, [name]: altered }),
        false,
        `${name} ${at}`,
      );
    }
  }
  // Right PIN, but the secret is signed by somebody else's key.
  const stranger = signServerSecret(
    createPrivateKey(vectors.serverKeyPem),
    right.clientPairingSecret.subarray(0, 16),
  );
  assert.equal(verifyClientSecret(CLIENT, { ...right, clientPairingSecret: stranger }), false);
});

Deno.test("parsePairRequest() reads the requests of the vector", () => {
  const phase1 = parsePairRequest(query({ devicename: "roth", ...vectors.phase1.request }));
  assert.ok(phase1.phase === 1);
  assert.equal(phase1.salt.toHex(), vectors.salt);
  assert.deepEqual(phase1.client.certificateDer, CLIENT.certificateDer);
  const upper = (text: string) => text.toUpperCase();
  assert.deepEqual(
    parsePairRequest(query({ clientchallenge: upper(vectors.phase2.request.clientchallenge) })),
    { phase: 2, clientChallenge: hex(vectors.phase2.request.clientchallenge) },
  );
  assert.deepEqual(
    // One client glues two parameters into one in this phase.
    parsePairRequest(
      query({ devicename: "rothupdateState=1", ...vectors.phase3.request }),
    ),
    { phase: 3, serverChallengeResponse: hex(vectors.phase3.request.serverchallengeresp) },
  );
  assert.deepEqual(parsePairRequest(query(vectors.phase4.request)), {
    phase: 4,
    clientPairingSecret: hex(vectors.phase4.request.clientpairingsecret),
  });
  assert.deepEqual(parsePairRequest(query({ phrase: "pairchallenge" })), { phase: 5 });
});

Deno.test("parsePairRequest() rejects every shortened and lengthened parameter", () => {
  for (
    const request of [
      vectors.phase1.request,
      vectors.phase2.request,
      vectors.phase3.request,
      { clientpairingsecret: vectors.phase4.request.clientpairingsecret },
    ]
  ) {
    for (const [name, value] of Object.entries(request)) {
      if (name === "phrase") continue;
      for (let length = 0; length < value.length; length += value.length > 600 ? 97 : 1) {
        const cut = query({ ...request, [name]: value.slice(0, length) });
        assert.throws(() => parsePairRequest(cut), ProtocolError, `${name} ${length}`);
      }
    }
  }
  const longer = [
    { ...vectors.phase1.request, salt: vectors.salt + "00" },
    { ...vectors.phase1.request, clientcert: vectors.phase1.request.clientcert + "ff" },
    { clientchallenge: vectors.phase2.request.clientchallenge + "00" },
    { serverchallengeresp: vectors.phase3.request.serverchallengeresp + "0" },
    { clientpairingsecret: "00".repeat(16 + 512 + 1) },
  ];
  for (const request of longer) {
    assert.throws(() => parsePairRequest(query(request)), ProtocolError);
  }
  assert.equal(parsePairRequest(query({ clientpairingsecret: "00".repeat(16 + 512) })).phase, 4);
  assert.throws(() => parsePairRequest(query({})), ProtocolError);
  assert.throws(() => parsePairRequest(query({ clientchallenge: "zz".repeat(16) })), ProtocolError);
});

Deno.test("parsePairRequest() throws only ProtocolError on arbitrary queries", () => {
  const name = fc.constantFrom(
    "phrase",
    "salt",
    "clientcert",
    "clientchallenge",
    "serverchallengeresp",
    "clientpairingsecret",
  );
  const value = fc.oneof(
    fc.string(),
    fc.constantFrom("getservercert", "pairchallenge", vectors.salt),
    fc.uint8Array({ maxLength: 600 }).map((bytes) => bytes.toHex()),
  );
  fc.assert(fc.property(fc.array(fc.tuple(name, value), { maxLength: 6 }), (pairs) => {
    try {
      parsePairRequest(new URLSearchParams(pairs));
    } catch (error) {
      assert.ok(error instanceof ProtocolError, `${error}`);
    }
  }));
});

Deno.test("decodePairingClient() reads LF, CRLF, one long line and surrounding blanks alike", () => {
  const der = CLIENT.certificateDer;
  const oneLine = vectors.clientCertPem.replace(/(?<=[A-Za-z0-9+/=])\n(?=[A-Za-z0-9+/])/g, "");
  for (
    const pem of [
      vectors.clientCertPem.replaceAll("\n", "\r\n"),
      oneLine,
      `\n ${vectors.clientCertPem}\r\n\n`,
      vectors.clientCertPem.trimEnd(),
      `${vectors.clientCertPem}\0`,
    ]
  ) {
    assert.deepEqual(decodePairingClient(utf8(pem)).certificateDer, der);
  }
  for (
    const pem of [
      "",
      "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
      vectors.clientCertPem + vectors.clientCertPem,
      vectors.clientCertPem.replace("CERTIFICATE", "X"),
      vectors.clientCertPem.replace("MII", "MI"),
      vectors.clientKeyPem,
    ]
  ) {
    assert.throws(() => decodePairingClient(utf8(pem)), ProtocolError);
  }
});

Deno.test("decodePairingClient() lets the key decide, whatever the certificate says", () => {
  const privateKey = createPrivateKey(vectors.clientKeyPem);
  const odd = [
    { serial: Uint8Array.of(0) },
    { serial: new Uint8Array(40).fill(0xff) },
    { notBefore: "990101000000Z", notAfter: "000101000000Z" },
    { notBefore: "not a date", notAfter: "" },
    { hash: "sha1" as const },
    { commonName: "" },
    { version: 1 as const },
    { version: 2 as const, issuerId: Uint8Array.of(0, 1) },
  ];
  for (const shape of odd) {
    const der = makeCertificate({ version: 3, privateKey, ...shape });
    const client = decodePairingClient(utf8(toPem(der)));
    assert.ok(client.publicKey.equals(CLIENT.publicKey));
    assert.deepEqual(client.certificate.signatureValue, der.slice(-256));
  }
});

Deno.test("decodePairingClient() refuses keys that are not RSA of 2048 to 4096 bits", () => {
  const elliptic = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const small = generateKeyPairSync("rsa", { modulusLength: 1024 });
  const privateKey = createPrivateKey(vectors.clientKeyPem);
  for (
    const publicKeyInfo of [
      elliptic.publicKey.export({ type: "spki", format: "der" }),
      small.publicKey.export({ type: "spki", format: "der" }),
      Uint8Array.of(0x30, 0x00),
    ]
  ) {
    const der = makeCertificate({ version: 3, privateKey, publicKeyInfo });
    assert.throws(() => decodePairingClient(utf8(toPem(der))), ProtocolError);
  }
});

Deno.test("isPairingPin() takes four decimal digits and nothing else", () => {
  for (const pin of ["0000", "1234", "9999"]) assert.ok(isPairingPin(pin));
  for (const pin of ["", "123", "12345", "12a4", " 123", "1234\n", "١٢٣٤"]) {
    assert.ok(!isPairingPin(pin), pin);
  }
});

import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import fc from "fast-check";
import { ProtocolError } from "../../../src/lib/errors.ts";
import {
  CERTIFICATE_SIZE_BYTES_MAX,
  decodeCertificate,
} from "../../../src/protocol/x509_certificate.ts";
import { derElement, makeCertificate } from "../../support/certificate_maker.ts";
import vectors from "../../vectors/gamestream-pairing.json" with { type: "json" };

const CLIENT_KEY = createPrivateKey(vectors.clientKeyPem);
const PUBLIC_KEY_INFO = new Uint8Array(
  createPublicKey(CLIENT_KEY).export({ type: "spki", format: "der" }),
);

function derOf(pem: string): Uint8Array {
  return new Uint8Array(new X509Certificate(pem).raw);
}

Deno.test("decodeCertificate() finds the values of the pairing vector", () => {
  for (
    const [pem, signature] of [
      [vectors.serverCertPem, vectors.serverCertSignatureValue],
      [vectors.clientCertPem, vectors.clientCertSignatureValue],
    ] as const
  ) {
    const certificate = decodeCertificate(derOf(pem));
    assert.equal(certificate.version, 3);
    assert.equal(certificate.signatureValue.toHex(), signature);
    assert.deepEqual(
      certificate.publicKeyInfo,
      new Uint8Array(new X509Certificate(pem).publicKey.export({ type: "spki", format: "der" })),
    );
  }
});

Deno.test("decodeCertificate() rejects every shortened and lengthened form", () => {
  const der = derOf(vectors.clientCertPem);
  for (let length = 0; length < der.byteLength; length++) {
    assert.throws(() => decodeCertificate(der.subarray(0, length)), ProtocolError);
  }
  assert.throws(() => decodeCertificate(new Uint8Array([...der, 0])), ProtocolError);
});

Deno.test("decodeCertificate() inverts any certificate that can be written", () => {
  fc.assert(
    fc.property(
      fc.record({
        version: fc.constantFrom(1 as const, 2 as const, 3 as const),
        serial: fc.uint8Array({ minLength: 1, maxLength: 40 }),
        commonName: fc.string({ maxLength: 300 }),
        notAfter: fc.string({ maxLength: 20 }),
        hash: fc.constantFrom("sha1" as const, "sha256" as const),
        issuerId: fc.option(fc.uint8Array({ minLength: 1, maxLength: 4 }), { nil: undefined }),
        subjectId: fc.option(fc.uint8Array({ minLength: 1, maxLength: 4 }), { nil: undefined }),
        extensions: fc.option(fc.uint8Array({ maxLength: 200 }), { nil: undefined }),
      }, { noNullPrototype: true }),
      ({ issuerId, subjectId, extensions, ...shape }) => {
        const der = makeCertificate({
          ...shape,
          privateKey: CLIENT_KEY,
          publicKeyInfo: PUBLIC_KEY_INFO,
          ...(issuerId === undefined ? {} : { issuerId }),
          ...(subjectId === undefined ? {} : { subjectId }),
          ...(extensions === undefined ? {} : { extensions }),
        });
        const certificate = decodeCertificate(der);
        assert.equal(certificate.version, shape.version);
        assert.deepEqual(certificate.publicKeyInfo, PUBLIC_KEY_INFO);
        assert.deepEqual(certificate.signatureValue, der.slice(-256));
      },
    ),
    { numRuns: 30 },
  );
});

Deno.test("decodeCertificate() throws only ProtocolError on arbitrary and on altered bytes", () => {
  const der = derOf(vectors.clientCertPem);
  const decode = (bytes: Uint8Array) => {
    try {
      decodeCertificate(bytes);
    } catch (error) {
      assert.ok(error instanceof ProtocolError, `${error}`);
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), decode));
  fc.assert(fc.property(fc.nat(der.byteLength - 1), fc.nat(255), (offset, value) => {
    decode(der.with(offset, value));
  }));
});

Deno.test("decodeCertificate() takes the largest size and refuses one byte more", () => {
  const make = (padding: number) =>
    makeCertificate({
      version: 3,
      privateKey: CLIENT_KEY,
      publicKeyInfo: PUBLIC_KEY_INFO,
      extensions: new Uint8Array(padding),
    });
  const base = make(1000).byteLength - 1000;
  const largest = make(CERTIFICATE_SIZE_BYTES_MAX - base);
  assert.equal(largest.byteLength, CERTIFICATE_SIZE_BYTES_MAX);
  decodeCertificate(largest);
  assert.throws(
    () => decodeCertificate(make(CERTIFICATE_SIZE_BYTES_MAX - base + 1)),
    (error) => error instanceof ProtocolError && error.code === "limit",
  );
});

Deno.test("decodeCertificate() refuses lengths that are not in their shortest form", () => {
  const short = [0x30, 0x03, 0x02, 0x01, 0x01];
  const forms = [
    [0x30, 0x81, 0x03, ...short.slice(2)],
    [0x30, 0x82, 0x00, 0x03, ...short.slice(2)],
    [0x30, 0x83, 0x00, 0x00, 0x03, ...short.slice(2)],
    [0x30, 0x80, ...short.slice(2), 0x00, 0x00],
  ];
  for (const form of forms) {
    assert.throws(
      () => decodeCertificate(Uint8Array.from(form)),
      (error) => error instanceof ProtocolError && /length/.test(error.message),
    );
  }
});

Deno.test("decodeCertificate() refuses a version it does not know and a signature of odd bits", () => {
  const der = makeCertificate({ version: 3, privateKey: CLIENT_KEY });
  const versionAt = der.findIndex((_, index) => der[index] === 0xa0 && der[index + 1] === 0x03) + 4;
  for (const version of [0, 3, 0x80]) {
    assert.throws(() => decodeCertificate(der.with(versionAt, version)), ProtocolError);
  }
  const unusedBitsAt = der.byteLength - 257;
  assert.equal(der[unusedBitsAt], 0);
  assert.throws(() => decodeCertificate(der.with(unusedBitsAt, 1)), ProtocolError);
  assert.throws(() => decodeCertificate(derElement(0x30, derElement(0x30))), ProtocolError);
});

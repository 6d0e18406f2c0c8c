import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { OperationError } from "../../../src/lib/errors.ts";
import { decodeCertificate } from "../../../src/protocol/x509_certificate.ts";
import { type IdentityKind, openIdentity } from "../../../src/trust/identity.ts";
import vectors from "../../vectors/gamestream-pairing.json" with { type: "json" };

async function withDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await body(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function open(directory: string, kind: IdentityKind, hasPairings = false) {
  return openIdentity(directory, { kind, hasPairings, machineName: "studio-pc" });
}

async function writeFiles(directory: string, files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${directory}/${name}`, text);
  }
}

const FILES = { "cert.pem": vectors.serverCertPem, "key.pem": vectors.serverKeyPem };

Deno.test("openIdentity() mints a GameStream identity that clients accept, once", async () => {
  await withDirectory(async (directory) => {
    const { identity, notice } = await open(directory, "gamestream");
    assert.equal(notice, undefined);
    const certificate = new X509Certificate(identity.certificatePem);
    assert.equal(decodeCertificate(identity.certificateDer).version, 3);
    assert.equal(identity.key.asymmetricKeyDetails?.modulusLength, 2048);
    assert.equal(identity.certificateSignature.byteLength, 256);
    assert.deepEqual(identity.certificateSignature, identity.certificateDer.slice(-256));
    assert.ok(certificate.verify(certificate.publicKey));
    assert.equal(certificate.subject, certificate.issuer);
    assert.equal(Date.parse(certificate.validFrom), Date.UTC(2020, 0, 1));
    assert.equal(Date.parse(certificate.validTo), Date.UTC(2040, 0, 1));
    // sha256WithRSAEncryption, once inside and once outside.
    assert.equal(identity.certificateDer.toHex().split("06092a864886f70d01010b").length, 3);
    assert.ok(identity.keyPem.startsWith("-----BEGIN PRIVATE KEY-----"));
    assert.ok(/^-----BEGIN CERTIFICATE-----\n[\s\S]+\n-----END CERTIFICATE-----\n$/.test(
      identity.certificatePem,
    ));
    for (const name of ["cert.pem", "key.pem"]) {
      assert.equal((Deno.statSync(`${directory}/${name}`).mode ?? 0) & 0o777, 0o600);
    }
    const again = await open(directory, "gamestream");
    assert.equal(again.identity.certificatePem, identity.certificatePem);
    assert.equal(again.identity.keyPem, identity.keyPem);
  });
});

Deno.test("openIdentity() mints a native identity on P-256 with the names of this machine", async () => {
  await withDirectory(async (directory) => {
    const { identity, notice } = await open(directory, "native", true);
    assert.ok(notice?.includes("pair again"));
    assert.equal(identity.key.asymmetricKeyDetails?.namedCurve, "prime256v1");
    const certificate = new X509Certificate(identity.certificatePem);
    assert.ok(certificate.verify(certificate.publicKey));
    assert.match(certificate.subject, /CN=punktfunk/);
    const names = certificate.subjectAltName ?? "";
    for (const name of ["studio-pc", "localhost", "127.0.0.1"]) assert.ok(names.includes(name));
    assert.deepEqual(
      (await Array.fromAsync(Deno.readDir(directory), (entry) => entry.name)).sort(),
      ["native-cert.pem", "native-key.pem"],
    );
  });
});

Deno.test("openIdentity() leaves out a machine name that is no DNS label", async () => {
  await withDirectory(async (directory) => {
    const { identity } = await openIdentity(directory, {
      kind: "native",
      hasPairings: false,
      machineName: "Büro PC",
    });
    const names = new X509Certificate(identity.certificatePem).subjectAltName ?? "";
    assert.ok(names.includes("localhost") && !names.includes("PC"));
  });
});

Deno.test("openIdentity() reads an identity made elsewhere byte for byte", async () => {
  await withDirectory(async (directory) => {
    await writeFiles(directory, FILES);
    const { identity } = await open(directory, "gamestream", true);
    assert.equal(identity.fingerprint, vectors.serverCertSha256);
    assert.equal(identity.certificateSignature.toHex(), vectors.serverCertSignatureValue);
    assert.equal(identity.certificatePem, vectors.serverCertPem);
  });
});

Deno.test("openIdentity() refuses half an identity, naming the file and changing none", async () => {
  const cases: [Record<string, string>, string][] = [
    [{ "cert.pem": vectors.serverCertPem }, "key.pem"],
    [{ "key.pem": vectors.serverKeyPem }, "cert.pem"],
    [{ ...FILES, "key.pem": "" }, "key.pem"],
    [{ ...FILES, "key.pem": vectors.serverKeyPem.slice(0, 200) }, "key.pem"],
    [{ ...FILES, "cert.pem": "junk" }, "cert.pem"],
    [{ ...FILES, "key.pem": vectors.clientKeyPem }, "does not belong"],
  ];
  for (const [files, expected] of cases) {
    await withDirectory(async (directory) => {
      await writeFiles(directory, files);
      await assert.rejects(
        open(directory, "gamestream"),
        (error) =>
          error instanceof OperationError && error.code === "storage" &&
          error.message.includes(expected) && error.remedy?.includes(directory) === true,
      );
      for (const [name, text] of Object.entries(files)) {
        assert.equal(await Deno.readTextFile(`${directory}/${name}`), text);
      }
      const names = await Array.fromAsync(Deno.readDir(directory), (entry) => entry.name);
      assert.equal(names.length, Object.keys(files).length);
    });
  }
});

Deno.test("openIdentity() refuses a key of the wrong kind", async () => {
  await withDirectory(async (directory) => {
    await writeFiles(directory, {
      "native-cert.pem": vectors.serverCertPem,
      "native-key.pem": vectors.serverKeyPem,
    });
    await assert.rejects(
      open(directory, "native"),
      (error) => error instanceof OperationError && error.message.includes("p-256"),
    );
  });
});

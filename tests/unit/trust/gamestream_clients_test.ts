import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { OperationError } from "../../../src/lib/errors.ts";
import { storageError, writeFileAtomic } from "../../../src/store/file.ts";
import { GameStreamClients, isClientLabel } from "../../../src/trust/gamestream_clients.ts";
import { makeCertificate } from "../../support/certificate_maker.ts";
import vectors from "../../vectors/gamestream-pairing.json" with { type: "json" };

const CLIENT_DER = new Uint8Array(new X509Certificate(vectors.clientCertPem).raw);
const OTHER_DER = new Uint8Array(new X509Certificate(vectors.serverCertPem).raw);
const NOW = { nowMs: () => 0 };

async function withDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await body(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("GameStreamClients keeps certificates and labels from one opening to the next", async () => {
  await withDirectory(async (directory) => {
    const clients = await GameStreamClients.open(directory, NOW);
    assert.equal(clients.find(CLIENT_DER), undefined);
    await clients.add(CLIENT_DER, "Living room");
    await clients.add(OTHER_DER, undefined);
    const again = await GameStreamClients.open(directory, NOW);
    assert.deepEqual(again.list(), clients.list());
    assert.deepEqual(again.find(CLIENT_DER), {
      fingerprint: vectors.clientCertSha256,
      label: "Living room",
      subject: "CN=NVIDIA GameStream Client",
      notBeforeUnix: Date.UTC(2026, 10, 21, 19, 32, 45) / 1000,
      notAfterUnix: Date.UTC(2046, 10, 16, 19, 32, 45) / 1000,
    });
    assert.equal(again.get(vectors.clientCertSha256.toUpperCase())?.label, "Living room");
    const stored = JSON.parse(await Deno.readTextFile(`${directory}/paired.json`));
    assert.deepEqual(stored[0], [...CLIENT_DER]);
    assert.deepEqual(JSON.parse(await Deno.readTextFile(`${directory}/client-labels.json`)), {
      [vectors.clientCertSha256]: "Living room",
    });
    assert.deepEqual(again.notices, []);
  });
});

Deno.test("GameStreamClients replaces a client that pairs again", async () => {
  await withDirectory(async (directory) => {
    const clients = await GameStreamClients.open(directory, NOW);
    await clients.add(CLIENT_DER, "Old");
    await clients.add(CLIENT_DER, undefined);
    assert.equal(clients.size, 1);
    assert.equal(clients.find(CLIENT_DER)?.label, undefined);
  });
});

Deno.test("GameStreamClients renames, removes and removes all", async () => {
  await withDirectory(async (directory) => {
    const clients = await GameStreamClients.open(directory, NOW);
    await clients.add(CLIENT_DER, undefined);
    await clients.add(OTHER_DER, "Other");
    const renamed = await clients.rename(vectors.clientCertSha256.toUpperCase(), "Phone");
    assert.equal(renamed.label, "Phone");
    assert.equal((await clients.rename(vectors.clientCertSha256, undefined)).label, undefined);
    await clients.remove(vectors.serverCertSha256);
    assert.equal(clients.find(OTHER_DER), undefined);
    await assert.rejects(
      clients.remove(vectors.serverCertSha256),
      (error) => error instanceof OperationError && error.code === "not-found",
    );
    await assert.rejects(clients.rename("ff", "x"), OperationError);
    assert.equal(await clients.removeAll(), 1);
    assert.equal(await clients.removeAll(), 0);
    assert.equal((await GameStreamClients.open(directory, NOW)).size, 0);
    assert.equal(await Deno.readTextFile(`${directory}/client-labels.json`), "{}\n");
  });
});

Deno.test("GameStreamClients stores nothing when the disk is full", async () => {
  await withDirectory(async (directory) => {
    let isDiskFull = false;
    const clients = await GameStreamClients.open(directory, {
      ...NOW,
      write: (path, bytes, mode) =>
        isDiskFull
          ? Promise.reject(
            storageError("write", path, Object.assign(new Error(), { code: "ENOSPC" })),
          )
          : writeFileAtomic(path, bytes, mode),
    });
    await clients.add(CLIENT_DER, "A");
    isDiskFull = true;
    for (
      const attempt of [
        () => clients.add(OTHER_DER, undefined),
        () => clients.add(OTHER_DER, "B"),
        () => clients.remove(vectors.clientCertSha256),
        () => clients.rename(vectors.clientCertSha256, "B"),
        () => clients.removeAll(),
      ]
    ) {
      await assert.rejects(
        attempt(),
        (error) => error instanceof OperationError && error.code === "storage",
      );
      assert.equal(clients.find(OTHER_DER), undefined);
      assert.equal(clients.find(CLIENT_DER)?.label, "A");
    }
  });
});

Deno.test("GameStreamClients sets a damaged list aside and names it", async () => {
  const lists = ["[", "{}", '[["a"]]', "[[256]]", "[[48,0]]", '[{"0":48}]'];
  for (const text of lists) {
    await withDirectory(async (directory) => {
      await Deno.writeTextFile(`${directory}/paired.json`, text);
      const clients = await GameStreamClients.open(directory, NOW);
      assert.equal(clients.size, 0);
      assert.equal(clients.notices.length, 1);
      assert.ok(clients.notices[0]?.includes("paired.json.damaged-"));
    });
  }
});

Deno.test("GameStreamClients lists certificates that no library can describe", async () => {
  await withDirectory(async (directory) => {
    const clients = await GameStreamClients.open(directory, NOW);
    const odd = makeCertificate({
      version: 3,
      privateKey: createPrivateKey(vectors.clientKeyPem),
      notBefore: "not a date",
      notAfter: "",
    });
    const client = await clients.add(odd, undefined);
    assert.equal(client.notAfterUnix, undefined);
    assert.equal((await GameStreamClients.open(directory, NOW)).find(odd)?.label, undefined);
  });
});

Deno.test("isClientLabel() takes 64 characters on one line and not one more", () => {
  assert.ok(isClientLabel("😀".repeat(64)));
  for (const text of ["😀".repeat(65), "", "  ", "a\nb", "a\u0007", "\ud800"]) {
    assert.ok(!isClientLabel(text));
  }
});

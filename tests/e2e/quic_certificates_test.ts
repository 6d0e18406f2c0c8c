/**
 * What native/quic can and the runtime's stack cannot: client certificates, servers unknown so far, Retry, datagrams
 * that give way to newer ones, and a close that leaves nothing behind.
 *
 * @module
 */
import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { OperationError } from "../../src/lib/errors.ts";
import type { QuicIdentity } from "../../src/quic/ports.ts";
import { mintCertificate } from "../../src/trust/mint.ts";
import { makeCertificate, toPem } from "../support/certificate_maker.ts";
import { derOf, labIdentity, openListener, openQuicLab, sha256, UdpRelay } from "./quic_lab.ts";

const PAIR = { listener: "quinn", connector: "quinn" } as const;

const mint = (kind: "p-256" | "rsa-2048") =>
  mintCertificate(kind, { commonName: "client", subjectNames: [] });

function pemOf(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}

/** A certificate for `keys`, signed with another key: nobody looks at that. */
function identityOf(
  keys: { readonly privateKey: KeyObject; readonly publicKey: KeyObject },
  version: 1 | 3,
): QuicIdentity {
  const signer = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const der = makeCertificate({
    version,
    privateKey: signer.privateKey,
    publicKeyInfo: keys.publicKey.export({ type: "spki", format: "der" }),
    notAfter: "210101000000Z",
  });
  return { certificatePem: toPem(der), keyPem: pemOf(keys.privateKey) };
}

const isRefused = (error: unknown) => error instanceof OperationError && error.code === "refused";

Deno.test("a client's certificate of any common kind is shown, proven with its key", async () => {
  const identities: readonly (readonly [string, QuicIdentity])[] = [
    ["P-256", await mint("p-256")],
    ["RSA-2048", await mint("rsa-2048")],
    ["P-384", identityOf(generateKeyPairSync("ec", { namedCurve: "P-384" }), 3)],
    ["Ed25519", identityOf(generateKeyPairSync("ed25519"), 3)],
    ["expired v1", identityOf(generateKeyPairSync("ec", { namedCurve: "P-256" }), 1)],
  ];
  await using lab = await openQuicLab(PAIR);
  for (const [name, identity] of identities) {
    const { server } = await lab.connect({ identity });
    assert.deepEqual(server.peerCertificateDer, derOf(identity), name);
  }
});

Deno.test("a client without a certificate is accepted as such", async () => {
  await using lab = await openQuicLab(PAIR);
  const { client, server } = await lab.connect();
  assert.equal(server.peerCertificateDer, undefined);
  assert.deepEqual(client.peerCertificateDer, derOf(lab.identity));
});

Deno.test("a certificate shown without its key, or that is none, ends the connection", async () => {
  const mine = await mint("p-256");
  const theirs = await mint("p-256");
  const forged = { certificatePem: theirs.certificatePem, keyPem: mine.keyPem };
  const broken = { certificatePem: toPem(derOf(mine).subarray(0, 60)), keyPem: mine.keyPem };
  await using lab = await openQuicLab(PAIR);
  const accepted = lab.listener.accept();
  for (const identity of [forged, broken]) {
    // The client's side of the handshake may be complete before the server looks.
    const client = await lab.connector.connect(lab.options({ identity })).catch((error) => {
      assert.ok(isRefused(error));
    });
    if (client === undefined) continue;
    const { kind, isByPeer } = await client.closed;
    assert.deepEqual({ kind, isByPeer }, { kind: "transport", isByPeer: true });
  }
  // The first connection that the listener tells of is the honest one.
  await lab.connector.connect(lab.options({ identity: mine }));
  assert.deepEqual((await accepted)?.peerCertificateDer, derOf(mine));
});

Deno.test("connect() without a pin accepts any server and shows its certificate", async () => {
  const identity = identityOf(generateKeyPairSync("ec", { namedCurve: "P-256" }), 1);
  await using lab = await openQuicLab(PAIR, { identity });
  const { serverFingerprint: _, ...options } = lab.options();
  const client = await lab.connector.connect(options);
  assert.ok(client.peerCertificateDer !== undefined);
  assert.deepEqual(sha256(client.peerCertificateDer), lab.fingerprint);
});

Deno.test("a listener takes no key that is not its certificate's", async () => {
  const { certificatePem } = await labIdentity();
  const { keyPem } = await mint("p-256");
  assert.throws(
    () => openListener("quinn", { identity: { certificatePem, keyPem } }),
    (error) => error instanceof OperationError && error.code === "invalid",
  );
});

Deno.test("every client has to answer a Retry, also one that was here before", async () => {
  await using lab = await openQuicLab(PAIR);
  for (let count = 0; count < 2; count++) {
    using relay = new UdpRelay(lab.listener.port);
    const { client, server } = await lab.connect({ port: relay.port });
    // Long header, fixed bit, type 3: RFC 9000, 17.2.5.
    assert.equal((relay.fromServer[0]?.[0] ?? 0) & 0xf0, 0xf0);
    client.close(0, "");
    await server.closed;
  }
});

Deno.test("garbage at the port is ignored", async () => {
  await using lab = await openQuicLab(PAIR);
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const to = { transport: "udp", hostname: "127.0.0.1", port: lab.listener.port } as const;
  for (let count = 0; count < 500; count++) {
    const bytes = crypto.getRandomValues(new Uint8Array(1 + count * 2));
    // Half of them look like an Initial of version 1.
    if (count % 2 === 0 && bytes.length > 7) bytes.set([0xc0, 0, 0, 0, 1, 8]);
    await socket.send(bytes, to);
  }
  socket.close();
  const { client, server } = await lab.connect();
  client.sendDatagram(Uint8Array.of(1));
  assert.deepEqual(await server.readDatagram(), Uint8Array.of(1));
});

Deno.test("datagrams that cannot leave give way to newer ones", async () => {
  await using lab = await openQuicLab(PAIR);
  using relay = new UdpRelay(lab.listener.port);
  const { client, server } = await lab.connect({ port: relay.port });
  // The relay lives in this isolate: no acknowledgement passes before the loop is over.
  const count = 200;
  for (let number = 0; number < count; number++) {
    assert.equal(server.sendDatagram(new Uint8Array(1000).fill(number)), true);
  }
  const numbers: number[] = [];
  do numbers.push((await client.readDatagram())?.[0] ?? -1); while (numbers.at(-1) !== count - 1);
  assert.deepEqual(numbers, numbers.toSorted((a, b) => a - b));
  // Some filled the congestion window before; the last three are what 4 KiB hold.
  assert.ok(numbers.length < 60, String(numbers));
  assert.deepEqual(numbers.slice(-3), [count - 3, count - 2, count - 1]);
});

Deno.test("what came before the peer closed can still be read", async () => {
  await using lab = await openQuicLab(PAIR);
  const { client, server } = await lab.connect();
  const near = await client.openStream({ timeoutMs: 3000 });
  assert.ok(near !== undefined);
  await near.write(Uint8Array.of(1, 2, 3));
  await near.finish();
  client.sendDatagram(Uint8Array.of(4));
  const far = await server.acceptStream();
  // A second stream tells that all of the first one is there.
  const second = await client.openStream({ timeoutMs: 3000 });
  await second?.write(Uint8Array.of(9));
  await server.acceptStream();
  client.close(0x51, "");
  await server.closed;
  assert.deepEqual(await far?.read(), Uint8Array.of(1, 2, 3));
  assert.equal(await far?.read(), undefined);
  assert.deepEqual(await server.readDatagram(), Uint8Array.of(4));
  assert.equal(await server.readDatagram(), undefined);
});

Deno.test("a connection knows its round trip", async () => {
  await using lab = await openQuicLab(PAIR);
  const { client, server } = await lab.connect();
  assert.ok(client.roundTripUs > 0);
  assert.ok(server.roundTripUs > 0);
});

async function threadsOfQuic(): Promise<number> {
  let count = 0;
  for await (const { name } of Deno.readDir("/proc/self/task")) {
    const comm = await Deno.readTextFile(`/proc/self/task/${name}/comm`).catch(() => "");
    if (comm.trim() === "pf-quic") count++;
  }
  return count;
}

Deno.test("close() frees the port and ends the thread, whatever was open", async () => {
  const before = await threadsOfQuic();
  let port = 0;
  for (let count = 0; count < 5; count++) {
    await using lab = await openQuicLab(PAIR, { port });
    port = lab.listener.port;
    const { client, server } = await lab.connect();
    void (await client.openStream({ timeoutMs: 3000 }))?.write(new Uint8Array(1 << 20));
    await server.acceptStream();
    assert.equal(await threadsOfQuic(), before + 2);
  }
  assert.equal(await threadsOfQuic(), before);
});

Deno.test("300 short connections leave no memory behind", async () => {
  await using lab = await openQuicLab(PAIR, { connectionsMax: 2 });
  const once = async () => {
    const { client, server } = await lab.connect();
    client.close(0, "");
    await server.closed;
  };
  for (let count = 0; count < 100; count++) await once();
  const before = Deno.memoryUsage().rss;
  for (let count = 0; count < 200; count++) await once();
  // A connection of quinn is some 20 KB: 200 of them would show.
  assert.ok(Deno.memoryUsage().rss - before < 4_000_000);
});

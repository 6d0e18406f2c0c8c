/**
 * What src/quic/ports.ts promises, between every two adapters.
 *
 * @module
 */
import assert from "node:assert/strict";
import { OperationError } from "../../src/lib/errors.ts";
import type { QuicConnection, QuicStream } from "../../src/quic/ports.ts";
import {
  ADAPTERS,
  labIdentity,
  openListener,
  openQuicLab,
  sha256,
  SilentPort,
  UdpRelay,
} from "./quic_lab.ts";

const PAIRS = ADAPTERS.flatMap((listener) =>
  ADAPTERS.map((connector) => ({ listener, connector }))
);

const bytesOf = (text: string) => new TextEncoder().encode(text);

function isOperationError(code: string) {
  return (error: unknown) => error instanceof OperationError && error.code === code;
}

async function readAll(stream: QuicStream): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for (;;) {
    const chunk = await stream.read();
    if (chunk === undefined) return new Uint8Array(await new Blob(chunks as BlobPart[]).bytes());
    assert.ok(chunk.byteLength > 0 && chunk.byteLength <= 65536);
    chunks.push(chunk);
  }
}

/** A stream that `from` opened, at both ends, with its first byte written and read. */
async function openStreamBetween(
  from: QuicConnection,
  to: QuicConnection,
): Promise<{ near: QuicStream; far: QuicStream }> {
  const near = await from.openStream({ timeoutMs: 3000 });
  assert.ok(near !== undefined);
  assert.equal(await near.write(bytesOf("!")), true);
  const far = await to.acceptStream();
  assert.ok(far !== undefined);
  assert.deepEqual(await far.read(), bytesOf("!"));
  return { near, far };
}

for (const pair of PAIRS) {
  const test = (name: string, run: () => Promise<void>) =>
    Deno.test(`${pair.connector} to ${pair.listener}: ${name}`, run);

  test("connect() agrees on an ALPN and knows the other end", async () => {
    await using lab = await openQuicLab(pair, { alpn: ["other", "pkf1"] });
    const { client, server } = await lab.connect();
    assert.equal(lab.listener.adapter, pair.listener);
    assert.equal(lab.connector.adapter, pair.connector);
    assert.equal(client.alpn, "pkf1");
    assert.equal(server.alpn, "pkf1");
    assert.deepEqual(client.remote, { address: "127.0.0.1", port: lab.listener.port });
    assert.equal(server.remote.address, "127.0.0.1");
    assert.equal(server.localAddress, pair.listener === "quinn" ? "127.0.0.1" : undefined);
    assert.equal(lab.listener.asksForClientCertificate, pair.listener === "quinn");
  });

  test("connect() without a common ALPN is refused, and the listener goes on", async () => {
    await using lab = await openQuicLab(pair);
    await assert.rejects(
      lab.connector.connect(lab.options({ alpn: ["pkf2"] })),
      isOperationError("refused"),
    );
    await lab.connect();
  });

  test("connect() fails when the server shows another certificate than the pinned one", async () => {
    await using lab = await openQuicLab(pair);
    await assert.rejects(
      lab.connector.connect(lab.options({ serverFingerprint: sha256(bytesOf("other")) })),
      isOperationError("certificate-mismatch"),
    );
    await lab.connect();
  });

  test("streams of either end carry bytes both ways, and FIN ends them", async () => {
    await using lab = await openQuicLab(pair);
    const { client, server } = await lab.connect();
    for (const [from, to] of [[client, server], [server, client]] as const) {
      const { near, far } = await openStreamBetween(from, to);
      const received = readAll(far);
      for (const part of ["a", "", "bc", "d".repeat(100_000)]) {
        assert.equal(await near.write(bytesOf(part)), true);
      }
      await near.finish();
      assert.deepEqual(await received, bytesOf("abc" + "d".repeat(100_000)));
      assert.equal(await far.read(), undefined);
      assert.equal(await near.write(bytesOf("late")), false);
      assert.equal(await far.write(bytesOf("answer")), true);
      await far.finish();
      assert.deepEqual(await readAll(near), bytesOf("answer"));
    }
  });

  test("write() takes 8 MB as the reader takes them", async () => {
    await using lab = await openQuicLab(pair);
    const { client, server } = await lab.connect();
    const { near, far } = await openStreamBetween(client, server);
    const sent = new Uint8Array(8 << 20);
    for (let offset = 0; offset < sent.length; offset += 65536) {
      crypto.getRandomValues(sent.subarray(offset, offset + 65536));
    }
    const expected = sha256(sent);
    let isWritten = false;
    const writing = near.write(sent).then((isTaken) => {
      isWritten = true;
      return isTaken;
    });
    const first = await far.read();
    assert.ok(first !== undefined);
    // The runtime's own send buffer is larger than this.
    if (pair.connector === "quinn") assert.equal(isWritten, false);
    const reading = readAll(far);
    assert.equal(await writing, true);
    await near.finish();
    const rest = await reading;
    const received = new Uint8Array(first.byteLength + rest.byteLength);
    received.set(first);
    received.set(rest, first.byteLength);
    assert.equal(received.byteLength, sent.byteLength);
    assert.deepEqual(sha256(received), expected);
  });

  test("write() and sendDatagram() copy what they are given", async () => {
    await using lab = await openQuicLab(pair);
    const { client, server } = await lab.connect();
    const { near, far } = await openStreamBetween(client, server);
    const bytes = new Uint8Array(1 << 20).fill(7);
    const writing = near.write(bytes);
    bytes.fill(9);
    const reading = readAll(far);
    assert.equal(await writing, true);
    await near.finish();
    assert.ok((await reading).every((byte) => byte === 7));
    const datagram = Uint8Array.of(1, 2, 3);
    assert.equal(client.sendDatagram(datagram), true);
    datagram.fill(0);
    assert.deepEqual(await server.readDatagram(), Uint8Array.of(1, 2, 3));
  });

  test("abort() ends both directions of a stream at both ends, and nothing else", async () => {
    await using lab = await openQuicLab(pair);
    const { client, server } = await lab.connect();
    const { near, far } = await openStreamBetween(client, server);
    const reading = far.read();
    near.abort(0x70);
    near.abort(0x70);
    assert.equal(await near.read(), undefined);
    assert.equal(await near.write(bytesOf("x")), false);
    assert.equal(await reading, undefined);
    while (await far.write(new Uint8Array(65536)));
    await openStreamBetween(client, server);
    await openStreamBetween(server, client);
  });

  test("datagrams go both ways, up to datagramSizeMax", async () => {
    await using lab = await openQuicLab(pair, { datagramSendBufferBytes: 65536 });
    const { client, server } = await lab.connect({ datagramSendBufferBytes: 65536 });
    for (const [from, to] of [[client, server], [server, client]] as const) {
      assert.ok(from.datagramSizeMax >= 1100 && from.datagramSizeMax <= 1472);
      const largest = crypto.getRandomValues(new Uint8Array(1100));
      assert.equal(from.sendDatagram(largest), true);
      assert.deepEqual(await to.readDatagram(), largest);
      assert.equal(from.sendDatagram(new Uint8Array()), true);
      assert.deepEqual(await to.readDatagram(), new Uint8Array());
      // The path's size is still being probed: it may only grow meanwhile.
      assert.equal(from.sendDatagram(new Uint8Array(from.datagramSizeMax)), true);
      assert.equal(from.sendDatagram(new Uint8Array(1473)), false);
    }
  });

  for (
    const [code, reason] of [[0x42, "busy"], [0x67, ""], [0, "done"], [0xffff_ffff, "é"]] as const
  ) {
    test(`close(${code}) tells the peer code and reason`, async () => {
      await using lab = await openQuicLab(pair);
      for (const closer of ["client", "server"] as const) {
        const ends = await lab.connect();
        const other = closer === "client" ? ends.server : ends.client;
        ends[closer].close(code, reason);
        ends[closer].close(1, "again");
        const close = { kind: "application", code, reason } as const;
        assert.deepEqual(await ends[closer].closed, { ...close, isByPeer: false });
        assert.deepEqual(await other.closed, { ...close, isByPeer: true });
      }
    });
  }

  test("close() cuts the reason to 256 bytes and takes no code past 32 bits", async () => {
    await using lab = await openQuicLab(pair);
    const { client, server } = await lab.connect();
    for (const code of [-1, 0.5, 2 ** 32]) {
      assert.throws(() => client.close(code, ""), isOperationError("invalid"));
    }
    client.close(1, "x" + "é".repeat(200));
    assert.equal((await server.closed).reason, "x" + "é".repeat(127));
  });

  test("every call that waits ends when either end closes", async () => {
    await using lab = await openQuicLab(pair);
    for (const closer of ["client", "server"] as const) {
      const ends = await lab.connect();
      const { near, far } = await openStreamBetween(ends.client, ends.server);
      const waiting = [
        ends.client.acceptStream(),
        ends.server.acceptStream(),
        ends.client.readDatagram(),
        ends.server.readDatagram(),
        near.read(),
        far.read(),
      ];
      const writing = near.write(new Uint8Array(32 << 20));
      ends[closer].close(0x52, "");
      assert.deepEqual(await Promise.all(waiting.slice(0, 5)), Array(5).fill(undefined));
      while (await waiting[5] !== undefined) waiting[5] = far.read();
      assert.equal(await writing, false);
      for (const end of [ends.client, ends.server]) {
        assert.equal((await end.closed).code, 0x52);
        assert.equal(await end.openStream({ timeoutMs: 3000 }), undefined);
        assert.equal(await end.acceptStream(), undefined);
        assert.equal(await end.readDatagram(), undefined);
        assert.equal(end.sendDatagram(Uint8Array.of(1)), false);
        assert.equal(end.datagramSizeMax, 0);
        assert.equal(end.roundTripUs, 0);
      }
    }
  });

  test("openStream() gives up when the peer allows no more", async () => {
    await using lab = await openQuicLab(pair);
    const { client } = await lab.connect();
    for (let count = 0; count < 16; count++) {
      assert.ok(await client.openStream({ timeoutMs: 3000 }) !== undefined);
    }
    assert.equal(await client.openStream({ timeoutMs: 20 }), undefined);
  });

  test("a closed listener closes its connections with code 0", async () => {
    await using lab = await openQuicLab(pair);
    const { client, server } = await lab.connect();
    const waiting = lab.listener.accept();
    await Promise.all([lab.listener.close(), lab.listener.close()]);
    const close = { kind: "application", code: 0, reason: "" } as const;
    assert.equal(await waiting, undefined);
    assert.equal(await lab.listener.accept(), undefined);
    assert.deepEqual(await server.closed, { ...close, isByPeer: false });
    assert.deepEqual(await client.closed, { ...close, isByPeer: true });
  });

  test("a closed connector closes its connections, and its attempts fail", async () => {
    await using lab = await openQuicLab(pair);
    const { server } = await lab.connect();
    using silent = new SilentPort();
    const { port } = silent;
    const attempt = assert.rejects(lab.connector.connect(lab.options({ port })), OperationError);
    await lab.connector.close();
    await attempt;
    assert.equal((await server.closed).isByPeer, true);
  });

  test("connections past connectionsMax are refused, and one that ends makes room", async () => {
    await using lab = await openQuicLab(pair, { connectionsMax: 2 });
    const first = await lab.connect();
    await lab.connect();
    await assert.rejects(lab.connector.connect(lab.options()), isOperationError("refused"));
    // Far more than there is room for: an end that were not noticed would be a refusal.
    let { client, server } = first;
    for (let count = 0; count < 40; count++) {
      client.close(0, "");
      await server.closed;
      ({ client, server } = await lab.connect());
    }
  });

  test("connect() tells that nobody answers", async () => {
    await using lab = await openQuicLab(pair);
    using silent = new SilentPort();
    const { port } = silent;
    await assert.rejects(
      lab.connector.connect(lab.options({ port, timeoutMs: 50 })),
      isOperationError("unreachable"),
    );
  });
}

for (const adapter of ADAPTERS) {
  const pair = { listener: adapter, connector: adapter };
  const test = (name: string, run: () => Promise<void>) => Deno.test(`${adapter}: ${name}`, run);

  test("keep-alives hold a quiet connection, and silence ends it at both ends", async () => {
    const short = { idleTimeoutMs: 1000, keepAliveMs: 250 };
    await using lab = await openQuicLab(pair, short);
    using relay = new UdpRelay(lab.listener.port);
    const { client, server } = await lab.connect({ ...short, port: relay.port });
    // Nothing but PINGs and their acknowledgements is sent now: this takes longer than the timeout.
    await relay.serverSends(16);
    assert.equal(client.sendDatagram(Uint8Array.of(5)), true);
    assert.deepEqual(await server.readDatagram(), Uint8Array.of(5));
    relay.isSilent = true;
    const idle = { kind: "idle", isByPeer: false, code: 0 };
    for (const end of [client, server]) {
      const { kind, isByPeer, code } = await end.closed;
      assert.deepEqual({ kind, isByPeer, code }, idle);
      assert.equal(await end.readDatagram(), undefined);
    }
  });

  test("a port that is taken is told as such", async () => {
    const identity = await labIdentity();
    await using listener = openListener(adapter, { identity });
    assert.throws(
      () => openListener(adapter, { identity, port: listener.port }),
      isOperationError("port-in-use"),
    );
  });

  test("a listener wants an identity, an address of this machine and a right to its port", async () => {
    const identity = await labIdentity();
    assert.throws(
      () => openListener(adapter, { identity: { certificatePem: "no", keyPem: "no" } }),
      isOperationError("invalid"),
    );
    assert.throws(
      () => openListener(adapter, { identity, address: "192.0.2.1" }),
      isOperationError("invalid"),
    );
  });

  test("a listener on :: tells addresses of IPv4 as such", async () => {
    await using lab = await openQuicLab(pair, { address: "::" });
    const { server } = await lab.connect();
    assert.equal(server.remote.address, "127.0.0.1");
    const six = await lab.connect({ address: "::1" });
    assert.equal(six.server.remote.address, "::1");
  });
}

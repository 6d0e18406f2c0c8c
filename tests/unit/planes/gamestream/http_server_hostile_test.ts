import assert from "node:assert/strict";
import { connect } from "node:tls";
import { CONNECTION_WAIT_MS } from "../../../../src/planes/gamestream/http_connections.ts";
import {
  askHttp,
  askHttps,
  CLIENT_DER,
  pairPath,
  type TestServer,
  withServer,
} from "../../../support/gamestream_http.ts";
import vectors from "../../../vectors/gamestream-pairing.json" with { type: "json" };

/** Send raw bytes to the HTTP port; everything that comes back until the host closes. */
async function exchange(host: TestServer, text: string): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: host.server.httpPort });
  await connection.write(new TextEncoder().encode(text));
  return await readAll(connection);
}

async function readAll(connection: Deno.Conn): Promise<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(4096);
  let text = "";
  for (;;) {
    // A reset is an end as well.
    const count = await connection.read(buffer).catch(() => null);
    if (count === null) return text;
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
  }
}

Deno.test("openHttpServer() keeps a pairing whose client dropped the held request", async () => {
  await withServer(async (host) => {
    const abort = new AbortController();
    const waiting = host.nextPairingChange();
    const held = askHttp(host, pairPath(vectors.phase1.request), { signal: abort.signal });
    await waiting;
    abort.abort();
    await assert.rejects(held);
    assert.equal((await askHttp(host, "/serverinfo")).statusCode, 200);
    assert.equal(host.pairingDesk.pending().length, 1);
    host.pairingDesk.submitPin({ pin: "1234" });
    assert.equal((await askHttp(host, "/serverinfo")).statusCode, 200);
    assert.deepEqual(host.events, []);
  });
});

Deno.test("openHttpServer() answers odd requests by a document", async () => {
  await withServer(async (host) => {
    const cases: [string, number][] = [
      ["/", 404],
      ["/applist", 404],
      ["/launch", 404],
      ["/ServerInfo", 404],
      ["/serverinfo/../pair", 404],
      [`/serverinfo?a=${"b".repeat(16 * 1024)}`, 400],
      [`/serverinfo?${"a&".repeat(65)}`, 400],
      ["/pair", 400],
      ["/pair?phrase=getservercert&salt=00&clientcert=00", 400],
      [pairPath({ phrase: "pairchallenge" }), 400],
      ["/unpair", 200],
      ["/serverinfo?a=%ff%fe%00&&&=", 200],
    ];
    for (const [path, statusCode] of cases) {
      const answer = await askHttp(host, path);
      assert.equal(answer.httpStatus, 200, path);
      assert.equal(answer.statusCode, statusCode, path);
    }
    assert.equal((await askHttp(host, "/pair")).element("paired"), "0");
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
      assert.equal((await askHttp(host, "/serverinfo", { method })).statusCode, 405, method);
    }
  });
});

Deno.test("openHttpServer() survives bytes that are no HTTP", async () => {
  await withServer(async (host) => {
    const junk = [
      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
      "GET\r\n\r\n",
      "GET /serverinfo HTTP/9.9\r\n\r\n",
      `GET / HTTP/1.1\r\nA: ${"b".repeat(40 * 1024)}\r\n\r\n`,
      "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
      "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
      "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
    ];
    for (const text of junk) {
      assert.ok(!(await exchange(host, text)).includes("<hostname>"), text.slice(0, 40));
    }
    const plain = await exchange(host, "GET /serverinfo HTTP/1.0\r\n\r\n");
    assert.ok(plain.startsWith("HTTP/1.1 200 OK\r\n") && plain.includes("<hostname>"));
    const pipelined = await exchange(
      host,
      "GET /serverinfo HTTP/1.1\r\n\r\nGET /serverinfo HTTP/1.1\r\n\r\n",
    );
    assert.ok(pipelined.split("<hostname>").length <= 2);
    assert.deepEqual(host.events, []);
  });
});

Deno.test("openHttpServer() serves others while a hundred connections hang, and ends those", async () => {
  await withServer(async (host) => {
    await host.clients.add(CLIENT_DER, undefined);
    const { httpPort, httpsPort } = host.server;
    const partial = new TextEncoder().encode("GET /serverinfo HT");
    const hanging = await Promise.all(Array.from({ length: 100 }, async (_, index) => {
      const port = index % 2 === 0 ? httpPort : httpsPort;
      const connection = await Deno.connect({ hostname: "127.0.0.1", port });
      if (index % 4 === 0) await connection.write(partial);
      return connection;
    }));
    assert.equal((await askHttp(host, "/serverinfo")).statusCode, 200);
    assert.equal((await askHttps(host, "/serverinfo")).statusCode, 200);
    const closed = hanging.map(readAll);
    host.clock.advance(CONNECTION_WAIT_MS);
    await Promise.all(closed);
    for (const connection of hanging) connection.close();
    assert.equal((await askHttp(host, "/serverinfo")).statusCode, 200);
  });
});

Deno.test("openHttpServer() ends a TLS client that asks nothing after its handshake", async () => {
  await withServer(async (host) => {
    const socket = connect({
      port: host.server.httpsPort,
      host: "127.0.0.1",
      rejectUnauthorized: false,
    });
    await new Promise((resolve) => socket.once("secureConnect", resolve));
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.on("error", () => {});
    // A round trip through the same server: its side of the handshake is over as well.
    await askHttps(host, "/serverinfo");
    host.clock.advance(2 * CONNECTION_WAIT_MS);
    await closed;
    socket.destroy();
  });
});

import assert from "node:assert/strict";
import { createPrivateKey } from "node:crypto";
import { OperationError } from "../../../../src/lib/errors.ts";
import { makeCertificate, toPem } from "../../../support/certificate_maker.ts";
import {
  askHttp,
  askHttps,
  CLIENT,
  CLIENT_DER,
  HOST_ID,
  openTestServer,
  pairPath,
  withServer,
} from "../../../support/gamestream_http.ts";
import { PairingClientDouble } from "../../../support/pairing_client.ts";
import vectors from "../../../vectors/gamestream-pairing.json" with { type: "json" };

const LAUNCH = `/launch?appid=1&mode=1280x720x60&rikey=${"0f".repeat(16)}&rikeyid=-5&corever=1`;

Deno.test("openHttpServer() answers serverinfo over HTTP to everybody, telling little", async () => {
  await withServer(async (host) => {
    host.launchDesk.runningAppId = 7;
    const answer = await askHttp(host, "/serverinfo");
    assert.equal(answer.httpStatus, 200);
    assert.equal(answer.headers["content-type"], "application/xml");
    assert.equal(answer.headers["content-length"], `${answer.body.byteLength}`);
    assert.equal(answer.headers["connection"], "close");
    assert.equal(answer.headers["transfer-encoding"], undefined);
    assert.equal(answer.element("hostname"), "Studio PC");
    assert.equal(answer.element("uniqueid"), HOST_ID);
    assert.equal(answer.element("HttpsPort"), `${host.server.httpsPort}`);
    assert.equal(answer.element("ExternalPort"), `${host.server.httpPort}`);
    assert.equal(answer.element("LocalIP"), "127.0.0.1");
    assert.equal(answer.element("mac"), "00:00:00:00:00:00");
    assert.equal(answer.element("PairStatus"), "0");
    assert.equal(answer.element("currentgame"), "0");
    assert.equal(answer.element("state"), "SUNSHINE_SERVER_FREE");
  });
});

Deno.test("openHttpServer() gives 401 for every HTTPS path to whoever is not paired", async () => {
  await withServer(async (host) => {
    for (const path of ["/serverinfo", "/applist", pairPath({ phrase: "pairchallenge" }), "/x"]) {
      for (const client of [CLIENT, {}]) {
        const answer = await askHttps(host, path, client);
        assert.equal(answer.httpStatus, 200);
        assert.equal(answer.statusCode, 401, path);
      }
    }
    assert.equal(host.launchDesk.calls.length, 0);
  });
});

Deno.test("openHttpServer() pairs a client over all five phases and knows it from then on", async () => {
  await withServer(async (host) => {
    const client = new PairingClientDouble({ ...identityOf(CLIENT), pin: "4711" });
    const waiting = host.nextPairingChange();
    const held = askHttp(host, pairPath(client.phase1()));
    await waiting;
    assert.equal((await askHttp(host, "/serverinfo")).statusCode, 200);
    assert.deepEqual(host.pairingDesk.pending(), [{
      uniqueId: "0123456789ABCDEF",
      fingerprint: vectors.clientCertSha256,
      peerIp: "127.0.0.1",
      deviceName: "",
    }]);
    host.pairingDesk.submitPin({ pin: "4711", label: "Living room" });
    const reply1 = await held;
    assert.equal(reply1.element("paired"), "1");
    const reply2 = await askHttp(
      host,
      pairPath(client.phase2(reply1.element("plaincert") ?? "")),
    );
    const reply3 = await askHttp(
      host,
      pairPath(client.phase3(reply2.element("challengeresponse") ?? "")),
    );
    const { parameters, pinWasRight } = client.phase4(reply3.element("pairingsecret") ?? "");
    assert.ok(pinWasRight);
    const phase5 = pairPath({ phrase: "pairchallenge" });
    assert.equal((await askHttps(host, phase5)).statusCode, 401);
    const reply4 = await askHttp(host, pairPath(parameters));
    assert.equal(reply4.element("paired"), "1");
    assert.equal((await askHttps(host, phase5)).element("paired"), "1");
    const info = await askHttps(host, "/serverinfo");
    assert.equal(info.element("PairStatus"), "1");
    assert.equal(host.clients.find(CLIENT_DER)?.label, "Living room");
    // Unpaired on the host's side: known no more, also where TLS resumes an older session.
    host.clients.clear();
    assert.equal((await askHttps(host, "/serverinfo")).statusCode, 401);
  });
});

Deno.test("openHttpServer() answers a paired client on every path", async () => {
  await withServer(async (host) => {
    await host.clients.add(CLIENT_DER, "Phone");
    host.launchDesk.runningAppId = 7;
    const info = await askHttps(host, "/serverinfo");
    assert.equal(info.element("currentgame"), "7");
    assert.equal(info.element("state"), "SUNSHINE_SERVER_BUSY");
    const list = await askHttps(host, "/applist");
    assert.ok(list.text.includes('<root status_code="200"><App>'));
    assert.ok(list.text.includes("<AppTitle>A &amp; B</AppTitle><ID>7</ID>"));
    for (const appid of ["1", "999", "x"]) {
      const art = await askHttps(host, `/appasset?appid=${appid}&AssetType=2&AssetIdx=0`);
      assert.equal(art.httpStatus, 200);
      assert.equal(art.headers["content-type"], "image/png");
      assert.equal(art.body.subarray(0, 4).toHex(), "89504e47");
    }
    assert.equal((await askHttps(host, "/unpair")).statusCode, 200);
    assert.equal((await askHttps(host, "/actions/clipboard")).statusCode, 404);
    assert.equal((await askHttps(host, pairPath(vectors.phase1.request))).statusCode, 400);
    assert.equal(host.clients.find(CLIENT_DER)?.label, "Phone");
  });
});

Deno.test("openHttpServer() shows the hardware address to paired clients alone", async () => {
  const mac = "02:00:00:00:00:07";
  const host = await openTestServer({
    networkInterfaces: () => [
      { address: "192.0.2.7", mac: "02:00:00:00:00:01" },
      { address: "127.0.0.1", mac },
    ],
  });
  try {
    await host.clients.add(CLIENT_DER, undefined);
    assert.equal((await askHttps(host, "/serverinfo")).element("mac"), mac);
    assert.equal((await askHttp(host, "/serverinfo")).element("mac"), "00:00:00:00:00:00");
  } finally {
    await host.server.close();
  }
});

Deno.test("openHttpServer() takes IPv4 over a socket of both kinds for IPv4", async () => {
  const host = await openTestServer({ bind: "::" });
  try {
    const waiting = host.nextPairingChange();
    const held = askHttp(host, pairPath(vectors.phase1.request));
    await waiting;
    assert.equal(host.pairingDesk.pending()[0]?.peerIp, "127.0.0.1");
    host.pairingDesk.close();
    await held;
    assert.equal((await askHttp(host, "/serverinfo")).element("LocalIP"), "127.0.0.1");
    const six = await askHttp(host, "/serverinfo", { host: "::1" });
    assert.equal(six.element("LocalIP"), "127.0.0.1");
  } finally {
    await host.server.close();
  }
});

Deno.test("openHttpServer() hands launch, resume and cancel to the desk", async () => {
  await withServer(async (host) => {
    await host.clients.add(CLIENT_DER, "Phone");
    const launched = await askHttps(host, LAUNCH);
    assert.ok(launched.text.endsWith(
      '<root status_code="200"><sessionUrl0>rtspenc://127.0.0.1:48010</sessionUrl0>' +
        "<gamesession>1</gamesession></root>",
    ));
    const resumed = await askHttps(host, `/resume?rikey=${"00".repeat(16)}&rikeyid=0`);
    assert.equal(resumed.element("resume"), "1");
    assert.equal((await askHttps(host, "/cancel")).element("cancel"), "1");
    assert.deepEqual(host.launchDesk.calls.map(({ name }) => name), ["launch", "resume", "cancel"]);
    assert.equal(host.launchDesk.calls[0]?.parameters?.rikeyId, -5);
    assert.deepEqual(host.launchDesk.calls[0]?.origin, {
      fingerprint: vectors.clientCertSha256,
      name: "Phone",
      localAddress: "127.0.0.1",
      remoteAddress: "127.0.0.1",
    });
  });
});

Deno.test("openHttpServer() reports refusals and failures of the desk in the document", async () => {
  await withServer(async (host) => {
    await host.clients.add(CLIENT_DER, undefined);
    const bad = await askHttps(host, "/launch?appid=1");
    assert.equal(bad.statusCode, 400);
    assert.equal(bad.element("gamesession"), "0");
    host.launchDesk.answer = () =>
      Promise.resolve({ kind: "refused", statusCode: 503, message: "No <app> runs" });
    const refused = await askHttps(host, LAUNCH.replace("launch", "resume"));
    assert.equal(refused.statusCode, 503);
    assert.ok(refused.text.includes('status_message="No &lt;app&gt; runs"'));
    assert.equal(refused.element("resume"), "0");
    host.launchDesk.answer = () =>
      Promise.reject(
        new OperationError("missing-compositor", "Cannot stream: no compositor runs", {
          remedy: "Start one",
        }),
      );
    const failed = await askHttps(host, LAUNCH);
    assert.equal(failed.statusCode, 503);
    assert.ok(failed.text.includes("Cannot stream: no compositor runs. Start one"));
    host.launchDesk.answer = () => Promise.reject(new TypeError("secret detail"));
    const broken = await askHttps(host, LAUNCH);
    assert.equal(broken.statusCode, 500);
    assert.ok(!broken.text.includes("secret"));
    host.launchDesk.onCancel = () => Promise.reject(new Error("secret detail"));
    const uncancelled = await askHttps(host, "/cancel");
    assert.equal(uncancelled.statusCode, 500);
    assert.equal(uncancelled.element("cancel"), "0");
    assert.equal(host.events.filter((event) => event === "launch.failed").length, 3);
  });
});

Deno.test("openHttpServer() answers serverinfo while a launch and a pairing are open", async () => {
  await withServer(async (host) => {
    await host.clients.add(CLIENT_DER, undefined);
    const open = Promise.withResolvers<{ kind: "refused"; statusCode: number; message: string }>();
    host.launchDesk.answer = () => open.promise;
    const both = Promise.all([host.launchDesk.nextCall(), host.nextPairingChange()]);
    const launch = askHttps(host, LAUNCH);
    const pairing = askHttp(host, pairPath(vectors.phase1.request));
    await both;
    assert.equal((await askHttp(host, "/serverinfo")).statusCode, 200);
    assert.equal((await askHttps(host, "/serverinfo")).statusCode, 200);
    open.resolve({ kind: "refused", statusCode: 400, message: "later" });
    assert.equal((await launch).statusCode, 400);
    assert.equal((await askHttp(host, "/unpair?uniqueid=0123456789ABCDEF")).statusCode, 200);
    assert.equal((await pairing).statusCode, 410);
  });
});

Deno.test("openHttpServer() knows odd certificates of version 3 by their key", async () => {
  await withServer(async (host) => {
    const privateKey = createPrivateKey(CLIENT.key);
    const shapes = [
      { serial: Uint8Array.of(0) },
      { notBefore: "990101000000Z", notAfter: "000101000000Z" },
      { notBefore: "490101000000Z", notAfter: "491231235959Z" },
      { hash: "sha1" as const },
      { commonName: "" },
    ];
    for (const shape of shapes) {
      const der = makeCertificate({ version: 3, privateKey, ...shape });
      await host.clients.add(der, undefined);
      const answer = await askHttps(host, "/serverinfo", { cert: toPem(der), key: CLIENT.key });
      assert.equal(answer.statusCode, 200, JSON.stringify(shape));
    }
  });
});

Deno.test("openHttpServer() takes versions 1 and 2 for unpaired even when they are stored", async () => {
  await withServer(async (host) => {
    const privateKey = createPrivateKey(CLIENT.key);
    for (const version of [1, 2] as const) {
      const der = makeCertificate({ version, privateKey });
      await host.clients.add(der, undefined);
      const answer = await askHttps(host, "/serverinfo", { cert: toPem(der), key: CLIENT.key });
      assert.equal(answer.statusCode, 401);
    }
  });
});

Deno.test("openHttpServer() names the port that is in use, and who uses it, and opens nothing", async () => {
  await withServer(async (host) => {
    const { httpPort, httpsPort } = host.server;
    for (const ports of [{ httpPort, httpsPort: 0 }, { httpPort: 0, httpsPort }]) {
      await assert.rejects(
        openTestServer(ports),
        (error) =>
          error instanceof OperationError && error.code === "port-in-use" &&
          error.message.includes(`${ports.httpPort || ports.httpsPort}`) &&
          (Deno.build.os !== "linux" || error.message.includes(`(${Deno.pid})`)) &&
          error.remedy !== undefined,
      );
    }
    await assert.rejects(
      openTestServer({ bind: "192.0.2.1" }),
      (error) => error instanceof OperationError && error.code === "unavailable",
    );
  });
});

Deno.test("openHttpServer() refuses a runtime that hides client certificates", async () => {
  for (const runtimeVersion of ["2.7.14", "2.8.0", "1.46.3"]) {
    await assert.rejects(
      openTestServer({ runtimeVersion }),
      (error) => error instanceof OperationError && error.code === "unsupported-runtime",
    );
  }
  for (const runtimeVersion of ["2.9.0", "2.10.0", "3.0.0"]) {
    const { server } = await openTestServer({ runtimeVersion });
    await server.close();
  }
});

Deno.test("HttpServer.close() twice is legal and frees both ports", async () => {
  const host = await openTestServer();
  const { httpPort, httpsPort } = host.server;
  const waiting = host.nextPairingChange();
  const dropped = assert.rejects(askHttp(host, pairPath(vectors.phase1.request)));
  await waiting;
  await host.server.close();
  await host.server.close();
  await dropped;
  host.pairingDesk.close();
  assert.equal(host.clock.pendingTimers, 0);
  const again = await openTestServer({ httpPort, httpsPort });
  assert.deepEqual([again.server.httpPort, again.server.httpsPort], [httpPort, httpsPort]);
  await again.server.close();
});

function identityOf(client: typeof CLIENT): { certificatePem: string; keyPem: string } {
  return { certificatePem: client.cert, keyPem: client.key };
}

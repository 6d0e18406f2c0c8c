import assert from "node:assert/strict";
import { OperationError } from "../../../src/lib/errors.ts";
import { describeQuic, openQuicConnector, openQuicListener } from "../../../src/quic/registry.ts";
import { mintCertificate } from "../../../src/trust/mint.ts";

const environmentWith = (value: string | undefined) => ({
  get: (name: string) => name === "PUNKTFUNK_QUIC" ? value : undefined,
});

function isOperationError(code: string) {
  return (error: unknown) => error instanceof OperationError && error.code === code;
}

/** Run `body` where no shim lies. */
function withoutShims(body: () => void): void {
  const variable = "PUNKTFUNK_NATIVE_DIR";
  const before = Deno.env.get(variable);
  Deno.env.set(variable, "/nowhere");
  try {
    body();
  } finally {
    if (before === undefined) Deno.env.delete(variable);
    else Deno.env.set(variable, before);
  }
}

Deno.test("describeQuic() takes the shim where it opens, and what the variable asks for", () => {
  for (const value of [undefined, "", "auto", " quinn "]) {
    const { adapter, asksForClientCertificate, reason } = describeQuic(environmentWith(value));
    assert.equal(adapter, "quinn");
    assert.equal(asksForClientCertificate, true);
    assert.match(reason, /^[A-Z].*[^.]$/);
  }
  const { adapter, asksForClientCertificate, reason } = describeQuic(environmentWith("deno"));
  assert.equal(adapter, "deno");
  assert.equal(asksForClientCertificate, false);
  assert.match(reason, /^PUNKTFUNK_QUIC asks for/);
});

Deno.test("describeQuic() falls back to the runtime's stack, unless the shim is insisted on", () => {
  withoutShims(() => {
    const fallback = describeQuic(environmentWith(undefined));
    assert.equal(fallback.adapter, "deno");
    assert.equal(fallback.asksForClientCertificate, false);
    assert.match(fallback.reason, /does not open: /);
    const none = describeQuic(environmentWith("quinn"));
    assert.equal(none.adapter, undefined);
    assert.equal(none.asksForClientCertificate, false);
    assert.throws(
      () =>
        openQuicConnector({ needsClientCertificate: false, environment: environmentWith("quinn") }),
      isOperationError("missing-library"),
    );
  });
});

Deno.test("describeQuic() refuses a stack that does not exist", () => {
  assert.throws(() => describeQuic(environmentWith("msquic")), isOperationError("invalid"));
});

Deno.test("openQuicListener() opens the chosen stack and says why", async () => {
  const identity = await mintCertificate("p-256", { commonName: "registry", subjectNames: [] });
  for (const adapter of ["quinn", "deno"] as const) {
    const opened = openQuicListener({
      address: "127.0.0.1",
      port: 0,
      alpn: ["pkf1"],
      idleTimeoutMs: 8000,
      keepAliveMs: 4000,
      datagramSendBufferBytes: 4096,
      connectionsMax: 1,
      identity,
    }, environmentWith(adapter));
    await using listener = opened.listener;
    assert.equal(opened.adapter, adapter);
    assert.equal(listener.adapter, adapter);
    assert.equal(opened.asksForClientCertificate, listener.asksForClientCertificate);
    assert.match(opened.reason, /^PUNKTFUNK_QUIC asks for/);
  }
});

Deno.test("openQuicConnector() has a client certificate to show, or says that it cannot", async () => {
  for (const needsClientCertificate of [true, false]) {
    await using connector = openQuicConnector({
      needsClientCertificate,
      environment: environmentWith("quinn"),
    });
    assert.equal(connector.adapter, "quinn");
  }
  const environment = environmentWith("deno");
  assert.throws(
    () => openQuicConnector({ needsClientCertificate: true, environment }),
    isOperationError("unavailable"),
  );
  await using connector = openQuicConnector({ needsClientCertificate: false, environment });
  assert.equal(connector.adapter, "deno");
  const options = {
    address: "127.0.0.1",
    port: 1,
    alpn: ["pkf1"],
    serverName: "punktfunk",
    idleTimeoutMs: 8000,
    keepAliveMs: 4000,
    datagramSendBufferBytes: 4096,
    timeoutMs: 1,
  };
  // A server unknown so far, and a certificate to show: the runtime's stack has neither.
  await assert.rejects(connector.connect(options), isOperationError("unavailable"));
  await assert.rejects(
    connector.connect({
      ...options,
      serverFingerprint: new Uint8Array(32),
      identity: { certificatePem: "", keyPem: "" },
    }),
    isOperationError("unavailable"),
  );
});

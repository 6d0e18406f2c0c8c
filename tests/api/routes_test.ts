import assert from "node:assert/strict";
import { REQUEST_BODY_BYTES_MAX } from "../../api/body.ts";
import { openApi } from "../../api/server.ts";
import { OperationError } from "../../src/lib/errors.ts";
import { SILENT_LOGGER } from "../../src/lib/logger.ts";
import { FakeFacade, FINGERPRINT, PENDING, serveForTest, testIdentity, TOKEN } from "./fixture.ts";

const JSON_HEADERS = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };

async function errorOf(answer: Response): Promise<string> {
  const body = await answer.json();
  assert.deepEqual(Object.keys(body), ["error"]);
  assert.match(body.error, /^Cannot .*[^.]$/s);
  return body.error;
}

Deno.test("openApi() answers every reading route with the host's own values", async () => {
  await using api = await serveForTest();
  const expected: [string, unknown][] = [
    ["/api/v1/health", api.facade.health()],
    ["/api/v1/host", api.facade.hostInfo()],
    ["/api/v1/status", api.facade.status()],
    ["/api/v1/compositors", await api.facade.compositors()],
    ["/api/v1/pair", { pin_pending: true, pending: [PENDING] }],
    ["/api/v1/clients", [{ fingerprint: FINGERPRINT, label: "Phone" }]],
  ];
  for (const [path, value] of expected) {
    const answer = await api.call("GET", path);
    assert.equal(answer.status, 200, path);
    assert.match(answer.headers.get("content-type") ?? "", /^application\/json/);
    assert.equal(answer.headers.get("cache-control"), "no-store");
    assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
    assert.equal(answer.headers.get("access-control-allow-origin"), null);
    assert.deepEqual(await answer.json(), value, path);
  }
});

Deno.test("POST /pair/pin hands the PIN over, with or without the handshake's address", async () => {
  await using api = await serveForTest();
  const bodies = [
    { pin: "0042" },
    { pin: "1234", ...PENDING, label: "  Phone " },
    { pin: "1234", ...PENDING, fingerprint: FINGERPRINT.toUpperCase() },
  ];
  for (const body of bodies) {
    const answer = await api.call("POST", "/api/v1/pair/pin", {
      headers: { ...JSON_HEADERS, "content-type": "application/json; charset=utf-8" },
      body: JSON.stringify(body),
    });
    assert.equal(answer.status, 204);
    assert.equal(await answer.text(), "");
  }
  assert.deepEqual(api.facade.calls, [
    ["submitPin", { pin: "0042" }],
    ["submitPin", { pin: "1234", ...PENDING, label: "Phone" }],
    ["submitPin", { pin: "1234", ...PENDING }],
  ]);
});

Deno.test("POST /pair/pin answers 409 with the host's reason", async () => {
  await using api = await serveForTest();
  api.facade.submitPin = () => {
    throw new OperationError("refused", "Cannot pair: no client is waiting for a PIN");
  };
  const answer = await api.call("POST", "/api/v1/pair/pin", {
    headers: JSON_HEADERS,
    body: '{"pin":"1234"}',
  });
  assert.equal(answer.status, 409);
  assert.equal(await errorOf(answer), "Cannot pair: no client is waiting for a PIN");
});

Deno.test("POST /pair/pin refuses broken bodies with the status the specification gives", async () => {
  await using api = await serveForTest();
  const token = { authorization: `Bearer ${TOKEN}` };
  const table: [number, Record<string, string>, string | undefined][] = [
    [415, token, undefined],
    [415, token, '{"pin":"1234"}'],
    [415, { ...token, "content-type": "text/plain" }, '{"pin":"1234"}'],
    [415, { ...token, "content-type": "application/jsonx" }, '{"pin":"1234"}'],
    [400, JSON_HEADERS, ""],
    [400, JSON_HEADERS, "{"],
    [400, JSON_HEADERS, '{"pin":"1234"} x'],
    [422, JSON_HEADERS, "null"],
    [422, JSON_HEADERS, "[]"],
    [422, JSON_HEADERS, "{}"],
    [422, JSON_HEADERS, '{"pin":1234}'],
    [422, JSON_HEADERS, '{"pin":"123"}'],
    [422, JSON_HEADERS, '{"pin":"12345"}'],
    [422, JSON_HEADERS, '{"pin":"१२३४"}'],
    [422, JSON_HEADERS, '{"pin":"1234\\n"}'],
    [422, JSON_HEADERS, '{"pin":"1234","other":1}'],
    [422, JSON_HEADERS, '{"pin":"1234","uniqueid":"A"}'],
    [422, JSON_HEADERS, JSON.stringify({ pin: "1234", ...PENDING, fingerprint: "ab" })],
    [422, JSON_HEADERS, JSON.stringify({ pin: "1234", label: "x".repeat(65) })],
    [422, JSON_HEADERS, JSON.stringify({ pin: "1234", label: " " })],
  ];
  for (const [status, headers, body] of table) {
    const answer = await api.call("POST", "/api/v1/pair/pin", {
      headers,
      ...(body === undefined ? {} : { body }),
    });
    assert.equal(answer.status, status, body);
    await errorOf(answer);
  }
  assert.deepEqual(api.facade.calls, []);
});

Deno.test("openApi() takes a body of the limit and refuses one past it, announced or not", async () => {
  await using api = await serveForTest();
  const bodyOf = (sizeBytes: number) => '{"pin":"1234"}'.padEnd(sizeBytes);
  const send = (body: BodyInit) =>
    api.call("POST", "/api/v1/pair/pin", { headers: JSON_HEADERS, body });
  assert.equal((await send(bodyOf(REQUEST_BODY_BYTES_MAX))).status, 204);
  const announced = await send(bodyOf(REQUEST_BODY_BYTES_MAX + 1));
  assert.equal(announced.status, 413);
  await errorOf(announced);
  const streamed = await send(new Blob([bodyOf(REQUEST_BODY_BYTES_MAX + 1)]).stream());
  assert.equal(streamed.status, 413);
  await errorOf(streamed);
  assert.equal(api.facade.calls.length, 1);
});

Deno.test("/clients renames, unpairs one and unpairs all", async () => {
  await using api = await serveForTest();
  const path = `/api/v1/clients/${FINGERPRINT.toUpperCase()}`;
  const rename = (body: string) => api.call("PATCH", path, { headers: JSON_HEADERS, body });
  assert.deepEqual(await (await rename('{"label":"TV"}')).json(), {
    fingerprint: FINGERPRINT,
    label: "TV",
  });
  assert.deepEqual(await (await rename('{"label":null}')).json(), { fingerprint: FINGERPRINT });
  const longest = "x".repeat(64);
  assert.equal((await (await rename(JSON.stringify({ label: longest }))).json()).label, longest);
  for (const body of ["{}", '{"label":""}', JSON.stringify({ label: "x".repeat(65) })]) {
    const answer = await rename(body);
    assert.equal(answer.status, 422, body);
    await errorOf(answer);
  }
  const one = await api.call("DELETE", path);
  assert.equal(one.status, 204);
  await one.body?.cancel();
  const all = await api.call("DELETE", "/api/v1/clients");
  assert.deepEqual(await all.json(), { unpaired: 3 });
  assert.deepEqual(api.facade.calls.map(([name, ...rest]) => [name, rest.at(-1)]).slice(-2), [
    ["unpairClient", FINGERPRINT],
    ["unpairAllClients", undefined],
  ]);
});

Deno.test("/clients/{fingerprint} answers 404 for an unknown client and 400 for no fingerprint", async () => {
  await using api = await serveForTest();
  const unknown = await api.call("DELETE", `/api/v1/clients/${"00".repeat(32)}`);
  assert.equal(unknown.status, 404);
  await errorOf(unknown);
  for (const text of ["x", FINGERPRINT.slice(1), FINGERPRINT + "0", "g".repeat(64)]) {
    const answer = await api.call("DELETE", `/api/v1/clients/${text}`);
    assert.equal(answer.status, 400, text);
    await errorOf(answer);
  }
});

Deno.test("/session stops, and asks for a key frame only while something streams", async () => {
  await using api = await serveForTest();
  const stop = await api.call("DELETE", "/api/v1/session");
  assert.equal(stop.status, 204);
  await stop.body?.cancel();
  const idle = await api.call("POST", "/api/v1/session/idr");
  assert.equal(idle.status, 409);
  await errorOf(idle);
  api.facade.isStreaming = true;
  const streaming = await api.call("POST", "/api/v1/session/idr");
  assert.equal(streaming.status, 202);
  await streaming.body?.cancel();
});

Deno.test("/session/{id} stops, asks, mutes and changes access of one session", async () => {
  await using api = await serveForTest();
  const expectStatus = async (status: number, method: string, path: string, body?: unknown) => {
    const init = body === undefined ? {} : { headers: JSON_HEADERS, body: JSON.stringify(body) };
    const answer = await api.call(method, `/api/v1/session/${path}`, init);
    assert.equal(answer.status, status, `${method} ${path}`);
    return await answer.text();
  };
  await expectStatus(204, "DELETE", "1");
  await expectStatus(202, "POST", "1/idr");
  await expectStatus(204, "PUT", "1/audio", { muted: true });
  const access = await expectStatus(200, "PUT", "1/access", { level: "controller" });
  assert.deepEqual(JSON.parse(access), { grants: 1, level: "controller" });
  assert.deepEqual(api.facade.calls, [
    ["stopSession", 1],
    ["requestSessionIdr", 1],
    ["muteSession", 1, true],
    ["setSessionAccess", 1, { level: "controller" }],
  ]);
  await expectStatus(404, "DELETE", "7");
  await expectStatus(409, "PUT", "2/audio", { muted: false });
  for (const id of ["0", "x", "-1", "1.5"]) await expectStatus(400, "DELETE", id);
  await expectStatus(422, "PUT", "1/audio", { muted: "yes" });
  await expectStatus(422, "PUT", "1/access", { level: "custom" });
});

Deno.test("GET /logs pages by cursor and refuses what is no cursor", async () => {
  await using api = await serveForTest();
  for (const query of ["", "?after=7", "?after=7&limit=1000", "?limit=1"]) {
    const answer = await api.call("GET", `/api/v1/logs${query}`);
    assert.equal(answer.status, 200, query);
    await answer.body?.cancel();
  }
  assert.deepEqual(api.facade.calls, [
    ["logs", 0, 200],
    ["logs", 7, 200],
    ["logs", 7, 1000],
    ["logs", 0, 1],
  ]);
  for (
    const query of ["?limit=0", "?limit=1001", "?limit=", "?after=-1", "?after=1e3", "?after=x"]
  ) {
    const answer = await api.call("GET", `/api/v1/logs${query}`);
    assert.equal(answer.status, 400, query);
    await errorOf(answer);
  }
});

Deno.test("openApi() answers unknown paths with 404 and wrong methods with 405", async () => {
  await using api = await serveForTest();
  for (
    const path of ["/", "/api", "/api/v1", "/api/v1/nothing", "/api/v1/health/x", "/api/v2/health"]
  ) {
    const answer = await api.call("GET", path);
    assert.equal(answer.status, 404, path);
    await errorOf(answer);
  }
  const answer = await api.call("PUT", "/api/v1/clients");
  assert.equal(answer.status, 405);
  assert.equal(answer.headers.get("allow"), "GET, DELETE");
  await errorOf(answer);
});

Deno.test("openApi() hides what nobody foresaw and logs it", async () => {
  const events: unknown[] = [];
  await using api = await serveForTest({
    ...SILENT_LOGGER,
    error: (event, fields) => void events.push([event, fields]),
  });
  api.facade.statusFault = new TypeError("secret detail");
  const answer = await api.call("GET", "/api/v1/status");
  assert.equal(answer.status, 500);
  assert.ok(!(await errorOf(answer)).includes("secret"));
  assert.deepEqual(events, [["api.failed", {
    method: "GET",
    path: "/api/v1/status",
    error: "secret detail",
  }]]);
});

Deno.test("openApi() refuses a busy port and an address of another machine", async () => {
  await using api = await serveForTest();
  const open = async (address: string, port: number) =>
    openApi({
      bind: { address, port },
      identity: await testIdentity(),
      token: TOKEN,
      facade: new FakeFacade(),
      logger: SILENT_LOGGER,
    });
  await assert.rejects(
    open("127.0.0.1", api.server.port),
    (error) =>
      error instanceof OperationError && error.code === "port-in-use" &&
      error.message.includes(`127.0.0.1:${api.server.port}`),
  );
  await assert.rejects(
    open("203.0.113.1", 0),
    (error) => error instanceof OperationError && error.code === "unavailable",
  );
});

Deno.test("ApiServer.close() twice is legal and frees the port", async () => {
  const first = await serveForTest();
  await (await first.call("GET", "/api/v1/health")).body?.cancel();
  await first.close();
  await first.server.close();
  const again = openApi({
    bind: { address: "127.0.0.1", port: first.server.port },
    identity: await testIdentity(),
    token: TOKEN,
    facade: new FakeFacade(),
    logger: SILENT_LOGGER,
  });
  assert.equal(again.port, first.server.port);
  await again.close();
});

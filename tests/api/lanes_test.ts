import assert from "node:assert/strict";
import { createApi } from "../../api/app.ts";
import { LANES, TokenCheck } from "../../api/lanes.ts";
import { defineRoute } from "../../api/routes/route.ts";
import { SILENT_LOGGER } from "../../src/lib/logger.ts";
import { FakeFacade, FINGERPRINT, TOKEN } from "./fixture.ts";

/** Who may call each route. A new route fails the tests until it is stated here. */
const EXPECTED = {
  public: ["GET /api/docs", "GET /api/v1/health", "GET /api/v1/openapi.json"],
  admin: [
    "DELETE /api/v1/clients",
    "DELETE /api/v1/clients/{fingerprint}",
    "DELETE /api/v1/native/clients",
    "DELETE /api/v1/native/clients/{fingerprint}",
    "DELETE /api/v1/native/pair",
    "DELETE /api/v1/session",
    "DELETE /api/v1/session/{id}",
    "GET /api/v1/clients",
    "GET /api/v1/compositors",
    "GET /api/v1/host",
    "GET /api/v1/logs",
    "GET /api/v1/native/clients",
    "GET /api/v1/native/pair",
    "GET /api/v1/native/pending",
    "GET /api/v1/pair",
    "GET /api/v1/status",
    "PATCH /api/v1/clients/{fingerprint}",
    "PATCH /api/v1/native/clients/{fingerprint}",
    "POST /api/v1/native/pair/arm",
    "POST /api/v1/native/pending/{id}/approve",
    "POST /api/v1/native/pending/{id}/deny",
    "POST /api/v1/pair/pin",
    "POST /api/v1/session/idr",
    "POST /api/v1/session/{id}/idr",
    "PUT /api/v1/session/{id}/access",
    "PUT /api/v1/session/{id}/audio",
  ],
} as const;

function createForTest() {
  const facade = new FakeFacade();
  const app = createApi({ facade, token: TOKEN, logger: SILENT_LOGGER });
  const request = (
    route: string,
    options: { headers?: Record<string, string>; remoteAddress?: string },
  ) => {
    const [method = "", path = ""] = route.replace("{fingerprint}", FINGERPRINT)
      .replace("{id}", "7").split(" ");
    return app.request(
      path,
      { method, headers: options.headers ?? {} },
      options.remoteAddress === undefined ? {} : { remoteAddress: options.remoteAddress },
    );
  };
  return { app, facade, request };
}

const ADMIN = { authorization: `Bearer ${TOKEN}` };

Deno.test("createApi() serves exactly the routes whose callers are stated", () => {
  const { app } = createForTest();
  const served = new Set(
    app.routes.filter(({ method }) => method !== "ALL")
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`),
  );
  const stated = [...EXPECTED.public, ...EXPECTED.admin].sort();
  assert.deepEqual([...served].sort(), stated);
  assert.deepEqual(Object.keys(LANES).sort(), stated);
});

Deno.test("createApi() answers public routes to anybody, without a token", async () => {
  const { request } = createForTest();
  for (const route of EXPECTED.public) {
    assert.equal((await request(route, { remoteAddress: "203.0.113.9" })).status, 200, route);
  }
});

Deno.test("createApi() refuses every admin route without the token, and calls nothing", async () => {
  const { facade, request } = createForTest();
  for (const route of EXPECTED.admin) {
    for (
      const headers of [
        {},
        { authorization: `Bearer ${TOKEN.slice(1)}` },
        { authorization: `Bearer ${TOKEN}0` },
        { authorization: "Bearer " },
        { authorization: `Basic ${TOKEN}` },
        { authorization: TOKEN },
      ]
    ) {
      const answer = await request(route, { headers, remoteAddress: "127.0.0.1" });
      assert.equal(answer.status, 401, route);
      assert.equal(answer.headers.get("www-authenticate"), "Bearer");
      assert.deepEqual(await answer.json(), {
        error: "Cannot authorise: the management token is missing or wrong",
      });
    }
  }
  assert.deepEqual(facade.calls, []);
});

Deno.test("createApi() refuses the right token from any address but loopback", async () => {
  const { facade, request } = createForTest();
  for (const route of EXPECTED.admin) {
    for (
      const remoteAddress of ["192.168.1.5", "::ffff:10.0.0.1", "fe80::1", "128.0.0.1", undefined]
    ) {
      const answer = await request(route, {
        headers: ADMIN,
        ...(remoteAddress === undefined ? {} : { remoteAddress }),
      });
      assert.equal(answer.status, 401, `${route} ${remoteAddress}`);
      assert.deepEqual(await answer.json(), {
        error: "Cannot authorise: the admin API is loopback-only",
      });
    }
  }
  assert.deepEqual(facade.calls, []);
});

Deno.test("createApi() lets the token through from every form of loopback", async () => {
  const { request } = createForTest();
  for (
    const remoteAddress of ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1", "::FFFF:127.0.0.1"]
  ) {
    const answer = await request("GET /api/v1/status", { headers: ADMIN, remoteAddress });
    assert.equal(answer.status, 200, remoteAddress);
  }
});

Deno.test("createApi() refuses a route that was added past the table", async () => {
  const { app } = createForTest();
  app.get("/api/v1/forgotten", (context) => context.text("secret"));
  const answer = await app.request("/api/v1/forgotten", { headers: ADMIN }, {
    remoteAddress: "127.0.0.1",
  });
  assert.equal(answer.status, 403);
});

Deno.test("createApi() refuses unsafe requests that a page of another site makes", async () => {
  const { facade, request } = createForTest();
  const foreign: Record<string, string>[] = [
    { origin: "https://evil.example" },
    { origin: "null" },
    { origin: "https://localhost" },
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
  ];
  for (const headers of foreign) {
    const answer = await request("DELETE /api/v1/session", {
      headers: { ...ADMIN, ...headers },
      remoteAddress: "127.0.0.1",
    });
    assert.equal(answer.status, 403, JSON.stringify(headers));
  }
  assert.deepEqual(facade.calls, []);
  const own = await request("DELETE /api/v1/session", {
    headers: { ...ADMIN, origin: "http://localhost", "sec-fetch-site": "same-origin" },
    remoteAddress: "127.0.0.1",
  });
  assert.equal(own.status, 204);
});

Deno.test("defineRoute() throws for a route without a lane", () => {
  assert.throws(
    () => defineRoute({ method: "get", path: "/api/v1/unknown", responses: {} }),
    /Cannot define get \/api\/v1\/unknown: it has no lane/,
  );
});

Deno.test("TokenCheck.accepts() takes the token, whatever the case of the scheme, and nothing else", () => {
  const check = new TokenCheck(TOKEN);
  assert.ok(check.accepts(`Bearer ${TOKEN}`));
  assert.ok(check.accepts(`bearer ${TOKEN}`));
  for (
    const header of [
      undefined,
      "",
      TOKEN,
      `Bearer  ${TOKEN}`,
      `Bearer ${TOKEN} `,
      `Bearer ${TOKEN},`,
    ]
  ) {
    assert.ok(!check.accepts(header), String(header));
  }
  assert.ok(!new TokenCheck("").accepts("Bearer "), "an empty token opens nothing");
});

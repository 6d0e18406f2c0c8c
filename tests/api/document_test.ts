import assert from "node:assert/strict";
import { createApi, describeApi } from "../../api/app.ts";
import { LANES } from "../../api/lanes.ts";
import { SILENT_LOGGER } from "../../src/lib/logger.ts";
import { VERSION } from "../../src/lib/version.ts";
import { FakeFacade, serveForTest, TOKEN } from "./fixture.ts";

function createForTest() {
  return createApi({ facade: new FakeFacade(), token: TOKEN, logger: SILENT_LOGGER });
}

Deno.test("api/openapi.json is what `punktfunk-host openapi` prints", async () => {
  const kept = await Deno.readTextFile(new URL("../../api/openapi.json", import.meta.url));
  assert.equal(kept, describeApi(createForTest()).text);
});

Deno.test("GET /openapi.json serves the very bytes that `punktfunk-host openapi` prints", async () => {
  await using api = await serveForTest();
  const answer = await api.call("GET", "/api/v1/openapi.json", { headers: {} });
  assert.equal(await answer.text(), describeApi(createForTest()).text);
});

Deno.test("describeApi() names every route of the table but the document and its page", () => {
  const { json } = describeApi(createForTest());
  const described = Object.entries(json.paths ?? {}).flatMap(([path, methods]) =>
    Object.keys(methods as object).map((method) => `${method.toUpperCase()} ${path}`)
  );
  const expected = Object.keys(LANES)
    .filter((route) => !["GET /api/v1/openapi.json", "GET /api/docs"].includes(route));
  assert.deepEqual(described.sort(), expected.sort());
});

Deno.test("describeApi() gives every operation an id of its own and open routes no credentials", () => {
  const { json } = describeApi(createForTest());
  assert.equal(json.openapi, "3.1.0");
  assert.equal(json.info.version, VERSION);
  assert.deepEqual(json.security, [{ bearerAuth: [] }]);
  const ids = new Set<string>();
  for (const [path, methods] of Object.entries(json.paths ?? {})) {
    for (
      const [method, operation] of Object.entries(
        methods as Record<string, { operationId?: string; security?: unknown[]; tags?: string[] }>,
      )
    ) {
      assert.match(operation.operationId ?? "", /^[a-z][A-Za-z]+$/);
      assert.ok(!ids.has(operation.operationId ?? ""), operation.operationId);
      ids.add(operation.operationId ?? "");
      assert.equal(operation.tags?.length, 1);
      const isOpen = LANES[`${method.toUpperCase()} ${path}`] === "public";
      assert.deepEqual(operation.security, isOpen ? [] : undefined, path);
    }
  }
});

Deno.test("GET /docs is a page that names every route and fetches nothing", async () => {
  await using api = await serveForTest();
  const answer = await api.call("GET", "/api/docs", { headers: {} });
  assert.match(answer.headers.get("content-type") ?? "", /^text\/html/);
  assert.match(answer.headers.get("content-security-policy") ?? "", /default-src 'none'/);
  const page = await answer.text();
  for (const path of Object.keys(describeApi(createForTest()).json.paths ?? {})) {
    assert.ok(page.includes(path), path);
  }
  assert.ok(!/<script|<link|<img|src=|https?:\/\//i.test(page));
});

Deno.test("VERSION is the version of deno.json", async () => {
  const text = await Deno.readTextFile(new URL("../../deno.json", import.meta.url));
  assert.equal(VERSION, JSON.parse(text).version);
});

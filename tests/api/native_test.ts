/** The native routes over a real store, window and queue; only time is made up. */
import assert from "node:assert/strict";
import { HostNativeApi } from "../../src/host_native_api.ts";
import { FakeClock } from "../../src/lib/clock.ts";
import type { NativeTrust } from "../../src/trust/native_trust.ts";
import { openNativeTrust } from "../../src/trust/native_trust.ts";
import { type ServedApi, serveForTest, TOKEN } from "./fixture.ts";

const PHONE = "ab".repeat(32);
const TABLET = "cd".repeat(32);
const NOW_S = 1_000_000;
const BASE = "/api/v1/native";

interface NativeLab extends AsyncDisposable {
  readonly trust: NativeTrust;
  readonly clock: FakeClock;
  readonly directory: string;
  /** Status and body, null for an empty one. */
  call(route: string, body?: unknown): Promise<[number, unknown]>;
}

async function serveNative(): Promise<NativeLab> {
  const directory = await Deno.makeTempDir({ prefix: "punktfunk-api-" });
  const clock = new FakeClock(NOW_S * 1e6);
  const trust = await openNativeTrust(directory, {
    clock,
    onPending: () => {},
    onFault: (error) => assert.fail(String(error)),
  });
  const api: ServedApi = await serveForTest();
  api.facade.native = new HostNativeApi({ trust, clock });
  return {
    trust,
    clock,
    directory,
    async call(route, body) {
      const [method = "", path = ""] = route.split(" ");
      const answer = await api.call(method, `${BASE}${path}`, {
        headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      return [answer.status, text === "" ? null : JSON.parse(text)];
    },
    async [Symbol.asyncDispose]() {
      await api.close();
      trust[Symbol.dispose]();
      await Deno.remove(directory, { recursive: true });
    },
  };
}

function device(fingerprint: string) {
  return { fingerprint, kind: "certificate" as const, name: "Phone" };
}

function knock(lab: NativeLab, fingerprint: string, source: "lan" | "wan" = "lan") {
  return lab.trust.approvals.knock({ ...device(fingerprint), address: "10.0.0.7", source });
}

async function statusOf(answer: Promise<[number, unknown]>): Promise<number> {
  return (await answer)[0];
}

Deno.test("/native/pair opens a window, shows its PIN and closes it", async () => {
  await using lab = await serveNative();
  const closed = { enabled: true, armed: false, paired_clients: 0 };
  assert.deepEqual(await lab.call("GET /pair"), [200, closed]);
  const [status, armed] = await lab.call("POST /pair/arm", {});
  assert.equal(status, 200);
  const { pin } = armed as { pin: string };
  assert.match(pin, /^[0-9]{4}$/);
  assert.deepEqual(armed, { ...closed, armed: true, pin, expires_in_secs: 120 });
  lab.clock.advance(60_000);
  assert.deepEqual(await lab.call("GET /pair"), [200, {
    ...closed,
    armed: true,
    pin,
    expires_in_secs: 60,
  }]);
  assert.deepEqual(await lab.call("DELETE /pair"), [204, null]);
  assert.deepEqual(await lab.call("DELETE /pair"), [204, null]);
  assert.deepEqual(await lab.call("GET /pair"), [200, closed]);
});

Deno.test("POST /native/pair/arm binds the window, clamps its time and says what a device gets", async () => {
  await using lab = await serveNative();
  const [, armed] = await lab.call("POST /pair/arm", {
    ttl_secs: 1,
    fingerprint: PHONE.toUpperCase(),
    grants: 0,
    expires_in_secs: 3600,
    until_disconnect: true,
  });
  const { fingerprint, expires_in_secs } = armed as Record<string, unknown>;
  assert.deepEqual([fingerprint, expires_in_secs], [PHONE, 15]);
  const admission = lab.trust.window.admit(PHONE, "wan");
  assert.ok(admission.kind === "guess");
  assert.deepEqual(admission.guess.grant, {
    grants: 0,
    lifetimeS: 3600,
    isUntilDisconnect: true,
  });
});

Deno.test("/native/clients lists, edits and unpairs devices", async () => {
  await using lab = await serveNative();
  assert.deepEqual(await lab.call("GET /clients"), [200, []]);
  await lab.trust.clients.pair(device(PHONE), { grants: 1, lifetimeS: 60 });
  await lab.trust.clients.pair(device(TABLET), {});
  const phone = {
    name: "Phone",
    fingerprint: PHONE,
    kind: "certificate",
    grants: 1,
    access_level: "controller",
    expires_unix: NOW_S + 60,
    granted_unix: NOW_S,
    until_disconnect: false,
  };
  const [, list] = await lab.call("GET /clients");
  assert.deepEqual((list as unknown[])[0], phone);

  const path = `/clients/${PHONE.toUpperCase()}`;
  const edits: [object, object][] = [
    [{ name: " TV " }, { name: "TV" }],
    [{ grants: 0 }, { grants: 0, access_level: "view" }],
    [{ grants: 0x3f }, { grants: 255, access_level: "full" }],
    [{ grants: 3 }, { grants: 3, access_level: "custom" }],
    [{ expires_in_secs: 10 }, { expires_unix: NOW_S + 10 }],
    [{ expires_in_secs: 0 }, { expires_unix: NOW_S }],
    [{ grants: 1, until_disconnect: true }, {
      grants: 1,
      access_level: "controller",
      until_disconnect: true,
    }],
    [{}, {}],
  ];
  let expected: Record<string, unknown> = phone;
  for (const [body, change] of edits) {
    expected = { ...expected, ...change };
    assert.deepEqual(await lab.call(`PATCH ${path}`, body), [200, expected]);
  }
  const [, lasting] = await lab.call(`PATCH ${path}`, { clear_expiry: true });
  assert.equal((lasting as Record<string, unknown>).expires_unix, undefined);

  assert.deepEqual(await lab.call(`DELETE ${path}`), [204, null]);
  assert.deepEqual(await lab.call("DELETE /clients"), [200, { unpaired: 1 }]);
  assert.equal(lab.trust.clients.size, 0);
});

Deno.test("/native/clients answers what makes no sense with the status the specification gives", async () => {
  await using lab = await serveNative();
  await lab.trust.clients.pair(device(PHONE), {});
  const patch = (body: unknown, fingerprint = PHONE) =>
    statusOf(lab.call(`PATCH /clients/${fingerprint}`, body));
  for (
    const body of [
      { grants: 0x100 },
      { until_disconnect: true },
      { expires_in_secs: 1, clear_expiry: true },
    ]
  ) assert.equal(await patch(body), 400, JSON.stringify(body));
  for (
    const body of [
      { name: "" },
      { name: "x".repeat(65) },
      { grants: -1 },
      { grants: 2 ** 32 },
      { grants: "full" },
      { expires_in_secs: -1 },
      { expires_in_secs: 1.5 },
      { expires_in_secs: 315_360_001 },
      { preset: "full" },
    ]
  ) assert.equal(await patch(body), 422, JSON.stringify(body));
  assert.equal(await patch({ expires_in_secs: 315_360_000 }), 200);
  assert.equal(await patch({}, TABLET), 404);
  assert.equal(await patch({}, "x"), 400);
  assert.equal(await statusOf(lab.call(`DELETE /clients/${TABLET}`)), 404);
  assert.equal(await statusOf(lab.call(`PATCH /clients/${PHONE}`)), 400);
});

Deno.test("POST /native/pair/arm refuses what makes no sense and opens nothing", async () => {
  await using lab = await serveNative();
  for (const body of [{ grants: 0x100 }, { until_disconnect: true }]) {
    assert.equal(await statusOf(lab.call("POST /pair/arm", body)), 400, JSON.stringify(body));
  }
  const malformed = [
    { ttl_secs: -1 },
    { fingerprint: "ab" },
    { expires_in_secs: 0 },
    { pin: "1234" },
    [],
  ];
  for (const body of malformed) {
    assert.equal(await statusOf(lab.call("POST /pair/arm", body)), 422, JSON.stringify(body));
  }
  assert.equal(lab.trust.window.armed(), undefined);
});

Deno.test("/native/pending lists devices that knock; approve lets one in, deny turns one away", async () => {
  await using lab = await serveNative();
  const phone = knock(lab, PHONE);
  const tablet = knock(lab, TABLET);
  lab.clock.advance(5000);
  const row = { name: "Phone", age_secs: 5, source: "lan", until_disconnect: false };
  assert.deepEqual(await lab.call("GET /pending"), [200, [
    { ...row, id: 1, fingerprint: PHONE },
    { ...row, id: 2, fingerprint: TABLET },
  ]]);
  const [status, client] = await lab.call("POST /pending/1/approve", {
    name: "Den",
    grants: 1,
    expires_in_secs: 60,
    until_disconnect: true,
  });
  assert.equal(status, 200);
  assert.deepEqual(client, {
    name: "Den",
    fingerprint: PHONE,
    kind: "certificate",
    grants: 1,
    access_level: "controller",
    expires_unix: NOW_S + 65,
    granted_unix: NOW_S + 5,
    until_disconnect: true,
  });
  assert.equal((await phone.decision).kind, "admitted");
  assert.deepEqual(await lab.call("POST /pending/2/deny"), [204, null]);
  assert.deepEqual(await tablet.decision, { kind: "refused", reason: "denied" });
  assert.deepEqual(await lab.call("GET /pending"), [200, []]);
});

Deno.test("GET /native/pending shows what an expired device had", async () => {
  await using lab = await serveNative();
  await lab.trust.clients.pair(device(PHONE), { grants: 1, lifetimeS: 1 });
  lab.clock.advance(1000);
  knock(lab, PHONE);
  const [, rows] = await lab.call("GET /pending");
  assert.deepEqual(rows, [{
    id: 1,
    name: "Phone",
    fingerprint: PHONE,
    age_secs: 0,
    source: "lan",
    grants: 1,
    access_level: "controller",
    expires_unix: NOW_S + 1,
    granted_unix: NOW_S,
    until_disconnect: false,
  }]);
});

Deno.test("/native/pending answers unknown devices, far ones and nonsense with their status", async () => {
  await using lab = await serveNative();
  knock(lab, PHONE, "wan");
  const approve = (id: string, body: unknown = {}) =>
    statusOf(lab.call(`POST /pending/${id}/approve`, body));
  assert.equal(await approve("1"), 409);
  assert.equal(await approve("2"), 404);
  assert.equal(await statusOf(lab.call("POST /pending/2/deny")), 404);
  for (const id of ["0", "-1", "x", "1e3", "01", "9".repeat(10)]) {
    assert.equal(await approve(id), 400, id);
  }
  assert.equal(await approve("1", { until_disconnect: true }), 400);
  assert.equal(await approve("1", { grants: 0x100 }), 400);
  assert.equal(await approve("1", { expires_in_secs: 0 }), 422);
  assert.equal(lab.trust.clients.size, 0);
});

Deno.test("/native answers 500 and changes nothing when the store cannot be written", async () => {
  await using lab = await serveNative();
  await lab.trust.clients.pair(device(PHONE), {});
  // A directory in the file's place fails for root too.
  const path = `${lab.directory}/punktfunk1-paired.json`;
  await Deno.remove(path);
  await Deno.mkdir(path);
  assert.equal(await statusOf(lab.call(`PATCH /clients/${PHONE}`, { grants: 0 })), 500);
  assert.equal(await statusOf(lab.call(`DELETE /clients/${PHONE}`)), 500);
  assert.equal(await statusOf(lab.call("DELETE /clients")), 500);
  assert.equal(lab.trust.clients.get(PHONE)?.grants, 255);
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { FakeClock } from "../../../src/lib/clock.ts";
import { OperationError } from "../../../src/lib/errors.ts";
import { type ClientsObserver, NativeClients } from "../../../src/trust/native_clients.ts";
import {
  NATIVE_CLIENTS_MAX,
  type NativeClient,
  parseNativeClients,
  serialiseNativeClients,
} from "../../../src/trust/native_clients_file.ts";
import { device, makeClients, PHONE, TABLET } from "./native_fixture.ts";

/** What the fixture's clock says, in seconds. */
const NOW_S = 1_000_000;

function isOperationError(code: string): (error: unknown) => boolean {
  return (error) => error instanceof OperationError && error.code === code;
}

Deno.test("NativeClients keeps devices from one opening to the next, in a file of mode 0600", async () => {
  await using lab = await makeClients();
  assert.equal(lab.clients.size, 0);
  const phone = await lab.clients.pair(device(PHONE.toUpperCase(), "  My\n phone "), {
    grants: 0x01,
    lifetimeS: 3600,
  });
  const expected: NativeClient = {
    fingerprint: PHONE,
    name: "My phone",
    kind: "certificate",
    grants: 0x01,
    expiresUnix: NOW_S + 3600,
    isUntilDisconnect: false,
    grantedUnix: NOW_S,
    lastSeenUnix: undefined,
    preferredPadSlot: undefined,
  };
  assert.deepEqual(phone, expected);
  await lab.clients.pair({ ...device(TABLET, "Tablet"), kind: "device-key" }, {});
  assert.deepEqual(JSON.parse(await Deno.readTextFile(lab.path)), {
    clients: [
      {
        name: "My phone",
        fingerprint: PHONE,
        kind: "certificate",
        grants: 1,
        expires_unix: NOW_S + 3600,
        granted_unix: NOW_S,
      },
      {
        name: "Tablet",
        fingerprint: TABLET,
        kind: "device-key",
        grants: 255,
        granted_unix: NOW_S,
      },
    ],
  });
  if (Deno.build.os !== "windows") {
    assert.equal(((await Deno.stat(lab.path)).mode ?? 0) & 0o777, 0o600);
  }
  const again = await lab.reopen();
  assert.deepEqual(again.list(), lab.clients.list());
  assert.deepEqual(again.get(PHONE.toUpperCase()), expected);
});

Deno.test("NativeClients.pair() changes nothing but the name of a known device", async () => {
  await using lab = await makeClients();
  await lab.clients.pair(device(PHONE, "Guest"), { grants: 0, lifetimeS: 60 });
  lab.clock.advance(1000);
  const again = await lab.clients.pair(device(PHONE, "Guest 2"), { grants: 0xff });
  assert.equal(again.name, "Guest 2");
  assert.equal(again.grants, 0);
  assert.equal(again.expiresUnix, NOW_S + 60);
  assert.equal(again.grantedUnix, NOW_S);
  assert.equal(lab.clients.size, 1);
});

Deno.test("NativeClients.approve() gives access anew and keeps grants that the offer leaves open", async () => {
  await using lab = await makeClients();
  await lab.clients.pair(device(PHONE), { grants: 0x01, lifetimeS: 60 });
  lab.clock.advance(100_000);
  const renewed = await lab.clients.approve(device(PHONE), {});
  assert.deepEqual([renewed.grants, renewed.expiresUnix], [0x01, undefined]);
  const guest = await lab.clients.approve(device(PHONE), {
    grants: 0,
    lifetimeS: 60,
    isUntilDisconnect: true,
  });
  assert.deepEqual(
    [guest.grants, guest.expiresUnix, guest.isUntilDisconnect],
    [0, NOW_S + 160, true],
  );
  await assert.rejects(
    lab.clients.approve(device(PHONE), { grants: 0x100 }),
    isOperationError("invalid"),
  );
  assert.deepEqual(lab.clients.get(PHONE), guest);
});

Deno.test("NativeClients.change() edits what it is given and nothing else", async () => {
  await using lab = await makeClients();
  const { clients } = lab;
  await clients.pair(device(PHONE), { lifetimeS: 60 });
  assert.equal((await clients.change(PHONE, { name: "TV" })).name, "TV");
  assert.equal((await clients.change(PHONE.toUpperCase(), { grants: 0x3f })).grants, 0xff);
  assert.equal((await clients.change(PHONE, { grants: 0x02 })).expiresUnix, NOW_S + 60);
  assert.equal((await clients.change(PHONE, { expiresUnix: NOW_S })).expiresUnix, NOW_S);
  assert.equal((await clients.change(PHONE, { expiresUnix: null })).expiresUnix, undefined);
  const last = await clients.change(PHONE, { isUntilDisconnect: true });
  assert.deepEqual([last.name, last.grants, last.isUntilDisconnect], ["TV", 0x02, true]);
  for (const name of ["", " ", "a\nb", "x".repeat(65)]) {
    await assert.rejects(clients.change(PHONE, { name }), isOperationError("invalid"));
  }
  for (const grants of [-1, 0x100, 0.5]) {
    await assert.rejects(clients.change(PHONE, { grants }), isOperationError("invalid"));
  }
  await assert.rejects(clients.change(TABLET, {}), isOperationError("not-found"));
  assert.deepEqual(clients.get(PHONE), last);
});

Deno.test("NativeClients removes one and all, and tells its observers of every change until they leave", async () => {
  await using lab = await makeClients();
  const heard: unknown[] = [];
  const observer: ClientsObserver = (change) =>
    heard.push(change.kind === "saved" ? change.client.name : `no ${change.fingerprint}`);
  const observing = lab.clients.observe(observer);
  await lab.clients.pair(device(PHONE, "A"), {});
  await lab.clients.approve(device(TABLET, "B"), {});
  await lab.clients.change(TABLET, { name: "C" });
  await lab.clients.markSeen(TABLET);
  await lab.clients.remove(PHONE.toUpperCase());
  await assert.rejects(lab.clients.remove(PHONE), isOperationError("not-found"));
  assert.equal(await lab.clients.removeAll(), 1);
  assert.equal(await lab.clients.removeAll(), 0);
  assert.deepEqual(heard, ["A", "B", "C", `no ${PHONE}`, `no ${TABLET}`]);
  observing[Symbol.dispose]();
  await lab.clients.pair(device(PHONE), {});
  assert.equal(heard.length, 5);
  assert.equal((await lab.reopen()).size, 1);
});

Deno.test("NativeClients.markSeen() keeps the time, and passes over a device that is gone", async () => {
  await using lab = await makeClients();
  await lab.clients.pair(device(PHONE), {});
  lab.clock.advance(5000);
  await lab.clients.markSeen(PHONE);
  await lab.clients.markSeen(TABLET);
  assert.equal((await lab.reopen()).get(PHONE)?.lastSeenUnix, NOW_S + 5);
  assert.equal(lab.clients.size, 1);
});

Deno.test("NativeClients stores and tells nothing when the disk is full", async () => {
  await using lab = await makeClients();
  await lab.clients.pair(device(PHONE, "A"), {});
  const before = lab.clients.list();
  let told = 0;
  using _observing = lab.clients.observe(() => told++);
  lab.isDiskFull = true;
  for (
    const attempt of [
      () => lab.clients.pair(device(TABLET), {}),
      () => lab.clients.approve(device(PHONE), { grants: 0 }),
      () => lab.clients.change(PHONE, { name: "B" }),
      () => lab.clients.markSeen(PHONE),
      () => lab.clients.remove(PHONE),
      () => lab.clients.removeAll(),
    ]
  ) {
    await assert.rejects(attempt(), isOperationError("storage"));
    assert.deepEqual(lab.clients.list(), before);
  }
  assert.equal(told, 0);
});

Deno.test("NativeClients.open() forgets devices that were let in until they disconnect", async () => {
  await using lab = await makeClients();
  await lab.clients.pair(device(PHONE), { grants: 0, isUntilDisconnect: true });
  await lab.clients.pair(device(TABLET), {});
  const again = await lab.reopen();
  assert.deepEqual(again.list().map(({ fingerprint }) => fingerprint), [TABLET]);
  assert.ok(!(await Deno.readTextFile(lab.path)).includes(PHONE));
});

Deno.test("NativeClients.open() reads what other hosts wrote", async () => {
  const paired = JSON.stringify({
    clients: [
      { name: "Old", fingerprint: PHONE.toUpperCase() },
      { name: "New", fingerprint: TABLET, grants: 0x7f, expires_unix: null, preferred_pad_slot: 2 },
      { name: "Newer", fingerprint: "ef".repeat(32), grants: 0x301, kind: "seat", seat: 1 },
    ],
  });
  await using lab = await makeClients({ paired });
  assert.deepEqual(
    lab.clients.list().map((
      { fingerprint, grants, kind },
    ) => [fingerprint.slice(0, 2), grants, kind]),
    [["ab", 0xff, undefined], ["cd", 0xff, undefined], ["ef", 0x01, undefined]],
  );
  await lab.clients.markSeen(TABLET);
  assert.equal((await lab.reopen()).get(TABLET)?.preferredPadSlot, 2);
});

Deno.test("NativeClients.open() refuses a damaged file, says what to do and leaves it alone", async () => {
  const record = { name: "A", fingerprint: PHONE };
  const damaged = [
    "",
    "{",
    "null",
    "[]",
    "{}",
    '{"clients":{}}',
    '{"clients":[null]}',
    ...[
      { fingerprint: PHONE },
      { name: "A" },
      { ...record, fingerprint: PHONE.slice(1) },
      { ...record, grants: "all" },
      { ...record, grants: -1 },
      { ...record, expires_unix: 1.5 },
      { ...record, until_disconnect: "yes" },
    ].map((client) => JSON.stringify({ clients: [client] })),
  ];
  for (const paired of damaged) {
    const directory = await Deno.makeTempDir();
    try {
      const path = `${directory}/punktfunk1-paired.json`;
      await Deno.writeTextFile(path, paired);
      await assert.rejects(
        NativeClients.open(directory, { clock: new FakeClock() }),
        (error) =>
          error instanceof OperationError && error.code === "storage" &&
          error.message === `Cannot use ${path}: it is damaged` &&
          error.remedy?.includes("backup") === true,
        paired,
      );
      assert.deepEqual([...Deno.readDirSync(directory)].map(({ name }) => name), [
        "punktfunk1-paired.json",
      ]);
      assert.equal(await Deno.readTextFile(path), paired);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  }
});

Deno.test("NativeClients takes 1024 devices and not one more", async () => {
  const clients = Array.from({ length: NATIVE_CLIENTS_MAX }, (_, index) => ({
    name: "A",
    fingerprint: index.toString(16).padStart(64, "0"),
  }));
  await using lab = await makeClients({ paired: JSON.stringify({ clients }) });
  await assert.rejects(lab.clients.pair(device(PHONE), {}), isOperationError("refused"));
  await lab.clients.pair(device("0".repeat(64), "B"), {});
  await lab.clients.remove("0".repeat(64));
  await lab.clients.pair(device(PHONE), {});
  assert.equal(lab.clients.size, NATIVE_CLIENTS_MAX);
  const tooMany = { clients: [...clients, { name: "A", fingerprint: PHONE }] };
  assert.throws(() => parseNativeClients(tooMany), TypeError);
});

Deno.test("parseNativeClients() inverts serialiseNativeClients()", () => {
  const seconds = fc.option(fc.nat(), { nil: undefined });
  const client = fc.record({
    fingerprint: fc.stringMatching(/^[0-9a-f]{64}$/),
    name: fc.string(),
    kind: fc.constantFrom("certificate" as const, "device-key" as const, undefined),
    grants: fc.integer({ min: 0, max: 0xff }).filter((bits) => bits !== 0x3f && bits !== 0x7f),
    expiresUnix: seconds,
    isUntilDisconnect: fc.boolean(),
    grantedUnix: seconds,
    lastSeenUnix: seconds,
    preferredPadSlot: seconds,
  }, { noNullPrototype: true });
  fc.assert(fc.property(client, (one) => {
    const map = new Map([[one.fingerprint, one]]);
    const text = JSON.stringify(serialiseNativeClients(map));
    assert.deepEqual(parseNativeClients(JSON.parse(text)), map);
  }));
});

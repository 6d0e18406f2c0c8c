import assert from "node:assert/strict";
import { OperationError } from "../../../src/lib/errors.ts";
import {
  FINGERPRINT,
  mintTestIdentity,
  PENDING,
  serveForTest,
  testIdentity,
  TOKEN,
} from "../../api/fixture.ts";
import { DEVICE, PENDING_DEVICE } from "../../api/native_fixture.ts";
import { FakeCli } from "./fixture.ts";

interface ConfigDirectory extends AsyncDisposable {
  readonly path: string;
}

async function makeDirectory(): Promise<ConfigDirectory> {
  const path = await Deno.makeTempDir({ prefix: "punktfunk-ctl-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** A config directory as a running host leaves it. */
async function makeConfig(
  port: number,
  files: Record<string, string> = {},
): Promise<ConfigDirectory> {
  const directory = await makeDirectory();
  const content = {
    "mgmt-endpoint": `PUNKTFUNK_MGMT_URL=https://127.0.0.1:${port}\n`,
    "mgmt-token": `PUNKTFUNK_MGMT_TOKEN=${TOKEN}\n`,
    "native-cert.pem": (await testIdentity()).certificatePem,
    ...files,
  };
  for (const [name, text] of Object.entries(content)) {
    await Deno.writeTextFile(`${directory.path}/${name}`, text);
  }
  return directory;
}

async function ctl(directory: ConfigDirectory, ...args: string[]) {
  const cli = new FakeCli({ PUNKTFUNK_CONFIG_DIR: directory.path });
  const code = await cli.run("ctl", ...args);
  return { code, out: cli.out, err: cli.err };
}

Deno.test("`ctl` does what its verbs say, for people and for programs", async () => {
  await using api = await serveForTest();
  await using directory = await makeConfig(api.server.port);
  const table: [string[], RegExp, unknown][] = [
    [
      ["status"],
      /^Streaming: video off, audio off\nPaired: 1 native, 1 Moonlight\nWaiting for a PIN: yes\n$/,
      api.facade.status(),
    ],
    [
      ["pending"],
      RegExp(
        "^Waiting for approval:\nID  NAME  FROM  SINCE  FP\n7   TV    lan   12 s   (ef){32}\n" +
          "Moonlight clients waiting for their PIN:\nUNIQUEID .*\n" +
          "0123456789ABCDEF  (ab){32}  10\\.0\\.0\\.7\n$",
      ),
      { native: [PENDING_DEVICE], gamestream: [PENDING] },
    ],
    [
      ["clients"],
      RegExp(
        "^NAME   PLANE      ACCESS  EXPIRES  FP\nDeck   native     full    never    (cd){32}\n" +
          "Phone  moonlight  -       -        (ab){32}\n$",
      ),
      { native: [DEVICE], gamestream: api.facade.clients() },
    ],
    [["pin", "0042"], /^PIN delivered\n$/, { delivered: true }],
    [["pin", "1234", PENDING.uniqueid, FINGERPRINT, PENDING.peer_ip], /^PIN delivered\n$/, {
      delivered: true,
    }],
    [["unpair", FINGERPRINT], /^Unpaired 1\n$/, { unpaired: 1 }],
    [["unpair", DEVICE.fingerprint.toUpperCase()], /^Unpaired 1\n$/, { unpaired: 1 }],
    [["unpair", "--all", "--yes"], /^Unpaired 5\n$/, { unpaired: 5 }],
    [["rename", FINGERPRINT, "Living room"], /^Renamed\n$/, { renamed: true }],
    [["rename", DEVICE.fingerprint, "Living room"], /^Renamed\n$/, { renamed: true }],
    [["access", DEVICE.fingerprint, "view"], /^Access: full\n$/, DEVICE],
    [["pair", "status"], /^No PIN is valid\n$/, api.facade.native.pairStatus()],
    [["pair", "disarm"], /^No PIN is valid any more\n$/, { armed: false }],
    [["approve", "7"], /^Paired (cd){32}\n$/, { ...DEVICE, name: "TV" }],
    [["deny", "7"], /^Refused; the device may ask again\n$/, { denied: true }],
    [["stop-session"], /^Every stream has ended\n$/, { stopped: true }],
  ];
  for (const [args, text, data] of table) {
    const human = await ctl(directory, ...args);
    assert.equal(human.code, 0, human.err);
    assert.match(human.out, text);
    assert.equal(human.err, "");
    const json = await ctl(directory, ...args, "--json");
    assert.equal(json.code, 0);
    assert.deepEqual(JSON.parse(json.out), { v: 1, data });
  }
  const pins = api.facade.calls.filter(([name]) => name === "submitPin");
  assert.deepEqual(pins.slice(0, 3), [
    ["submitPin", { pin: "0042" }],
    ["submitPin", { pin: "0042" }],
    ["submitPin", { pin: "1234", ...PENDING }],
  ]);
});

Deno.test("`ctl` exits 1 with the host's own reason when the host refuses", async () => {
  await using api = await serveForTest();
  await using directory = await makeConfig(api.server.port);
  api.facade.submitPin = () => {
    throw new OperationError("refused", "Cannot pair: no client is waiting for a PIN");
  };
  const human = await ctl(directory, "pin", "1234");
  assert.equal(human.code, 1);
  assert.match(human.err, / ERROR Cannot pair: no client is waiting for a PIN\n$/);
  const json = await ctl(directory, "pin", "1234", "--json");
  assert.deepEqual(JSON.parse(json.out), {
    v: 1,
    error: { code: "refused", message: "Cannot pair: no client is waiting for a PIN" },
  });
  await using stale = await makeConfig(api.server.port, { "mgmt-token": `${"f".repeat(64)}\n` });
  const wrongToken = await ctl(stale, "status");
  assert.equal(wrongToken.code, 1);
  assert.match(wrongToken.err, /token is missing or wrong/);
});

Deno.test("`ctl` exits 3 when no host is there", async () => {
  const api = await serveForTest();
  await using directory = await makeConfig(api.server.port);
  await api.close();
  const gone = await ctl(directory, "status");
  assert.equal(gone.code, 3, gone.err);
  assert.match(gone.err, /Cannot reach the host at port \d+.*Start it with `punktfunk-host serve`/);

  await using empty = await makeDirectory();
  const never = await ctl(empty, "status", "--json");
  assert.equal(never.code, 3);
  assert.equal(JSON.parse(never.out).error.code, "unreachable");
});

Deno.test("`ctl` sends nothing to an endpoint outside this machine", async () => {
  for (
    const endpoint of [
      "PUNKTFUNK_MGMT_URL=https://192.0.2.1:47990\n",
      "PUNKTFUNK_MGMT_URL=http://127.0.0.1:47990\n",
      "PUNKTFUNK_MGMT_URL=https://127.0.0.1.example:47990\n",
      "nonsense\n",
    ]
  ) {
    await using directory = await makeConfig(1, { "mgmt-endpoint": endpoint });
    assert.equal((await ctl(directory, "status")).code, 3, endpoint);
  }
});

Deno.test("`ctl` exits 4 and keeps the token when another certificate answers", async () => {
  await using api = await serveForTest();
  const other = await mintTestIdentity();
  await using directory = await makeConfig(api.server.port, {
    "native-cert.pem": other.certificatePem,
  });
  const { code, err } = await ctl(directory, "stop-session");
  assert.equal(code, 4);
  assert.match(err, /its certificate is not this host's/);
  assert.ok(!err.includes(TOKEN));
  assert.deepEqual(api.facade.calls, []);
});

Deno.test("`ctl` prints names that peers chose on one line and without terminal control", async () => {
  await using api = await serveForTest();
  const name = "a\x1b[2Jb\nc\u202e";
  api.facade.clients = () => [{ fingerprint: FINGERPRINT, label: name }];
  api.facade.native.clients = () => [{ ...DEVICE, name }];
  api.facade.native.pending = () => [{ ...PENDING_DEVICE, name }];
  await using directory = await makeConfig(api.server.port);
  for (const verb of ["clients", "pending"]) {
    const { out } = await ctl(directory, verb);
    assert.match(out, /(^|\s)ab c {2}/);
    assert.ok(["\x1b", "\u202e", "\nc"].every((part) => !out.includes(part)), verb);
  }
});

Deno.test("`ctl pair arm` shows the PIN and hands every flag over", async () => {
  await using api = await serveForTest();
  await using directory = await makeConfig(api.server.port);
  const plain = await ctl(directory, "pair", "arm");
  assert.equal(plain.code, 0, plain.err);
  assert.equal(plain.out, "PIN: 0042\nValid for 120 s, for one try\n");
  const flags = ["--ttl", "300", "--preset", "view", "--expires-in", "7200"];
  await ctl(directory, "pair", "arm", ...flags, "--fingerprint", FINGERPRINT);
  assert.deepEqual(api.facade.calls, [
    ["arm", {}],
    ["arm", { ttl_secs: 300, fingerprint: FINGERPRINT, grants: 0, expires_in_secs: 7200 }],
  ]);
  api.facade.native.pairStatus = () => ({
    enabled: true,
    armed: true,
    pin: "1234",
    fingerprint: FINGERPRINT,
    paired_clients: 0,
  });
  const { out } = await ctl(directory, "pair", "status");
  assert.match(out, /^PIN: 1234\nValid until it is used, for one try, and for (ab){32} alone\n$/);
});

Deno.test("`ctl approve` and `ctl access` hand over what a device may do", async () => {
  await using api = await serveForTest();
  await using directory = await makeConfig(api.server.port);
  const fp = DEVICE.fingerprint;
  const offer = ["--name", "Guest", "--preset", "controller", "--expires-in", "60"];
  for (
    const args of [
      ["approve", "7", ...offer],
      ["access", fp, "full", "--clear-expiry"],
      ["access", fp, "controller", "--expires-in", "0"],
    ]
  ) assert.equal((await ctl(directory, ...args)).code, 0, args.join(" "));
  assert.deepEqual(api.facade.calls, [
    ["approve", 7, { name: "Guest", grants: 1, expires_in_secs: 60 }],
    ["changeClient", fp, { grants: 255, clear_expiry: true }],
    ["changeClient", fp, { grants: 1, expires_in_secs: 0 }],
  ]);
});

Deno.test("`ctl rename` and `ctl unpair` find a client on the plane it is paired with, or on both", async () => {
  await using api = await serveForTest();
  await using directory = await makeConfig(api.server.port);
  await ctl(directory, "rename", FINGERPRINT, "TV");
  await ctl(directory, "rename", DEVICE.fingerprint, "TV");
  api.facade.native.clients = () => [DEVICE, { ...DEVICE, fingerprint: FINGERPRINT }];
  api.facade.native.unpair = (fingerprint) => {
    api.facade.calls.push(["unpair", fingerprint]);
    return Promise.resolve();
  };
  const both = await ctl(directory, "unpair", FINGERPRINT);
  assert.equal(both.out, "Unpaired 2\n");
  assert.deepEqual(api.facade.calls, [
    ["renameClient", FINGERPRINT, "TV"],
    ["changeClient", DEVICE.fingerprint, { name: "TV" }],
    ["unpair", FINGERPRINT],
    ["unpairClient", FINGERPRINT],
  ]);
  for (const args of [["unpair", "00".repeat(32)], ["rename", "x", "TV"]]) {
    const unknown = await ctl(directory, ...args);
    assert.equal(unknown.code, 1);
    assert.match(unknown.err, /no such fingerprint is paired.*ctl clients/);
  }
  assert.equal(api.facade.calls.length, 4);
});

Deno.test("`ctl` exits 2 for arguments that make no sense, and 1 for devices that are not there", async () => {
  await using api = await serveForTest();
  await using directory = await makeConfig(api.server.port);
  const fp = DEVICE.fingerprint;
  for (
    const args of [
      ["pair", "arm", "--preset", "custom"],
      ["pair", "arm", "--ttl", "x"],
      ["pair", "arm", "--expires-in", "0"],
      ["approve"],
      ["approve", "0"],
      ["approve", "x"],
      ["deny", "1e3"],
      ["access", fp],
      ["access", fp, "custom"],
      ["access", fp, "full", "--expires-in", "1", "--clear-expiry"],
      ["rename", fp],
      ["unpair"],
      ["unpair", "--all"],
      ["unpair", fp, "--all"],
    ]
  ) {
    const { code, out } = await ctl(directory, ...args);
    assert.equal(code, 2, args.join(" "));
    assert.equal(out, "");
  }
  assert.deepEqual(api.facade.calls, []);
  for (const args of [["approve", "8"], ["deny", "8"], ["access", FINGERPRINT, "full"]]) {
    assert.equal((await ctl(directory, ...args)).code, 1, args.join(" "));
  }
});

Deno.test("`ctl pending` and `ctl clients` say so when there is nobody", async () => {
  await using api = await serveForTest();
  await using directory = await makeConfig(api.server.port);
  api.facade.native.pending = () => [];
  api.facade.native.clients = () => [];
  api.facade.pairStatus = () => ({ pin_pending: false, pending: [] });
  api.facade.clients = () => [];
  assert.equal((await ctl(directory, "pending")).out, "Nobody waits\n");
  assert.equal((await ctl(directory, "clients")).out, "No client is paired\n");
});

Deno.test("`ctl clients` shows when access ends", async () => {
  await using api = await serveForTest();
  await using directory = await makeConfig(api.server.port);
  const guest = { ...DEVICE, access_level: "view" as const, expires_unix: 1_700_000_000 };
  api.facade.native.clients = () => [guest];
  assert.match((await ctl(directory, "clients")).out, /view {4}2023-11-14 22:13Z {2}/);
});

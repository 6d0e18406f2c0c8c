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
      /^Streaming: video off, audio off\nPaired clients: 1\nWaiting for a PIN: yes\n$/,
      api.facade.status(),
    ],
    [
      ["pending"],
      /^UNIQUEID .*\n0123456789ABCDEF {2}(ab){32} {2}10\.0\.0\.7\n$/,
      api.facade.pairStatus(),
    ],
    [["clients"], /^NAME {3}FP\nPhone {2}(ab){32}\n$/, api.facade.clients()],
    [["pin", "0042"], /^PIN delivered\n$/, { delivered: true }],
    [["pin", "1234", PENDING.uniqueid, FINGERPRINT, PENDING.peer_ip], /^PIN delivered\n$/, {
      delivered: true,
    }],
    [["unpair", FINGERPRINT], /^Unpaired 1\n$/, { unpaired: 1 }],
    [["unpair", "--all", "--yes"], /^Unpaired 3\n$/, { unpaired: 3 }],
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
  api.facade.clients = () => [{ fingerprint: FINGERPRINT, label: "a\x1b[2Jb\nc\u202e" }];
  await using directory = await makeConfig(api.server.port);
  const { out } = await ctl(directory, "clients");
  assert.match(out, /^NAME {2}FP\nab c {2}(ab){32}\n$/);
});

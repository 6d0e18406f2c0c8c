import assert from "node:assert/strict";
import { isThisProgram, portChecks, portFinding, wantedPorts } from "../../../src/health/ports.ts";
import { fakeMachine } from "./fake_machine.ts";

const SETTINGS = {
  nativePort: 9777,
  managementPort: 47_990,
  gamestreamPortBase: 47_989,
  isGamestreamOn: false,
};

Deno.test("wantedPorts() are those of the specification, GameStream's needed only when it is on", () => {
  const off = wantedPorts(SETTINGS);
  assert.deepEqual(off.map(({ transport, port }) => `${transport} ${port}`), [
    "udp 9777",
    "tcp 47990",
    "tcp 47984",
    "tcp 47989",
    "tcp 48010",
    "udp 47998",
    "udp 47999",
    "udp 48000",
  ]);
  assert.deepEqual(off.filter(({ isNeeded }) => isNeeded).map(({ port }) => port), [9777, 47_990]);
  assert.deepEqual(off.filter(({ isForClients }) => isForClients).map(({ port }) => port), [9777]);
  const on = wantedPorts({ ...SETTINGS, isGamestreamOn: true, gamestreamPortBase: 30_000 });
  assert.ok(on.every(({ isNeeded }) => isNeeded));
  assert.deepEqual(on.filter(({ isForClients }) => isForClients).map(({ port }) => port), [
    9777,
    29_995,
    30_000,
    30_021,
    30_009,
    30_010,
    30_011,
  ]);
});

Deno.test("portFinding() tells free, held by a host of ours, and taken by whom", () => {
  const [native, , gamestream] = wantedPorts(SETTINGS);
  assert.ok(native !== undefined && gamestream !== undefined);
  const owner = { processId: 42, name: "sunshine" };
  const free = { isTaken: false, owner: undefined, isOurs: false };
  assert.deepEqual(portFinding(native, free), {
    state: "ok",
    summary: "UDP 9777 for the native plane is free",
  });
  assert.deepEqual(portFinding(native, { isTaken: true, owner, isOurs: true }), {
    state: "ok",
    summary: "UDP 9777 for the native plane is held by the host that runs (42)",
  });
  assert.deepEqual(portFinding(native, { isTaken: true, owner, isOurs: false }), {
    state: "fault",
    summary: "UDP 9777 for the native plane is taken by sunshine (42)",
    remedy: "kill 42\nor start the host with another --native-port",
  });
  assert.deepEqual(portFinding(gamestream, { isTaken: true, owner: undefined, isOurs: false }), {
    state: "warning",
    summary: "TCP 47984 for GameStream over TLS is taken by a program of another user",
    remedy: "sudo ss -lnp -t 'sport = :47984'\nor start the host with another --gamestream-port",
  });
});

Deno.test("portChecks() see a port that this very test holds, and say nothing elsewhere than on Linux", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = (listener.addr as Deno.NetAddr).port;
  const wanted = wantedPorts({ ...SETTINGS, managementPort: port }).slice(1, 2);
  const [check] = portChecks(fakeMachine(), { wanted, mainPath: "/opt/host/main.ts" });
  assert.equal(check?.id, `port-${port}-tcp`);
  const finding = await check?.find();
  if (Deno.build.os === "linux") {
    assert.equal(finding?.state, "fault");
    assert.match(finding?.remedy ?? "", new RegExp(`^kill ${Deno.pid}\n`));
  }
  const machine = fakeMachine({}, { os: "windows" });
  const [elsewhere] = portChecks(machine, { wanted, mainPath: "/opt/host/main.ts" });
  assert.equal((await elsewhere?.find())?.state, "unknown");
});

Deno.test("isThisProgram() knows the executable, and a checkout by its first module", async () => {
  const table: [string[], string, boolean][] = [
    [["/usr/bin/punktfunk-host", "serve"], "/", true],
    [["punktfunk-host-x86_64", "serve"], "/", true],
    [["/opt/punktfunk-host/bin/other", "serve"], "/", false],
    [["deno", "run", "-A", "main.ts", "serve"], "/opt/host", true],
    [["deno", "run", "-A", "/opt/host/main.ts", "serve"], "/home/ada", true],
    [["deno", "run", "-A", "main.ts"], "/opt/other", false],
    [["deno", "run", "-A", "../host/main.ts"], "/opt/other", true],
    [["sunshine", "punktfunk-host"], "/opt/host", false],
    [[], "/", false],
  ];
  for (const [words, directory, expected] of table) {
    const machine = fakeMachine({
      "/proc/42/cmdline": words.join("\0"),
      "/proc/42/cwd": { link: directory },
    });
    const options = { processId: 42, mainPath: "/opt/host/main.ts" };
    assert.equal(await isThisProgram(machine, options), expected, words.join(" "));
  }
});

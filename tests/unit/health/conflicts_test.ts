import assert from "node:assert/strict";
import {
  conflictFinding,
  describeConflicts,
  findOtherHosts,
  isActive,
} from "../../../src/health/conflicts.ts";
import { type FakeEntry, fakeMachine, process } from "./fake_machine.ts";

const ENV = new Map([["HOME", "/home/ada"], ["PATH", "/usr/local/bin:/usr/bin:/bin"]]);

function search(entries: Record<string, string | FakeEntry>, env = ENV) {
  return findOtherHosts({ env, machine: fakeMachine(entries) });
}

const LISTENER = [
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
  "   0: 00000000:BB75 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0",
].join("\n");

Deno.test("findOtherHosts() finds nothing on a machine without any", async () => {
  const hosts = await search({
    ...process(1, "systemd"),
    ...process(2, "sunshiney"),
    "/usr/bin/sunshine-theme": "",
    "/etc/systemd/system/multi-user.target.wants/ssh.service": "",
    "/etc/xdg/autostart/notes.desktop": "[Desktop Entry]\n",
  });
  assert.deepEqual(hosts, []);
  assert.equal(describeConflicts(hosts), "No conflicting game-streaming host detected.");
  assert.deepEqual(conflictFinding(hosts), {
    state: "ok",
    summary: "No other game-streaming host",
  });
});

Deno.test("findOtherHosts() finds a host that runs, and how to end it", async () => {
  const hosts = await search({ ...process(4123, "sunshine"), "/usr/bin/sunshine": "" });
  assert.deepEqual(hosts, [{
    name: "Sunshine",
    processes: [{ processId: 4123, name: "sunshine" }],
    starters: [],
    installed: ["/usr/bin/sunshine"],
  }]);
  assert.equal(describeConflicts(hosts), "Sunshine runs as sunshine (4123)\n  → kill 4123");
  assert.deepEqual(conflictFinding(hosts), {
    state: "warning",
    summary: "Sunshine runs as sunshine (4123)",
    remedy: "kill 4123",
  });
});

Deno.test("findOtherHosts() finds what starts a host: units of the user and the system, desktop files", async () => {
  const hosts = await search({
    "/home/ada/.config/systemd/user/xdg-desktop-autostart.target.wants/app-dev.lizardbyte.app.Sunshine.service":
      "",
    "/etc/systemd/system/multi-user.target.wants/vibepollo.service": "",
    "/home/ada/.config/autostart/vibeshine.desktop": "[Desktop Entry]\nHidden=false\n",
    "/etc/xdg/autostart/luminalshine.desktop": "[Desktop Entry]\n",
  });
  assert.deepEqual(hosts.map(({ name, starters }) => [name, starters]), [
    ["Sunshine", [{ kind: "user-unit", name: "app-dev.lizardbyte.app.Sunshine.service" }]],
    ["Vibeshine", [{ kind: "autostart", name: "/home/ada/.config/autostart/vibeshine.desktop" }]],
    ["Vibepollo", [{ kind: "system-unit", name: "vibepollo.service" }]],
    ["LuminalShine", [{ kind: "autostart", name: "/etc/xdg/autostart/luminalshine.desktop" }]],
  ]);
  assert.ok(hosts.every(isActive));
  assert.equal(
    describeConflicts(hosts),
    [
      "Sunshine is started by app-dev.lizardbyte.app.Sunshine.service",
      "  → systemctl --user disable --now app-dev.lizardbyte.app.Sunshine.service",
      "Vibeshine is started by /home/ada/.config/autostart/vibeshine.desktop",
      "  → rm /home/ada/.config/autostart/vibeshine.desktop",
      "Vibepollo is started by vibepollo.service",
      "  → sudo systemctl disable --now vibepollo.service",
      "LuminalShine is started by /etc/xdg/autostart/luminalshine.desktop",
      "  → sudo rm /etc/xdg/autostart/luminalshine.desktop",
    ].join("\n"),
  );
});

Deno.test("findOtherHosts() leaves out units that are only installed and desktop files that are hidden", async () => {
  const hosts = await search({
    "/etc/systemd/user/sunshine.service": "",
    "/home/ada/.config/autostart/sunshine.desktop": "[Desktop Entry]\nHidden=true\n",
  });
  assert.deepEqual(hosts, []);
});

Deno.test("findOtherHosts() lists installed hosts at rest after the active ones", async () => {
  const hosts = await search({
    "/usr/bin/sunshine": "",
    "/bin/sunshine": "",
    "/var/lib/flatpak/app/dev.lizardbyte.app.Sunshine/current": "",
    ...process(7, "vibepollo-sessi"),
  });
  assert.deepEqual(hosts.map((host) => [host.name, isActive(host), host.installed]), [
    ["Vibepollo", true, []],
    ["Sunshine", false, ["/usr/bin/sunshine", "dev.lizardbyte.app.Sunshine"]],
  ]);
  assert.match(
    describeConflicts(hosts),
    /\nSunshine is installed and at rest: \/usr\/bin\/sunshine, dev\.lizardbyte\.app\.Sunshine$/,
  );
});

Deno.test("describeConflicts() says first that none conflicts when all are at rest", async () => {
  const text = describeConflicts(await search({ "/usr/bin/moonshine": "" }));
  assert.equal(
    text,
    "No conflicting game-streaming host detected.\n" +
      "Moonshine is installed and at rest: /usr/bin/moonshine",
  );
});

Deno.test("findOtherHosts() takes a process with a common name for a host only while GameStream is served", async () => {
  assert.deepEqual(await search(process(9, "wolf")), []);
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    const hosts = await search({ ...process(9, "wolf"), [table]: LISTENER });
    assert.deepEqual(hosts.map(({ name }) => name), ["Wolf"]);
  }
});

Deno.test("findOtherHosts() ends a Flatpak by its id and a unit without killing besides", async () => {
  const flatpak = await search({
    ...process(9, "sunshine"),
    "/home/ada/.local/share/flatpak/app/dev.lizardbyte.app.Sunshine/current": "",
  });
  assert.match(describeConflicts(flatpak), /→ flatpak kill dev\.lizardbyte\.app\.Sunshine$/);
  const unit = await search({
    ...process(9, "sunshine"),
    "/etc/systemd/user/default.target.wants/sunshine.service": "",
  });
  assert.match(
    describeConflicts(unit),
    /\(9\) and is started by sunshine\.service\n.*--now sunshine\.service$/,
  );
});

Deno.test("findOtherHosts() looks in XDG_CONFIG_HOME, and nowhere private without HOME", async () => {
  const entries = { "/conf/autostart/sunshine.desktop": "[Desktop Entry]\n" };
  assert.equal((await search(entries, new Map([["XDG_CONFIG_HOME", "/conf"]]))).length, 1);
  assert.deepEqual(await search(entries, new Map()), []);
});

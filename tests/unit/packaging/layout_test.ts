import assert from "node:assert/strict";
import { firewallProfiles } from "../../../packaging/firewall.ts";
import {
  DEBIAN_PLACE,
  fillTemplate,
  LOCAL_PLACE,
  type PackagedFile,
  type Place,
  programFiles,
} from "../../../packaging/layout.ts";

const OPTIONS = { executable: "/nowhere/punktfunk-host", date: new Date(0) };

async function filesAt(place: Place): Promise<ReadonlyMap<string, PackagedFile["content"]>> {
  const files = await programFiles(place, OPTIONS);
  const byPath = new Map(files.map(({ path, content }) => [path, content]));
  assert.equal(byPath.size, files.length, "each path once");
  return byPath;
}

for (const place of [DEBIAN_PLACE, LOCAL_PLACE]) {
  Deno.test(`programFiles() starts the program of ${place.prefix} from unit and desktop file`, async () => {
    const files = await filesAt(place);
    const program = `${place.prefix}/bin/punktfunk-host`;
    assert.deepEqual(files.get(program), { copyOf: OPTIONS.executable });
    const unit = files.get(`${place.prefix}/lib/systemd/user/punktfunk-host.service`);
    const entry = files.get(`${place.prefix}/share/applications/punktfunk-host.desktop`);
    assert.ok(typeof unit === "string" && typeof entry === "string");
    assert.ok(unit.includes(`\nExecStart=${program} serve\n`));
    assert.ok(entry.includes(`\nExec=${program} serve\n`));
    const texts = [...files.values()].filter((content) => typeof content === "string");
    for (const text of texts) assert.doesNotMatch(text, /@[a-z]+@|undefined|\[object/);
  });
}

Deno.test("programFiles() asks nothing of the unit that a compiled-at-run-time program cannot bear", async () => {
  const unit = (await filesAt(DEBIAN_PLACE)).get("/usr/lib/systemd/user/punktfunk-host.service");
  // The comment says why the first is not there.
  assert.doesNotMatch(String(unit), /^(MemoryDenyWriteExecute|Private\w+|Protect\w+)=/m);
  // The program reads it by rules of its own.
  assert.doesNotMatch(String(unit), /^EnvironmentFile=/m);
});

Deno.test("programFiles() has the path unit wait for what the service's condition wants", async () => {
  const files = await filesAt(DEBIAN_PLACE);
  const globs = (unit: string, key: string) =>
    [
      ...String(files.get(`/usr/lib/systemd/user/punktfunk-host.${unit}`))
        .matchAll(new RegExp(`^${key}=\\|?(.*)$`, "gm")),
    ].map(([, glob]) => glob);
  assert.deepEqual(globs("path", "PathExistsGlob"), globs("service", "ConditionPathExistsGlob"));
  assert.equal(globs("path", "PathExistsGlob").length, 2);
});

Deno.test("firewallProfiles() has the documented ports, and each in one profile", () => {
  const ports = firewallProfiles().map(({ name, ports }) => [
    name,
    ports.map(({ transport, port }) => `${port}/${transport}`).join(" "),
  ]);
  assert.deepEqual(ports, [
    ["punktfunk-native", "9777/udp 47990/tcp"],
    ["punktfunk-gamestream", "47984/tcp 47989/tcp 48010/tcp 47998/udp 47999/udp 48000/udp"],
  ]);
});

Deno.test("programFiles() writes the same ports for firewalld and ufw", async () => {
  const files = await filesAt(DEBIAN_PLACE);
  assert.equal(
    files.get("/etc/ufw/applications.d/punktfunk-host"),
    "[punktfunk-native]\ntitle=Punktfunk host\n" +
      "description=Native clients of punktfunk-host, and its management API\n" +
      "ports=9777/udp|47990/tcp\n" +
      "\n[punktfunk-gamestream]\ntitle=Punktfunk host for Moonlight\n" +
      "description=Moonlight clients of punktfunk-host, with serve --gamestream\n" +
      "ports=47984,47989,48010/tcp|47998,47999,48000/udp\n",
  );
  const service = String(files.get("/usr/lib/firewalld/services/punktfunk-native.xml"));
  assert.deepEqual(service.match(/<(port|include) .*\/>/g), [
    '<port protocol="udp" port="9777"/>',
    '<port protocol="tcp" port="47990"/>',
    '<include service="mdns"/>',
  ]);
});

Deno.test("fillTemplate() refuses a word without a value", async () => {
  await assert.rejects(
    fillTemplate("punktfunk-host.desktop", {}),
    /^Error: Cannot fill punktfunk-host\.desktop: @bindir@ has no value$/,
  );
});

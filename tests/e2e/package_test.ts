import assert from "node:assert/strict";
import { buildPackages } from "../../packaging/build.ts";
import { gatherInputs } from "../../packaging/inputs.ts";
import { buildMachine } from "../../scripts/targets.ts";
import { VERSION } from "../../src/lib/version.ts";
import { compiledExecutable } from "./compiled_executable.ts";
import { DebianRoot, findObstacle } from "./debian_root.ts";
import { findPair } from "./executable_lab.ts";

const DEB = `punktfunk-host_${VERSION}_amd64.deb`;
const TARBALL = `punktfunk-host-${VERSION}-x86_64-linux.tar.gz`;
const PLAYER = { name: "player", home: "/home/player" };
const UNITS = ["punktfunk-host.service", "punktfunk-host.path"];
const WAIT_MS = 60_000;

const pair = await findPair();
const obstacle = typeof pair === "string" ? pair : await findObstacle();
let built: Promise<string> | undefined;

Deno.test.afterAll(async () => {
  if (built !== undefined) await Deno.remove(await built, { recursive: true });
});

/** A test of the packages, which are built once and lie in `directory` with the .deb's content in `directory`/deb. */
function test(
  name: string,
  run: (directory: string, context: Deno.TestContext) => Promise<void>,
): void {
  if (typeof pair === "string") {
    Deno.test({ name: `${name} (skipped: ${pair})`, ignore: true, fn: () => {} });
    return;
  }
  Deno.test(name, async (context) => {
    built ??= compiledExecutable(pair).then(build);
    await run(await built, context);
  });
}

/** A test in a Debian that sees the packages in /mnt. */
function testInRoot(name: string, run: (root: DebianRoot) => Promise<void>): void {
  if (obstacle !== undefined) {
    Deno.test({ name: `${name} (skipped: ${obstacle})`, ignore: true, fn: () => {} });
    return;
  }
  test(name, async (shown) => {
    await using root = await DebianRoot.open({ shown });
    await run(root);
  });
}

async function build(executable: string): Promise<string> {
  const directory = await Deno.makeTempDir({ prefix: "pf-packages-" });
  await Deno.chmod(directory, 0o755);
  const inputs = await gatherInputs({ target: buildMachine(), executable, level: 1 });
  await buildPackages(inputs, directory);
  await output(directory, "dpkg-deb", "--raw-extract", DEB, "deb");
  return directory;
}

/** What the program prints to stdout; it must succeed and be silent besides. */
async function output(cwd: string, program: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args,
    cwd,
    env: { XDG_RUNTIME_DIR: cwd, LC_ALL: "C.UTF-8" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  assert.equal(decoder.decode(stderr), "", program);
  assert.ok(success, `${program} ${args.join(" ")}: ${decoder.decode(stdout)}`);
  return decoder.decode(stdout);
}

/** Mode and owner of each entry of a listing by tar or dpkg-deb, and its path. */
function entriesOf(listing: string): { readonly mode: string; readonly path: string }[] {
  return listing.trimEnd().split("\n").map((line) => {
    const [mode = "", owner = "", , , , path = ""] = line.split(/\s+/);
    return { mode: `${mode} ${owner}`, path };
  });
}

/** Directories, one program and files, all of root's and none that grants anything. */
function assertModes(listing: string): void {
  for (const { mode, path } of entriesOf(listing)) {
    const isProgram = path.endsWith("/bin/punktfunk-host");
    const expected = path.endsWith("/")
      ? "drwxr-xr-x root/root"
      : `-rw${isProgram ? "xr-xr-x" : "-r--r--"} root/root`;
    assert.equal(mode, expected, path);
  }
}

async function assertSucceeds(root: DebianRoot, ...program: string[]): Promise<string> {
  const { code, out, err } = await root.run(program);
  assert.equal(code, 0, `${program.join(" ")}: ${out}${err}`);
  return out;
}

test("`deno task package` writes each package with its digest, for root and nobody else", async (directory) => {
  await output(directory, "sha256sum", "--check", "--strict", `${DEB}.sha256`, `${TARBALL}.sha256`);
  const listing = await output(directory, "tar", "--list", "--verbose", "--file", TARBALL);
  assertModes(listing);
  const paths = entriesOf(listing).map(({ path }) => path);
  assert.deepEqual(paths, paths.toSorted());
  assertModes(await output(directory, "dpkg-deb", "--contents", DEB));
});

test("the .deb depends on what is linked, and accounts for each of its files", async (directory) => {
  const [depends, architecture, version] = (await output(
    directory,
    "dpkg-deb",
    ...["--show", "--showformat=${Depends}\n${Architecture}\n${Version}", DEB],
  )).split("\n");
  assert.match(depends ?? "", /^libc6 \(>= 2\.\d+\), libgcc-s1$/);
  assert.deepEqual([architecture, version], ["amd64", VERSION]);
  const content = `${directory}/deb`;
  await output(content, "md5sum", "--check", "--strict", "DEBIAN/md5sums");
  const digests = (await Deno.readTextFile(`${content}/DEBIAN/md5sums`)).trimEnd().split("\n");
  const conffiles = (await Deno.readTextFile(`${content}/DEBIAN/conffiles`)).trimEnd().split("\n");
  const named = [...digests.map((line) => `/${line.split("  ")[1]}`), ...conffiles].sort();
  const found = await output(content, "find", "etc", "usr", "-type", "f", "-printf", "/%p\\n");
  assert.deepEqual(named, found.trimEnd().split("\n").sort());
  for (const script of ["postinst", "prerm"]) await output(content, "sh", "-n", `DEBIAN/${script}`);
});

test("the .deb's files satisfy the checkers of those who read them", async (directory) => {
  const share = `${directory}/deb/usr/share`;
  await output(share, "desktop-file-validate", "applications/punktfunk-host.desktop");
  const page = await output(share, "gzip", "-dc", "man/man1/punktfunk-host.1.gz");
  await Deno.writeTextFile(`${directory}/page.1`, page);
  await output(directory, "groff", "-man", "-Tutf8", "-ww", "-z", "page.1");
  await output(share, "bash", "-n", "bash-completion/completions/punktfunk-host");
  const units = `${directory}/units`;
  await Deno.mkdir(units);
  for (const unit of UNITS) {
    const text = await Deno.readTextFile(`${directory}/deb/usr/lib/systemd/user/${unit}`);
    // What the unit starts must exist; here it lies elsewhere.
    await Deno.writeTextFile(
      `${units}/${unit}`,
      text.replace("=/usr/bin/", `=${directory}/deb/usr/bin/`),
    );
  }
  await output(
    units,
    "systemd-analyze",
    "--user",
    "verify",
    "--man=no",
    ...UNITS.map((one) => `./${one}`),
  );
});

Deno.test({
  name: "buildPackages() gives the same bytes for the same program, whoever builds",
  ignore: typeof pair === "string",
  async fn() {
    const directory = await Deno.makeTempDir({ prefix: "pf-packages-" });
    const inputs = {
      target: buildMachine(),
      executable: await Deno.realPath("/bin/true"),
      shims: [],
      notices: "",
      date: new Date(1e12),
      level: 1,
    };
    const usual = Deno.umask(0o077);
    try {
      const first = await buildPackages(inputs, `${directory}/private`);
      Deno.umask(0o002);
      const second = await buildPackages(inputs, `${directory}/shared`);
      for (const [index, path] of first.entries()) {
        assert.deepEqual(await Deno.readFile(path), await Deno.readFile(second[index] ?? ""), path);
      }
    } finally {
      Deno.umask(usual);
      await Deno.remove(directory, { recursive: true });
    }
  },
});

testInRoot(
  "the .deb installs, serves an ordinary user, and leaves nothing but what is the user's",
  async (root) => {
    await assertSucceeds(root, "useradd", "--create-home", "--home-dir", PLAYER.home, PLAYER.name);
    const before = await root.paths();
    await assertSucceeds(root, "dpkg", "--install", `/mnt/${DEB}`);
    assert.equal(await assertSucceeds(root, "dpkg", "--verify", "punktfunk-host"), "");
    const asPlayer = (...args: string[]) => root.run(["punktfunk-host", ...args], { user: PLAYER });
    assert.equal((await asPlayer("--version")).out, `punktfunk-host ${VERSION}\n`);
    const doctor = await asPlayer("doctor");
    assert.ok(doctor.code === 0 || doctor.code === 1, doctor.err);
    assert.match(doctor.out, /^ok +port-47990-tcp /m);

    await servesUntilTold(root);

    await assertSucceeds(root, "dpkg", "--remove", "punktfunk-host");
    await assertSucceeds(root, "dpkg", "--purge", "punktfunk-host");
    const left = [...(await root.paths()).difference(before)];
    assert.ok(left.includes(`${PLAYER.home}/.config/punktfunk/mgmt-token`));
    assert.deepEqual(left.filter((path) => !path.startsWith(`${PLAYER.home}/.config/`)), []);
  },
);

/** `serve` answers `ctl` through the management API and ends by SIGTERM with exit code 0. */
async function servesUntilTold(root: DebianRoot): Promise<void> {
  const child = root.command([
    ...["punktfunk-host", "serve", "--source", "synthetic", "--no-mdns"],
    ...["--native-port", "0", "--mgmt-bind", "127.0.0.1:0"],
  ], { user: PLAYER }).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), WAIT_MS);
  const out = new Response(child.stdout).text();
  let log = "";
  for await (const part of child.stderr.pipeThrough(new TextDecoderStream())) {
    const isFirst = !log.includes("Management API listens");
    log += part;
    if (!isFirst || !log.includes("Management API listens")) continue;
    const status = await root.run(["punktfunk-host", "ctl", "status", "--json"], { user: PLAYER });
    assert.equal(status.code, 0, status.out + status.err);
    assert.equal(JSON.parse(status.out).v, 1);
    child.kill("SIGTERM");
  }
  const { code } = await child.status;
  clearTimeout(timer);
  assert.deepEqual([code, await out], [0, ""], log);
}

testInRoot(
  "the .deb's postinst asks udev and the kernel on a machine, and nothing in a container",
  async (root) => {
    const content = "/mnt/deb/DEBIAN/postinst";
    const configure = async () => {
      await assertSucceeds(root, "env", "PATH=/tmp/stubs:/usr/bin:/bin", content, "configure");
      return await assertSucceeds(root, "cat", "/tmp/calls");
    };
    await assertSucceeds(root, "mkdir", "/tmp/stubs", "/run/udev");
    const stub = async (name: string, text: string) => {
      const script = `#!/bin/sh\n${text}\n`;
      await assertSucceeds(
        root,
        "sh",
        "-c",
        'printf %s "$1" > "$0"; chmod +x "$0"',
        `/tmp/stubs/${name}`,
        script,
      );
    };
    for (const name of ["udevadm", "modprobe"]) {
      await stub(
        name,
        `echo "${name} $*" >> /tmp/calls; exit 1`,
      );
    }
    await assertSucceeds(root, "touch", "/tmp/calls");
    await stub("systemd-detect-virt", "exit 1");
    assert.equal(await configure(), "", "udev does not run");
    const listen = 'IO::Socket::UNIX->new(Local => "/run/udev/control", Listen => 1) or die $!';
    await assertSucceeds(root, "perl", "-MIO::Socket::UNIX", "-e", listen);
    await stub("systemd-detect-virt", "exit 0");
    assert.equal(await configure(), "", "in a container");
    await stub("systemd-detect-virt", "exit 1");
    assert.equal(
      await configure(),
      "udevadm control --reload\nmodprobe --quiet --all uinput uhid\n" +
        "udevadm trigger --name-match=uinput --name-match=uhid\n",
    );
  },
);

testInRoot(
  "the tarball's README installs the program into /usr/local and removes it",
  async (root) => {
    const before = await root.paths();
    const readme = await assertSucceeds(
      root,
      ...["tar", "-xzOf", `/mnt/${TARBALL}`, "--wildcards", "*/share/doc/punktfunk-host/README"],
    );
    const commands = readme.split("\n").filter((line) => line.includes(TARBALL)).map((line) =>
      line.trim()
    );
    assert.equal(commands.length, 2);
    const [install = "", remove = ""] = commands.map((line) => `cd /mnt && ${line}`);
    await assertSucceeds(root, "sh", "-c", install);
    assert.equal(
      await assertSucceeds(root, "punktfunk-host", "--version"),
      `punktfunk-host ${VERSION}\n`,
    );
    await assertSucceeds(root, "sh", "-c", remove);
    const left = [...(await root.paths()).difference(before)];
    assert.deepEqual(left.filter((path) => !path.endsWith("/")), []);
  },
);

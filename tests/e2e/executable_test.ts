import assert from "node:assert/strict";
import { SHIM_NAMES } from "../../ffi/library.ts";
import { VERSION } from "../../src/lib/version.ts";
import { hasClientCertificates } from "../../src/platform/runtime.ts";
import {
  AS_ORDINARY_USER,
  ExecutableLab,
  findPair,
  type Home,
  type RunResult,
} from "./executable_lab.ts";
import { filesTouched, networkUsed } from "./executable_trace.ts";
import { SwayLab } from "./sway_lab.ts";

const SHIMS = new URL("../../dist/native/x86_64-linux/", import.meta.url).pathname;
const pair = await findPair();
let compiled: Promise<ExecutableLab> | undefined;

Deno.test.afterAll(async () => {
  await (await compiled)?.[Symbol.asyncDispose]();
});

/** A test of the executable, which is compiled once. Without a runtime to compile with it is skipped, and says why. */
function test(name: string, run: (lab: ExecutableLab) => Promise<void>): void {
  if (typeof pair === "string") {
    Deno.test({ name: `${name} (skipped: ${pair})`, ignore: true, fn: () => {} });
    return;
  }
  Deno.test(name, async () => await run(await (compiled ??= ExecutableLab.compile(pair))));
}

const SERVE = [
  ...["--source", "synthetic", "--no-mdns"],
  ...["--native-port", "0", "--mgmt-bind", "127.0.0.1:0"],
];
const SPIKE = ["spike", "--width", "320", "--height", "240", "--seconds", "0.2"];

/** One line, exit code 1, nothing on stdout. */
function assertRefused(result: RunResult, sentence: RegExp): void {
  const lines = result.err.trimEnd().split("\n").filter((line) => !line.includes(" INFO "));
  assert.deepEqual([result.code, result.out, lines.length], [1, "", 1], result.err);
  assert.match(lines[0] ?? "", sentence);
}

async function namesUnder(directory: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name).sort();
}

function configOf({ home }: Home): string {
  return `${home}/.config/punktfunk`;
}

test("the executable prints its version, alone in a directory, to anybody", async (lab) => {
  const line = { success: true, code: 0, out: `punktfunk-host ${VERSION}\n`, err: "" };
  for (const word of ["--version", "-V", "version"]) assert.deepEqual(await lab.run([word]), line);
  assert.deepEqual(await namesUnder(lab.place), ["punktfunk-host"]);
});

test("the executable knows its commit, its runtime and every shim", async (lab) => {
  const { out } = await lab.run(["version", "--json"]);
  const { data } = JSON.parse(out);
  assert.match(data.commit, /^([0-9a-f]{40}(-modified)?|unknown)$/);
  assert.equal(data.compiled, true);
  assert.deepEqual(data.shims.map((shim: { name: string }) => shim.name), SHIM_NAMES);
  for (const shim of data.shims) assert.ok(shim.abi >= 1, JSON.stringify(shim));
});

test("the executable prints the licences of what is inside", async (lab) => {
  const { code, out } = await lab.run(["licenses"]);
  assert.equal(code, 0);
  for (const part of ["Deno", "OpenSSL libcrypto", "OpenH264", "Opus", "zod", "hono"]) {
    assert.match(out, new RegExp(`^ {2}${part} +\\d`, "m"));
  }
  assert.doesNotMatch(out, /fast-check/);
});

test("the executable prints the document of its API as the checkout has it", async (lab) => {
  const { out } = await lab.run(["openapi"]);
  assert.equal(out, await Deno.readTextFile(new URL("../../api/openapi.json", import.meta.url)));
});

test("the executable encodes and repairs as an ordinary user with an empty environment", async (lab) => {
  const { home } = await lab.home();
  const out = `${home}/test.h264`;
  const result = await lab.run([...SPIKE, "--loss", "5", "--out", out, "--json"]);
  assert.deepEqual([result.code, result.err], [0, ""]);
  const { data } = JSON.parse(result.out);
  assert.ok(data.frames >= 10 && data.loopback.wrong_frames === 0, result.out);
  assert.equal((await Deno.stat(out)).size, data.bytes);
});

test("serve of the executable answers its API and exits 0 at SIGTERM", async (lab) => {
  const home = await lab.home();
  const host = await lab.serve(SERVE, { env: home.env });
  const client = Deno.createHttpClient({
    caCerts: [await Deno.readTextFile(`${configOf(home)}/native-cert.pem`)],
  });
  try {
    const get = async (path: string, headers = {}) => {
      const answer = await fetch(`https://127.0.0.1:${host.port}/api/v1${path}`, {
        client,
        headers,
      });
      return { status: answer.status, json: await answer.json() };
    };
    assert.equal((await get("/health")).json.version, VERSION);
    assert.equal((await get("/host")).status, 401);
    const token = (await Deno.readTextFile(`${configOf(home)}/mgmt-token`)).trim().split("=")[1];
    const { status, json } = await get("/host", { Authorization: `Bearer ${token}` });
    assert.deepEqual([status, json.ports.mgmt], [200, host.port]);
  } finally {
    client.close();
  }
  const { code, out, err } = await host.stop();
  assert.deepEqual([code, out], [0, ""], err);
  assert.match(err, /host\.stopped\n$/);
  assert.doesNotMatch(err, / ERROR /);
});

test("the executable opens its shims from sealed memory and no file", async (lab) => {
  const { home } = await lab.home();
  const child = lab.spawn([
    ...["spike", "--width", "320", "--height", "240", "--seconds", "60", "--out", `${home}/x`],
  ]);
  try {
    const wanted = ["h264", "picture", "wire"].map((name) => `/memfd:pf_${name} (deleted)`);
    // Address range by path, of what is mapped as code.
    let code = new Map<string, string>();
    while (!wanted.every((path) => code.has(path))) {
      const maps = await Deno.readTextFile(`/proc/${child.pid}/maps`);
      const rows = maps.split("\n").filter((line) => line.includes(" r-xp "))
        .map((line) => line.split(/\s+/));
      code = new Map(rows.map(([range = "", , , , , ...path]) => [path.join(" "), range]));
    }
    assert.deepEqual([...code.keys()].filter((path) => path.includes("libpf_")), []);
    for (const path of wanted) {
      using file = await Deno.open(`/proc/${child.pid}/map_files/${code.get(path)}`, {
        write: true,
      });
      await assert.rejects(file.write(new Uint8Array(1)), Deno.errors.PermissionDenied, path);
    }
  } finally {
    child.kill();
    await child.output();
  }
});

test("a pump Worker runs inside a compiled file and opens its shims from memory", async (lab) => {
  const child = await lab.compileChild("tests/e2e/executable_pump_child.ts", [
    "src/session/pumps/audio_pump_worker.ts",
    "dist/native/x86_64-linux/libpf_opus.so",
    "dist/native/x86_64-linux/libpf_picture.so",
  ]);
  const { code, out, err } = await lab.run([], { executable: child });
  assert.equal(code, 0, err);
  assert.deepEqual(JSON.parse(out), { packets: 5, mapped: ["pf_opus", "pf_picture"] });
});

test("serve of the executable writes and listens where it says, and nowhere else", async (lab) => {
  const home = await lab.home();
  const traces = `${home.home}/traces`;
  await Deno.mkdir(traces);
  await Deno.chmod(traces, 0o777);
  const strace = ["strace", "-D", "-qq", "-ff", "-e", "trace=file,network", "-o", `${traces}/t`];
  const host = await lab.serve(SERVE, {
    before: [...AS_ORDINARY_USER, ...strace],
    env: { ...home.env, PATH: "/usr/bin" },
  });
  assert.equal((await host.stop()).code, 0);

  const texts: string[] = [];
  for (const name of await namesUnder(traces)) {
    texts.push(await Deno.readTextFile(`${traces}/${name}`));
  }
  const text = texts.join("");
  const touched = filesTouched(text);
  assert.ok(touched.includes(`${configOf(home)}/mgmt-token`), "the trace sees what is written");
  const allowed = [
    `${home.home}/.config`,
    configOf(home),
    `${home.home}/.local`,
    `${home.home}/.local/state`,
    `${home.home}/.local/state/punktfunk`,
    home.env["XDG_RUNTIME_DIR"] ?? "",
  ];
  const isAllowed = (path: string) =>
    allowed.includes(path) ||
    [allowed[1], allowed[4], allowed[5]].some((directory) => path.startsWith(`${directory}/`));
  assert.deepEqual(touched.filter((path) => !isAllowed(path)), []);

  const { bound, connected } = networkUsed(text);
  // The QUIC stack asks a socket of its own what the system can do, and closes it.
  const own = bound.filter((address) => address !== ":::0");
  assert.deepEqual(own.toSorted(), ["0.0.0.0:0", "127.0.0.1:0"]);
  assert.deepEqual(connected, []);
  assert.deepEqual(await namesUnder(lab.place), ["punktfunk-host"]);
});

if (typeof pair === "string" || !hasClientCertificates(pair.version)) {
  test("serve --gamestream of an executable on an old runtime says what it wants", async (lab) => {
    const { env } = await lab.home();
    const result = await lab.run(["serve", "--gamestream", ...SERVE], { env });
    const withoutWarning = result.err.replace(/^.* WARN host\.gamestream .*\n/m, "");
    assertRefused(
      { ...result, err: withoutWarning },
      /Cannot serve GameStream: Deno \S+ does not hand over client certificates\. Use Deno 2\.9/,
    );
  });
}

test("a cut executable does not start", async (lab) => {
  const bytes = await Deno.readFile(lab.executable);
  const cut = `${lab.directory}/cut`;
  for (const size of [1_000_000, bytes.byteLength - 1_000_000, bytes.byteLength - 1]) {
    await Deno.writeFile(cut, bytes.subarray(0, size), { mode: 0o755 });
    const { success, out } = await lab.run(["--version"], { executable: cut });
    assert.deepEqual([success, out], [false, ""], `${size} bytes`);
  }
});

test("a damaged shim is not opened, and everything that can do without it goes on", async (lab) => {
  const damaged = { executable: await lab.damagedCopy(`${SHIMS}libpf_h264.so`) };
  assertRefused(
    await lab.run([...SPIKE, "--out", "/dev/null"], damaged),
    /Cannot open shim "h264": the executable is damaged\. Compare it with its SHA-256 and fetch it/,
  );
  const { data } = JSON.parse((await lab.run(["version", "--json"], damaged)).out);
  const broken = data.shims.filter((one: { error?: string }) => one.error !== undefined);
  assert.deepEqual(broken.map((one: { name: string }) => one.name), ["h264"]);
});

test("shims for another processor are refused with the reason", async (lab) => {
  const directory = await Deno.makeTempDir({ dir: lab.directory });
  await Deno.chmod(directory, 0o755);
  for (const name of SHIM_NAMES) {
    const bytes = await Deno.readFile(`${SHIMS}libpf_${name}.so`);
    bytes[18] = 183; // ARM, 64 bits
    await Deno.writeFile(`${directory}/libpf_${name}.so`, bytes);
  }
  assertRefused(
    await lab.run([...SPIKE, "--out", "/dev/null"], { env: { PUNKTFUNK_NATIVE_DIR: directory } }),
    /Cannot open shim "\w+": it is made for another processor.*PUNKTFUNK_NATIVE_DIR/,
  );
});

test("the executable and its shims run on the plainest x86-64 processor", async (lab) => {
  const { home } = await lab.home();
  const plainest = [...AS_ORDINARY_USER, "/usr/bin/qemu-x86_64", "-cpu", "qemu64"];
  const result = await lab.run(
    [
      "spike",
      "--width",
      "64",
      "--height",
      "64",
      "--seconds",
      "0.1",
      "--out",
      `${home}/x`,
      "--json",
    ],
    { before: plainest },
  );
  assert.equal(result.code, 0, result.err);
  const { data } = JSON.parse(result.out);
  assert.ok(data.frames > 0 && data.loopback.wrong_frames === 0, result.out);
});

test("missing libraries of the desktop are named, and serve goes on without sound", async (lab) => {
  await using sway = await SwayLab.start();
  const masked = `for f in /usr/lib/*/libpipewire-0.3.so.0 /usr/lib/*/libwayland-client.so.0; do
      mount --bind /dev/null "$(readlink -f "$f")"
    done
    exec setpriv --reuid=lab --regid=lab --init-groups "$@"`;
  const options = {
    before: ["/usr/bin/unshare", "--mount", "/bin/sh", "-ec", masked, "sh"],
    env: {
      PATH: "/usr/bin:/bin",
      HOME: sway.runtimeDirectory,
      XDG_RUNTIME_DIR: sway.runtimeDirectory,
    },
  };
  assertRefused(
    await lab.run(["spike", "--source", "virtual", "--out", "/dev/null"], options),
    /libwayland-client\.so\.0 is missing.*Install the package libwayland-client0/,
  );
  const host = await lab.serve([
    ...["--no-mdns", "--native-port", "0", "--mgmt-bind", "127.0.0.1:0"],
  ], options);
  const { code, err } = await host.stop();
  assert.equal(code, 0);
  assert.match(err, /libpipewire-0\.3\.so\.0 is not installed\. Install PipeWire/);
});

test("a second serve on the same ports names the first and changes nothing", async (lab) => {
  const home = await lab.home();
  const host = await lab.serve(SERVE, { env: home.env });
  const endpoint = `${configOf(home)}/mgmt-endpoint`;
  const before = [await namesUnder(configOf(home)), await Deno.readTextFile(endpoint)];
  const first = `the port is in use by punktfunk-host \\(${host.processId}\\)`;
  const again = (...flags: string[]) =>
    lab.run(["serve", "--source", "synthetic", "--no-mdns", ...flags], { env: home.env });
  assertRefused(
    await again(
      ...["--native-port", "0", "--mgmt-bind", `127.0.0.1:${host.port}`],
    ),
    new RegExp(
      `127\\.0\\.0\\.1:${host.port}: ${first}.* choose another port with --mgmt-bind`,
    ),
  );
  assertRefused(
    await again("--native-port", `${host.nativePort}`, "--mgmt-bind", "127.0.0.1:0"),
    new RegExp(`port ${host.nativePort}: ${first}.* choose another port with --native-port`),
  );
  assert.deepEqual([await namesUnder(configOf(home)), await Deno.readTextFile(endpoint)], before);
  assert.equal((await host.stop()).code, 0);
});

test("serve refuses a directory of another user and leaves it as it is", async (lab) => {
  const { env } = await lab.home();
  const other = await Deno.makeTempDir({ dir: lab.directory });
  await Deno.chmod(other, 0o755);
  assertRefused(
    await lab.run(["serve", ...SERVE], { env: { ...env, PUNKTFUNK_CONFIG_DIR: other } }),
    /it belongs to another user.*Run as that user, or choose another directory with PUNKTFUNK_CONFIG/,
  );
  assert.deepEqual(await namesUnder(other), []);
});

test("serve on a full disk names the file and leaves none half written", async (lab) => {
  const { out, err } = await lab.runPrivately(`
    mount -t tmpfs -o size=8k,mode=777 tmpfs "$2"
    HOME="$2" $3 "$1" serve ${SERVE.join(" ")}
    echo "exit $?"
    find "$2" -type f -printf '%f %s\\n'
  `);
  const [exit, ...files] = out.trimEnd().split("\n");
  assert.equal(exit, "exit 1", err);
  assert.match(err, / ERROR .*Cannot write \S+: no space is left.*Free space on the disk/);
  assert.ok(files.length > 0, "something was written before the disk was full");
  assert.deepEqual(files.filter((file) => /\.tmp | 0$/.test(file)), []);
});

test("serve with a read-only home says so", async (lab) => {
  const { out, err } = await lab.runPrivately(`
    mount -t tmpfs -o ro,mode=777 tmpfs "$2"
    HOME="$2" $3 "$1" serve ${SERVE.join(" ")}
    echo "exit $?"
  `);
  assert.equal(out, "exit 1\n");
  assert.match(
    err,
    / ERROR .*\.config\/punktfunk: the disk is read-only.*Make the disk that holds/,
  );
});

test("serve without a home says what to set", async (lab) => {
  for (const env of [{}, { HOME: "" }, { HOME: "relative" }]) {
    assertRefused(
      await lab.run(["serve", ...SERVE], { env }),
      /Cannot find this user's directories: .*\. Set HOME$/,
    );
  }
  const home = await lab.home();
  const env = { HOME: `${home.home}/none/yet` };
  const host = await lab.serve(SERVE, { env });
  assert.equal((await host.stop()).code, 0, "a home that is not there yet is made");
});

test("the executable wants no temporary directory", async (lab) => {
  const home = await lab.home();
  const name = home.home.slice(lab.directory.length);
  const hidden = `
    mount --bind "${lab.directory}" /mnt
    for d in /tmp /var/tmp /dev/shm; do mount -t tmpfs -o ro tmpfs $d; done
    cd /mnt/place; shift; exec ${AS_ORDINARY_USER.join(" ")} ./punktfunk-host "$@"`;
  const options = {
    before: ["/usr/bin/unshare", "--mount", "/bin/sh", "-ec", hidden, "sh"],
    env: { PATH: "/usr/bin:/bin", HOME: `/mnt${name}` },
  };
  assertRefused(
    await lab.run(SPIKE, options),
    /Cannot write \/tmp\/punktfunk-spike\.h264: .*Choose another place with --out/,
  );
  assert.equal((await lab.run([...SPIKE, "--out", `/mnt${name}/x.h264`], options)).code, 0);
  const host = await lab.serve(SERVE, options);
  assert.equal((await host.stop()).code, 0);
});

import assert from "node:assert/strict";
import { SHIM_NAMES } from "../../../ffi/library.ts";
import { VERSION } from "../../../src/lib/version.ts";

const MAIN = new URL("../../../main.ts", import.meta.url).pathname;

function main(...args: string[]) {
  return mainWith({}, ...args);
}

async function mainWith(env: Record<string, string>, ...args: string[]) {
  const output = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", MAIN, ...args],
    env: { PUNKTFUNK_CONFIG_DIR: "/nonexistent/punktfunk", NO_COLOR: "1", ...env },
    stdin: "null",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code: output.code, out: text(output.stdout), err: text(output.stderr) };
}

Deno.test("main.ts prints its version on stdout, by flag, letter and word", async () => {
  for (const word of ["--version", "-V", "version"]) {
    assert.deepEqual(await main(word), { code: 0, out: `punktfunk-host ${VERSION}\n`, err: "" });
  }
});

Deno.test("main.ts shows commit, runtime and the ABI of every shim for `version` with flags", async () => {
  const { out, code } = await main("version", "--json");
  const { v, data } = JSON.parse(out);
  assert.deepEqual([code, v, data.version, data.compiled], [0, 1, VERSION, false]);
  assert.match(data.commit, /^([0-9a-f]{40}(-modified)?|unknown)$/);
  assert.deepEqual(data.shims.map((shim: { name: string }) => shim.name), SHIM_NAMES);
  for (const { name, abi } of data.shims) assert.ok(abi >= 1, name);

  const lines = (await main("version", "--verbose")).out.trimEnd().split("\n");
  assert.deepEqual(lines.slice(0, 4), [
    `punktfunk-host ${VERSION}`,
    `commit ${data.commit}`,
    `target ${Deno.build.target}, from source`,
    `deno ${Deno.version.deno}, V8 ${Deno.version.v8}`,
  ]);
  assert.equal(lines.length, 4 + SHIM_NAMES.length);
});

Deno.test("main.ts says which shim cannot be opened and why, and still exits 0", async () => {
  const directory = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${directory}/libpf_wire.so`, "no library");
    const { out, code } = await mainWith(
      { PUNKTFUNK_NATIVE_DIR: directory },
      "version",
      "--json",
    );
    assert.equal(code, 0);
    for (const { name, abi, error } of JSON.parse(out).data.shims) {
      assert.equal(abi, undefined);
      assert.ok(error.startsWith(`Cannot open shim "${name}": `), error);
      assert.match(error, /\. Check what PUNKTFUNK_NATIVE_DIR holds/);
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("main.ts exits 0 for help, 1 for refusals, 2 to 4 only below `ctl`", async () => {
  const table: [string[], number][] = [
    [[], 0],
    [["serve", "--help"], 0],
    [["frobnicate"], 1],
    [["serve", "--bogus"], 1],
    [["serve", "--mgmt-bind", "nowhere"], 1],
    [["ctl", "status", "--bogus"], 2],
    [["ctl", "status"], 3],
  ];
  for (const [args, code] of table) {
    const result = await main(...args);
    assert.equal(result.code, code, `${args.join(" ")}: ${result.err}`);
    assert.equal(result.out, "");
  }
});

Deno.test("main.ts takes it calmly when its reader leaves before it writes", async () => {
  const script = 'set -o pipefail; "$0" run -A --no-check "$1" openapi | true';
  const { code, stderr } = await new Deno.Command("bash", {
    args: ["-c", script, Deno.execPath(), MAIN],
  }).output();
  assert.equal(new TextDecoder().decode(stderr), "");
  assert.equal(code, 0);
});

Deno.test("main.ts loads three modules of its own before it knows the command", async () => {
  const info = await new Deno.Command(Deno.execPath(), { args: ["info", "--json", MAIN] }).output();
  const { modules } = JSON.parse(new TextDecoder().decode(info.stdout)) as {
    modules: {
      specifier: string;
      dependencies?: { code?: { specifier: string } }[];
    }[];
  };
  const loaded = new Set<string>();
  const visit = (specifier: string) => {
    if (loaded.has(specifier)) return;
    loaded.add(specifier);
    const module = modules.find((one) => one.specifier === specifier);
    // A dynamic import of a literal counts: the runtime reads what lies behind it before it runs anything.
    for (const { code } of module?.dependencies ?? []) {
      if (code !== undefined) visit(code.specifier);
    }
  };
  visit(`file://${MAIN}`);
  assert.deepEqual([...loaded].map((one) => one.slice(one.lastIndexOf("/") + 1)).sort(), [
    "errors.ts",
    "main.ts",
    "print.ts",
    "version.ts",
  ]);
});

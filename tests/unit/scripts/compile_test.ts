import assert from "node:assert/strict";
import { parseArguments, UsageError } from "../../../scripts/compile.ts";
import {
  describeMissing,
  findMissing,
  type Prerequisite,
  prerequisitesOf,
} from "../../../scripts/prerequisites.ts";
import {
  DENO_VERSION,
  DENO_VERSION_FALLBACK,
  requireDenoVersion,
  requireRuntime,
  targetOfExecutable,
} from "../../../scripts/runtime.ts";
import {
  buildMachine,
  isForeign,
  requireTarget,
  type Target,
  TARGETS,
} from "../../../scripts/targets.ts";

const ROOT = new URL("../../../", import.meta.url);
const FOREIGN = TARGETS.filter(isForeign);

/** The first bytes of an ELF file for `machine`. */
function elf(machine: number): Uint8Array<ArrayBuffer> {
  const head = new Uint8Array(64);
  head.set([0x7f, 0x45, 0x4c, 0x46]);
  new DataView(head.buffer).setUint16(18, machine, true);
  return head;
}

/** The first bytes of a PE file for `machine`. */
function pe(machine: number): Uint8Array<ArrayBuffer> {
  const head = new Uint8Array(512);
  const view = new DataView(head.buffer);
  view.setUint16(0, 0x4d5a);
  view.setUint32(60, 256, true);
  view.setUint32(256, 0x50450000);
  view.setUint16(260, machine, true);
  return head;
}

Deno.test("parseArguments() takes a known target, this machine by default, and nothing else", () => {
  assert.equal(parseArguments([]).target, buildMachine());
  for (const target of TARGETS) {
    assert.equal(parseArguments(["--target", target.name]).target, target);
  }
  for (
    const args of [
      ["--target"],
      ["--target", "sparc"],
      ["--output"],
      ["--frobnicate"],
      ["out"],
      ["--target="],
    ]
  ) {
    assert.throws(() => parseArguments(args), UsageError, args.join(" "));
  }
});

Deno.test("parseArguments() keeps a foreign executable apart and names Windows' own kind", () => {
  assert.equal(parseArguments([]).output, "dist/punktfunk-host");
  for (const { name, system } of FOREIGN) {
    const end = system === "windows" ? ".exe" : "";
    assert.equal(parseArguments(["--target", name]).output, `dist/${name}/punktfunk-host${end}`);
  }
  const windows = ["--target", "x86_64-pc-windows-msvc"];
  assert.equal(parseArguments(["--output", "/x/y"]).output, "/x/y");
  assert.equal(parseArguments(["--output", "/x/y", ...windows]).output, "/x/y.exe");
  assert.equal(parseArguments(["--output", "/x/y.exe", ...windows]).output, "/x/y.exe");
});

Deno.test("compile.ts exits 2 for wrong arguments and says which are right", async () => {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "scripts/compile.ts", "--target", "sparc"],
    cwd: ROOT,
  }).output();
  assert.equal(code, 2);
  assert.equal(
    new TextDecoder().decode(stderr),
    `--target must be one of ${TARGETS.map(({ name }) => name).join(", ")}\n`,
  );
});

Deno.test("targetOfExecutable() tells ELF and PE files by their machine", () => {
  const name = (head: Uint8Array) => targetOfExecutable(head)?.name;
  assert.equal(name(elf(62)), "x86_64-unknown-linux-gnu");
  assert.equal(name(elf(183)), "aarch64-unknown-linux-gnu");
  assert.equal(name(elf(243)), undefined);
  assert.equal(name(pe(0x8664)), "x86_64-pc-windows-msvc");
  assert.equal(name(pe(0xaa64)), undefined);
  for (let length = 0; length < 262; length++) {
    assert.equal(name(pe(0x8664).subarray(0, length)), undefined);
  }
  assert.equal(name(new TextEncoder().encode("#!/bin/sh\n".padEnd(80))), undefined);
});

Deno.test("requireRuntime() refuses a DENORT_BIN that is missing, no runtime, or another machine's", async () => {
  const directory = await Deno.makeTempDir();
  const [target] = FOREIGN as [Target];
  const check = (given: string) => requireRuntime(target, { given, denoDirectory: directory });
  try {
    const path = `${directory}/denort`;
    await assert.rejects(check(path), { message: `Cannot use DENORT_BIN: ${path} cannot be read` });
    await Deno.writeTextFile(path, "no runtime");
    await assert.rejects(check(path), /is no runtime of a known target/);
    await Deno.writeFile(path, elf(buildMachine().name.startsWith("x86_64") ? 62 : 183));
    await assert.rejects(
      check(path),
      new RegExp(`is a runtime for ${buildMachine().name}, this is compiled for ${target.name}`),
    );
    await Deno.writeFile(path, elf(target.name.startsWith("x86_64") ? 62 : 183));
    await check(path);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("requireRuntime() is content with a runtime that Deno has kept", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const kept = `${directory}/dl/release/v${Deno.version.deno}`;
    await Deno.mkdir(kept, { recursive: true });
    await Deno.writeTextFile(`${kept}/denort-${buildMachine().name}.zip`, "");
    await requireRuntime(buildMachine(), { given: undefined, denoDirectory: directory });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("requireDenoVersion() takes the pin and its fallback and names the pin otherwise", () => {
  requireDenoVersion(DENO_VERSION);
  requireDenoVersion(DENO_VERSION_FALLBACK);
  for (const version of ["2.8.0", "2.9.5", "3.0.0"]) {
    assert.throws(
      () => requireDenoVersion(version),
      new RegExp(`npx -y deno@${DENO_VERSION} task`),
    );
  }
});

Deno.test("DENO_VERSION is the release that documents and CI name", async () => {
  for (
    const file of [
      "README.md",
      "CONTRIBUTING.md",
      "docs/user_guide.md",
      "docs/design.md",
      ".ci/run",
    ]
  ) {
    const text = await Deno.readTextFile(new URL(file, ROOT));
    const named = [...text.matchAll(/\b(?:deno@|Deno )(\d+\.\d+\.\d+)/g)].map(([, one]) => one);
    assert.ok(named.includes(DENO_VERSION), `${file} does not name Deno ${DENO_VERSION}`);
    for (const one of named) {
      assert.ok(one === DENO_VERSION || one === DENO_VERSION_FALLBACK, `${file} names Deno ${one}`);
    }
  }
});

Deno.test("describeMissing() names each file, where it comes from, and the commands", async () => {
  const target = requireTarget("aarch64-unknown-linux-gnu");
  const wanted: Prerequisite[] = [
    { file: "sh", from: { package: "dash" } },
    { file: "aarch64-linux-gnu-nothing", from: { package: "gcc-aarch64-linux-gnu" } },
    { file: "/nonexistent/libopus.a", from: { package: "libopus-dev:arm64" } },
    { file: "/nonexistent/rustlib", from: { command: "rustup target add x" } },
  ];
  const missing = await findMissing(wanted);
  assert.deepEqual(missing, wanted.slice(1));
  assert.equal(
    describeMissing(target, missing).replaceAll("sudo ", ""),
    [
      "Cannot compile for aarch64-unknown-linux-gnu, because these are missing:",
      "  aarch64-linux-gnu-nothing, of the Debian package gcc-aarch64-linux-gnu",
      "  /nonexistent/libopus.a, of the Debian package libopus-dev:arm64",
      "  /nonexistent/rustlib, which rustup gets",
      "This gets them:",
      "  dpkg --add-architecture arm64 && apt-get update && apt-get install -y gcc-aarch64-linux-gnu libopus-dev:arm64",
      "  rustup target add x",
    ].join("\n"),
  );
});

Deno.test("prerequisitesOf() wants archives for Linux and none for Windows, which has no shim with one", async () => {
  const files = async (name: string) =>
    (await prerequisitesOf(requireTarget(name))).map(({ file }) => file);
  const arm = await files("aarch64-unknown-linux-gnu");
  assert.ok(arm.includes("/usr/lib/aarch64-linux-gnu/libcrypto.a"));
  assert.ok(arm.some((file) => file.endsWith("g++")));
  assert.ok(arm.some((file) => file.endsWith("/rustlib/aarch64-unknown-linux-gnu")), `${arm}`);
  assert.deepEqual(await files("x86_64-pc-windows-msvc"), ["x86_64-w64-mingw32-gcc"]);
});

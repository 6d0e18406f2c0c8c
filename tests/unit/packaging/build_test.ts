import assert from "node:assert/strict";
import { parseArguments } from "../../../packaging/build.ts";
import { debianCopyright, field } from "../../../packaging/copyright.ts";
import { formatControl } from "../../../packaging/debian.ts";
import { gatherInputs } from "../../../packaging/inputs.ts";
import { UsageError } from "../../../scripts/compile.ts";
import { buildMachine, isForeign, TARGETS } from "../../../scripts/targets.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;

Deno.test("parseArguments() finds what compile makes for each target on Linux", () => {
  for (const target of TARGETS.filter(({ system }) => system === "linux")) {
    const request = parseArguments(["--target", target.name]);
    const directory = isForeign(target) ? `dist/${target.name}` : "dist";
    assert.equal(request.executable, `${ROOT}${directory}/punktfunk-host`);
    assert.deepEqual([request.target, request.level], [target, 6]);
    assert.equal(request.output, `${ROOT}dist/packages`);
  }
  const named = parseArguments(["--level", "1", "--executable", "/a/b", "--output", "c"]);
  assert.deepEqual(named, {
    target: buildMachine(),
    executable: "/a/b",
    output: `${ROOT}c`,
    level: 1,
  });
});

Deno.test("parseArguments() refuses what it does not know, and targets without packages", () => {
  for (
    const args of [
      ["--frobnicate", "1"],
      ["--level"],
      ["--level", "0"],
      ["--level", "10"],
      ["--target", "sparc"],
      ["--target", "x86_64-pc-windows-msvc"],
      ["dist"],
    ]
  ) {
    assert.throws(() => parseArguments(args), UsageError, args.join(" "));
  }
});

Deno.test("gatherInputs() refuses a file that is missing, no executable, or another program", async () => {
  const gather = (executable: string, target = buildMachine()) =>
    gatherInputs({ target, executable, level: 1 });
  await assert.rejects(gather(`${ROOT}absent`), /absent cannot be read; `deno task compile`/);
  await assert.rejects(gather(`${ROOT}deno.json`), /deno\.json is no executable for /);
  await assert.rejects(gather(Deno.execPath()), /is not version [\d.]+; compile again$/);
  for (const target of TARGETS.filter(isForeign)) {
    await assert.rejects(gather(Deno.execPath(), target), /is no executable for /, target.name);
  }
});

Deno.test("field() folds further lines and keeps empty ones", () => {
  assert.equal(field("Name", "one"), "Name: one\n");
  assert.equal(field("Name", "one\n\ntwo  \n  three"), "Name: one\n .\n two\n   three\n");
  assert.equal(field("Name", "\ntext"), "Name:\n text\n");
});

Deno.test("debianCopyright() has a stanza for the header, the files and each licence", async () => {
  const licence = await Deno.readTextFile(`${ROOT}LICENSE-MIT`);
  const text = debianCopyright({ licence, notices: "list\n\nText of others\n" });
  const stanzas = text.trimEnd().split("\n\n");
  assert.deepEqual(
    stanzas.map((stanza) => stanza.match(/^[A-Z][\w-]*:/gm)?.join(" ")),
    ["Format: Upstream-Name: Comment:", "Files: Copyright: License:", "License:", "License:"],
  );
  assert.ok(stanzas[0]?.endsWith("\nComment:\n list\n .\n Text of others"));
  assert.match(stanzas[1] ?? "", /^Copyright: 2026 The punktfunk-host authors$/m);
  assert.match(stanzas[2] ?? "", /^License: Expat\n Permission is hereby granted,/);
});

Deno.test("formatControl() has the fields dpkg asks for, one a line", () => {
  const text = formatControl({ architecture: "arm64", depends: "libc6", installedKib: 12 });
  assert.doesNotMatch(text, /\n\n/);
  const fields = ["Package", "Version", "Architecture", "Maintainer", "Depends", "Description"];
  for (const name of fields) assert.match(text, new RegExp(`^${name}: \\S`, "m"));
  assert.match(text, /^Architecture: arm64$/m);
  assert.match(text, /^Installed-Size: 12$/m);
});

import assert from "node:assert/strict";
import { linkedIds } from "../../../scripts/crates.ts";
import { licenceFiles, standardText } from "../../../scripts/licence_texts.ts";
import { alternativesOf, isPermissive } from "../../../scripts/licences.ts";
import { formatNotices } from "../../../scripts/notices.ts";
import { findPackages, findUnneeded } from "../../../scripts/npm_packages.ts";
import { programEntries } from "../../../scripts/program_files.ts";

const PART = { name: "a", version: "1.0", licence: "MIT", text: "Text of a\r\n" };

Deno.test("isPermissive() reads SPDX expressions and takes nothing it does not know", () => {
  const table: readonly (readonly [string, boolean])[] = [
    ["MIT", true],
    ["0BSD", true],
    ["GPL-3.0-only", false],
    ["LGPL-2.1-or-later", false],
    ["MPL-2.0", false],
    ["UNLICENSED", false],
    ["SEE LICENSE IN LICENSE.md", false],
    ["", false],
    ["MIT OR GPL-2.0-only", true],
    ["MIT AND GPL-2.0-only", false],
    ["MIT AND (Apache-2.0 OR GPL-2.0-only)", true],
    ["(MIT OR GPL-3.0-only) AND GPL-3.0-only", false],
    ["(MIT) OR (GPL-3.0-only)", true],
    ["MIT/Apache-2.0", true],
    ["Apache-2.0 WITH LLVM-exception", true],
    ["GPL-3.0-or-later WITH GCC-exception-3.1", true],
    ["GPL-3.0-or-later WITH Font-exception-2.0", false],
    ["(MIT", false],
  ];
  for (const [expression, expected] of table) {
    assert.equal(isPermissive(expression), expected, expression);
  }
});

Deno.test("alternativesOf() splits where no bracket is open", () => {
  assert.deepEqual(alternativesOf("MIT OR (A AND (B OR C))"), ["MIT", "(A AND (B OR C))"]);
});

Deno.test("formatNotices() lists every part and prints a shared text once", () => {
  const text = formatNotices("x", [
    PART,
    { ...PART, name: "b", text: "Text of a\n" },
    { ...PART, name: "c", version: "", text: "Text of c" },
  ]);
  assert.equal(text.split("Text of a").length, 2);
  assert.match(text, /^ {2}a {2}1\.0 {2}MIT$/m);
  assert.match(text, /^a 1\.0, b 1\.0\n\nText of a\n/m);
  assert.match(text, /^c\n\nText of c\n/m);
});

Deno.test("formatNotices() refuses a part whose licence does not go with this program's", () => {
  assert.throws(
    () => formatNotices("x", [PART, { ...PART, name: "b", licence: "GPL-3.0-only" }]),
    {
      message:
        'Cannot ship b 1.0: its licence, "GPL-3.0-only", does not go with MIT and Apache-2.0',
    },
  );
});

Deno.test("licenceFiles() joins what a package says about itself and wants a licence among it", async () => {
  const directory = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${directory}/README.md`, "readme");
    await Deno.writeTextFile(`${directory}/NOTICE`, "notice");
    assert.equal(await licenceFiles(directory, "MIT"), undefined);
    await Deno.writeTextFile(`${directory}/license-mit.md`, "mit\r\n");
    await Deno.writeTextFile(`${directory}/LICENSE-APACHE`, "apache");
    assert.equal(await licenceFiles(directory, "MIT OR Apache-2.0"), "notice\n\nmit");
    assert.equal(
      await licenceFiles(directory, "MIT AND Apache-2.0"),
      "apache\n\nnotice\n\nmit",
    );
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("standardText() names the holder and refuses a licence whose text is not here", async () => {
  assert.match(await standardText("MIT OR Zlib", "A $& B"), /^Copyright \(c\) A \$& B$/m);
  assert.match(await standardText("Zlib OR Apache-2.0", "A"), /Apache License/);
  await assert.rejects(standardText("Zlib", "A"), /Cannot find the licence text of A/);
});

Deno.test("linkedIds() follows what runs and leaves build scripts and tests out", () => {
  const on = (pkg: string, ...kinds: (string | null)[]) => ({
    pkg,
    dep_kinds: kinds.map((kind) => ({ kind })),
  });
  const nodes = [
    { id: "root", deps: [on("a", null), on("cc", "build"), on("test", "dev")] },
    { id: "a", deps: [on("b", "build", null)] },
    { id: "cc", deps: [on("d", null)] },
    { id: "b", deps: [on("root", null)] },
  ];
  assert.deepEqual([...linkedIds({ root: "root", nodes })].sort(), ["a", "b", "root"]);
});

Deno.test("findPackages() tells what the program needs from what only its tests need", async () => {
  const { inside, outside } = await findPackages(await programEntries());
  const names = (packages: typeof inside) => packages.map(({ name }) => name);
  assert.ok(names(inside).includes("hono"));
  assert.ok(names(inside).includes("asn1js"), "a package of a package");
  assert.ok(names(outside).includes("fast-check"));
  assert.ok(names(outside).includes("pure-rand"), "a package of a test's package");
});

Deno.test("findUnneeded() names types and twins, and nothing that a package is loaded from", async () => {
  const packages = await findPackages(await programEntries());
  const unneeded = new Set(await findUnneeded(packages));
  const zod = packages.inside.find(({ name }) => name === "zod")?.directory;
  assert.ok(unneeded.has(`${zod}/index.d.ts`));
  assert.ok(unneeded.has(`${zod}/index.cjs`));
  for (const file of ["package.json", "index.js", "v4/classic/index.js"]) {
    assert.ok(!unneeded.has(`${zod}/${file}`), file);
  }
  const x509 = packages.inside.find(({ name }) => name === "@peculiar/x509")?.directory;
  assert.ok(unneeded.has(`${x509}/build/x509.es.js`), "what only a bundler reads");
  assert.ok(!unneeded.has(`${x509}/build/x509.cjs.js`));
  const yaml = packages.inside.find(({ name }) => name === "yaml")?.directory;
  assert.ok(unneeded.has(`${yaml}/browser`) && !unneeded.has(`${yaml}/dist`));
  for (const path of unneeded) await Deno.stat(path);
  // @peculiar/x509 is CommonJS and requires it, although its package calls itself one of modules.
  const utils = packages.inside.find(({ name }) => name === "@peculiar/utils")?.directory;
  assert.ok(!unneeded.has(`${utils}/build/cjs`));
  for (const { directory } of packages.outside) assert.ok(unneeded.has(directory));
});

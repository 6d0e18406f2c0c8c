/**
 * Makes dist/THIRD-PARTY-NOTICES: what of other people is inside the executable, under which licence, and its text.
 *
 *     deno run -A scripts/notices.ts [--target TARGET]
 *
 * Its sources are the npm cache, the Debian packages whose archives are linked, and the crates of native/quic. A part
 * without a licence, or with one that does not go with MIT and Apache-2.0, ends the build.
 *
 * @module
 */
import { crateParts } from "./crates.ts";
import { licenceFiles, type Part, standardText } from "./licence_texts.ts";
import { isPermissive } from "./licences.ts";
import { findPackages, type NpmPackage } from "./npm_packages.ts";
import { programEntries } from "./program_files.ts";
import { ARCHIVES, existsFor, SHIMS } from "./shims.ts";
import { buildMachine, requireTarget, type Target } from "./targets.ts";

const ROOT = new URL("../", import.meta.url).pathname;

export const NOTICES_PATH = "dist/THIRD-PARTY-NOTICES";

/** Make the file for `target`. */
export async function writeNotices(target: Target): Promise<void> {
  const { inside } = await findPackages(await programEntries());
  const parts = [
    await runtimePart(),
    ...await archiveParts(target),
    ...await Promise.all(inside.map(npmPart)),
    ...await crateParts(target),
  ];
  await Deno.mkdir(`${ROOT}dist`, { recursive: true });
  await Deno.writeTextFile(ROOT + NOTICES_PATH, formatNotices(target.name, parts));
}

/** The file's text. Parts with the same text share it. Throws on a part that may not be inside. */
export function formatNotices(targetName: string, parts: readonly Part[]): string {
  for (const { name, version, licence } of parts) {
    if (!isPermissive(licence)) {
      throw new Error(
        `Cannot ship ${name} ${version}: its licence, "${licence}", does not go with MIT and Apache-2.0`,
      );
    }
  }
  const byText = Map.groupBy(parts, ({ text }) => text.replaceAll("\r\n", "\n").trim());
  const nameWidth = Math.max(...parts.map(({ name }) => name.length));
  const versionWidth = Math.max(...parts.map(({ version }) => version.length));
  return [
    `punktfunk-host for ${targetName} contains the following. Its own licence is MIT or Apache-2.0.`,
    "",
    ...parts.map(({ name, version, licence }) =>
      `  ${name.padEnd(nameWidth)}  ${version.padEnd(versionWidth)}  ${licence}`
    ),
    "",
    ...[...byText].flatMap(([text, sharers]) => [
      "=".repeat(80),
      sharers.map(({ name, version }) => `${name} ${version}`.trim()).join(", "),
      "",
      text,
      "",
    ]),
  ].join("\n");
}

async function runtimePart(): Promise<Part> {
  const text = await standardText("MIT", "2018-2026 the Deno authors");
  return {
    name: "Deno",
    version: Deno.version.deno,
    licence: "MIT",
    text: text +
      "\n\nDeno contains V8 and other software, which https://github.com/denoland/deno lists.",
  };
}

async function npmPart({ name, version, directory }: NpmPackage): Promise<Part> {
  const json = JSON.parse(await Deno.readTextFile(`${directory}/package.json`));
  const licence: unknown = json.license;
  if (typeof licence !== "string") {
    throw new Error(`Cannot ship npm package ${name} ${version}: it names no licence`);
  }
  const author: unknown = typeof json.author === "string" ? json.author : json.author?.name;
  const holder = typeof author === "string" ? author : `the authors of ${name}`;
  const text = await licenceFiles(directory, licence) ?? await standardText(licence, holder);
  return { name, version, licence, text };
}

/** Where Debian keeps a library's licence. */
interface DebianPart {
  readonly name: string;
  readonly package: string;
  readonly licence: string;
  /** The passage of the file that is meant; all of it when absent or not found. */
  readonly passage?: RegExp;
}

/** The linked archives, and what the compiler adds to each shim. */
async function archiveParts(target: Target): Promise<Part[]> {
  const recipes = SHIMS.filter((recipe) => existsFor(recipe, target));
  const archives = new Set(recipes.flatMap((recipe) => recipe.staticLibraries ?? []));
  const parts: DebianPart[] = [...archives].map((archive) => ARCHIVES[archive]);
  const [major] = (await firstLineOf("gcc", "-dumpversion")).split(".");
  parts.push({
    name: "GCC runtime libraries",
    package: `gcc-${major}-base`,
    licence: "GPL-3.0-or-later WITH GCC-exception-3.1",
    passage: /GCC RUNTIME LIBRARY EXCEPTION[^]*requirements of the license of GCC\./,
  });
  if (target.system === "windows") {
    parts.push({ name: "mingw-w64 runtime", package: "mingw-w64-common", licence: "MIT" });
  }
  return await Promise.all(parts.map(debianPart));
}

async function debianPart({ name, package: source, licence, passage }: DebianPart): Promise<Part> {
  const path = `/usr/share/doc/${source}/copyright`;
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch {
    throw new Error(`Cannot find the licence of ${name}: install ${source}, or put it at ${path}`);
  }
  // Debian names its one copy of a common licence, which a stranger's machine may not have.
  if (text.includes("/usr/share/common-licenses/Apache-2.0")) {
    text += `\n${await standardText("Apache-2.0", name)}`;
  }
  const version = await firstLineOf("dpkg-query", "-W", "-f=${source:Upstream-Version}\n", source);
  return { name, version, licence, text: passage?.exec(text)?.[0] ?? text };
}

/** Of what a program prints; empty where there is no such program. */
async function firstLineOf(command: string, ...args: readonly string[]): Promise<string> {
  try {
    const output = await new Deno.Command(command, {
      args: [...args],
      stdout: "piped",
      stderr: "null",
    }).output();
    return new TextDecoder().decode(output.stdout).split("\n")[0] ?? "";
  } catch {
    return "";
  }
}

if (import.meta.main) {
  try {
    const [flag, name] = Deno.args;
    if (flag !== undefined && flag !== "--target") throw new Error(`unknown argument '${flag}'`);
    await writeNotices(flag === undefined ? buildMachine() : requireTarget(name));
    console.error(`Wrote ${NOTICES_PATH}`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    Deno.exit(1);
  }
}

/**
 * Turns the repository into one executable: shims → notices → `deno compile` → dist/punktfunk-host.
 *
 *     deno task compile [--target TARGET]
 *
 * An executable for another machine is put into dist/<TARGET>/. Its SHA-256 and the licences of what is inside lie beside
 * it. `$DENORT_BIN` names the runtime to build on, for machines that cannot reach the place where Deno keeps it.
 *
 * @module
 */
import { readCommit } from "../src/cli/build_info.ts";
import { VERSION } from "../src/lib/version.ts";
import { buildShims, shimDirectory } from "./native.ts";
import { NOTICES_PATH, writeNotices } from "./notices.ts";
import { denoInfo, findPackages, findUnneeded } from "./npm_packages.ts";
import { describeMissing, findMissing, prerequisitesOf } from "./prerequisites.ts";
import { MAIN, programEntries } from "./program_files.ts";
import { requireDenoVersion, requireRuntime } from "./runtime.ts";
import { setUp } from "./setup.ts";
import { existsFor, SHIMS } from "./shims.ts";
import { buildMachine, isForeign, requireTarget, type Target } from "./targets.ts";

const ROOT = new URL("../", import.meta.url).pathname;
const BUILD_INFO = "dist/build.json";

/** The arguments are wrong; nothing was done. */
export class UsageError extends Error {}

export function parseArguments(args: readonly string[]): Target {
  let target: Target | undefined;
  for (let index = 0; index < args.length; index++) {
    const argument = args[index];
    if (argument !== "--target") throw new UsageError(`unknown argument '${argument}'`);
    try {
      target = requireTarget(args[++index]);
    } catch (error) {
      throw new UsageError(error instanceof Error ? error.message : String(error));
    }
  }
  return target ?? buildMachine();
}

/** Where the executable for `target` is put, from the root. */
export function resultPath(target: Target): string {
  const directory = isForeign(target) ? `dist/${target.name}` : "dist";
  return `${directory}/punktfunk-host${target.system === "windows" ? ".exe" : ""}`;
}

/** Compile for `target`; returns the path from the root. What was there before stays until the new one is whole. */
async function compile(target: Target): Promise<string> {
  const given = Deno.env.get("DENORT_BIN") || undefined;
  const runtime = given === undefined ? undefined : await absolutePath(given);
  await requireTools(target, runtime);
  await setUp({ isForTests: false });
  await buildShims([], { isSanitized: false, target });
  for (const recipe of SHIMS) {
    if (!existsFor(recipe, target)) {
      console.error(`Without shim ${recipe.name} on ${target.system}: ${recipe.elsewhere}`);
    }
  }
  await writeNotices(target);
  await Deno.writeTextFile(
    ROOT + BUILD_INFO,
    `${JSON.stringify({ commit: await readCommit() })}\n`,
  );

  const result = resultPath(target);
  const partial = result.replace("punktfunk-host", "partial/punktfunk-host");
  await Deno.mkdir(ROOT + directoryOf(partial), { recursive: true });
  try {
    await runCompiler(await compilerArguments(target, partial), runtime);
    if (!isForeign(target)) await requireWorking(ROOT + partial);
    const digest = await digestOf(await Deno.readFile(ROOT + partial));
    await Deno.rename(ROOT + partial, ROOT + result);
    await Deno.writeTextFile(`${ROOT}${result}.sha256`, `${digest}  ${nameOf(result)}\n`);
  } finally {
    await Deno.remove(ROOT + directoryOf(partial), { recursive: true });
  }
  if (isForeign(target)) {
    await Deno.copyFile(
      ROOT + NOTICES_PATH,
      `${ROOT}${directoryOf(result)}/${nameOf(NOTICES_PATH)}`,
    );
  }
  return result;
}

/** Everything that can be known to be missing, before any work. */
async function requireTools(target: Target, runtime: string | undefined): Promise<void> {
  requireDenoVersion(Deno.version.deno);
  const missing = isForeign(target) ? await findMissing(prerequisitesOf(target)) : [];
  if (missing.length > 0) throw new Error(describeMissing(target, missing));
  const { denoDir } = await denoInfo<{ readonly denoDir: string }>();
  await requireRuntime(target, { given: runtime, denoDirectory: denoDir });
}

async function absolutePath(path: string): Promise<string> {
  return await Deno.realPath(path).catch(() => path);
}

async function compilerArguments(target: Target, output: string): Promise<string[]> {
  const [, ...named] = await programEntries();
  const included = [...named, ...await embeddedShims(target), NOTICES_PATH, BUILD_INFO];
  const unneeded = await findUnneeded(await findPackages([MAIN, ...named]));
  return [
    ...["compile", "-A", "--quiet", "--frozen", "--no-check", "--target", target.name],
    // The code cache would be a file in the temporary directory.
    "--no-code-cache",
    ...included.flatMap((path) => ["--include", path]),
    ...unneeded.map((path) => `--exclude=${path}`),
    ...["--output", output, MAIN],
  ];
}

/** Paths of the shims of `target`, each with the digest that is compared when it is opened. */
async function embeddedShims(target: Target): Promise<string[]> {
  const directory = shimDirectory(target);
  const paths: string[] = [];
  for await (const { name } of Deno.readDir(ROOT + directory)) {
    if (!/\.(so|dll)$/.test(name)) continue;
    const path = `${directory}/${name}`;
    await Deno.writeTextFile(
      `${ROOT}${path}.sha256`,
      await digestOf(await Deno.readFile(ROOT + path)),
    );
    paths.push(path, `${path}.sha256`);
  }
  return paths.sort();
}

async function runCompiler(args: readonly string[], runtime: string | undefined): Promise<void> {
  const output = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: ROOT,
    env: { NO_COLOR: "1", ...(runtime === undefined ? {} : { DENORT_BIN: runtime }) },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  if (output.success) return;
  const [reason = ""] = new TextDecoder().decode(output.stderr).trim().split("\n\nStack backtrace");
  throw new Error(
    `Cannot compile: ${reason}` +
      (reason.includes("dl.deno.land")
        ? "\nThe runtime could not be fetched from dl.deno.land: name a denort of this Deno with DENORT_BIN"
        : ""),
  );
}

/** A runtime of another release than the compiler's makes an executable that does not start. */
async function requireWorking(path: string): Promise<void> {
  const { stdout } = await new Deno.Command(path, {
    args: ["--version"],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).output();
  if (new TextDecoder().decode(stdout) === `punktfunk-host ${VERSION}\n`) return;
  throw new Error(
    `Cannot compile: the executable does not start; DENORT_BIN must be the runtime of Deno ${Deno.version.deno}`,
  );
}

async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

if (import.meta.main) {
  try {
    console.error(`Wrote ${await compile(parseArguments(Deno.args))}`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    Deno.exit(error instanceof UsageError ? 2 : 1);
  }
}

/**
 * Turns the repository into one executable: shims → notices → `deno compile` → dist/punktfunk-host.
 *
 *     deno task compile [--target TARGET] [--output FILE]
 *
 * Without `--output` an executable for another machine is put into dist/<TARGET>/. Its SHA-256 and the licences of what
 * is inside lie beside it. `$DENORT_BIN` names the runtime to build on, for machines that cannot reach the place where Deno
 * keeps it.
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
import { installPackages } from "./setup.ts";
import { existsFor, SHIMS } from "./shims.ts";
import { buildMachine, isForeign, requireTarget, type Target } from "./targets.ts";

const ROOT = new URL("../", import.meta.url).pathname;
const BUILD_INFO = "dist/build.json";

/** The arguments are wrong; nothing was done. */
export class UsageError extends Error {}

export interface CompileRequest {
  readonly target: Target;
  /** Absolute, or from the root. */
  readonly output: string;
}

export function parseArguments(args: readonly string[]): CompileRequest {
  let target = buildMachine();
  let output: string | undefined;
  for (let index = 0; index < args.length; index += 2) {
    const value = args[index + 1];
    switch (args[index]) {
      case "--target":
        try {
          target = requireTarget(value);
        } catch (error) {
          throw new UsageError(error instanceof Error ? error.message : String(error));
        }
        break;
      case "--output":
        if (value === undefined) throw new UsageError("missing value for --output");
        output = value;
        break;
      default:
        throw new UsageError(`unknown argument '${args[index]}'`);
    }
  }
  output ??= `${isForeign(target) ? `dist/${target.name}` : "dist"}/punktfunk-host`;
  const isNamed = target.system !== "windows" || output.endsWith(".exe");
  return { target, output: isNamed ? output : `${output}.exe` };
}

/** What was at the output before stays until the new executable is whole. */
async function compile({ target, output }: CompileRequest): Promise<void> {
  const given = Deno.env.get("DENORT_BIN") || undefined;
  const runtime = given === undefined ? undefined : await absolutePath(given);
  await requireTools(target, runtime);
  await installPackages({ isForTests: false });
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

  const result = output.startsWith("/") ? output : ROOT + output;
  const [directory, name] = [result.slice(0, result.lastIndexOf("/")), nameOf(result)];
  const partial = `${directory}/partial-${crypto.randomUUID()}`;
  await Deno.mkdir(partial, { recursive: true });
  try {
    const file = `${partial}/${name}`;
    await runCompiler(await compilerArguments(target, file), runtime);
    if (!isForeign(target)) await requireWorking(file);
    const digest = await digestOf(await Deno.readFile(file));
    await Deno.rename(file, result);
    await Deno.writeTextFile(`${result}.sha256`, `${digest}  ${name}\n`);
  } finally {
    await Deno.remove(partial, { recursive: true });
  }
  const notices = `${directory}/${nameOf(NOTICES_PATH)}`;
  if (notices !== ROOT + NOTICES_PATH) await Deno.copyFile(ROOT + NOTICES_PATH, notices);
}

/** Everything that can be known to be missing, before any work. */
async function requireTools(target: Target, runtime: string | undefined): Promise<void> {
  requireDenoVersion(Deno.version.deno);
  const missing = isForeign(target) ? await findMissing(await prerequisitesOf(target)) : [];
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

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

if (import.meta.main) {
  try {
    const request = parseArguments(Deno.args);
    await compile(request);
    console.error(`Wrote ${request.output}`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    Deno.exit(error instanceof UsageError ? 2 : 1);
  }
}

/**
 * Builds the shims of `shims.ts` whose sources changed into dist/native/<target>/.
 *
 *     deno task native [--target TARGET] [--sanitize] [NAME…]
 *
 * `--target` builds for another machine, named as `deno compile --target` does. `--sanitize` builds and names the test programs instead: dist/native-test/<name>_test. A stamp beside each result
 * holds the hash of everything it was made from, so nothing is done twice and nothing is printed then.
 *
 * @module
 */
import { shimFileName } from "../ffi/library.ts";
import { buildCrate } from "./cargo.ts";
import {
  compileFlags,
  existsFor,
  SANITIZER_FLAGS,
  sharedFlags,
  type ShimRecipe,
  SHIMS,
  systemLibraries,
} from "./shims.ts";
import { buildMachine, isForeign, requireTarget, type Target, toolchainFor } from "./targets.ts";

const ROOT = new URL("../", import.meta.url).pathname;

async function run(command: string, args: readonly string[]): Promise<string> {
  const output = await new Deno.Command(command, {
    args: [...args],
    cwd: ROOT,
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  if (!output.success) {
    throw new Error(`${command} ${args.join(" ")}\n${decoder.decode(output.stderr)}`);
  }
  return decoder.decode(output.stdout).trim();
}

async function filesUnder(directory: string): Promise<string[]> {
  const files: string[] = [];
  for await (const entry of Deno.readDir(ROOT + directory)) {
    const path = `${directory}/${entry.name}`;
    if (entry.isDirectory) files.push(...await filesUnder(path));
    else files.push(path);
  }
  return files.sort();
}

async function stampOf(paths: readonly string[], salt: string): Promise<string> {
  const parts = [salt];
  for (const path of paths) parts.push(path, await Deno.readTextFile(ROOT + path));
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(parts.join("\0")));
  return new Uint8Array(digest).toHex();
}

async function readStamp(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch {
    return "";
  }
}

/** Generate protocol glue; returns the C files and the include flag. */
async function generateProtocols(
  recipe: ShimRecipe,
): Promise<{ sources: string[]; flags: string[] }> {
  if (recipe.waylandProtocols === undefined) return { sources: [], flags: [] };
  const directory = `dist/gen/${recipe.name}`;
  await Deno.mkdir(ROOT + directory, { recursive: true });
  const sources: string[] = [];
  for (const protocol of recipe.waylandProtocols) {
    const xml = `native/${recipe.name}/protocols/${protocol}.xml`;
    await run("wayland-scanner", ["client-header", xml, `${directory}/${protocol}-client.h`]);
    await run("wayland-scanner", ["private-code", xml, `${directory}/${protocol}.c`]);
    sources.push(`${directory}/${protocol}.c`);
  }
  return { sources, flags: [`-I${directory}`] };
}

async function headerFlags(recipe: ShimRecipe): Promise<string[]> {
  if (recipe.headersOf === undefined) return [];
  const flags = await run("pkg-config", ["--cflags", ...recipe.headersOf]);
  // -isystem: warnings in other people's headers are not ours to fix.
  return flags.split(/\s+/).filter((flag) => flag !== "")
    .flatMap((flag) => flag.startsWith("-I") ? ["-isystem", flag.slice(2)] : [flag]);
}

/** Where the shims of `target` are put, from the root. */
export function shimDirectory(target: Target): string {
  return `dist/native/${target.native}`;
}

interface BuildOptions {
  readonly isSanitized: boolean;
  readonly target: Target;
}

async function buildShim(
  recipe: ShimRecipe,
  { isSanitized, target }: BuildOptions,
): Promise<boolean> {
  const own = await filesUnder(`native/${recipe.name}`);
  const result = isSanitized
    ? `dist/native-test/${recipe.name}_test`
    : `${shimDirectory(target)}/${shimFileName(recipe.name, target.system)}`;
  const scripts = ["shims.ts", "native.ts", "targets.ts", "cargo.ts"].map((name) =>
    `scripts/${name}`
  );
  const stamp = await stampOf([...own, ...scripts], target.native);
  if (await readStamp(`${ROOT}${result}.stamp`) === stamp) return false;

  await Deno.mkdir(ROOT + result.slice(0, result.lastIndexOf("/")), { recursive: true });
  // A build that breaks off may have spoilt the result that the old stamp speaks of.
  await Deno.writeTextFile(`${ROOT}${result}.stamp`, "");
  if (recipe.isCrate && !isSanitized) {
    // Renamed into place: a program that runs may have the old one open.
    await Deno.copyFile(ROOT + await buildCrate(recipe.name, target), `${ROOT}${result}.partial`);
    await Deno.rename(`${ROOT}${result}.partial`, ROOT + result);
  } else {
    await compileShim(recipe, { isSanitized, target }, result);
  }
  await Deno.writeTextFile(`${ROOT}${result}.stamp`, stamp);
  return true;
}

/** Compile the C sources of `recipe` and link them as `result`. */
async function compileShim(
  recipe: ShimRecipe,
  { isSanitized, target }: BuildOptions,
  result: string,
): Promise<void> {
  const toolchain = toolchainFor(target);
  const generated = await generateProtocols(recipe);
  const sources = recipe.sources.map((source) => `native/${recipe.name}/${source}`);
  if (isSanitized) {
    const own = await filesUnder(`native/${recipe.name}`);
    sources.push(...own.filter((path) => path.endsWith("_test.c")));
  }
  const objects: string[] = [];
  for (const source of [...sources, ...generated.sources]) {
    const object = `${result}.${source.replaceAll("/", "_")}.o`;
    await run(toolchain.cc, [
      ...compileFlags(target),
      ...(isSanitized ? SANITIZER_FLAGS : ["-O3", "-DNDEBUG", "-ffunction-sections"]),
      ...generated.flags,
      ...await headerFlags(recipe),
      `-Inative/${recipe.name}`,
      "-c",
      source,
      "-o",
      object,
    ]);
    objects.push(object);
  }
  await run(recipe.isCxx ? toolchain.cxx : toolchain.cc, [
    ...(isSanitized ? SANITIZER_FLAGS : sharedFlags(target)),
    ...(recipe.isCxx && !isSanitized ? ["-static-libstdc++", "-static-libgcc"] : []),
    "-Wl,--exclude-libs,ALL",
    "-Wl,--gc-sections",
    ...objects,
    ...(recipe.isCrate ? await crateUnderTest(recipe, target) : []),
    ...(recipe.staticLibraries ?? []).map((archive) => `${toolchain.archiveDirectory}/${archive}`),
    ...systemLibraries(target),
    "-o",
    result,
  ]);
  for (const object of objects) await Deno.remove(ROOT + object);
}

/** The finished library: a C test calls it as the program does. */
async function crateUnderTest(recipe: ShimRecipe, target: Target): Promise<string[]> {
  await buildShim(recipe, { isSanitized: false, target });
  const directory = shimDirectory(target);
  const library = `${directory}/${shimFileName(recipe.name, target.system)}`;
  return [library, `-Wl,-rpath,${ROOT}${directory}`];
}

/** Build what changed; returns the names of what was built. */
export async function buildShims(
  names: readonly string[],
  options: { readonly isSanitized: boolean; readonly target?: Target },
): Promise<string[]> {
  const unknown = names.find((name) => !SHIMS.some((recipe) => recipe.name === name));
  if (unknown !== undefined) throw new Error(`Cannot build shim "${unknown}": no such shim`);
  const target = options.target ?? buildMachine();
  const built: string[] = [];
  for (const recipe of SHIMS) {
    if (names.length > 0 && !names.includes(recipe.name)) continue;
    if (!existsFor(recipe, target)) continue;
    if (await buildShim(recipe, { ...options, target })) built.push(recipe.name);
  }
  return built;
}

function parseArguments(args: readonly string[]): BuildOptions & { readonly names: string[] } {
  const names: string[] = [];
  let target = buildMachine();
  let isSanitized = false;
  for (let index = 0; index < args.length; index++) {
    const argument = args[index] ?? "";
    if (argument === "--sanitize") isSanitized = true;
    else if (argument === "--target") target = requireTarget(args[++index]);
    else if (argument.startsWith("-")) throw new Error(`unknown argument '${argument}'`);
    else names.push(argument);
  }
  if (isSanitized && isForeign(target)) {
    throw new Error("--sanitize builds programs to run here: leave --target out");
  }
  return { names, target, isSanitized };
}

if (import.meta.main) {
  try {
    const { names, target, isSanitized } = parseArguments(Deno.args);
    const built = await buildShims(names, { target, isSanitized });
    if (built.length > 0) console.error(`Built shims: ${built.join(", ")}`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    Deno.exit(1);
  }
}

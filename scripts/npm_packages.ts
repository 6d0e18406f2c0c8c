/**
 * Which npm packages the executable needs, and which of their files it never reads.
 *
 * `deno compile` takes every package of the lock file as a whole: tests' packages, types, sources and documents with it.
 *
 * @module
 */
const ROOT = new URL("../", import.meta.url).pathname;

export interface NpmPackage {
  readonly name: string;
  readonly version: string;
  /** Where Deno keeps it, without a slash at the end. */
  readonly directory: string;
}

export interface NpmPackages {
  /** What the program imports, and what that imports. Sorted by name and version. */
  readonly inside: readonly NpmPackage[];
  /** The rest of the lock file. */
  readonly outside: readonly NpmPackage[];
}

/** The parts of `deno info --json FILE` that are used here. */
interface ModuleInfo {
  readonly modules: readonly { readonly kind: string; readonly npmPackage?: string }[];
  readonly npmPackages: Readonly<Record<string, PackageInfo>>;
}

interface PackageInfo {
  readonly name: string;
  readonly version: string;
  readonly dependencies: readonly string[];
  readonly registryUrl: string;
}

export async function denoInfo<T>(...args: readonly string[]): Promise<T> {
  const output = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", ...args],
    cwd: ROOT,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  if (!output.success) throw new Error(`Cannot read the modules: ${decoder.decode(output.stderr)}`);
  return JSON.parse(decoder.decode(output.stdout));
}

/** The packages of the program that begins at `entries`, paths from the root. */
export async function findPackages(entries: readonly string[]): Promise<NpmPackages> {
  const { npmCache } = await denoInfo<{ readonly npmCache: string }>();
  const table = new Map<string, PackageInfo>();
  const inside = new Set<string>();
  for (const entry of entries) {
    const { modules, npmPackages } = await denoInfo<ModuleInfo>(entry);
    for (const [id, info] of Object.entries(npmPackages)) table.set(id, info);
    for (const { npmPackage } of modules) if (npmPackage !== undefined) inside.add(npmPackage);
  }
  // A Set grows while it is walked, and so takes in what the packages need themselves.
  for (const id of inside) {
    for (const needed of table.get(id)?.dependencies ?? []) inside.add(needed);
  }
  const packages = (isInside: boolean) =>
    [...table].filter(([id]) => inside.has(id) === isInside)
      .map(([, { name, version, registryUrl }]) => ({
        name,
        version,
        directory: `${npmCache}/${new URL(registryUrl).host}/${name}/${version}`,
      }))
      .sort((a, b) => `${a.name} ${a.version}` < `${b.name} ${b.version}` ? -1 : 1);
  return { inside: packages(true), outside: packages(false) };
}

/** What the runtime may read. */
const RUNTIME_FILE = /\.(js|cjs|mjs|json|node|wasm)$/;

/** Absolute paths of the files and directories that the executable is made without. */
export async function findUnneeded({ inside, outside }: NpmPackages): Promise<string[]> {
  const paths = outside.map(({ directory }) => directory);
  for (const { directory } of inside) {
    const { type } = JSON.parse(await Deno.readTextFile(`${directory}/package.json`));
    paths.push(...await unneededUnder(directory, type === "module"));
  }
  return paths;
}

/** `isModule`: imported as ES modules, so that CommonJS twins are never asked for. */
async function unneededUnder(directory: string, isModule: boolean): Promise<string[]> {
  const unneeded: string[] = [];
  const names = new Set((await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name));
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    const path = `${directory}/${name}`;
    const stem = name.replace(/\.cjs$/, "");
    const isTwin = isModule && name.endsWith(".cjs") &&
      (names.has(`${stem}.js`) || names.has(`${stem}.mjs`));
    if (isDirectory && isModule && name === "cjs") unneeded.push(path);
    else if (isDirectory) unneeded.push(...await unneededUnder(path, isModule));
    else if (isTwin || !RUNTIME_FILE.test(name)) unneeded.push(path);
  }
  return unneeded;
}

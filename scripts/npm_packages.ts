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
  /** No module of it is loaded by `require()`. */
  readonly isImportedOnly: boolean;
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
  addReachable(inside, (id) => table.get(id)?.dependencies ?? []);
  const found = [...table].map(([id, { name, version, dependencies, registryUrl }]) => ({
    id,
    name,
    version,
    dependencies,
    directory: `${npmCache}/${new URL(registryUrl).host}/${name}/${version}`,
  })).sort((a, b) => a.id < b.id ? -1 : 1);
  const required = await findRequired(found.filter(({ id }) => inside.has(id)));
  const packages = (isInside: boolean) =>
    found.filter(({ id }) => inside.has(id) === isInside)
      .map(({ id, name, version, directory }) => (
        { name, version, directory, isImportedOnly: !required.has(id) }
      ));
  return { inside: packages(true), outside: packages(false) };
}

/** Add what the members of `ids` need, and what that needs. */
function addReachable(ids: Set<string>, neededBy: (id: string) => readonly string[]): void {
  // A Set grows while it is walked.
  for (const id of ids) for (const needed of neededBy(id)) ids.add(needed);
}

interface FoundPackage {
  readonly id: string;
  readonly name: string;
  readonly directory: string;
  readonly dependencies: readonly string[];
}

/** Those of which a CommonJS module is loaded: it is all they have, or such a module of another package requires them. */
async function findRequired(packages: readonly FoundPackage[]): Promise<ReadonlySet<string>> {
  const nameOf = new Map(packages.map(({ id, name }) => [id, name]));
  const required = new Set<string>();
  const edges = new Map<string, string[]>();
  for (const { id, directory, dependencies } of packages) {
    if (!await hasModules(directory)) required.add(id);
    const names = await requiredNames(directory);
    edges.set(id, dependencies.filter((needed) => names.has(nameOf.get(needed) ?? "")));
  }
  addReachable(required, (id) => edges.get(id) ?? []);
  return required;
}

/** Whether an import of the package gets an ES module. */
async function hasModules(directory: string): Promise<boolean> {
  const { type, exports } = JSON.parse(await Deno.readTextFile(`${directory}/package.json`));
  return type === "module" || JSON.stringify(exports ?? null).includes('"import"');
}

/** Names of the packages that stand in a `require()` anywhere under `directory`. */
async function requiredNames(directory: string): Promise<Set<string>> {
  const names = new Set<string>();
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    const path = `${directory}/${name}`;
    if (isDirectory) { for (const one of await requiredNames(path)) names.add(one); }
    else if (/\.c?js$/.test(name)) {
      const calls = (await Deno.readTextFile(path)).matchAll(
        /require\(\s*["'`]((?:@[^/"'`]+\/)?[^./"'`][^/"'`]*)/g,
      );
      for (const [, one = ""] of calls) names.add(one);
    }
  }
  return names;
}

/** What the runtime may read. */
const RUNTIME_FILE = /\.(js|cjs|mjs|json|node|wasm)$/;

/** Directories that large packages carry for browsers alone. */
const BROWSER_BUNDLES: Readonly<Record<string, readonly string[]>> = {
  "source-map": ["dist"],
  "yaml": ["browser"],
};

/**
 * Absolute paths of the files and directories that the executable is made without: packages outside, what is no code, what
 * is there for bundlers, and the CommonJS twins of packages that are only imported.
 */
export async function findUnneeded({ inside, outside }: NpmPackages): Promise<string[]> {
  const paths = outside.map(({ directory }) => directory);
  for (const { name, directory, isImportedOnly } of inside) {
    paths.push(...await bundlersParts(directory));
    paths.push(...(BROWSER_BUNDLES[name] ?? []).map((part) => `${directory}/${part}`));
    paths.push(...await unneededUnder(directory, isImportedOnly));
  }
  return paths;
}

/** What fields of package.json name for bundlers alone: a directory beside the one of `main`, or one file in it. */
async function bundlersParts(directory: string): Promise<string[]> {
  if (await hasModules(directory)) return [];
  const json = JSON.parse(await Deno.readTextFile(`${directory}/package.json`));
  const main = String(json.main ?? "index.js").replace(/^\.\//, "");
  const parts: string[] = [];
  for (const field of ["module", "es2015", "unpkg", "jsdelivr"]) {
    if (typeof json[field] !== "string") continue;
    const file = json[field].replace(/^\.\//, "");
    const parent = file.slice(0, file.lastIndexOf("/") + 1);
    if (file !== main) {
      parts.push(`${directory}/${main.startsWith(parent) ? file : parent.slice(0, -1)}`);
    }
  }
  return parts;
}

async function unneededUnder(directory: string, isImportedOnly: boolean): Promise<string[]> {
  const unneeded: string[] = [];
  const names = new Set((await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name));
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    const path = `${directory}/${name}`;
    const stem = name.replace(/\.cjs$/, "");
    const isTwin = isImportedOnly && name.endsWith(".cjs") &&
      (names.has(`${stem}.js`) || names.has(`${stem}.mjs`));
    if (isDirectory && isImportedOnly && name === "cjs") unneeded.push(path);
    else if (isDirectory) unneeded.push(...await unneededUnder(path, isImportedOnly));
    else if (isTwin || !RUNTIME_FILE.test(name)) unneeded.push(path);
  }
  return unneeded;
}

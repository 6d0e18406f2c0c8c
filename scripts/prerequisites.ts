/**
 * What a foreign target wants of this machine beyond what `setup.ts` installs: compilers, archives, Rust's own library.
 *
 * @module
 */
import { findCargo, requiredRust } from "./cargo.ts";
import { ARCHIVES, existsFor, SHIMS } from "./shims.ts";
import { rustTargetOf, type Target, toolchainFor } from "./targets.ts";

export interface Prerequisite {
  /** A program on the search path, or an absolute path. */
  readonly file: string;
  /** The Debian package that has it, or the command of rustup that gets it. */
  readonly from: { readonly package: string } | { readonly command: string };
}

/** Everything the shims of a foreign `target` are made with. */
export async function prerequisitesOf(target: Target): Promise<Prerequisite[]> {
  const recipes = SHIMS.filter((recipe) => existsFor(recipe, target));
  const { cc, cxx, archiveDirectory } = toolchainFor(target);
  const [ccPackage = "gcc", cxxPackage = "g++"] = target.crossPackages;
  const wanted: Prerequisite[] = [{ file: cc, from: { package: ccPackage } }];
  if (recipes.some((recipe) => recipe.isCxx)) {
    wanted.push({ file: cxx, from: { package: cxxPackage } });
  }
  for (const archive of recipes.flatMap((recipe) => recipe.staticLibraries ?? [])) {
    wanted.push({
      file: `${archiveDirectory}/${archive}`,
      from: { package: `${ARCHIVES[archive].package}:${target.debianArchitecture}` },
    });
  }
  for (const { name } of recipes.filter((recipe) => recipe.isCrate)) {
    wanted.push(await rustLibrary(name, target));
  }
  return wanted;
}

/** Rust's standard library for `target`, where the compiler for the crate `name` looks for it. */
async function rustLibrary(name: string, target: Target): Promise<Prerequisite> {
  const minorMin = await requiredRust(name);
  const cargo = await findCargo(minorMin);
  const triple = rustTargetOf(target);
  const command = `rustup target add ${triple}`;
  if (cargo === undefined) return { file: `cargo of Rust 1.${minorMin}`, from: { command } };
  const { stdout } = await new Deno.Command(
    cargo.env["RUSTC"] ?? cargo.command.replace(/cargo$/, "rustc"),
    { args: ["--print", "sysroot"], stdin: "null", stdout: "piped", stderr: "null" },
  ).output();
  const sysroot = new TextDecoder().decode(stdout).trim();
  // Debian's own compiler takes the libraries of other machines from packages.
  const isDebians = sysroot === "/usr" && target.debianArchitecture !== undefined;
  return {
    file: `${sysroot}/lib/rustlib/${triple}`,
    from: isDebians ? { package: `libstd-rust-dev:${target.debianArchitecture}` } : { command },
  };
}

/** Those of `wanted` that are not here. */
export async function findMissing(wanted: readonly Prerequisite[]): Promise<Prerequisite[]> {
  const path = (Deno.env.get("PATH") ?? "").split(":");
  const missing: Prerequisite[] = [];
  for (const one of wanted) {
    const places = one.file.startsWith("/") ? [one.file] : path.map((at) => `${at}/${one.file}`);
    if (!(await Promise.all(places.map(exists))).includes(true)) missing.push(one);
  }
  return missing;
}

/** Says what is missing for `target` and the commands that get it. */
export function describeMissing(target: Target, missing: readonly Prerequisite[]): string {
  const packages: string[] = [];
  const commands: string[] = [];
  const lines = missing.map(({ file, from }) => {
    if ("command" in from) {
      commands.push(from.command);
      return `  ${file}, which rustup gets`;
    }
    packages.push(from.package);
    return `  ${file}, of the Debian package ${from.package}`;
  });
  if (packages.length > 0) {
    const sudo = Deno.uid() === 0 ? "" : "sudo ";
    const others = packages.some((name) => name.includes(":"))
      ? `${sudo}dpkg --add-architecture ${target.debianArchitecture} && ${sudo}apt-get update && `
      : "";
    commands.unshift(`${others}${sudo}apt-get install -y ${[...new Set(packages)].join(" ")}`);
  }
  return [
    `Cannot compile for ${target.name}, because these are missing:`,
    ...lines,
    "This gets them:",
    ...commands.map((command) => `  ${command}`),
  ].join("\n");
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch {
    return false;
  }
}

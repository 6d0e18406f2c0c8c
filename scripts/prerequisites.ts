/**
 * What a foreign target wants of this machine beyond what `setup.ts` installs: compilers and archives.
 *
 * @module
 */
import { ARCHIVES, existsFor, SHIMS } from "./shims.ts";
import { type Target, toolchainFor } from "./targets.ts";

export interface Prerequisite {
  /** A program on the search path, or the path of a file. */
  readonly file: string;
  /** The Debian package that has it. */
  readonly package: string;
}

/** Everything the shims of a foreign `target` are made with. */
export function prerequisitesOf(target: Target): Prerequisite[] {
  const recipes = SHIMS.filter((recipe) => existsFor(recipe, target));
  const { cc, cxx, archiveDirectory } = toolchainFor(target);
  const [ccPackage = "gcc", cxxPackage = "g++"] = target.crossPackages;
  const wanted: Prerequisite[] = [{ file: cc, package: ccPackage }];
  if (recipes.some((recipe) => recipe.isCxx)) wanted.push({ file: cxx, package: cxxPackage });
  for (const archive of recipes.flatMap((recipe) => recipe.staticLibraries ?? [])) {
    wanted.push({
      file: `${archiveDirectory}/${archive}`,
      package: `${ARCHIVES[archive].package}:${target.debianArchitecture}`,
    });
  }
  return wanted;
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

/** Says what is missing for `target` and the command that gets it. */
export function describeMissing(target: Target, missing: readonly Prerequisite[]): string {
  const lines = missing.map((one) => `  ${one.file}, of the Debian package ${one.package}`);
  const packages = [...new Set(missing.map((one) => one.package))].join(" ");
  const architecture = missing.some((one) => one.package.includes(":"))
    ? `dpkg --add-architecture ${target.debianArchitecture} && apt-get update && `
    : "";
  return [
    `Cannot compile for ${target.name}, because these are missing:`,
    ...lines,
    "As root, this gets them:",
    `  ${architecture}apt-get install -y ${packages}`,
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

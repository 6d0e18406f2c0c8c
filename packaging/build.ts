/**
 * Packs a compiled executable for Linux: a tar.gz and a .deb, each with its SHA-256 beside it.
 *
 *     deno task package [--executable FILE] [--target TARGET] [--output DIRECTORY] [--level 1..9]
 *
 * The executable is the one `deno task compile` made for the target, unless another is named. The same executable, commit
 * and tools give the same bytes; `$SOURCE_DATE_EPOCH` stands in for the commit's date.
 *
 * @module
 */
import { UsageError } from "../scripts/compile.ts";
import { buildMachine, isForeign, requireTarget, type Target } from "../scripts/targets.ts";
import { buildDeb } from "./debian.ts";
import { gatherInputs, type PackageInputs } from "./inputs.ts";
import { buildTarball } from "./tarball.ts";

const ROOT = new URL("../", import.meta.url).pathname;

export interface PackageRequest extends Pick<PackageInputs, "target" | "executable" | "level"> {
  /** Absolute path of a directory. */
  readonly output: string;
}

export function parseArguments(args: readonly string[]): PackageRequest {
  const values = new Map<string, string>();
  for (let index = 0; index < args.length; index += 2) {
    const [name = "", value] = args.slice(index, index + 2);
    if (!["--executable", "--target", "--output", "--level"].includes(name)) {
      throw new UsageError(`unknown argument '${name}'`);
    }
    if (value === undefined) throw new UsageError(`missing value for ${name}`);
    values.set(name, value);
  }
  const target = targetOf(values.get("--target"));
  const level = values.get("--level") ?? "6";
  if (!/^[1-9]$/.test(level)) throw new UsageError("--level must be 1 to 9");
  const compiled = `dist/${isForeign(target) ? `${target.name}/` : ""}punktfunk-host`;
  const absolute = (path: string) => path.startsWith("/") ? path : ROOT + path;
  return {
    target,
    executable: absolute(values.get("--executable") ?? compiled),
    output: absolute(values.get("--output") ?? "dist/packages"),
    level: Number(level),
  };
}

function targetOf(name: string | undefined): Target {
  let target: Target;
  try {
    target = name === undefined ? buildMachine() : requireTarget(name);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  if (target.system === "linux") return target;
  throw new UsageError(`there are no packages for ${target.name}`);
}

/** Write every kind of package into the directory `output`; returns their paths. What was there stays until each is whole. */
export async function buildPackages(inputs: PackageInputs, output: string): Promise<string[]> {
  await Deno.mkdir(output, { recursive: true });
  const partial = await Deno.makeTempDir({ dir: output, prefix: ".partial-" });
  try {
    const paths: string[] = [];
    for (const build of [buildTarball, buildDeb]) {
      const work = `${partial}/${build.name}`;
      await Deno.mkdir(work);
      const made = await build(inputs, { output: partial, work });
      const name = made.slice(made.lastIndexOf("/") + 1);
      const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(made));
      await Deno.rename(made, `${output}/${name}`);
      await Deno.writeTextFile(
        `${output}/${name}.sha256`,
        `${new Uint8Array(digest).toHex()}  ${name}\n`,
      );
      paths.push(`${output}/${name}`);
    }
    return paths;
  } finally {
    await Deno.remove(partial, { recursive: true });
  }
}

if (import.meta.main) {
  try {
    const request = parseArguments(Deno.args);
    for (const path of await buildPackages(await gatherInputs(request), request.output)) {
      console.error(`Wrote ${path}`);
    }
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    Deno.exit(error instanceof UsageError ? 2 : 1);
  }
}

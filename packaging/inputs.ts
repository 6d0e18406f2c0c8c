/**
 * What a package is made of, checked to belong together.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { VERSION } from "../src/lib/version.ts";
import { PROGRAM_NAME } from "../src/cli/command.ts";
import { shimDirectory } from "../scripts/native.ts";
import { NOTICES_PATH } from "../scripts/notices.ts";
import { targetOfExecutable } from "../scripts/runtime.ts";
import { isForeign, type Target } from "../scripts/targets.ts";

const ROOT = new URL("../", import.meta.url).pathname;

export interface PackageInputs {
  readonly target: Target;
  /** Absolute path. */
  readonly executable: string;
  /** Paths of the shims that are inside the executable. */
  readonly shims: readonly string[];
  /** The licences of what is inside. */
  readonly notices: string;
  /** Of everything in the package. */
  readonly date: Date;
  /** 1, fast, to 9, small. */
  readonly level: number;
}

/** Throws when the executable is for another target, of another version, or not made with the shims and notices that lie here. */
export async function gatherInputs(
  { target, executable, level }: Pick<PackageInputs, "target" | "executable" | "level">,
): Promise<PackageInputs> {
  const bytes = await readExecutable(executable);
  if (targetOfExecutable(bytes.subarray(0, 4096)) !== target) {
    throw new Error(`Cannot package: ${executable} is no executable for ${target.name}`);
  }
  if (!isForeign(target)) await requireVersion(executable);
  const shims = await listShims(`${ROOT}${shimDirectory(target)}`);
  for (const shim of shims) {
    if (bytes.includes(await Deno.readTextFile(`${shim}.sha256`))) continue;
    throw new Error(`Cannot package: ${executable} was made with another ${shim}; compile again`);
  }
  return {
    target,
    executable,
    level,
    shims,
    notices: await readNotices(executable, target),
    date: await packageDate(),
  };
}

async function readExecutable(path: string): Promise<Buffer> {
  try {
    const { buffer } = await Deno.readFile(path);
    return Buffer.from(buffer);
  } catch {
    throw new Error(`Cannot package: ${path} cannot be read; \`deno task compile\` makes it`);
  }
}

async function requireVersion(executable: string): Promise<void> {
  const { stdout } = await new Deno.Command(executable, {
    args: ["--version"],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).output();
  const answer = new TextDecoder().decode(stdout).trim();
  if (answer === `${PROGRAM_NAME} ${VERSION}`) return;
  throw new Error(`Cannot package: ${executable} is not version ${VERSION}; compile again`);
}

async function listShims(directory: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name } of Deno.readDir(directory)) {
    if (name.endsWith(".so")) paths.push(`${directory}/${name}`);
  }
  return paths.sort();
}

/** `compile` puts them beside the executable. */
async function readNotices(executable: string, target: Target): Promise<string> {
  const directory = executable.slice(0, executable.lastIndexOf("/"));
  const path = `${directory}${NOTICES_PATH.slice(NOTICES_PATH.lastIndexOf("/"))}`;
  const text = await Deno.readTextFile(path);
  if (text.startsWith(`${PROGRAM_NAME} for ${target.name} `)) return text;
  throw new Error(`Cannot package: ${path} is not for ${target.name}; compile again`);
}

/** $SOURCE_DATE_EPOCH, else when the commit was made. */
async function packageDate(): Promise<Date> {
  const given = Deno.env.get("SOURCE_DATE_EPOCH") || await commitSeconds();
  if (!/^[0-9]{1,10}$/.test(given)) {
    throw new Error(
      "Cannot package: there is no commit to take the date from; set SOURCE_DATE_EPOCH",
    );
  }
  return new Date(Number(given) * 1000);
}

async function commitSeconds(): Promise<string> {
  const { stdout } = await new Deno.Command("git", {
    args: ["log", "-1", "--format=%ct"],
    cwd: ROOT,
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).output();
  return new TextDecoder().decode(stdout).trim();
}

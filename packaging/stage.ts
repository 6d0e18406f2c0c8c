/**
 * Puts the files of a package into a directory, and runs the programs that pack it.
 *
 * @module
 */
import type { PackagedFile } from "./layout.ts";

export interface StageOptions {
  /** Absolute; the files' paths go on below it. */
  readonly directory: string;
  /** Modification time of everything. */
  readonly date: Date;
}

/** Modes and times do not depend on who builds, when and with which umask. */
export async function stageFiles(
  files: readonly PackagedFile[],
  { directory, date }: StageOptions,
): Promise<void> {
  const directories = new Set<string>([directory]);
  for (const { path, mode, content } of files) {
    const target = directory + path;
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
      directories.add(directory + path.slice(0, end));
    }
    await Deno.mkdir(target.slice(0, target.lastIndexOf("/")), { recursive: true });
    if (typeof content === "string") await Deno.writeTextFile(target, content);
    else if (content instanceof Uint8Array) await Deno.writeFile(target, content);
    else await Deno.copyFile(content.copyOf, target);
    await Deno.chmod(target, mode);
    await Deno.utime(target, date, date);
  }
  for (const path of directories) {
    await Deno.chmod(path, 0o755);
    await Deno.utime(path, date, date);
  }
}

/** Run a program that packs; `env` is added to the environment. Throws with what it says when it fails. */
export async function runPacker(
  [program = "", ...args]: readonly string[],
  { env = {} }: { readonly env?: Readonly<Record<string, string>> } = {},
): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, {
    args,
    env: { ...env },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (success) return;
  throw new Error(`Cannot package: ${program}: ${new TextDecoder().decode(stderr).trim()}`);
}

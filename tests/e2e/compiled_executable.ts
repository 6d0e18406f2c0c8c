/**
 * One compiled executable for all tests: dist/e2e/compiled/punktfunk-host with its notices beside it, made again when what
 * it is made from has changed.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { readCommit } from "../../src/cli/build_info.ts";
import type { DenortPair } from "./executable_lab.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const DIRECTORY = `${ROOT}dist/e2e/compiled`;
const STAMP = `${DIRECTORY}/stamp`;
const SOURCES = ["main.ts", "deno.json", "deno.lock", "src", "api", "ffi", "native", "scripts"];
const SHIMS = "dist/native/x86_64-linux";

/** Absolute path of the executable; `pair` compiles it when it is missing or stale. */
export async function compiledExecutable(pair: DenortPair): Promise<string> {
  const executable = `${DIRECTORY}/punktfunk-host`;
  const made = await Deno.readTextFile(STAMP).catch(() => "");
  if (made === await sourceDigest(pair)) return executable;
  await Deno.mkdir(DIRECTORY, { recursive: true });
  const { success, stderr } = await new Deno.Command(pair.deno, {
    args: ["run", "-A", "--no-check", `${ROOT}scripts/compile.ts`, "--output", executable],
    env: { DENORT_BIN: pair.denort },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`Cannot compile: ${new TextDecoder().decode(stderr)}`);
  // After the compilation, which may have built the shims.
  await Deno.writeTextFile(STAMP, await sourceDigest(pair));
  return executable;
}

async function sourceDigest(pair: DenortPair): Promise<string> {
  const hash = createHash("sha256").update(await readCommit());
  for (const path of [pair.deno, pair.denort]) {
    const { size, mtime } = await Deno.stat(path);
    hash.update(`${path} ${size} ${mtime?.getTime()}\n`);
  }
  for (const path of [...SOURCES, SHIMS]) await addTo(hash, path);
  return hash.digest("hex");
}

async function addTo(hash: ReturnType<typeof createHash>, path: string): Promise<void> {
  const info = await Deno.stat(ROOT + path).catch(() => undefined);
  if (info?.isDirectory === true) {
    const names = (await Array.fromAsync(Deno.readDir(ROOT + path))).map(({ name }) => name);
    for (const name of names.sort()) await addTo(hash, `${path}/${name}`);
  } else if (info?.isFile === true) {
    hash.update(`${path} ${info.size}\n`).update(await Deno.readFile(ROOT + path));
  }
}

/**
 * Where the program begins: main.ts, and what is loaded by name at run time, where `deno compile` does not see it.
 *
 * @module
 */
const ROOT = new URL("../", import.meta.url).pathname;

export const MAIN = "main.ts";

/** Paths from the root. Every `*_worker.ts` under src/ is started by name. */
export async function programEntries(): Promise<string[]> {
  return [MAIN, "src/cli/program.ts", ...await workersUnder("src")];
}

async function workersUnder(directory: string): Promise<string[]> {
  const workers: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(ROOT + directory)) {
    const path = `${directory}/${name}`;
    if (isDirectory) workers.push(...await workersUnder(path));
    else if (name.endsWith("_worker.ts")) workers.push(path);
  }
  return workers.sort();
}

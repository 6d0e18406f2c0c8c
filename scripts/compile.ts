/**
 * Turns the repository into one executable: shims → `deno compile` → dist/punktfunk-host, with its SHA-256 beside it.
 *
 *     deno task compile
 *
 * `$DENORT_BIN` names the runtime to build on, for machines that cannot reach the place where Deno keeps it.
 *
 * @module
 */
import { nativeTarget } from "../ffi/library.ts";
import { buildShims } from "./native.ts";

const ROOT = new URL("../", import.meta.url).pathname;
const RESULT = "dist/punktfunk-host";

/** Loaded by name at run time, where `deno compile` does not see them. */
const INCLUDED = [
  "src/cli/program.ts",
  "src/session/pumps/video_pump_worker.ts",
  "src/session/pumps/audio_pump_worker.ts",
];

async function compile(): Promise<void> {
  await buildShims([], { isSanitized: false });
  const natives = `dist/native/${nativeTarget()}`;
  const libraries: string[] = [];
  for await (const { name } of Deno.readDir(ROOT + natives)) {
    if (name.endsWith(".so")) libraries.push(`${natives}/${name}`);
  }
  const output = await new Deno.Command(Deno.execPath(), {
    args: [
      "compile",
      "-A",
      // The code cache would be a file in the temporary directory.
      "--no-code-cache",
      "--no-check",
      ...[...INCLUDED, ...libraries.sort()].flatMap((path) => ["--include", path]),
      "--output",
      RESULT,
      "main.ts",
    ],
    cwd: ROOT,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  if (!output.success) throw new Error(explain(new TextDecoder().decode(output.stderr)));
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(ROOT + RESULT));
  await Deno.writeTextFile(
    `${ROOT}${RESULT}.sha256`,
    `${new Uint8Array(digest).toHex()}  punktfunk-host\n`,
  );
}

function explain(errors: string): string {
  const isDownload = Deno.env.get("DENORT_BIN") === undefined && /denort|download/i.test(errors);
  return `Cannot compile: ${errors.trim()}` +
    (isDownload
      ? `\nThe runtime could not be downloaded: set DENORT_BIN to a denort of Deno ${Deno.version.deno}`
      : "");
}

if (import.meta.main) {
  try {
    await compile();
    console.error(`Wrote ${RESULT}`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    Deno.exit(1);
  }
}

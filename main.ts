/**
 * punktfunk-host: runs one command and sets the exit code. `--version` loads nothing else.
 *
 * @module
 */
import { openTerminal } from "./src/cli/print.ts";
import { VERSION } from "./src/lib/version.ts";

type Program = typeof import("./src/cli/program.ts");

// A literal in `import()` would be read, with all that lies behind it, before the first line here runs. For the same
// reason `deno compile` does not see it and is told to include it.
const PROGRAM = import.meta.resolve("./src/cli/program.ts");

/** `version` with flags says more and is a command like any other. */
function isVersionLineWanted([first = "", ...rest]: readonly string[]): boolean {
  return first === "--version" || first === "-V" || (first === "version" && rest.length === 0);
}

if (import.meta.main) {
  const terminal = openTerminal(Deno.env);
  if (isVersionLineWanted(Deno.args)) {
    terminal.writeOut(`punktfunk-host ${VERSION}\n`);
  } else {
    const { processEnvironment, runProgram }: Program = await import(PROGRAM);
    // Whatever still runs must not keep the process: what had to be put back has been.
    Deno.exit(await runProgram(Deno.args, processEnvironment(terminal)));
  }
}

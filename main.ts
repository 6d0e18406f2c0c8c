/**
 * punktfunk-host: runs one command and sets the exit code. `--version` loads nothing else.
 *
 * @module
 */
import { openTerminal } from "./src/cli/print.ts";
import { VERSION } from "./src/lib/version.ts";

if (import.meta.main) {
  const terminal = openTerminal(Deno.env);
  if (["--version", "-V", "version"].includes(Deno.args[0] ?? "")) {
    terminal.writeOut(`punktfunk-host ${VERSION}\n`);
  } else {
    const { processEnvironment, runProgram } = await import("./src/cli/program.ts");
    // Whatever still runs must not keep the process: what had to be put back has been.
    Deno.exit(await runProgram(Deno.args, processEnvironment(terminal)));
  }
}

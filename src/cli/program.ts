/**
 * From arguments to an exit code: scan with the table, run the one command, print its result or its failure.
 *
 * @module
 */
import { run as runStricli } from "@stricli/core";
import { OperationError } from "../lib/errors.ts";
import { resolveDirectories } from "../platform/paths.ts";
import { buildProgram } from "./app.ts";
import type { CliContext } from "./command.ts";
import type { CliEnvironment } from "./environment.ts";
import { type CommandOutput, printFailure, printOutput, type Terminal } from "./print.ts";

/** Commands that tell their failures apart: scripts that drive a host, or measure it, need to know whether to try again. */
const EXACT_COMMANDS: ReadonlySet<string | undefined> = new Set(["ctl", "probe"]);

/** Run the program; returns the exit code (product specification 1). */
export async function runProgram(
  args: readonly string[],
  environment: CliEnvironment,
): Promise<number> {
  const { terminal } = environment;
  // `help X` reads more naturally than `X --help` and means the same.
  const inputs = args[0] === "help" ? [...args.slice(1), "--help"] : [...args];
  const outcome = await scanAndRun(inputs, environment);
  const isJson = inputs.includes("--json");
  if (outcome.kind === "help") {
    terminal.writeErr(outcome.text);
    return 0;
  }
  if (outcome.kind === "output") {
    printOutput(terminal, outcome.output, isJson);
    return outcome.output.exitCode ?? 0;
  }
  printFailure(terminal, outcome.error, { isJson, wallMs: Date.now() });
  const isExact = EXACT_COMMANDS.has(inputs[0]) && outcome.error instanceof OperationError;
  return isExact ? outcome.error.exitCode : 1;
}

type Outcome =
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "output"; readonly output: CommandOutput }
  | { readonly kind: "failure"; readonly error: unknown };

async function scanAndRun(
  inputs: readonly string[],
  environment: CliEnvironment,
): Promise<Outcome> {
  let text = "";
  let failure: { readonly error: unknown } | undefined;
  let output: CommandOutput | undefined;
  const stream = {
    write: (part: string) => {
      text += part;
    },
    getColorDepth: () => environment.terminal.hasColor ? 4 : 1,
  };
  const context: CliContext = {
    process: { stdout: stream, stderr: stream },
    environment,
    report: (result) => {
      output = result;
    },
  };
  const program = buildProgram((error) => {
    failure ??= { error };
  });
  await runStricli(program, inputs, context);
  if (failure !== undefined) return { kind: "failure", error: failure.error };
  return output === undefined ? { kind: "help", text } : { kind: "output", output };
}

/** The real process around a command. */
export function processEnvironment(terminal: Terminal): CliEnvironment {
  return {
    env: Deno.env,
    terminal,
    directories: () => resolveDirectories(Deno.env.toObject(), Deno.build.os),
    openClock: async () => (await import("../platform/system_clock.ts")).openSystemClock(),
    onStopSignal(onSignal) {
      const names: Deno.Signal[] = Deno.build.os === "windows"
        ? ["SIGINT", "SIGBREAK"]
        : ["SIGINT", "SIGTERM", "SIGHUP"];
      for (const name of names) Deno.addSignalListener(name, onSignal);
      return {
        [Symbol.dispose]() {
          for (const name of names) Deno.removeSignalListener(name, onSignal);
        },
      };
    },
    exit: (code) => Deno.exit(code),
  };
}

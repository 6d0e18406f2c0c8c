/**
 * How a row of the table becomes a command: its texts, its flags, and the module that is loaded when it runs.
 *
 * @module
 */
import {
  type BaseArgs,
  type BaseFlags,
  buildCommand,
  buildRouteMap,
  type Command,
  type CommandContext,
  type RouteMap,
  type TypedCommandParameters,
} from "@stricli/core";
import type { CliEnvironment, CommandRun } from "./environment.ts";
import type { CommandOutput } from "./print.ts";

export const PROGRAM_NAME = "punktfunk-host";

export interface CliContext extends CommandContext {
  readonly environment: CliEnvironment;
  readonly report: (output: CommandOutput) => void;
}

/** One command of the table. Its module is loaded when it runs, not before. */
export function command<Flags extends BaseFlags, Args extends BaseArgs = []>(row: {
  /** One sentence without a stop. */
  readonly brief: string;
  /** What a person would type after the program's name. */
  readonly examples: readonly string[];
  readonly parameters: TypedCommandParameters<Flags, Args, CliContext>;
  readonly load: () => Promise<{ readonly run: CommandRun<Flags, Args> }>;
}): Command<CliContext> {
  return buildCommand<Flags, Args, CliContext>({
    loader: async () => {
      const { run } = await row.load();
      return async function (flags: Flags, ...args: Args) {
        this.report(await run(this.environment, flags, ...args));
      };
    },
    parameters: row.parameters,
    docs: { brief: row.brief, fullDescription: describe(row.brief, row.examples) },
  });
}

/** A flag as it is typed, from its name in the table. */
export function flagText(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** Several commands under one word. */
export function group(row: {
  readonly brief: string;
  readonly examples: readonly string[];
  readonly routes: Readonly<Record<string, Command<CliContext> | RouteMap<CliContext>>>;
}): RouteMap<CliContext> {
  return buildRouteMap<string, CliContext>({
    // Without a prototype "constructor" is an unknown command like any other.
    routes: Object.assign(Object.create(null), row.routes),
    docs: { brief: row.brief, fullDescription: describe(row.brief, row.examples) },
  });
}

function describe(brief: string, examples: readonly string[]): string {
  return [`${brief}.`, "", "Examples:", ...examples.map((one) => `  ${PROGRAM_NAME} ${one}`)]
    .join("\n");
}

/**
 * The table as a stricli application, with the texts this program fails with.
 *
 * @module
 */
import {
  type Application,
  ArgumentScannerError,
  buildApplication,
  formatMessageForArgumentScannerError,
  text_en,
} from "@stricli/core";
import { OperationError } from "../lib/errors.ts";
import { type CliContext, PROGRAM_NAME } from "./command.ts";
import { ROUTES } from "./table.ts";

/** The application; `onFailure` hears of whatever goes wrong, once or more often. */
export function buildProgram(onFailure: (error: unknown) => void): Application<CliContext> {
  const fail = (error: unknown) => {
    onFailure(error);
    return "";
  };
  const usage = (message: string) => fail(new OperationError("usage", message));
  return buildApplication(ROUTES, {
    name: PROGRAM_NAME,
    scanner: { caseStyle: "allow-kebab-for-camel", allowArgumentEscapeSequence: true },
    documentation: { caseStyle: "convert-camel-to-kebab", onlyRequiredInUsageLine: true },
    localization: {
      text: {
        ...text_en,
        noCommandRegisteredForInput: ({ input }) =>
          usage(`unknown command '${input}' (try --help)`),
        exceptionWhileParsingArguments: (error) =>
          error instanceof ArgumentScannerError ? usage(describeUsage(error)) : fail(error),
        exceptionWhileLoadingCommandFunction: fail,
        exceptionWhileLoadingCommandContext: fail,
        exceptionWhileRunningCommand: fail,
        commandErrorResult: fail,
      },
    },
  });
}

function describeUsage(error: ArgumentScannerError): string {
  const unknown = (input: string) => `unknown argument '${input}' (try --help)`;
  return formatMessageForArgumentScannerError(error, {
    FlagNotFoundError: ({ input }) => unknown(`--${input}`),
    AliasNotFoundError: ({ input }) => unknown(`-${input}`),
    InvalidNegatedFlagSyntaxError: ({ externalFlagName }) => unknown(`--${externalFlagName}=`),
    UnexpectedPositionalError: ({ input }) => unknown(input),
    UnexpectedFlagError: ({ externalFlagName }) => `--${externalFlagName} is given twice`,
    UnsatisfiedFlagError: ({ externalFlagName }) => `missing value for --${externalFlagName}`,
    UnsatisfiedPositionalError: ({ placeholder }) => `missing ${placeholder} (try --help)`,
    EnumValidationError: ({ externalFlagName, values }) =>
      `Cannot use --${externalFlagName}: it must be one of ${values.join(", ")}`,
    ArgumentParseError: ({ externalFlagNameOrPlaceholder, exception }) =>
      `Cannot use --${externalFlagNameOrPlaceholder}: ${
        exception instanceof Error ? exception.message : "it is malformed"
      }`,
  });
}

/**
 * The manual page, from the command table and the settings registry.
 *
 * @module
 */
import type { Command, RouteMap } from "@stricli/core";
import { type CliContext, flagText, PROGRAM_NAME } from "../src/cli/command.ts";
import { ROUTES } from "../src/cli/table.ts";
import { VERSION } from "../src/lib/version.ts";
import { type SettingRow, SETTINGS } from "../src/platform/config.ts";

type Target = Command<CliContext> | RouteMap<CliContext>;
type Flag = NonNullable<Command<CliContext>["parameters"]["flags"]>[string];
type Term = readonly [term: string, text: string];

const CONFIG_DIRECTORY = "~/.config/punktfunk";

const VARIABLES: readonly Term[] = [
  ["PUNKTFUNK_LOG", "What is logged to stderr, else RUST_LOG: off, error, warn, info or debug"],
  ["PUNKTFUNK_LOG_FORMAT", "text or json"],
  ["PUNKTFUNK_CONFIG_DIR", `Directory of the files below, instead of ${CONFIG_DIRECTORY}`],
  ["XDG_CONFIG_HOME", "Instead of ~/.config"],
  ["NO_COLOR", "Anything: no colour"],
];

const FILES: readonly Term[] = [
  ["host.env", "Variables, one a line: settings that stay"],
  ["host-settings.json", "Settings as JSON"],
  ["apps.json", "Applications offered to Moonlight clients"],
  ["mgmt-token, mgmt-endpoint", "How ctl reaches the host that runs"],
  ["paired.json, punktfunk1-paired.json", "Paired Moonlight clients and native devices"],
  ["cert.pem, key.pem", "The host as Moonlight clients know it"],
  ["native-cert.pem, native-key.pem", "The host as native clients and the management API know it"],
];

const EXIT_CODES: readonly Term[] = [
  ["0", "Done, or ended by a signal that asks for it"],
  ["1", "Refused or failed"],
  ["2", "ctl: wrong arguments"],
  ["3", "ctl: no host can be reached"],
  ["4", "ctl: something else answers at the host's port; the token was not sent"],
];

/** The page in roff, dated to the day of `date`. */
export function manPage({ date }: { readonly date: Date }): string {
  const title = `"${PROGRAM_NAME}" 1 "${
    date.toISOString().slice(0, 10)
  }" "${PROGRAM_NAME} ${VERSION}"`;
  return [
    `.TH ${title}`,
    ".SH NAME",
    escapeText(`${PROGRAM_NAME} - ${lowerFirst(ROUTES.brief)}`),
    ".SH SYNOPSIS",
    `.B ${escapeText(PROGRAM_NAME)}`,
    ".I command",
    ".RI [ arguments ]",
    ".SH COMMANDS",
    ...commandSections(ROUTES, []),
    ".SH EXIT STATUS",
    ...EXIT_CODES.flatMap(paragraph),
    ".SH ENVIRONMENT",
    "A flag wins over a variable of the process, that over one in",
    ".IR host.env ,",
    "that over",
    ".IR host\\-settings.json .",
    ...settingVariables().flatMap(paragraph),
    ...VARIABLES.flatMap(paragraph),
    ".SH FILES",
    `In ${italic(CONFIG_DIRECTORY)}:`,
    ...FILES.flatMap(paragraph),
    ".SH SEE ALSO",
    ".BR systemctl (1)",
    "",
  ].join("\n");
}

function commandSections(target: Target, path: readonly string[]): string[] {
  const heading = path.length === 0 ? [] : [
    `.SS ${escapeText(path.join(" "))}`,
    escapeText(`${target.brief}.`),
  ];
  if ("getAllEntries" in target) {
    return [
      ...heading,
      ...target.getAllEntries().flatMap(({ name, target }) =>
        commandSections(target, [...path, name.original])
      ),
    ];
  }
  return [
    ...heading,
    ...argumentTerms(target).flatMap(paragraph),
    ...flagTerms(target).flatMap(paragraph),
    ...exampleLines(target),
  ];
}

function argumentTerms({ parameters }: Command<CliContext>): Term[] {
  const positional = parameters.positional;
  if (positional === undefined) return [];
  const all = positional.kind === "tuple" ? positional.parameters : [positional.parameter];
  return all.map(({ placeholder = "argument", brief, optional }) => [
    optional === true ? `[${placeholder}]` : placeholder,
    brief,
  ]);
}

function flagTerms({ parameters }: Command<CliContext>): Term[] {
  return Object.entries(parameters.flags ?? {}).map(([name, flag]) => [
    [flagText(name), ...valueOf(flag)].join(" "),
    flag.brief,
  ]);
}

function valueOf(flag: Flag): string[] {
  if (flag.kind === "enum") return [flag.values.join("|")];
  return flag.kind === "parsed" ? [flag.placeholder ?? "value"] : [];
}

/** The table writes examples as indented lines of the description. */
function exampleLines({ fullDescription = "" }: Command<CliContext>): string[] {
  const lines = fullDescription.split("\n").filter((line) => line.startsWith("  "));
  return [".PP", ".nf", ".RS", ...lines.map((line) => escapeText(line.trim())), ".RE", ".fi"];
}

function settingVariables(): Term[] {
  const rows = Object.values(SETTINGS) as readonly SettingRow<unknown>[];
  return rows.map(({ env, flag, kind }) => [
    env,
    `${flag === undefined ? "" : `As ${flag} of serve. `}The value ${kind.expectation}`,
  ]);
}

function paragraph([term, text]: Term): string[] {
  return [".TP", `.B ${escapeText(term)}`, `${escapeText(text)}.`];
}

function italic(text: string): string {
  return `\\fI${escapeText(text)}\\fR`;
}

/** Text that roff prints as it stands; what stands in backticks is bold. */
export function escapeText(text: string): string {
  const escaped = text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("~", "\\(ti")
    .replaceAll("^", "\\(ha")
    .replaceAll('"', "\\(dq")
    .replace(/`([^`]*)`/g, "\\fB$1\\fR");
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}

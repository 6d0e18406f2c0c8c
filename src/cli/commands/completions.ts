/**
 * `completions`: scripts made from the table, so that they never lag behind it.
 *
 * @module
 */
import type { Command, RouteMap } from "@stricli/core";
import { OperationError } from "../../lib/errors.ts";
import { type CliContext, flagText, PROGRAM_NAME } from "../command.ts";
import type { CommandRun } from "../environment.ts";

/** What can follow the words of `path`. */
interface Level {
  readonly path: readonly string[];
  readonly words: readonly { readonly text: string; readonly brief: string }[];
}

/** The command over the table `routes`, which lists this command among others. */
export function completionsOf(
  routes: RouteMap<CliContext>,
): CommandRun<Record<never, never>, [string]> {
  return (_environment, _flags, shell) => {
    const write = SHELLS[shell];
    if (write === undefined) {
      throw new OperationError(
        "usage",
        `Cannot complete for '${shell}': it must be one of ${Object.keys(SHELLS).join(", ")}`,
      );
    }
    const text = write(levelsOf(routes, []));
    return Promise.resolve({ text, data: { shell, script: text } });
  };
}

function levelsOf(target: RouteMap<CliContext> | Command<CliContext>, path: string[]): Level[] {
  const help = { text: "--help", brief: "Show how it is used" };
  if (!("getAllEntries" in target)) {
    const flags = Object.entries(target.parameters.flags ?? {}).map(([name, flag]) => ({
      text: flagText(name),
      brief: flag.brief,
    }));
    return [{ path, words: [...flags, help] }];
  }
  const entries = target.getAllEntries();
  const words = entries.map(({ name, target }) => ({ text: name.original, brief: target.brief }));
  const extra = path.length === 0 ? [{ text: "--version", brief: "Show the version" }] : [];
  return [
    { path, words: [...words, ...extra, help] },
    ...entries.flatMap(({ name, target }) => levelsOf(target, [...path, name.original])),
  ];
}

/** Keyed without a prototype: "constructor" is no shell. */
const SHELLS: Readonly<Record<string, (levels: readonly Level[]) => string>> = Object.assign(
  Object.create(null),
  { bash: bashScript, zsh: zshScript, fish: fishScript },
);

function bashScript(levels: readonly Level[]): string {
  const cases = levels.map(({ path, words }) =>
    `    "${path.join(" ")}") words="${words.map(({ text }) => text).join(" ")}" ;;`
  );
  return `# bash completion of ${PROGRAM_NAME}
_punktfunk_host() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" words="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ $word == -* ]] || path="\${path:+$path }$word"
  done
  case "$path" in
${cases.join("\n")}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -o default -F _punktfunk_host ${PROGRAM_NAME}
`;
}

function zshScript(levels: readonly Level[]): string {
  const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  const cases = levels.map(({ path, words }) => {
    const items = words.map(({ text, brief }) => quote(`${text.replaceAll(":", "\\:")}:${brief}`));
    return `    ${quote(path.join(" "))}) items=(${items.join(" ")}) ;;`;
  });
  return `#compdef ${PROGRAM_NAME}
# zsh completion of ${PROGRAM_NAME}
_punktfunk_host() {
  local -a items typed
  typed=(\${\${words[2,CURRENT-1]}:#-*})
  case "\${(j: :)typed}" in
${cases.join("\n")}
  esac
  if (( \${#items} )); then _describe 'command' items; else _files; fi
}
if [[ \${funcstack[1]} == _punktfunk_host ]]; then _punktfunk_host; else compdef _punktfunk_host ${PROGRAM_NAME}; fi
`;
}

function fishScript(levels: readonly Level[]): string {
  const quote = (text: string) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  const lines = levels.flatMap(({ path, words }) =>
    words.map(({ text, brief }) => {
      const when = quote(`__punktfunk_host_at ${path.join(" ")}`.trim());
      const what = text.startsWith("--") ? `-l ${text.slice(2)}` : `-f -a ${text}`;
      return `complete -c ${PROGRAM_NAME} -n ${when} ${what} -d ${quote(brief)}`;
    })
  );
  return `# fish completion of ${PROGRAM_NAME}
function __punktfunk_host_at
  set -l typed (commandline -opc | string match -v -- '-*')
  test "$typed[2..]" = "$argv"
end
${lines.join("\n")}
`;
}

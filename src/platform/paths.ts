/**
 * Where the program keeps its files (product specification 2.1).
 *
 *     purpose   Linux                                            Windows
 *     config    $PUNKTFUNK_CONFIG_DIR, $XDG_CONFIG_HOME/punktfunk,  $PUNKTFUNK_CONFIG_DIR,
 *               ~/.config/punktfunk                              %ProgramData%\punktfunk
 *     data      $XDG_DATA_HOME/punktfunk, ~/.local/share/punktfunk  the config directory
 *     state     $XDG_STATE_HOME/punktfunk, ~/.local/state/punktfunk the config directory
 *     cache     $XDG_CACHE_HOME/punktfunk, ~/.cache/punktfunk    %LOCALAPPDATA%\punktfunk
 *     runtime   $XDG_RUNTIME_DIR, /tmp                           %TEMP%
 *
 * An XDG value that is empty or relative counts as unset.
 *
 * @module
 */
import { OperationError } from "../lib/errors.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Directories {
  /** Identity, pairings, tokens, policy. */
  readonly config: string;
  readonly data: string;
  /** What must survive a crash. */
  readonly state: string;
  readonly cache: string;
  /** Shared with other programs of this user: names inside begin with `punktfunk-`. */
  readonly runtime: string;
}

/** The directories for `environment` on `os`. Creates nothing. */
export function resolveDirectories(environment: Environment, os: string): Directories {
  return os === "windows" ? windowsDirectories(environment) : unixDirectories(environment);
}

function unixDirectories(environment: Environment): Directories {
  const under = (variable: string, fallback: string): string => {
    const base = environment[variable];
    if (base !== undefined && base.startsWith("/")) return joinPath(base, "punktfunk");
    return joinPath(homeOf(environment, variable), fallback, "punktfunk");
  };
  const runtime = environment["XDG_RUNTIME_DIR"];
  return {
    config: nonEmpty(environment["PUNKTFUNK_CONFIG_DIR"]) ?? under("XDG_CONFIG_HOME", ".config"),
    data: under("XDG_DATA_HOME", ".local/share"),
    state: under("XDG_STATE_HOME", ".local/state"),
    cache: under("XDG_CACHE_HOME", ".cache"),
    runtime: runtime !== undefined && runtime.startsWith("/") ? runtime : "/tmp",
  };
}

function windowsDirectories(environment: Environment): Directories {
  const programData = nonEmpty(environment["ProgramData"]) ?? "C:\\ProgramData";
  const config = nonEmpty(environment["PUNKTFUNK_CONFIG_DIR"]) ?? `${programData}\\punktfunk`;
  const temporary = nonEmpty(environment["TEMP"]) ?? `${programData}\\punktfunk\\temp`;
  const local = nonEmpty(environment["LOCALAPPDATA"]) ?? programData;
  return {
    config,
    data: config,
    state: config,
    cache: `${local}\\punktfunk\\cache`,
    runtime: temporary,
  };
}

function homeOf(environment: Environment, variable: string): string {
  const home = environment["HOME"];
  if (home !== undefined && home.startsWith("/")) return home;
  throw new OperationError(
    "unavailable",
    `Cannot find this user's directories: neither ${variable} nor HOME is an absolute path`,
    { remedy: "Set HOME" },
  );
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text === "" ? undefined : text;
}

function joinPath(base: string, ...names: readonly string[]): string {
  return [base.replace(/\/+$/, ""), ...names].join("/");
}

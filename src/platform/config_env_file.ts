/**
 * `host.env`: environment variables for the host, in a file of the config directory (product specification 2.2).
 *
 *     # comment
 *     KEY=value
 *     KEY="value with surrounding quotes dropped"
 *
 * @module
 */

/** Bytes of `host.env` that are read; a longer file is refused by whoever reads it. */
export const HOST_ENV_BYTES_MAX = 65_536;

/** Lines without "=" or with an unusable name are left out; the last of several equal names wins. */
export function parseHostEnv(text: string): ReadonlyMap<string, string> {
  const variables = new Map<string, string>();
  for (const rawLine of text.split(/\r?\n/)) {
    const line = rawLine.trim();
    const equals = line.indexOf("=");
    if (line.startsWith("#") || equals < 0) continue;
    const name = line.slice(0, equals).trim();
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) continue;
    const value = line.slice(equals + 1).trim();
    variables.set(name, /^".*"$/.test(value) && value.length > 1 ? value.slice(1, -1) : value);
  }
  return variables;
}

/** `real` with `file` beneath it: a variable that is set to something in the process wins. */
export function layerEnv(
  real: { get(name: string): string | undefined },
  file: ReadonlyMap<string, string>,
): { get(name: string): string | undefined } {
  return { get: (name) => real.get(name) || file.get(name) };
}

/** Variables that carry a credential. */
export const CREDENTIAL_VARIABLES = [
  "PUNKTFUNK_MGMT_TOKEN",
  "PUNKTFUNK_PLUGIN_TOKEN",
  "PUNKTFUNK_UI_PASSWORD",
] as const;

/** Read the credentials and remove them from `env`, before a child process can inherit them. */
export function takeCredentials(
  env: { get(name: string): string | undefined; delete(name: string): void },
): ReadonlyMap<string, string> {
  const taken = new Map<string, string>();
  for (const name of CREDENTIAL_VARIABLES) {
    const value = env.get(name)?.trim();
    env.delete(name);
    if (value) taken.set(name, value);
  }
  return taken;
}

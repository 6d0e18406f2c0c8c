/**
 * The small files that name the host and let its own tools in (product specification 2.2).
 *
 *     uniqueid        the host's id, an upper-case UUID; clients know the host by it, so it never changes
 *     mgmt-token      PUNKTFUNK_MGMT_TOKEN=<64 hex digits>
 *     mgmt-endpoint   PUNKTFUNK_MGMT_URL=https://127.0.0.1:<port>, written at every start
 *
 * @module
 */
import { toHex } from "../lib/bytes.ts";
import { OperationError } from "../lib/errors.ts";
import {
  keepDamagedFile,
  PUBLIC_FILE_MODE,
  readFileIfPresent,
  writeFileAtomic,
} from "../store/file.ts";

const UUID_PATTERN = /^[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}$/;
const TOKEN_VARIABLE = "PUNKTFUNK_MGMT_TOKEN";
const TOKEN_SIZE_BYTES = 32;
/** Printable ASCII without blanks: what an HTTP header can carry. */
const TOKEN_PATTERN = /^[\x21-\x7e]{1,256}$/;

/** The host's id, made at the first call. Throws OperationError "storage" when the file holds something else. */
export async function openHostId(directory: string): Promise<string> {
  const path = `${directory}/uniqueid`;
  const bytes = await readFileIfPresent(path);
  if (bytes === undefined) {
    const id = crypto.randomUUID().toUpperCase();
    await writeFileAtomic(path, new TextEncoder().encode(`${id}\n`));
    return id;
  }
  const id = new TextDecoder().decode(bytes).trim().toUpperCase();
  if (UUID_PATTERN.test(id)) return id;
  throw new OperationError("storage", `Cannot use the host's id: ${path} holds no UUID`, {
    remedy: `Restore ${path} from a backup; or remove it, after which clients see a new host`,
  });
}

export interface OpenedToken {
  readonly token: string;
  readonly notice: string | undefined;
}

/**
 * The token of the management API, made at the first call. A line without the variable's name counts as the token. A
 * file that holds neither is set aside.
 */
export async function openManagementToken(
  directory: string,
  options: { readonly nowMs: () => number },
): Promise<OpenedToken> {
  const path = `${directory}/mgmt-token`;
  const bytes = await readFileIfPresent(path);
  let notice: string | undefined;
  if (bytes !== undefined) {
    const token = parseManagementToken(new TextDecoder().decode(bytes));
    if (token !== undefined) return { token, notice: undefined };
    const kept = await keepDamagedFile(path, options.nowMs());
    notice = `${path} held no token: it is kept as ${kept}, and a new token was made`;
  }
  const token = toHex(crypto.getRandomValues(new Uint8Array(TOKEN_SIZE_BYTES)));
  await writeFileAtomic(path, new TextEncoder().encode(`${TOKEN_VARIABLE}=${token}\n`));
  return { token, notice };
}

/** Tell local tools where the management API listens. */
export async function writeManagementEndpoint(directory: string, port: number): Promise<void> {
  const line = `PUNKTFUNK_MGMT_URL=https://127.0.0.1:${port}\n`;
  await writeFileAtomic(
    `${directory}/mgmt-endpoint`,
    new TextEncoder().encode(line),
    PUBLIC_FILE_MODE,
  );
}

/** The token in the text of `mgmt-token`, or undefined. */
export function parseManagementToken(text: string): string | undefined {
  for (const line of text.split("\n")) {
    const trimmed = line.trim();
    if (trimmed === "" || trimmed.startsWith("#")) continue;
    const value = trimmed.startsWith(`${TOKEN_VARIABLE}=`)
      ? trimmed.slice(TOKEN_VARIABLE.length + 1).trim()
      : trimmed;
    return TOKEN_PATTERN.test(value) ? value : undefined;
  }
  return undefined;
}

/**
 * The variables in `host.env`, for the commands that resolve settings.
 *
 * @module
 */
import { OperationError } from "../lib/errors.ts";
import { HOST_ENV_BYTES_MAX, parseHostEnv } from "../platform/config_env_file.ts";
import { readFileIfPresent } from "../store/file.ts";

/** None without the file. Throws OperationError "storage" when it cannot be read or is too long. */
export async function readHostEnv(configDirectory: string): Promise<ReadonlyMap<string, string>> {
  const path = `${configDirectory}/host.env`;
  const bytes = await readFileIfPresent(path);
  if (bytes === undefined) return new Map();
  if (bytes.byteLength > HOST_ENV_BYTES_MAX) {
    throw new OperationError(
      "storage",
      `Cannot read ${path}: it exceeds ${HOST_ENV_BYTES_MAX} bytes`,
    );
  }
  return parseHostEnv(new TextDecoder().decode(bytes));
}

/**
 * Files that must be whole or absent, whatever interrupts the program (product specification 2.2, write rule).
 *
 * A file is written beside its final name with its final mode, flushed, and renamed over. Directories are 0700.
 *
 * @module
 */
import { OperationError } from "../lib/errors.ts";

export const SECRET_FILE_MODE = 0o600;
/** For the few files that other users of the machine may read. */
export const PUBLIC_FILE_MODE = 0o644;
const PRIVATE_DIRECTORY_MODE = 0o700;

/** Create `path` with its parents, or tighten it when it is there. */
export async function ensurePrivateDirectory(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true, mode: PRIVATE_DIRECTORY_MODE });
  } catch (error) {
    throw storageError("use directory", path, error);
  }
  if (Deno.build.os === "windows") return;
  try {
    await Deno.chmod(path, PRIVATE_DIRECTORY_MODE);
  } catch (error) {
    const { uid } = await Deno.stat(path);
    if (uid === Deno.uid()) throw storageError("use directory", path, error);
    throw new OperationError(
      "storage",
      `Cannot use directory ${path}: it belongs to another user`,
      {
        remedy: "Run as that user, or choose another directory with PUNKTFUNK_CONFIG_DIR",
        cause: error,
      },
    );
  }
}

/** Bytes of the file at `path`, or undefined when there is none. */
export async function readFileIfPresent(
  path: string,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw storageError("read", path, error);
  }
}

/** Replace the file at `path` by `bytes`. On an error the old file is untouched and no other is left. */
export async function writeFileAtomic(
  path: string,
  bytes: Uint8Array,
  mode: number = SECRET_FILE_MODE,
): Promise<void> {
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  try {
    await writeAndFlush(temporary, bytes, mode);
    await Deno.rename(temporary, path);
    await flushDirectory(parentOf(path));
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw storageError("write", path, error);
  }
}

/**
 * Rename a damaged file to `<path>.damaged-<stamp>`, `<stamp>` being `nowMs` in UTC. Returns the new path.
 * Nothing is overwritten: a second damaged file of the same second gets a number.
 */
export async function keepDamagedFile(path: string, nowMs: number): Promise<string> {
  const stamp = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, "");
  for (let number = 1;; number++) {
    const kept = `${path}.damaged-${stamp}${number === 1 ? "" : `-${number}`}`;
    try {
      // A link fails when the name exists, where a rename would overwrite it.
      await Deno.link(path, kept);
      await Deno.remove(path);
      return kept;
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) {
        throw storageError("set aside", path, error);
      }
    }
  }
}

/** An {@link OperationError} naming the file, the cause and the remedy. */
export function storageError(verb: string, path: string, cause: unknown): OperationError {
  if (cause instanceof OperationError) return cause;
  const { reason, remedy } = explain(cause, path);
  return new OperationError("storage", `Cannot ${verb} ${path}: ${reason}`, { remedy, cause });
}

function explain(cause: unknown, path: string): { reason: string; remedy: string } {
  const code = (cause as { code?: unknown } | null)?.code;
  switch (code) {
    case "ENOSPC":
    case "EDQUOT":
      return { reason: "no space is left", remedy: `Free space on the disk that holds ${path}` };
    case "EROFS":
      return {
        reason: "the disk is read-only",
        remedy: `Make the disk that holds ${path} writable`,
      };
  }
  if (cause instanceof Deno.errors.PermissionDenied || code === "EACCES" || code === "EPERM") {
    return {
      reason: "permission is denied",
      remedy: `Give this user access to ${
        parentOf(path)
      }, or choose another directory with PUNKTFUNK_CONFIG_DIR`,
    };
  }
  return {
    reason: typeof code === "string" ? `the system says ${code}` : "the file system refused it",
    remedy: `Check that ${parentOf(path)} is a directory this user can write to`,
  };
}

async function writeAndFlush(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true, mode });
  // The umask may have taken bits from the mode asked for.
  if (Deno.build.os !== "windows") await Deno.chmod(path, mode);
  let written = 0;
  while (written < bytes.byteLength) written += await file.write(bytes.subarray(written));
  await file.sync();
}

/** Make the rename durable. Some systems and file systems cannot flush a directory; the file itself is safe there. */
async function flushDirectory(path: string): Promise<void> {
  try {
    using directory = await Deno.open(path, { read: true });
    await directory.sync();
  } catch {
    return;
  }
}

function parentOf(path: string): string {
  const end = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  return end <= 0 ? "/" : path.slice(0, end);
}

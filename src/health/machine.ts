/**
 * The machine as checks see it: files, and two questions to the kernel. A test's machine is a map.
 *
 * @module
 */
import { statfs } from "node:fs/promises";

export interface FileFacts {
  readonly kind: "file" | "directory" | "other";
  /** The permission bits, e.g. 0o700. */
  readonly mode: number;
  readonly userId: number;
  readonly groupId: number;
}

export interface Machine {
  readonly os: string;
  /** Of the user this program runs as; 0 is root. */
  readonly userId: number;
  /** Undefined when the file is not there or not for this user. */
  readText(path: string): Promise<string | undefined>;
  /** Names in a directory; none when it is not there or not for this user. */
  list(path: string): Promise<readonly string[]>;
  /** Follows links. Undefined when there is nothing this user can see. */
  look(path: string): Promise<FileFacts | undefined>;
  /** Where a link leads. */
  readLink(path: string): Promise<string | undefined>;
  /** Asks the kernel, so that access lists and read-only disks count. Opens nothing. Always true where it cannot ask. */
  canWrite(path: string): boolean;
  /** Of the disk that holds `path`, for users other than root. */
  freeBytes(path: string): Promise<number | undefined>;
  /** Whether the kernel takes its clock for synchronised; undefined where it does not tell. */
  isClockSynchronised(): boolean | undefined;
}

const LIBC_SYMBOLS = {
  access: {
    parameters: [
      "buffer", // const char *path
      "i32", // int mode
    ],
    result: "i32",
  },
  adjtimex: {
    parameters: [
      "buffer", // struct timex *state
    ],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;

const W_OK = 2;
/** struct timex of 64-bit Linux is 208 bytes; all of them 0 ask for the state and change nothing. */
const TIMEX_SIZE_BYTES = 208;
const TIME_ERROR = 5;

/** The machine this program runs on. */
export function openMachine(): Machine & Disposable {
  const libc = Deno.build.os === "linux" ? Deno.dlopen("libc.so.6", LIBC_SYMBOLS) : undefined;
  return {
    os: Deno.build.os,
    userId: Deno.uid() ?? 0,
    readText: (path) => orUndefined(Deno.readTextFile(path)),
    list: async (path) => await orUndefined(listNames(path)) ?? [],
    look: async (path) => factsOf(await orUndefined(Deno.stat(path))),
    readLink: (path) => orUndefined(Deno.readLink(path)),
    canWrite: (path) =>
      libc === undefined ||
      libc.symbols.access(new TextEncoder().encode(`${path}\0`), W_OK) === 0,
    freeBytes: async (path) => {
      const disk = await orUndefined(statfs(path));
      return disk === undefined ? undefined : disk.bavail * disk.bsize;
    },
    isClockSynchronised: () => {
      const state = libc?.symbols.adjtimex(new Uint8Array(TIMEX_SIZE_BYTES));
      return state === undefined || state < 0 ? undefined : state !== TIME_ERROR;
    },
    [Symbol.dispose]: () => libc?.close(),
  };
}

/** Whatever the reason: a check says what it did not find, and the kernel's words add nothing. */
function orUndefined<T>(promise: Promise<T>): Promise<T | undefined> {
  return promise.catch(() => undefined);
}

async function listNames(path: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(path)) names.push(name);
  return names;
}

function factsOf(info: Deno.FileInfo | undefined): FileFacts | undefined {
  if (info === undefined) return undefined;
  return {
    kind: info.isFile ? "file" : info.isDirectory ? "directory" : "other",
    mode: (info.mode ?? 0) & 0o7777,
    userId: info.uid ?? 0,
    groupId: info.gid ?? 0,
  };
}

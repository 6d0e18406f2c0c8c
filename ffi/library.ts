/**
 * Finds and opens a shim. Three places, in this order:
 *
 * 1. `$PUNKTFUNK_NATIVE_DIR/libpf_<name>.so`, for tests and packagers;
 * 2. `dist/native/<target>/` of the checkout, where `deno task native` puts them;
 * 3. the same path inside a compiled executable. Its bytes are compared with the digest beside them, `<file>.sha256`,
 *    copied to a sealed memfd and opened from there, so that no other user can change them and nothing is written to a
 *    temporary directory.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { NativeError, OperationError } from "../src/lib/errors.ts";

/** Every shim. The ABI number of each stands in its header and its ffi/ file. */
export const SHIM_NAMES = [
  "wire",
  "h264",
  "opus",
  "picture",
  "wlroots",
  "pipewire",
  "quic",
] as const;

export type ShimName = typeof SHIM_NAMES[number];

/** "x86_64-linux", "aarch64-linux", "x86_64-windows". */
export function nativeTarget(): string {
  return `${Deno.build.arch}-${Deno.build.os}`;
}

/** What a shim's file is called on `system`. */
export function shimFileName(name: ShimName, system: string = Deno.build.os): string {
  return system === "windows" ? `pf_${name}.dll` : `libpf_${name}.so`;
}

/** Where a shim lies, whether or not it exists. */
export function shimUrl(name: ShimName): URL {
  const directory = Deno.env.get("PUNKTFUNK_NATIVE_DIR");
  if (directory !== undefined && directory !== "") {
    return new URL(`file://${directory.replace(/\/$/, "")}/${shimFileName(name)}`);
  }
  return new URL(`../dist/native/${nativeTarget()}/${shimFileName(name)}`, import.meta.url);
}

/**
 * Open shim `name` and compare its ABI number, returned by the symbol `pf_<name>_abi`.
 * Throws OperationError "missing-library" when it is not there, NativeError when its ABI differs.
 */
export function openShim<S extends Deno.ForeignLibraryInterface>(
  name: ShimName,
  abi: number,
  symbols: S,
): Deno.DynamicLibrary<S> {
  const library = openLibrary(name, symbols);
  const abiOf = (library.symbols as Record<string, unknown>)[`pf_${name}_abi`];
  const found = typeof abiOf === "function" ? Number(abiOf()) : -1;
  if (found !== abi) {
    library.close();
    throw new NativeError(
      name,
      found,
      `Cannot use shim "${name}": its ABI is ${found}, this program wants ${abi}`,
    );
  }
  return library;
}

/** The ABI number of shim `name`, whatever this program wants. Throws OperationError "missing-library". */
export function readShimAbi(name: ShimName): number {
  const symbol = `pf_${name}_abi`;
  const library = openLibrary(name, { [symbol]: { parameters: [], result: "u32" } });
  try {
    return Number(library.symbols[symbol]?.());
  } finally {
    library.close();
  }
}

function openLibrary<S extends Deno.ForeignLibraryInterface>(
  name: ShimName,
  symbols: S,
): Deno.DynamicLibrary<S> {
  const url = shimUrl(name);
  try {
    if (Deno.build.standalone && Deno.build.os === "linux") {
      const bytes = Deno.readFileSync(url);
      requireWhole(name, bytes, url);
      return openFromMemory(name, bytes, symbols);
    }
    return Deno.dlopen(url, symbols);
  } catch (cause) {
    if (cause instanceof OperationError) throw cause;
    const reason = isForeign(url) ? "it is made for another processor" : reasonOf(cause);
    throw new OperationError("missing-library", `Cannot open shim "${name}": ${reason}`, {
      remedy: remedyFor(),
    });
  }
}

/** The loader's own words, without the path that stands for a memfd. */
function reasonOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return text.replace(/^.*\/fd\/\d+: /, "");
}

/** `e_machine` of an ELF file, 16 bits at offset 18, little-endian. */
const ELF_MACHINES: Readonly<Record<typeof Deno.build.arch, number>> = {
  x86_64: 62,
  aarch64: 183,
};

/** Whether there is an ELF file at `url` and it is for another machine; the loader only says that it cannot open it. */
function isForeign(url: URL): boolean {
  try {
    const head = new DataView(Deno.readFileSync(url).buffer, 0, 20);
    return head.getUint32(0) === 0x7f454c46 &&
      head.getUint16(18, true) !== ELF_MACHINES[Deno.build.arch];
  } catch {
    return false;
  }
}

function remedyFor(): string {
  if (Deno.env.get("PUNKTFUNK_NATIVE_DIR")) {
    return "Check what PUNKTFUNK_NATIVE_DIR holds: the shims of this release for this machine are wanted";
  }
  return Deno.build.standalone
    ? "`punktfunk-host version --verbose` shows every shim of this executable"
    : "Run `deno task native` to build it";
}

/** A library that has lost a bit can do anything, so it is not opened. Only what `deno task compile` made has a digest. */
function requireWhole(name: ShimName, bytes: Uint8Array, url: URL): void {
  let wanted: string;
  try {
    wanted = Deno.readTextFileSync(new URL(`${url}.sha256`));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  if (createHash("sha256").update(bytes).digest("hex") === wanted) return;
  throw new OperationError(
    "failed",
    `Cannot open shim "${name}": the executable is damaged`,
    {
      remedy: "Compare it with its SHA-256 and fetch it again",
    },
  );
}

const LIBC_SYMBOLS = {
  memfd_create: { parameters: ["buffer", "u32"], result: "i32" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
const F_ADD_SEALS = 1033;
/** F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE. */
const SEALS_ALL = 15;

function openFromMemory<S extends Deno.ForeignLibraryInterface>(
  name: ShimName,
  bytes: Uint8Array<ArrayBuffer>,
  symbols: S,
): Deno.DynamicLibrary<S> {
  const libc = Deno.dlopen("libc.so.6", LIBC_SYMBOLS);
  let descriptor = -1;
  try {
    const label = new TextEncoder().encode(`pf_${name}\0`);
    descriptor = libc.symbols.memfd_create(label, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (descriptor < 0) throw new Error("memfd_create failed");
    for (let offset = 0; offset < bytes.byteLength;) {
      const rest = bytes.subarray(offset);
      const written = Number(libc.symbols.write(descriptor, rest, BigInt(rest.byteLength)));
      if (written <= 0) throw new Error("writing to the memfd failed");
      offset += written;
    }
    if (libc.symbols.fcntl(descriptor, F_ADD_SEALS, SEALS_ALL) !== 0) {
      throw new Error("sealing the memfd failed");
    }
    return Deno.dlopen(`/proc/self/${uniqueDetour()}fd/${descriptor}`, symbols);
  } finally {
    if (descriptor >= 0) libc.symbols.close(descriptor);
    libc.close();
  }
}

/**
 * A path that leads nowhere else and that no other call makes. The loader knows libraries by the name they were opened under,
 * and a descriptor's number comes again: without this the second shim would be the first one once more.
 */
function uniqueDetour(): string {
  const choices = crypto.getRandomValues(new Uint8Array(48));
  return Array.from(choices, (choice) => choice % 2 === 0 ? "./" : "/").join("");
}

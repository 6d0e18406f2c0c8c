/**
 * Finds and opens a shim. Three places, in this order:
 *
 * 1. `$PUNKTFUNK_NATIVE_DIR/libpf_<name>.so`, for tests and packagers;
 * 2. `dist/native/<target>/` of the checkout, where `deno task native` puts them;
 * 3. the same path inside a compiled executable. Its bytes are copied to a sealed memfd and opened from there, so
 *    that no other user can change them and nothing is written to a temporary directory.
 *
 * @module
 */
import { NativeError, OperationError } from "../src/lib/errors.ts";

/** Every shim. The ABI number of each stands in its header and its ffi/ file. */
export const SHIM_NAMES = ["wire", "h264", "opus", "picture", "wlroots", "pipewire"] as const;

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

function openLibrary<S extends Deno.ForeignLibraryInterface>(
  name: ShimName,
  symbols: S,
): Deno.DynamicLibrary<S> {
  const url = shimUrl(name);
  try {
    if (Deno.build.standalone && Deno.build.os === "linux") {
      return openFromMemory(name, Deno.readFileSync(url), symbols);
    }
    return Deno.dlopen(url, symbols);
  } catch (cause) {
    throw new OperationError(
      "missing-library",
      `Cannot open shim "${name}": ${cause instanceof Error ? cause.message : String(cause)}`,
      { remedy: "Run `deno task native` to build it", cause },
    );
  }
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

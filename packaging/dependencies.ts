/**
 * What an executable and its shims want of the machine, as Debian packages.
 *
 * @module
 */

/** Debian's package of each library; the C library has a version besides. */
const PACKAGE_OF_LIBRARY: readonly (readonly [RegExp, string])[] = [
  [/^(libc|libm)\.so\.6$|^ld-linux-.*\.so\.[0-9]$/, "libc6"],
  [/^lib(dl|rt)\.so\.[12]$|^libpthread\.so\.0$/, "libc6"],
  [/^libgcc_s\.so\.1$/, "libgcc-s1"],
];

export interface Linkage {
  /** Names of the libraries that the loader opens. */
  readonly libraries: ReadonlySet<string>;
  /** The newest version of the C library of which a symbol is used; undefined without any. */
  readonly glibc: string | undefined;
}

/** Reads the output of `readelf --wide --dynamic --version-info`, of one file or several. */
export function parseReadelf(text: string): Linkage {
  const libraries = new Set<string>();
  for (const [, name = ""] of text.matchAll(/\(NEEDED\)\s+Shared library: \[(.+?)\]/g)) {
    libraries.add(name);
  }
  const versions = [...text.matchAll(/Name: GLIBC_([0-9.]+)/g)].map(([, version = ""]) => version);
  return { libraries, glibc: versions.toSorted(compareVersions).at(-1) };
}

function compareVersions(left: string, right: string): number {
  const [a, b] = [left.split(".").map(Number), right.split(".").map(Number)];
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The value of Depends. Throws when a library is of no known package. */
export function formatDepends({ libraries, glibc }: Linkage): string {
  const packages = new Set<string>();
  for (const library of libraries) {
    const name = PACKAGE_OF_LIBRARY.find(([pattern]) => pattern.test(library))?.[1];
    if (name === undefined) {
      throw new Error(`Cannot package: no Debian package is known that has ${library}`);
    }
    packages.add(name === "libc6" && glibc !== undefined ? `libc6 (>= ${glibc})` : name);
  }
  return [...packages].sort().join(", ");
}

/** What the ELF files at `paths` are linked with, all together. */
export async function readLinkage(paths: readonly string[]): Promise<Linkage> {
  const { success, stdout, stderr } = await new Deno.Command("readelf", {
    args: ["--wide", "--dynamic", "--version-info", ...paths],
    env: { LC_ALL: "C" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const errors = new TextDecoder().decode(stderr).trim();
  if (!success || errors !== "") throw new Error(`Cannot package: ${errors}`);
  return parseReadelf(new TextDecoder().decode(stdout));
}

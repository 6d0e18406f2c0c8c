import assert from "node:assert/strict";
import { formatDepends, parseReadelf, readLinkage } from "../../../packaging/dependencies.ts";

/** What readelf prints of two files, cut to what matters and to what could be mistaken for it. */
const TEXT = `
File: a.so
 0x0000000000000001 (NEEDED)             Shared library: [libm.so.6]
 0x0000000000000001 (NEEDED)             Shared library: [libc.so.6]
 0x000000000000000e (SONAME)             Library soname: [liba.so.1]
Version needs section '.gnu.version_r' contains 1 entry:
  000000: Version: 1  File: libc.so.6  Cnt: 2
  0x0010:   Name: GLIBC_2.9  Flags: none  Version: 2
  0x0020:   Name: GLIBC_2.34  Flags: none  Version: 3
File: b.so
 0x0000000000000001 (NEEDED)             Shared library: [libgcc_s.so.1]
 0x0000000000000001 (NEEDED)             Shared library: [libc.so.6]
 0x0000000000000001 (NEEDED)             Shared library: [ld-linux-x86-64.so.2]
  0x0010:   Name: GCC_4.2.0  Flags: none  Version: 4
  0x0020:   Name: GLIBC_2.2.5  Flags: none  Version: 5
`;

Deno.test("parseReadelf() unites the libraries and finds the newest C library by number", () => {
  const { libraries, glibc } = parseReadelf(TEXT);
  assert.deepEqual([...libraries], [
    ...["libm.so.6", "libc.so.6", "libgcc_s.so.1", "ld-linux-x86-64.so.2"],
  ]);
  assert.equal(glibc, "2.34");
  assert.deepEqual(parseReadelf(""), { libraries: new Set(), glibc: undefined });
});

Deno.test("formatDepends() names each package once, the C library with its version", () => {
  assert.equal(formatDepends(parseReadelf(TEXT)), "libc6 (>= 2.34), libgcc-s1");
  const libraries = new Set(["ld-linux-aarch64.so.1", "libdl.so.2", "libpthread.so.0"]);
  assert.equal(formatDepends({ libraries, glibc: undefined }), "libc6");
});

Deno.test("formatDepends() refuses a library of no known package", () => {
  assert.throws(
    () => formatDepends({ libraries: new Set(["libm.so.6", "libz.so.1"]), glibc: "2.36" }),
    /^Error: Cannot package: no Debian package is known that has libz\.so\.1$/,
  );
});

Deno.test("readLinkage() reads this Deno and refuses what is no ELF file", async () => {
  const { libraries, glibc } = await readLinkage([Deno.execPath()]);
  assert.ok(libraries.has("libc.so.6"));
  assert.match(glibc ?? "", /^2\.\d+$/);
  const text = new URL(import.meta.url).pathname;
  await assert.rejects(readLinkage([text]), /^Error: Cannot package: readelf: /);
});

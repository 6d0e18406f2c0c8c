/**
 * The shims, what they are linked with, and the one place that knows compiler options.
 *
 * @module
 */
import type { ShimName } from "../ffi/library.ts";
import type { Target, TargetSystem } from "./targets.ts";

export interface ShimRecipe {
  readonly name: ShimName;
  /** C sources in native/<name>/, without tests. */
  readonly sources: readonly string[];
  /** A crate instead, built by cargo; its test is C nonetheless. */
  readonly isCrate?: boolean;
  /** Archives linked static, of `ARCHIVES`. */
  readonly staticLibraries?: readonly ArchiveName[];
  /** pkg-config packages whose headers are needed; the libraries are opened at run time. */
  readonly headersOf?: readonly string[];
  /** Linked with g++ because an archive is C++. */
  readonly isCxx?: boolean;
  /** Wayland protocol XML in native/<name>/protocols/, turned into C by wayland-scanner. */
  readonly waylandProtocols?: readonly string[];
  /** Where it exists; Linux alone when absent. */
  readonly systems?: readonly TargetSystem[];
  /** What the program does where it does not exist, for the person who builds there. */
  readonly elsewhere: string;
}

/** Libraries that are ours to choose, each with the Debian package that has the archive, its licence and its text. */
export const ARCHIVES = {
  "libcrypto.a": { name: "OpenSSL libcrypto", package: "libssl-dev", licence: "Apache-2.0" },
  "libopenh264.a": { name: "OpenH264", package: "libopenh264-dev", licence: "BSD-2-Clause" },
  "libopus.a": { name: "Opus", package: "libopus-dev", licence: "BSD-3-Clause" },
} as const;

export type ArchiveName = keyof typeof ARCHIVES;

export const SHIMS: readonly ShimRecipe[] = [
  {
    name: "wire",
    sources: [
      "frame.c",
      "gf256.c",
      "leopard16.c",
      "leopard16_neon.c",
      "leopard16_rebuild.c",
      "leopard16_scalar.c",
      "leopard16_x86.c",
      "level.c",
      "rebuild.c",
      "receive.c",
      "replay.c",
      "seal.c",
      "send.c",
      "stream.c",
      "udp.c",
    ],
    staticLibraries: ["libcrypto.a"],
    elsewhere: "`spike` uses the reference in TypeScript, and nothing can be streamed",
  },
  {
    name: "h264",
    sources: ["h264.c", "convert.c"],
    staticLibraries: ["libopenh264.a"],
    isCxx: true,
    elsewhere: "no video can be encoded",
  },
  {
    name: "opus",
    sources: ["opus.c", "stderr.c"],
    staticLibraries: ["libopus.a"],
    elsewhere: "no sound can be encoded",
  },
  {
    name: "picture",
    sources: ["picture.c"],
    systems: ["linux", "windows"],
    elsewhere: "there is no test picture",
  },
  {
    name: "wlroots",
    sources: [
      "library.c",
      "connection.c",
      "capture.c",
      "screencopy.c",
      "copy_capture.c",
      "input.c",
    ],
    waylandProtocols: [
      "wayland",
      "ext-foreign-toplevel-list-v1",
      "ext-image-capture-source-v1",
      "ext-image-copy-capture-v1",
      "virtual-keyboard-unstable-v1",
      "wlr-screencopy-unstable-v1",
      "wlr-virtual-pointer-unstable-v1",
    ],
    elsewhere: "the test picture serves",
  },
  {
    name: "pipewire",
    sources: ["connection.c", "library.c", "ring.c", "sinks.c", "stream.c"],
    headersOf: ["libpipewire-0.3"],
    elsewhere: "the test tone serves",
  },
  {
    name: "quic",
    sources: [],
    isCrate: true,
    elsewhere: "QUIC is the runtime's own, and native clients cannot be told apart",
  },
];

/** Whether `recipe` is built for `target`. */
export function existsFor(recipe: ShimRecipe, target: Target): boolean {
  return (recipe.systems ?? ["linux"]).includes(target.system);
}

/** No `-march`: a shim runs on any machine of its kind and chooses faster code when it is opened. */
const C_FLAGS = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-fno-strict-aliasing"];

export function compileFlags({ system }: Target): readonly string[] {
  return system === "windows"
    // Visibility is no idea of that format; everything is exported there.
    ? [...C_FLAGS, "-Wno-attributes"]
    : [...C_FLAGS, "-D_GNU_SOURCE", "-fvisibility=hidden", "-fPIC"];
}

/** For a shared library without anything that only a debugger reads. */
export function sharedFlags({ system }: Target): readonly string[] {
  return system === "windows" ? ["-shared", "-s"] : ["-shared", "-Wl,-z,now", "-Wl,-z,defs", "-s"];
}

/** Libraries of the system, behind everything else. */
export function systemLibraries({ system }: Target): readonly string[] {
  // mingw-w64's threads, without their DLL.
  return system === "windows"
    ? ["-static-libgcc", "-Wl,-Bstatic", "-lwinpthread"]
    : ["-lm", "-lpthread", "-ldl"];
}

export const SANITIZER_FLAGS = [
  "-O1",
  "-g",
  "-fsanitize=address,undefined",
  "-fno-sanitize-recover=all",
  "-fno-omit-frame-pointer",
];

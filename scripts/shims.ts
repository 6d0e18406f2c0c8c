/**
 * The shims, what they are linked with, and the one place that knows compiler options.
 *
 * @module
 */
import { nativeTarget, type ShimName } from "../ffi/library.ts";

export interface ShimRecipe {
  readonly name: ShimName;
  /** C sources in native/<name>/, without tests. */
  readonly sources: readonly string[];
  /** Archives linked static: ours to choose, from Debian's -dev packages. */
  readonly staticLibraries?: readonly string[];
  /** pkg-config packages whose headers are needed; the libraries are opened at run time. */
  readonly headersOf?: readonly string[];
  /** Linked with g++ because an archive is C++. */
  readonly isCxx?: boolean;
  /** Wayland protocol XML in native/<name>/protocols/, turned into C by wayland-scanner. */
  readonly waylandProtocols?: readonly string[];
}

export const SHIMS: readonly ShimRecipe[] = [
  {
    name: "wire",
    sources: ["frame.c", "gf256.c", "seal.c", "send.c", "stream.c", "udp.c"],
    staticLibraries: ["libcrypto.a"],
  },
  {
    name: "h264",
    sources: ["h264.c", "convert.c"],
    staticLibraries: ["libopenh264.a"],
    isCxx: true,
  },
  { name: "opus", sources: ["opus.c", "stderr.c"], staticLibraries: ["libopus.a"] },
  { name: "picture", sources: ["picture.c"] },
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
  },
  {
    name: "pipewire",
    sources: ["connection.c", "library.c", "ring.c", "sinks.c", "stream.c"],
    headersOf: ["libpipewire-0.3"],
  },
];

export const C_FLAGS = [
  "-std=c11",
  "-D_GNU_SOURCE",
  "-Wall",
  "-Wextra",
  "-Werror",
  "-fvisibility=hidden",
  "-fno-strict-aliasing",
];

export const SANITIZER_FLAGS = [
  "-O1",
  "-g",
  "-fsanitize=address,undefined",
  "-fno-sanitize-recover=all",
  "-fno-omit-frame-pointer",
];

export interface Toolchain {
  readonly cc: string;
  readonly cxx: string;
  /** Where pkg-config and archives of the target are found; undefined is the build machine's own. */
  readonly archiveDirectory: string;
}

/** The toolchain for `target`, e.g. "aarch64-linux". Debian's cross packages for foreign ones. */
export function toolchainFor(target: string): Toolchain {
  const triplet = target === "x86_64-linux" ? "x86_64-linux-gnu" : "aarch64-linux-gnu";
  const prefix = target === nativeTarget() ? "" : `${triplet}-`;
  return { cc: `${prefix}gcc`, cxx: `${prefix}g++`, archiveDirectory: `/usr/lib/${triplet}` };
}

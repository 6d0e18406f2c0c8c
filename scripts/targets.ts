/**
 * The machines the program is made for, and what compiles C for each of them on Debian.
 *
 * @module
 */
import { nativeTarget } from "../ffi/library.ts";

export type TargetSystem = "linux" | "windows";

export interface Target {
  /** As `deno compile --target` spells it. */
  readonly name: string;
  /** As `nativeTarget()` spells it: shims lie in dist/native/<native>/. */
  readonly native: string;
  readonly system: TargetSystem;
  /** Prefix of the cross compiler's programs. */
  readonly triplet: string;
  /** Debian's name for packages of this machine; undefined where Debian has none. */
  readonly debianArchitecture: string | undefined;
  /** Debian packages that compile for it elsewhere. */
  readonly crossPackages: readonly string[];
}

export const TARGETS: readonly Target[] = [
  {
    name: "x86_64-unknown-linux-gnu",
    native: "x86_64-linux",
    system: "linux",
    triplet: "x86_64-linux-gnu",
    debianArchitecture: "amd64",
    crossPackages: ["gcc-x86-64-linux-gnu", "g++-x86-64-linux-gnu"],
  },
  {
    name: "aarch64-unknown-linux-gnu",
    native: "aarch64-linux",
    system: "linux",
    triplet: "aarch64-linux-gnu",
    debianArchitecture: "arm64",
    crossPackages: ["gcc-aarch64-linux-gnu", "g++-aarch64-linux-gnu"],
  },
  {
    name: "x86_64-pc-windows-msvc",
    native: "x86_64-windows",
    system: "windows",
    triplet: "x86_64-w64-mingw32",
    debianArchitecture: undefined,
    crossPackages: ["gcc-mingw-w64-x86-64", "g++-mingw-w64-x86-64"],
  },
];

/** The target called `name` by `deno compile`, or undefined. */
export function findTarget(name: string): Target | undefined {
  return TARGETS.find((target) => target.name === name);
}

/** The target called `name`; throws, naming all, when there is none. */
export function requireTarget(name: string | undefined): Target {
  const target = findTarget(name ?? "");
  if (target !== undefined) return target;
  throw new Error(`--target must be one of ${TARGETS.map((one) => one.name).join(", ")}`);
}

/** What rustc calls `target`: on Windows the shims are made with the toolchain of GNU. */
export function rustTargetOf({ name, system }: Target): string {
  return system === "windows" ? name.replace("msvc", "gnu") : name;
}

/** The machine this runs on. Throws on one the program is not made for. */
export function buildMachine(): Target {
  const target = TARGETS.find(({ native }) => native === nativeTarget());
  if (target !== undefined) return target;
  throw new Error(`Cannot build here: no target is known for ${nativeTarget()}`);
}

export function isForeign(target: Target): boolean {
  return target.native !== nativeTarget();
}

export interface Toolchain {
  readonly cc: string;
  readonly cxx: string;
  /** Where static archives of the target lie; undefined where Debian has none. */
  readonly archiveDirectory: string | undefined;
}

/** The compilers for `target`: this machine's own, or Debian's cross packages. */
export function toolchainFor(target: Target): Toolchain {
  const prefix = isForeign(target) ? `${target.triplet}-` : "";
  return {
    cc: `${prefix}gcc`,
    cxx: `${prefix}g++`,
    archiveDirectory: target.system === "linux" ? `/usr/lib/${target.triplet}` : undefined,
  };
}

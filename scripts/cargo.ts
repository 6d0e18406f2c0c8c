/**
 * Builds the one shim that is Rust, native/quic, and finds the compiler for it.
 *
 * @module
 */
import { isForeign, rustTargetOf, type Target, toolchainFor } from "./targets.ts";

const ROOT = new URL("../", import.meta.url).pathname;
/** Between builds cargo keeps its own things here. */
const TARGET_DIRECTORY = "dist/cargo";

export interface Cargo {
  readonly command: string;
  /** What its processes need in their environment. */
  readonly env: Readonly<Record<string, string>>;
}

/** Where Ubuntu puts compilers newer than the release's own: /usr/lib/rust-1.85/bin. */
const VERSIONED_ROOT = "/usr/lib";
const VERSIONED_NAME = /^rust-1\.(\d+)$/;

/** The minor version of Rust 1 that the crate in native/`name` asks for. */
export async function requiredRust(name: string): Promise<number> {
  const manifest = await Deno.readTextFile(`${ROOT}native/${name}/Cargo.toml`);
  const match = /^rust-version = "1\.(\d+)"$/m.exec(manifest);
  if (match === null) throw new Error(`Cannot build ${name}: Cargo.toml names no rust-version`);
  return Number(match[1]);
}

/** A cargo whose minor version is at least `minorMin`: the one on the search path, rustup's, or one of Ubuntu's. */
export async function findCargo(minorMin: number): Promise<Cargo | undefined> {
  const candidates: Cargo[] = [
    { command: "cargo", env: {} },
    { command: `${Deno.env.get("HOME") ?? ""}/.cargo/bin/cargo`, env: {} },
    ...await versionedCargos(),
  ];
  for (const cargo of candidates) {
    const minor = await minorOf(cargo);
    if (minor !== undefined && minor >= minorMin) return cargo;
  }
  return undefined;
}

async function versionedCargos(): Promise<Cargo[]> {
  const minors: number[] = [];
  for await (const { name } of Deno.readDir(VERSIONED_ROOT)) {
    const match = VERSIONED_NAME.exec(name);
    if (match !== null) minors.push(Number(match[1]));
  }
  return minors.sort((a, b) => b - a).map((minor) => {
    const bin = `${VERSIONED_ROOT}/rust-1.${minor}/bin`;
    return { command: `${bin}/cargo`, env: { RUSTC: `${bin}/rustc` } };
  });
}

async function minorOf({ command, env }: Cargo): Promise<number | undefined> {
  try {
    const { stdout } = await new Deno.Command(command, {
      args: ["--version"],
      env: { ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).output();
    return minorIn(new TextDecoder().decode(stdout));
  } catch {
    return undefined;
  }
}

/** 85 of "cargo 1.85.0 (d73d2caf9 2024-12-31)". */
export function minorIn(versionLine: string): number | undefined {
  const match = /^cargo 1\.(\d+)\./.exec(versionLine);
  return match === null ? undefined : Number(match[1]);
}

/** Build the crate in native/`name` for `target`; returns the path of the library from the root. */
export async function buildCrate(name: string, target: Target): Promise<string> {
  const minorMin = await requiredRust(name);
  const cargo = await findCargo(minorMin);
  if (cargo === undefined) throw new Error(`Cannot build ${name}: no cargo of Rust 1.${minorMin}`);
  const triple = rustTargetOf(target);
  const args = [
    ...["build", "--release", "--locked", "--quiet", "--lib"],
    ...["--manifest-path", `native/${name}/Cargo.toml`, "--target-dir", TARGET_DIRECTORY],
    ...(isForeign(target) ? ["--target", triple] : []),
  ];
  const output = await new Deno.Command(cargo.command, {
    args,
    cwd: ROOT,
    env: { ...cargo.env, ...linkerEnvironment(triple, target) },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  if (!output.success) {
    const errors = new TextDecoder().decode(output.stderr);
    throw new Error(`Cannot build ${name}: cargo failed\ncargo ${args.join(" ")}\n${errors}`);
  }
  const directory = isForeign(target) ? `${triple}/release` : "release";
  const file = target.system === "windows" ? `pf_${name}.dll` : `libpf_${name}.so`;
  return `${TARGET_DIRECTORY}/${directory}/${file}`;
}

/** The cross compiler, for Rust's linking and for the C inside crates. */
function linkerEnvironment(triple: string, target: Target): Record<string, string> {
  if (!isForeign(target)) return {};
  const { cc } = toolchainFor(target);
  const key = triple.replaceAll("-", "_");
  return { [`CARGO_TARGET_${key.toUpperCase()}_LINKER`]: cc, [`CC_${key}`]: cc };
}

/**
 * Makes a fresh Debian or Ubuntu machine ready: installs missing packages, then builds the shims whose sources changed.
 * Says what it does, and nothing when there is nothing to do.
 *
 *     deno run -A scripts/setup.ts run|test
 *
 * @module
 */
import { findCargo, requiredRust } from "./cargo.ts";
import { buildShims } from "./native.ts";
import { chooseRustPackages, rustCandidates } from "./rust.ts";
import { SHIMS } from "./shims.ts";

/** Needed to build the shims and run the program. */
const PACKAGES_RUN = [
  "gcc",
  "g++",
  "libc6-dev",
  "libopenh264-dev",
  "libopus-dev",
  "libpipewire-0.3-dev",
  "libssl-dev",
  "libwayland-bin",
  "libwayland-dev",
  "pkg-config",
] as const;

/** Needed by the tests on top. */
const PACKAGES_TEST = [
  "dbus",
  "dbus-user-session",
  "desktop-file-utils",
  "ffmpeg",
  "groff-base",
  "pipewire",
  "pipewire-bin",
  "pipewire-pulse",
  "pulseaudio-utils",
  "qemu-user",
  "strace",
  "sway",
  "util-linux",
  "wireplumber",
  "xkb-data",
] as const;

/** Whether `name` is here for this machine; the same library may be here for another one as well. */
async function isInstalled(name: string): Promise<boolean> {
  const own = Deno.build.arch === "aarch64" ? "arm64" : "amd64";
  const query = await new Deno.Command("dpkg-query", {
    args: ["-W", "-f=${Architecture} ${db:Status-Status}\n", name],
    stdout: "piped",
    stderr: "null",
  }).output();
  const lines = new TextDecoder().decode(query.stdout).split("\n");
  return lines.includes(`${own} installed`) || lines.includes("all installed");
}

async function runVisibly(command: string, args: readonly string[]): Promise<void> {
  const status = await new Deno.Command(command, {
    args: [...args],
    env: { DEBIAN_FRONTEND: "noninteractive" },
    // apt's chatter belongs to stderr: stdout is the program's own.
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  if (!status.success) {
    console.error(
      new TextDecoder().decode(status.stdout) + new TextDecoder().decode(status.stderr),
    );
    throw new Error(`Cannot set up: "${command} ${args.join(" ")}" failed`);
  }
}

async function installMissing(packages: readonly string[]): Promise<void> {
  const missing: string[] = [];
  for (const name of packages) {
    if (!await isInstalled(name)) missing.push(name);
  }
  if (missing.length === 0) return;
  console.error(`Installing Debian packages: ${missing.join(" ")}`);
  await aptGet("update");
  await aptGet("install", "-y", "--no-install-recommends", ...missing);
}

async function aptGet(...args: readonly string[]): Promise<void> {
  const prefix = Deno.uid() === 0 ? [] : ["sudo"];
  const [command = "apt-get", ...rest] = [...prefix, "apt-get", ...args];
  await runVisibly(command, rest);
}

/** Bring a cargo for native/quic, unless one is here. Throws when there is none to be had. */
async function installRust(): Promise<void> {
  const minorMin = await requiredRust("quic");
  if (await findCargo(minorMin) !== undefined) return;
  let packages = chooseRustPackages(await rustCandidates(), minorMin);
  if (packages === undefined) {
    // The lists may be missing or old.
    await aptGet("update");
    packages = chooseRustPackages(await rustCandidates(), minorMin);
  }
  if (packages === undefined) {
    throw new Error(`Cannot install Rust: no package has 1.${minorMin} or newer`);
  }
  await installMissing(packages);
}

/** Install what building and running the program wants, or what its tests want on top. */
export async function installPackages(
  { isForTests }: { readonly isForTests: boolean },
): Promise<void> {
  try {
    await Deno.stat("/usr/bin/dpkg-query");
    await installMissing(isForTests ? [...PACKAGES_RUN, ...PACKAGES_TEST] : PACKAGES_RUN);
    await installRust().catch((error) => {
      // The program can do without: the attempt to build tells what is missing.
      if (isForTests) throw error;
    });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.error(
      `No dpkg here: install the equivalents of these yourself: ${PACKAGES_RUN.join(" ")}`,
    );
  }
}

/** Install and build what running the program wants, or what its tests want. */
async function setUp({ isForTests }: { readonly isForTests: boolean }): Promise<void> {
  if (Deno.build.os !== "linux") return;
  await installPackages({ isForTests });
  const names = SHIMS.filter(({ isCrate }) => !isCrate).map(({ name }) => name);
  const built = await buildShims(names, { isSanitized: false });
  for (const { name, elsewhere } of SHIMS.filter(({ isCrate }) => isCrate)) {
    try {
      built.push(...await buildShims([name], { isSanitized: false }));
    } catch (error) {
      // Its sources come over the network, and the program has a way to do without.
      if (isForTests) throw error;
      const [reason] = (error instanceof Error ? error.message : String(error)).split("\n");
      console.error(`Without shim ${name}: ${elsewhere} (${reason})`);
    }
  }
  if (built.length > 0) console.error(`Built shims: ${built.join(", ")}`);
}

if (import.meta.main) {
  try {
    await setUp({ isForTests: Deno.args[0] === "test" });
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    Deno.exit(1);
  }
}

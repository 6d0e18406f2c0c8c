/**
 * Which packages of this machine's distribution bring a Rust that is new enough for native/quic.
 *
 * @module
 */

/** Packages by name and the version that apt would install. */
export type Candidates = ReadonlyMap<string, string>;

/**
 * The packages to install, or undefined when none is new enough: the distribution's own Rust, the one that Debian keeps
 * for browsers, or the newest of Ubuntu's versioned ones.
 */
export function chooseRustPackages(
  candidates: Candidates,
  minorMin: number,
): readonly string[] | undefined {
  const versioned = [...candidates.keys()]
    .map((name) => /^rustc(-1\.(\d+))$/.exec(name))
    .filter((match) => match !== null)
    .sort((a, b) => Number(b[2]) - Number(a[2]))
    .map((match) => match[1] ?? "");
  for (const suffix of ["", "-web", ...versioned]) {
    const [compiler, cargo] = [`rustc${suffix}`, `cargo${suffix}`];
    const isNew = minorOf(candidates.get(compiler)) >= minorMin;
    if (isNew && candidates.has(cargo)) return [compiler, cargo];
  }
  return undefined;
}

/** 85 of "1.85.0+dfsg3-1"; 0 when there is none. */
function minorOf(version: string | undefined): number {
  return Number(/^1\.(\d+)\./.exec(version ?? "")?.[1] ?? 0);
}

/** What `apt-cache policy` prints. */
export function parsePolicy(text: string): Candidates {
  const candidates = new Map<string, string>();
  let name = "";
  for (const line of text.split("\n")) {
    name = /^(\S+):$/.exec(line)?.[1] ?? name;
    const version = /^ {2}Candidate: (\S+)$/.exec(line)?.[1];
    if (version !== undefined && version !== "(none)") candidates.set(name, version);
  }
  return candidates;
}

/** What apt knows of Rust, from the package lists as they are. */
export async function rustCandidates(): Promise<Candidates> {
  const names = ["rustc", "cargo", "rustc-web", "cargo-web"];
  for (const prefix of ["rustc-1.", "cargo-1."]) {
    names.push(...(await aptCache("pkgnames", prefix)).split("\n").filter((name) => name !== ""));
  }
  return parsePolicy(await aptCache("policy", ...names));
}

async function aptCache(...args: readonly string[]): Promise<string> {
  const { stdout } = await new Deno.Command("apt-cache", {
    args: [...args],
    env: { LC_ALL: "C" },
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).output();
  return new TextDecoder().decode(stdout);
}

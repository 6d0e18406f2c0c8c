/**
 * The Rust crates inside the QUIC shim with their licences, as the cargo registry's sources tell them.
 *
 * @module
 */
import { findCargo, requiredRust } from "./cargo.ts";
import { licenceFiles, type Part, standardText } from "./licence_texts.ts";
import { rustTargetOf, type Target } from "./targets.ts";

const ROOT = new URL("../", import.meta.url).pathname;
const MANIFEST = "native/quic/Cargo.toml";

/** The parts of `cargo metadata` that are used here. */
interface Metadata {
  readonly packages: readonly Crate[];
  readonly resolve: { readonly root: string; readonly nodes: readonly CrateNode[] };
}

interface Crate {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly license: string | null;
  readonly manifest_path: string;
  readonly authors: readonly string[];
}

interface CrateNode {
  readonly id: string;
  readonly deps: readonly {
    readonly pkg: string;
    readonly dep_kinds: readonly { readonly kind: string | null }[];
  }[];
}

/** One part for every crate that is linked for `target`; none where the shim is not there. */
export async function crateParts(target: Target): Promise<Part[]> {
  if (!await isFile(`${ROOT}native/quic/Cargo.lock`)) return [];
  const { packages, resolve } = await readMetadata(target);
  const linked = linkedIds(resolve);
  const crates = packages.filter(({ id }) => linked.has(id) && id !== resolve.root);
  const parts = await Promise.all(crates.map(cratePart));
  return [
    {
      name: "Rust standard library",
      version: "",
      licence: "MIT OR Apache-2.0",
      text: await standardText("MIT", "The Rust Project Contributors"),
    },
    ...parts.sort((a, b) => a.name < b.name ? -1 : 1),
  ];
}

/** What the root needs when it runs; tests and build scripts stay outside. */
export function linkedIds({ root, nodes }: Metadata["resolve"]): ReadonlySet<string> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const linked = new Set([root]);
  for (const id of linked) {
    for (const { pkg, dep_kinds } of byId.get(id)?.deps ?? []) {
      if (dep_kinds.some(({ kind }) => kind === null)) linked.add(pkg);
    }
  }
  return linked;
}

async function readMetadata(target: Target): Promise<Metadata> {
  const cargo = await findCargo(await requiredRust("quic"));
  if (cargo === undefined) throw new Error("Cannot list the crates: there is no cargo for them");
  const output = await new Deno.Command(cargo.command, {
    args: [
      ...["metadata", "--format-version", "1", "--locked", "--manifest-path", MANIFEST],
      ...["--filter-platform", rustTargetOf(target)],
    ],
    cwd: ROOT,
    env: { ...cargo.env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  if (!output.success) throw new Error(`Cannot list the crates: ${decoder.decode(output.stderr)}`);
  return JSON.parse(decoder.decode(output.stdout));
}

async function cratePart({ name, version, license, manifest_path, authors }: Crate): Promise<Part> {
  if (license === null) {
    throw new Error(`Cannot ship crate ${name} ${version}: it names no licence`);
  }
  const directory = manifest_path.slice(0, manifest_path.lastIndexOf("/"));
  const holder = authors.length > 0 ? authors.join(", ") : `the authors of ${name}`;
  const text = await licenceFiles(directory, license) ?? await standardText(license, holder);
  return { name, version, licence: license, text };
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    return false;
  }
}

/**
 * The .deb: control files around the program's files, packed by dpkg-deb.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { PROGRAM_NAME } from "../src/cli/command.ts";
import { CONTROLLER_DEVICES } from "../src/health/devices.ts";
import { VERSION } from "../src/lib/version.ts";
import { debianCopyright, field } from "./copyright.ts";
import { formatDepends, readLinkage } from "./dependencies.ts";
import type { PackageInputs } from "./inputs.ts";
import {
  DEBIAN_PLACE,
  fillTemplate,
  gzip,
  type PackagedFile,
  programFiles,
  texts,
} from "./layout.ts";
import { runPacker, stageFiles } from "./stage.ts";

const ROOT = new URL("../", import.meta.url);
const DOCUMENTS = `/usr/share/doc/${PROGRAM_NAME}`;
const MAINTAINER = "The punktfunk-host authors <authors@punktfunk-host.invalid>";

/** A release candidate comes before the release. */
const DEBIAN_VERSION = VERSION.replace("-", "~");

/** Write the package into `output`, working in the empty directory `work`; returns its path. */
export async function buildDeb(
  inputs: PackageInputs,
  { output, work }: { readonly output: string; readonly work: string },
): Promise<string> {
  const { target, date, level } = inputs;
  const architecture = target.debianArchitecture;
  if (architecture === undefined) throw new Error(`Cannot package: no Debian for ${target.name}`);
  const files = [...await programFiles(DEBIAN_PLACE, inputs), ...await documents(inputs)];
  await stageFiles(files, { directory: work, date });
  const depends = formatDepends(await readLinkage([inputs.executable, ...inputs.shims]));
  const installedKib = await sizeKib(files, work);
  await stageFiles([
    ...texts({
      "/DEBIAN/control": formatControl({ architecture, depends, installedKib }),
      "/DEBIAN/conffiles": files.filter(isConffile).map(({ path }) => `${path}\n`).join(""),
      "/DEBIAN/md5sums": await md5sums(files.filter((file) => !isConffile(file)), work),
    }),
    ...await maintainerScripts(),
  ], { directory: work, date });

  const path = `${output}/${PROGRAM_NAME}_${DEBIAN_VERSION}_${architecture}.deb`;
  await runPacker(
    ["dpkg-deb", "--build", "--root-owner-group", "-Zxz", `-z${level}`, work, path],
    { env: { SOURCE_DATE_EPOCH: String(date.getTime() / 1000) } },
  );
  return path;
}

async function documents({ notices }: PackageInputs): Promise<PackagedFile[]> {
  const licence = await Deno.readTextFile(new URL("LICENSE-MIT", ROOT));
  const changes = await Deno.readTextFile(new URL("CHANGELOG.md", ROOT));
  return [
    ...texts({ [`${DOCUMENTS}/copyright`]: debianCopyright({ licence, notices }) }),
    { path: `${DOCUMENTS}/changelog.gz`, mode: 0o644, content: await gzip(changes) },
  ];
}

export interface ControlFacts {
  readonly architecture: string;
  readonly depends: string;
  readonly installedKib: number;
}

export function formatControl({ architecture, depends, installedKib }: ControlFacts): string {
  return [
    field("Package", PROGRAM_NAME),
    field("Version", DEBIAN_VERSION),
    field("Architecture", architecture),
    field("Maintainer", MAINTAINER),
    field("Installed-Size", String(installedKib)),
    field("Depends", depends),
    // Opened at run time; without them the host streams its test picture and its test tone.
    field("Recommends", "libwayland-client0, pipewire, wireplumber"),
    field("Suggests", "sway"),
    field("Section", "net"),
    field("Priority", "optional"),
    field(
      "Description",
      [
        "low-latency streaming host for games and desktops",
        "For each client that connects it makes a virtual display of that client's",
        "size and refresh rate, captures and encodes it, and sends it together with",
        "the sound; keyboard and pointer travel back.",
        "",
        "Nothing starts by itself after the installation: a user asks for it with",
        "systemctl --user enable punktfunk-host.service, or punktfunk-host.path.",
      ].join("\n"),
    ),
  ].join("");
}

async function maintainerScripts(): Promise<PackagedFile[]> {
  const values = {
    devices: CONTROLLER_DEVICES.join(" "),
    matches: CONTROLLER_DEVICES.map((name) => `--name-match=${name}`).join(" "),
  };
  return await Promise.all(["postinst", "prerm"].map(async (name) => ({
    path: `/DEBIAN/${name}`,
    mode: 0o755,
    content: await fillTemplate(name, values),
  })));
}

/** As `Installed-Size` counts: each file fills its last KiB. */
async function sizeKib(files: readonly PackagedFile[], directory: string): Promise<number> {
  const sizes = await Promise.all(
    files.map(async ({ path }) => (await Deno.stat(directory + path)).size),
  );
  return sizes.reduce((sum, size) => sum + Math.ceil(size / 1024), 0);
}

/** What an administrator may change and keeps when the package is upgraded. */
function isConffile({ path }: PackagedFile): boolean {
  return path.startsWith("/etc/");
}

async function md5sums(files: readonly PackagedFile[], directory: string): Promise<string> {
  const lines = await Promise.all(files.map(async ({ path }) => {
    const digest = createHash("md5").update(await Deno.readFile(directory + path)).digest("hex");
    return `${digest}  ${path.slice(1)}\n`;
  }));
  return lines.join("");
}

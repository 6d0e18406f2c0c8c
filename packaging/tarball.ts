/**
 * The tar.gz: a tree to lay over /usr/local.
 *
 * @module
 */
import { PROGRAM_NAME } from "../src/cli/command.ts";
import { VERSION } from "../src/lib/version.ts";
import type { PackageInputs } from "./inputs.ts";
import { fillTemplate, LOCAL_PLACE, type PackagedFile, programFiles, texts } from "./layout.ts";
import { runPacker, stageFiles } from "./stage.ts";

const ROOT = new URL("../", import.meta.url);

/** Write the archive into `output`, working in the empty directory `work`; returns its path. */
export async function buildTarball(
  inputs: PackageInputs,
  { output, work }: { readonly output: string; readonly work: string },
): Promise<string> {
  const { target, date, level } = inputs;
  const name = `${PROGRAM_NAME}-${VERSION}-${target.native}`;
  const archive = `${name}.tar.gz`;
  const files = [
    ...await programFiles(LOCAL_PLACE, inputs),
    ...await documents(inputs, archive),
  ].map((file) => ({ ...file, path: `/${name}${file.path.slice(LOCAL_PLACE.prefix.length)}` }));
  await stageFiles(files, { directory: work, date });
  await runPacker([
    ...["tar", "--create", "--file", `${output}/${archive}`, "--directory", work],
    ...["--format=ustar", "--sort=name", "--owner=root:0", "--group=root:0"],
    ...[`--mtime=@${date.getTime() / 1000}`, `--use-compress-program=gzip -n -${level}`, name],
  ]);
  return `${output}/${archive}`;
}

async function documents(
  { target, notices }: PackageInputs,
  archive: string,
): Promise<PackagedFile[]> {
  const at = `${LOCAL_PLACE.prefix}/share/doc/${PROGRAM_NAME}`;
  const papers = await Promise.all(
    ["CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT"].map(async (name) =>
      [`${at}/${name}`, await Deno.readTextFile(new URL(name, ROOT))] as const
    ),
  );
  return texts({
    ...Object.fromEntries(papers),
    [`${at}/README`]: await fillTemplate("README", {
      version: VERSION,
      target: target.name,
      archive,
    }),
    [`${at}/THIRD-PARTY-NOTICES`]: notices,
  });
}

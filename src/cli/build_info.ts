/**
 * What this program was made from. In an executable it stands in a file that `deno task compile` wrote; in a checkout git
 * knows it.
 *
 * @module
 */

/** What {@link readCommit} says when nobody knows. */
export const COMMIT_UNKNOWN = "unknown";

const EMBEDDED = new URL("../../dist/build.json", import.meta.url);
const NOTICES = new URL("../../dist/THIRD-PARTY-NOTICES", import.meta.url);

/** The commit as 40 hexadecimal digits, with "-modified" when files differed from it. */
export async function readCommit(): Promise<string> {
  if (!Deno.build.standalone) return await askGit();
  try {
    const { commit }: { readonly commit?: unknown } = JSON.parse(await Deno.readTextFile(EMBEDDED));
    return typeof commit === "string" ? commit : COMMIT_UNKNOWN;
  } catch {
    return COMMIT_UNKNOWN;
  }
}

/** Licences of everything inside the executable, or of the last one made in this checkout; undefined without one. */
export async function readNotices(): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(NOTICES);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function askGit(): Promise<string> {
  try {
    const commit = await git("rev-parse", "HEAD");
    const changes = await git("status", "--porcelain", "--untracked-files=no");
    return changes === "" ? commit : `${commit}-modified`;
  } catch {
    return COMMIT_UNKNOWN;
  }
}

async function git(...args: readonly string[]): Promise<string> {
  const output = await new Deno.Command("git", {
    args: [...args],
    cwd: new URL("../../", import.meta.url),
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).output();
  if (!output.success) throw new Error("git failed");
  return new TextDecoder().decode(output.stdout).trim();
}

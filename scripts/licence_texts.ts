/**
 * What stands in the notices about one part, and where its licence's text is found.
 *
 * @module
 */
import { alternativesOf } from "./licences.ts";

const ROOT = new URL("../", import.meta.url).pathname;

/** One thing of other people inside the executable. */
export interface Part {
  readonly name: string;
  readonly version: string;
  /** An SPDX expression. */
  readonly licence: string;
  readonly text: string;
}

const LICENCE_FILE = /^(licen[sc]es?|copying|copyright(notice)?|notice)([-._].*)?$/i;

/**
 * The licence files in `directory`, one after another; undefined when there is none. Of alternatives that include MIT its
 * text is enough.
 */
export async function licenceFiles(
  directory: string,
  licence: string,
): Promise<string | undefined> {
  let names: string[] = [];
  for await (const { name, isFile } of Deno.readDir(directory)) {
    if (isFile && LICENCE_FILE.test(name)) names.push(name);
  }
  if (!names.some((name) => /^(licen|copying)/i.test(name))) return undefined;
  const chosen = /^licen[sc]e[-._]mit/i;
  if (alternativesOf(licence).includes("MIT") && names.some((name) => chosen.test(name))) {
    names = names.filter((name) => chosen.test(name) || !/^(licen|copying)/i.test(name));
  }
  const texts = await Promise.all(
    names.sort().map((name) => Deno.readTextFile(`${directory}/${name}`)),
  );
  return texts.map((text) => text.replaceAll("\r\n", "\n").trim()).join("\n\n");
}

/** The common text of a licence for a part that came without one. Throws on a licence whose text is not here. */
export async function standardText(expression: string, holder: string): Promise<string> {
  const choices = alternativesOf(expression);
  if (choices.includes("MIT")) {
    const text = await Deno.readTextFile(`${ROOT}LICENSE-MIT`);
    return text.replace(/^Copyright .*$/m, () => `Copyright (c) ${holder}`).trim();
  }
  if (choices.includes("Apache-2.0")) {
    return (await Deno.readTextFile(`${ROOT}LICENSE-APACHE`)).trim();
  }
  throw new Error(`Cannot find the licence text of ${holder}: "${expression}" came without one`);
}

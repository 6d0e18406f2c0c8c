/**
 * Which licences go with this program's own, MIT or Apache-2.0, in one executable.
 *
 * @module
 */

/** SPDX identifiers that ask for no more than a notice. */
const PERMISSIVE: readonly string[] = [
  "0BSD",
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "BSL-1.0",
  "CC0-1.0",
  "CDLA-Permissive-2.0",
  "ISC",
  "MIT",
  "MIT-0",
  "OpenSSL",
  "Unicode-3.0",
  "Unicode-DFS-2016",
  "Unlicense",
  "Zlib",
  // The compiler's own parts, which this exception lets into programs of any licence.
  "GPL-3.0-or-later WITH GCC-exception-3.1",
  "Apache-2.0 WITH LLVM-exception",
];

/** Whether what is under the SPDX `expression` may be inside. Of alternatives one is enough; anything not understood may not. */
export function isPermissive(expression: string): boolean {
  const text = expression.trim();
  const alternatives = alternativesOf(text);
  if (alternatives.length > 1) return alternatives.some(isPermissive);
  const parts = splitOutside(text, / AND /);
  if (parts.length > 1) return parts.every(isPermissive);
  if (text.startsWith("(") && text.endsWith(")")) return isPermissive(text.slice(1, -1));
  return PERMISSIVE.includes(text);
}

/** "MIT OR (A AND B)" as "MIT" and "(A AND B)". "MIT/Apache-2.0" is the older way to write OR. */
export function alternativesOf(expression: string): string[] {
  return splitOutside(expression, / OR |\//);
}

/** Split at `separator` where no bracket is open. */
function splitOutside(text: string, separator: RegExp): string[] {
  const parts: string[] = [];
  let part = "";
  for (const token of text.split(new RegExp(`([()]|${separator.source})`))) {
    const depth = part.split("(").length - part.split(")").length;
    if (depth === 0 && new RegExp(`^(?:${separator.source})$`).test(token)) {
      parts.push(part);
      part = "";
    } else part += token;
  }
  return [...parts, part];
}

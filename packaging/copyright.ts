/**
 * Debian's machine-readable copyright file (version 1.0).
 *
 * @module
 */

/** `licence` is the text of LICENSE-MIT, `notices` the licences of what is inside the executable. */
export function debianCopyright(
  { licence, notices }: { readonly licence: string; readonly notices: string },
): string {
  const [, holder = "", ...text] = licence.trim().split(/\n\n+/);
  const stanzas = [
    field("Format", "https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/") +
    field("Upstream-Name", "punktfunk-host") +
    // The licences inside are many and differ from build to build: the list is made with the executable.
    field("Comment", `\n${notices.trim()}`),
    field("Files", "*") +
    field("Copyright", holder.replace(/^Copyright \(c\) /, "")) +
    field("License", "Expat or Apache-2.0"),
    field("License", `Expat\n${text.join("\n\n")}`),
    field(
      "License",
      "Apache-2.0\nOn Debian systems the text is in /usr/share/common-licenses/Apache-2.0.",
    ),
  ];
  return stanzas.join("\n");
}

/** A field of a control file; further lines of its value are indented, empty ones are a dot. */
export function field(name: string, value: string): string {
  const [first = "", ...rest] = value.split("\n");
  const folded = rest.map((line) => line.trim() === "" ? " ." : ` ${line.trimEnd()}`);
  return [`${name}: ${first}`.trimEnd(), ...folded, ""].join("\n");
}

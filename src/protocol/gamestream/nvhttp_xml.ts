/**
 * The XML that GameStream clients read (GameStream specification 2.1).
 *
 *     <?xml version="1.0" encoding="utf-8"?>\n
 *     <root status_code="200"><name>text</name>…</root>
 *
 * `status_code` stands first, and nothing stands between elements: one client's list parser takes stray text for content.
 *
 * @module
 */

/** A name with its text, or with its children. */
export type XmlElement = readonly [name: string, content: string | readonly XmlElement[]];

export interface XmlDocument {
  /** 200 for success; clients read the outcome here and not from the HTTP status. */
  readonly statusCode: number;
  readonly statusMessage?: string;
  readonly elements?: readonly XmlElement[];
}

export const XML_CONTENT_TYPE = "application/xml";

/** One whole document. Names are the caller's own constants; texts may hold anything. */
export function encodeXmlDocument(document: XmlDocument): string {
  const message = document.statusMessage === undefined
    ? ""
    : ` status_message="${escapeXml(document.statusMessage)}"`;
  const children = (document.elements ?? []).map(encodeElement).join("");
  return '<?xml version="1.0" encoding="utf-8"?>\n' +
    `<root status_code="${document.statusCode}"${message}>${children}</root>`;
}

function encodeElement([name, content]: XmlElement): string {
  const inner = typeof content === "string"
    ? escapeXml(content)
    : content.map(encodeElement).join("");
  return `<${name}>${inner}</${name}>`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

/** Escape markup and drop what XML 1.0 cannot hold at all. */
function escapeXml(text: string): string {
  return text.toWellFormed()
    // deno-lint-ignore no-control-regex -- control characters are exactly what must not pass
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "")
    .replace(/[&<>"']/g, (character) => ESCAPES[character] ?? "");
}

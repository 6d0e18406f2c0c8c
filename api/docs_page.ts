/**
 * The API reference as one page: no script, nothing fetched, made from the document that is served beside it.
 *
 * @module
 */

/** The parts of an OpenAPI document that the page shows. */
export interface DocumentForPage {
  readonly info: { readonly title: string; readonly version: string };
  readonly paths?: Readonly<Record<string, object>> | undefined;
  readonly components?: { readonly schemas?: Readonly<Record<string, object>> } | undefined;
}

interface Operation {
  readonly summary?: string;
  readonly security?: readonly unknown[];
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: object;
  readonly responses?: Readonly<Record<string, { readonly description?: string }>>;
}

const STYLE = `
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
code, pre { font-family: ui-monospace, monospace; font-size: 0.9em; }
section { border-top: 1px solid #8886; padding: 0.5rem 0; }
h2 { font-size: 1rem; margin: 0.5rem 0; }
table { border-collapse: collapse; }
td { padding: 0 1rem 0 0; vertical-align: top; }
pre { overflow-x: auto; }
`;

export function docsPage(document: DocumentForPage): string {
  const operations = Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods as Record<string, Operation>).map(([method, operation]) =>
      operationSection(`${method.toUpperCase()} ${path}`, operation)
    )
  );
  const schemas = Object.entries(document.components?.schemas ?? {}).map(([name, schema]) =>
    `<section id="${escapeHtml(name)}"><details><summary><code>${
      escapeHtml(name)
    }</code></summary>` +
    `<pre>${escapeHtml(JSON.stringify(schema, null, 2))}</pre></details></section>`
  );
  const title = `${escapeHtml(document.info.title)} ${escapeHtml(document.info.version)}`;
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title><style>${STYLE}</style></head>
<body>
<h1>${title}</h1>
<p>Machine-readable: <a href="/api/v1/openapi.json">/api/v1/openapi.json</a>. Unless a route says otherwise it needs
<code>Authorization: Bearer</code> with the management token, from this machine.</p>
${operations.join("\n")}
<h1>Schemas</h1>
${schemas.join("\n")}
</body>
</html>
`;
}

function operationSection(title: string, operation: Operation): string {
  const rows = [
    ...(operation.parameters ?? []).map(({ name, in: place }) => [place, name]),
    ...(operation.requestBody === undefined ? [] : [["body", schemaName(operation.requestBody)]]),
    ...Object.entries(operation.responses ?? {}).map(([status, { description }]) => [
      status,
      description ?? "",
    ]),
  ];
  const cells = rows.map((row) =>
    `<tr>${row.map((cell) => `<td>${escapeHtml(cell ?? "")}</td>`).join("")}</tr>`
  );
  const access = operation.security?.length === 0 ? " Open to everybody." : "";
  return `<section><h2><code>${escapeHtml(title)}</code></h2>` +
    `<p>${escapeHtml(operation.summary ?? "")}.${access}</p><table>${
      cells.join("")
    }</table></section>`;
}

/** The name at the end of the first `$ref` inside, or "". */
function schemaName(part: object): string {
  return /"\$ref":"[^"]*\/([^"/]+)"/.exec(JSON.stringify(part))?.[1] ?? "";
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

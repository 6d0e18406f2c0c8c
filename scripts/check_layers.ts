/**
 * Refuses wrong arrows between layers, cycles, and files nobody uses. docs/design.md draws the layers.
 *
 *     deno run -A scripts/check_layers.ts
 *
 * @module
 */
const ROOT = new URL("../", import.meta.url).pathname;

/** What each layer may import besides itself. The first matching prefix decides. */
const LAYERS: readonly { readonly prefix: string; readonly may: readonly string[] }[] = [
  { prefix: "src/lib/", may: [] },
  { prefix: "src/protocol/", may: ["src/lib/"] },
  { prefix: "ffi/", may: ["src/lib/"] },
  {
    prefix: "src/platform/",
    may: ["src/lib/", "ffi/"],
  },
  { prefix: "src/log/", may: ["src/lib/"] },
  { prefix: "src/store/", may: ["src/lib/", "src/platform/"] },
  {
    prefix: "src/media/",
    may: ["src/lib/", "src/protocol/", "src/platform/", "ffi/"],
  },
  {
    prefix: "src/input/",
    may: ["src/lib/", "src/protocol/", "src/platform/", "ffi/"],
  },
  {
    prefix: "src/display/",
    may: [
      "src/lib/",
      "src/protocol/",
      "src/platform/",
      "src/store/",
      "src/media/",
      "src/input/",
      "ffi/",
    ],
  },
  {
    prefix: "src/audio/",
    may: ["src/lib/", "src/protocol/", "src/platform/", "src/store/", "src/media/", "ffi/"],
  },
  { prefix: "src/quic/", may: ["src/lib/", "src/platform/", "ffi/"] },
  { prefix: "src/discovery/", may: ["src/lib/", "src/platform/"] },
  { prefix: "src/trust/", may: ["src/lib/", "src/protocol/", "src/store/", "src/platform/"] },
  { prefix: "src/library/", may: ["src/lib/", "src/store/", "src/platform/"] },
  { prefix: "src/stats/", may: ["src/lib/"] },
  {
    prefix: "src/health/",
    may: [
      "src/lib/",
      "src/platform/",
      "src/media/",
      "src/display/",
      "src/audio/",
      "src/quic/",
      "ffi/",
    ],
  },
  {
    prefix: "src/session/",
    may: [
      "src/lib/",
      "src/protocol/",
      "src/media/",
      "src/display/",
      "src/input/",
      "src/audio/",
      "src/trust/",
      "src/discovery/",
      "src/library/",
      "src/stats/",
      "src/store/",
      "src/platform/",
    ],
  },
  {
    prefix: "src/planes/",
    may: [
      "src/lib/",
      "src/protocol/",
      "src/session/",
      "src/media/",
      "src/display/",
      "src/input/",
      "src/audio/",
      "src/trust/",
      "src/discovery/",
      "src/library/",
      "src/quic/",
      "src/stats/",
      "src/store/",
      "src/platform/",
      "ffi/",
    ],
  },
  {
    // The client's side. What both ends of a control stream and of a session's clock share lies with the plane.
    prefix: "src/probe/",
    may: [
      "src/lib/",
      "src/protocol/",
      "src/quic/",
      "src/media/",
      "src/discovery/",
      "src/trust/mint.ts",
      "src/store/",
      "src/platform/",
      "src/planes/native/control_stream.ts",
      "src/planes/native/stream_clock.ts",
      "ffi/",
    ],
  },
  { prefix: "api/", may: ["src/lib/", "src/trust/", "src/stats/"] },
  { prefix: "src/host", may: ["src/", "api/", "ffi/"] },
  { prefix: "src/native_host.ts", may: ["src/", "ffi/"] },
  { prefix: "src/cli/", may: ["src/", "api/", "ffi/"] },
  { prefix: "main.ts", may: ["src/cli/", "src/lib/"] },
  { prefix: "packaging/", may: ["src/", "scripts/"] },
];

/** Started by name rather than imported. */
const ROOTS = /^(main\.ts|packaging\/build\.ts|scripts\/.*|tests\/.*|.*_worker\.ts)$/;

async function sourceFiles(directory: string): Promise<string[]> {
  const files: string[] = [];
  for await (const entry of Deno.readDir(ROOT + directory)) {
    const path = directory === "" ? entry.name : `${directory}/${entry.name}`;
    if (entry.isDirectory && !/^(dist|node_modules|\.git|web|native)$/.test(path)) {
      files.push(...await sourceFiles(path));
    } else if (entry.name.endsWith(".ts")) files.push(path);
  }
  return files.sort();
}

/** Relative imports of `path` as paths from the root; type-only ones are marked. */
function importsOf(path: string, text: string): { to: string; isType: boolean }[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
  const pattern =
    /(?:^|\n)\s*(?:import|export)\s+(type\s)?[^;'"]*?from\s*["'](\.[^"']+)["']|import\(\s*["'](\.[^"']+)["']\s*\)|(?:^|\n)\s*import\s*["'](\.[^"']+)["']|new URL\(\s*["'](\.[^"']+\.ts)["']/g;
  const found: { to: string; isType: boolean }[] = [];
  for (const match of code.matchAll(pattern)) {
    const specifier = match[2] ?? match[3] ?? match[4] ?? match[5];
    if (specifier === undefined) continue;
    const to = new URL(specifier, `file:///${path}`).pathname.slice(1);
    found.push({ to, isType: match[1] !== undefined });
  }
  return found;
}

function layerOf(path: string) {
  return LAYERS.find((layer) => path.startsWith(layer.prefix));
}

function findCycle(graph: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return undefined;
    path.push(file);
    for (const next of graph.get(file) ?? []) {
      const cycle = visit(next);
      if (cycle !== undefined) return cycle;
    }
    path.pop();
    done.add(file);
    return undefined;
  };
  for (const file of graph.keys()) {
    const cycle = visit(file);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

async function check(): Promise<string[]> {
  const faults: string[] = [];
  const files = await sourceFiles("");
  const runtimeGraph = new Map<string, string[]>();
  const used = new Set<string>();
  for (const file of files) {
    const text = await Deno.readTextFile(ROOT + file);
    const imports = importsOf(file, text);
    runtimeGraph.set(file, imports.filter((one) => !one.isType).map((one) => one.to));
    const layer = layerOf(file);
    for (const { to } of imports) {
      // What only its own unit test uses is dead; clients, benches and simulators are users.
      if (!file.startsWith("tests/unit/")) used.add(to);
      if (layer === undefined || to.startsWith(layer.prefix)) continue;
      if (!layer.may.some((prefix) => to.startsWith(prefix))) {
        faults.push(`${file} imports ${to}: not an arrow of docs/design.md`);
      }
    }
    if (/^(src|api|ffi)\//.test(file) && /\bconsole\./.test(text)) {
      faults.push(
        `${file} uses console: results go through src/cli/print.ts, events through a Logger`,
      );
    }
    if (
      /^src\/(lib|protocol)\//.test(file) && /\bDeno\./.test(text.replace(/\/\*[\s\S]*?\*\//g, ""))
    ) {
      faults.push(`${file} uses Deno: lib/ and protocol/ are pure`);
    }
  }
  const cycle = findCycle(runtimeGraph);
  if (cycle !== undefined) faults.push(`Import cycle: ${cycle.join(" → ")}`);
  for (const file of files) {
    if (!ROOTS.test(file) && !used.has(file)) faults.push(`${file} is used by nobody`);
  }
  return faults;
}

if (import.meta.main) {
  const faults = await check();
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) Deno.exit(1);
}

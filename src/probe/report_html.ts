/**
 * A run as one HTML page that needs nothing else: tables, histograms and the time line as inline SVG, no script.
 *
 * @module
 */
import type { StreamResult } from "./result.ts";
import type { ProbeOutcome } from "./run.ts";
import {
  type Distribution,
  type HistogramBin,
  TIMELINE_BUCKET_MS,
  type TimelineBucket,
} from "./statistics.ts";

const CHART_WIDTH = 900;
const CHART_HEIGHT = 160;
const AXIS_HEIGHT = 18;
const HISTOGRAM_BINS = 48;

const STYLE = `
  :root { color-scheme: light dark; }
  body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
  table { border-collapse: collapse; margin: 0 0 1rem; }
  th, td { border-bottom: 1px solid #8884; padding: .2rem .8rem .2rem 0; text-align: left; }
  td { font-variant-numeric: tabular-nums; }
  svg { display: block; max-width: 100%; }
  .bar { fill: #3b7dd8; } text { fill: currentColor; font-size: 12px; }
  .line { fill: none; stroke: #3b7dd8; stroke-width: 1.5; } .axis { stroke: #8888; }
  .bad { color: #c62828; }
`;

/** The page. `title` and everything else that is text is escaped. */
export function renderReport(outcome: ProbeOutcome, title: string): string {
  const { result, session, drawnToReceived } = outcome;
  const { ok, problems, host, stream } = result;
  const statistics = session?.video.statistics;
  const timeline = statistics?.timeline ?? [];
  const verdict = ok
    ? "<p>Everything that was asked for came, and what can be checked is right.</p>"
    : `<ul class="bad">${problems.map((one) => `<li>${escapeHtml(one)}</li>`).join("")}</ul>`;
  const sections = [
    `<h1>${escapeHtml(title)}</h1>`,
    verdict,
    ...(stream === null ? [] : [table(headlines(stream))]),
    histogram("Gaps between frames, ms", statistics?.gaps.histogram(HISTOGRAM_BINS)),
    histogram("Capture to received, ms", statistics?.latency.histogram(HISTOGRAM_BINS)),
    histogram("Drawn to received, ms", drawnToReceived.histogram(HISTOGRAM_BINS)),
    histogram("First packet to complete frame, ms", statistics?.assembly.histogram(HISTOGRAM_BINS)),
    series(
      "Rate over time, Mbit/s",
      timeline,
      ({ bytes }) => bytes * 8 / TIMELINE_BUCKET_MS / 1000,
    ),
    series("Greatest latency over time, ms", timeline, ({ latencyMax }) => latencyMax),
    series("Lost frames over time", timeline, ({ lost }) => lost),
    series("Frames mended by parity over time", timeline, ({ recovered }) => recovered),
    section("Host", table(flatten(host))),
    ...(stream === null ? [] : [section("Stream", table(flatten(stream)))]),
  ];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title><style>${STYLE}</style></head>
<body>
${sections.filter((one) => one !== "").join("\n")}
</body></html>
`;
}

/** What most readers come for. */
function headlines(stream: StreamResult): (readonly [string, string])[] {
  const { frames, terms } = stream;
  const spread = (one: Distribution | null) =>
    one === null
      ? describeLeaf(null)
      : `${one.p50.toFixed(2)} / ${one.p95.toFixed(2)} / ${one.p99.toFixed(2)} ms`;
  return [
    ["Picture", `${terms.width}×${terms.height} at ${terms.refresh_hz} Hz, ${terms.codec}`],
    [
      "Frames",
      `${frames.received} received, ${frames.recovered} of them mended, ${frames.lost} lost`,
    ],
    [
      "Rate",
      `${(stream.wire_kbps / 1000).toFixed(1)} Mbit/s, ${
        (stream.video_kbps / 1000).toFixed(1)
      } of it video`,
    ],
    ["Gaps, p50 / p95 / p99", spread(stream.gaps_ms)],
    ["Capture to received, p50 / p95 / p99", spread(stream.latency_ms)],
    ["Drawn to received, p50 / p95 / p99", spread(stream.drawn_to_received_ms)],
    ["Round trip", `${stream.rtt_ms.toFixed(2)} ms`],
  ];
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function section(heading: string, body: string): string {
  return `<h2>${escapeHtml(heading)}</h2>\n${body}`;
}

function table(rows: readonly (readonly [string, string])[]): string {
  const cells = rows.map(([name, value]) =>
    `<tr><th>${escapeHtml(name)}</th><td>${escapeHtml(value)}</td></tr>`
  );
  return `<table>${cells.join("")}</table>`;
}

/** Every leaf of `value` with the words that lead to it; lists as their length. */
function flatten(value: object, path: readonly string[] = []): (readonly [string, string])[] {
  return Object.entries(value).flatMap(([key, one]) => {
    const here = [...path, key];
    if (Array.isArray(one)) return [[here.join(" "), String(one.length)] as const];
    if (typeof one === "object" && one !== null) return flatten(one, here);
    return [[here.join(" "), describeLeaf(one)] as const];
  });
}

function describeLeaf(value: unknown): string {
  if (value === null) return "–";
  return typeof value === "number" && !Number.isInteger(value) ? value.toFixed(3) : String(value);
}

function histogram(heading: string, bins: readonly HistogramBin[] = []): string {
  const [first] = bins;
  const last = bins.at(-1);
  if (first === undefined || last === undefined) return "";
  const most = Math.max(...bins.map(({ count }) => count));
  const width = CHART_WIDTH / bins.length;
  const bars = bins.map(({ from, to, count }, index) => {
    const height = CHART_HEIGHT * count / most;
    const label = `${from.toFixed(2)} – ${to.toFixed(2)}: ${count}`;
    return `<rect class="bar" x="${(index * width).toFixed(1)}" y="${
      (CHART_HEIGHT - height).toFixed(1)
    }" width="${Math.max(width - 1, 1).toFixed(1)}" height="${height.toFixed(1)}"><title>${
      escapeHtml(label)
    }</title></rect>`;
  });
  // The last bin holds everything above: its lower end says where the axis stops being even.
  return section(
    heading,
    chart(bars.join(""), { from: first.from.toFixed(2), to: `${last.from.toFixed(2)} and more` }),
  );
}

function series(
  heading: string,
  timeline: readonly TimelineBucket[],
  valueOf: (bucket: TimelineBucket) => number,
): string {
  const values = timeline.map(valueOf);
  const most = Math.max(0, ...values);
  if (most === 0) return "";
  const step = CHART_WIDTH / Math.max(values.length - 1, 1);
  const points = values.map((value, index) =>
    `${(index * step).toFixed(1)},${(CHART_HEIGHT * (1 - value / most)).toFixed(1)}`
  );
  const seconds = values.length * TIMELINE_BUCKET_MS / 1000;
  return section(
    `${heading}, at most ${most.toFixed(2)}`,
    chart(`<polyline class="line" points="${points.join(" ")}"/>`, {
      from: "0 s",
      to: `${seconds.toFixed(1)} s`,
    }),
  );
}

function chart(
  content: string,
  { from, to }: { readonly from: string; readonly to: string },
): string {
  const height = CHART_HEIGHT + AXIS_HEIGHT;
  const textY = height - 3;
  return `<svg viewBox="0 0 ${CHART_WIDTH} ${height}" role="img">${content}` +
    `<line class="axis" x1="0" y1="${CHART_HEIGHT}" x2="${CHART_WIDTH}" y2="${CHART_HEIGHT}"/>` +
    `<text x="0" y="${textY}">${escapeHtml(from)}</text>` +
    `<text x="${CHART_WIDTH}" y="${textY}" text-anchor="end">${escapeHtml(to)}</text></svg>`;
}

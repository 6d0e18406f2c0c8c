/**
 * What a run says while it goes on, and at its end: one line each of plain text.
 *
 * @module
 */
import type { AdvertisedHost } from "./hosts.ts";
import type { ProbeResult } from "./result.ts";
import type { ProbeSession } from "./session.ts";
import type { Distribution } from "./statistics.ts";

/** The line of a running session. */
export function progressLine(session: ProbeSession): string {
  const { video, welcome, expectedFrames, sound } = session;
  const { statistics } = video;
  const { mode, codec } = welcome;
  const length = expectedFrames === undefined ? "" : `/${expectedFrames}`;
  const latency = statistics.latency.last;
  return [
    `${mode.width}x${mode.height}@${mode.refreshHz} ${codec}`,
    `frames ${statistics.frames}${length}`,
    `lost ${statistics.lostFrames}`,
    `mended ${statistics.recoveredFrames}`,
    `${(statistics.videoKbps() / 1000).toFixed(1)} Mbit/s`,
    ...(latency === undefined ? [] : [`latency ${latency.toFixed(1)} ms`]),
    `sound ${sound.stats.packets}`,
  ].join("  ");
}

/** The whole result for a person. */
export function describeResult(result: ProbeResult): string {
  const { host, stream, problems } = result;
  const pairing = host.paired
    ? [`Paired with ${host.address}:${host.port} by ${host.identity}`]
    : [];
  if (stream === null) return pairing.join("\n");
  const { frames, packets, terms, sound, link } = stream;
  const length = frames.expected === null ? "" : ` of ${frames.expected}`;
  const check = frames.verified === 0 ? "" : `, ${frames.verified} checked, ${frames.wrong} wrong`;
  const lines = [
    ...pairing,
    `${terms["width"]}x${terms["height"]}@${terms["refresh_hz"]} ${
      terms["codec"]
    } over ${host.quic}`,
    `Frames    ${frames.received}${length}, ${frames.lost} lost, ${frames.recovered} mended${check}`,
    `Packets   ${packets.received}, ${packets.recovered_shards} rebuilt, ${packets.refused} refused`,
    `Rate      ${kbps(stream.video_kbps)} video, ${kbps(stream.wire_kbps)} on the wire`,
    `Gaps      ${describeDistribution(stream.gaps_ms)}`,
    `Latency   ${describeDistribution(stream.latency_ms)}`,
  ];
  if (stream.drawn_to_received_ms !== null) {
    lines.push(`Drawn     ${describeDistribution(stream.drawn_to_received_ms)} to received`);
  }
  if (stream.clock.rtt_us !== null) {
    lines.push(`Round     ${(stream.clock.rtt_us / 1000).toFixed(2)} ms`);
  }
  lines.push(`Sound     ${sound.packets} packets, ${sound.lost} lost, ${sound.recovered} mended`);
  if (link !== null) {
    const loss = link.lossRatio === null ? "unknown" : `${(link.lossRatio * 100).toFixed(2)} %`;
    lines.push(`Link      ${kbps(link.receivedKbps)} of ${kbps(link.targetKbps)}, loss ${loss}`);
  }
  return [...lines, ...problems.map((problem) => `Problem   ${problem}`)].join("\n");
}

/** Hosts as a table. */
export function describeHosts(hosts: readonly AdvertisedHost[]): string {
  if (hosts.length === 0) return "No host answered";
  return hosts.map(({ name, address, port, pairing, fingerprint }) =>
    [`${address}:${port}`, printable(name), `pairing ${pairing ?? "unknown"}`, fingerprint ?? "-"]
      .join("  ")
  ).join("\n");
}

function describeDistribution(values: Distribution | null): string {
  if (values === null) return "unknown";
  const [p50, p95, p99, max] = [values.p50, values.p95, values.p99, values.max]
    .map((value) => value.toFixed(2));
  return `p50 ${p50}, p95 ${p95}, p99 ${p99}, most ${max} ms`;
}

function kbps(value: number): string {
  return `${(value / 1000).toFixed(2)} Mbit/s`;
}

/** What others sent, without what would steer a terminal. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, "?");
}

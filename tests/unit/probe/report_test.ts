import assert from "node:assert/strict";
import { LinkProbe } from "../../../src/probe/link_probe.ts";
import { describeResult } from "../../../src/probe/progress.ts";
import { escapeHtml, renderReport } from "../../../src/probe/report_html.ts";
import type { ProbeResult } from "../../../src/probe/result.ts";
import { Samples } from "../../../src/probe/statistics.ts";
import type { ControlMessage } from "../../../src/protocol/punktfunk1/control.ts";

const RESULT: ProbeResult = {
  ok: false,
  problems: ["Only 1 of <2> frames came"],
  host: {
    address: "127.0.0.1",
    port: 9777,
    quic: "quinn",
    fingerprint: "ab",
    identity: "certificate",
    client_fingerprint: "cd",
    paired: true,
  },
  stream: null,
};

Deno.test("escapeHtml() leaves no character that begins markup", () => {
  assert.equal(escapeHtml(`<a href="x">'&`), "&#60;a href=&#34;x&#34;&#62;&#39;&#38;");
});

Deno.test("renderReport() is one page without script or links, and everything in it is escaped", () => {
  const drawnToReceived = new Samples();
  for (let value = 0; value < 100; value++) drawnToReceived.add(value);
  const outcome = { result: RESULT, session: undefined, drawnToReceived };
  const page = renderReport(outcome, `<script>alert("x")</script>`);
  assert.match(page, /^<!doctype html>/);
  assert.doesNotMatch(page, /<script|<link|src=|href=|https?:/);
  assert.match(page, /Only 1 of &#60;2&#62; frames came/);
  assert.equal(page.match(/<rect /g)?.length, 48);
  assert.doesNotMatch(page, /NaN|Infinity|undefined/);
});

Deno.test("describeResult() of a run that only paired says so", () => {
  assert.equal(describeResult(RESULT), "Paired with 127.0.0.1:9777 by certificate");
});

Deno.test("LinkProbe asks once, waits for stragglers after the answer, and reckons rate and loss", () => {
  const sent: ControlMessage[] = [];
  const probe = new LinkProbe(
    { targetKbps: 8_000, durationMs: 1_000 },
    (message) => void sent.push(message),
  );
  probe.tick(0, { probePackets: 0, probeBytes: 0 });
  probe.tick(500_000, { probePackets: 5, probeBytes: 0 });
  assert.deepEqual(sent, [{ kind: "probe-request", targetKbps: 8_000, durationMs: 1_000 }]);
  const answer = { bytes: 1n, packets: 1, durationMs: 2_000, wireSent: 100, dropped: 3 };
  probe.answered({ kind: "probe-result", ...answer }, 2_000_000);
  probe.tick(2_100_000, { probePackets: 80, probeBytes: 80_000 });
  assert.equal(probe.result, undefined);
  probe.tick(2_200_000, { probePackets: 90, probeBytes: 90_000 });
  assert.deepEqual(probe.result, {
    targetKbps: 8_000,
    durationMs: 1_000,
    isAnswered: true,
    receivedPackets: 90,
    receivedKbps: 360,
    sentPackets: 100,
    droppedPackets: 3,
    lossRatio: 1 - 0.9,
  });
});

Deno.test("LinkProbe gives up on a host that does not answer", () => {
  const probe = new LinkProbe({ targetKbps: 1, durationMs: 1 }, () => {});
  const resultAt = (nowUs: number) => {
    probe.tick(nowUs, { probePackets: 0, probeBytes: 0 });
    return probe.result;
  };
  assert.equal(resultAt(0), undefined);
  assert.equal(resultAt(14_999_999), undefined);
  const result = resultAt(15_000_000);
  assert.deepEqual([result?.isAnswered, result?.lossRatio], [false, null]);
});

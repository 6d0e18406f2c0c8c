import assert from "node:assert/strict";
import { LinkSurvey } from "../../../src/probe/link_survey.ts";
import type { ControlMessage } from "../../../src/protocol/punktfunk1/control.ts";
import type { LinkOutcome } from "../../../src/protocol/punktfunk1/rate/link_measurement.ts";
import {
  createVideoHeader,
  encodeVideoHeader,
  USER_FLAG_PICTURE,
  USER_FLAG_PROBE,
} from "../../../src/protocol/punktfunk1/video_header.ts";

const PACKET_BYTES = 1448;
const DELAY_US = 2_000_000;

function packetOf(userFlags: number): Uint8Array {
  const packet = new Uint8Array(PACKET_BYTES);
  const header = createVideoHeader();
  header.userFlags = userFlags;
  encodeVideoHeader(header, new DataView(packet.buffer), 0);
  return packet;
}

function openSurvey(grantedKbps: number, hasRamp = false) {
  const sent: ControlMessage[] = [];
  const outcomes: LinkOutcome[] = [];
  let measurings = 0;
  const survey = new LinkSurvey({
    controller: {
      measuring: () => void measurings++,
      measured(outcome) {
        outcomes.push(outcome);
        return outcome.provenKbps === 0 ? undefined : 25_000;
      },
    },
    send: (message) => sent.push(message),
    hasRamp,
    grantedKbps,
    ceilingKbps: 16_000,
    startUs: 0,
  });
  return { survey, sent, outcomes, measurings: () => measurings };
}

Deno.test("LinkSurvey measures once, 2 s after the first frame, and reports what the link carried", () => {
  const { survey, sent, outcomes, measurings } = openSurvey(10_000);
  survey.tick(DELAY_US - 1);
  assert.deepEqual(sent, []);
  survey.tick(DELAY_US);
  assert.deepEqual(sent, [{ kind: "probe-request", targetKbps: 30_000, durationMs: 800 }]);
  assert.equal(measurings(), 1);
  // 30 Mbit/s for 800 ms are 3 MB, all of which arrive.
  const packets = Math.floor(3_000_000 / PACKET_BYTES);
  for (let index = 0; index < packets; index++) {
    const atUs = DELAY_US + index * 800_000 / packets;
    survey.packet(packetOf(USER_FLAG_PROBE), atUs);
    if (index % 100 === 0) survey.packet(packetOf(USER_FLAG_PICTURE), atUs);
  }
  survey.answered({
    kind: "probe-result",
    bytes: BigInt(packets * PACKET_BYTES),
    packets,
    durationMs: 800,
    wireSent: packets,
    dropped: 0,
  }, DELAY_US + 801_000);
  survey.tick(DELAY_US + 802_000);
  const [outcome] = outcomes;
  assert.equal(outcome?.isLimit, false);
  assert.ok(Math.abs(outcome.provenKbps - 30_000) < 600, JSON.stringify(outcome));
  assert.deepEqual(sent.slice(1), [
    { kind: "set-bitrate", kbps: 25_000 },
    { kind: "link-report", provenKbps: outcome.provenKbps },
  ]);
  survey.tick(DELAY_US + 60_000_000);
  assert.equal(sent.length, 3);
});

Deno.test("LinkSurvey ramps up to what the user wants where the host offers it, then asks and reports", () => {
  const { survey, sent, outcomes } = openSurvey(10_000, true);
  const targets: number[] = [];
  for (let nowUs = 0; outcomes.length === 0; nowUs += 30_000) {
    survey.tick(nowUs);
    const request = sent.at(-1);
    if (request?.kind !== "probe-request") continue;
    assert.equal(request.durationMs, 25);
    targets.push(request.targetKbps);
    const packets = Math.floor(request.targetKbps * 25 / 8 / PACKET_BYTES);
    for (let index = 0; index < packets; index++) {
      survey.packet(packetOf(USER_FLAG_PROBE), nowUs + index * 25_000 / packets);
    }
    survey.answered({
      kind: "probe-result",
      bytes: BigInt(packets * PACKET_BYTES),
      packets,
      durationMs: 25,
      wireSent: packets,
      dropped: 0,
    }, nowUs + 26_000);
  }
  assert.deepEqual(targets, [5_000, 10_000, 20_000]);
  assert.equal(outcomes[0]?.isLimit, false);
  assert.deepEqual(sent.slice(3).map(({ kind }) => kind), ["set-bitrate", "link-report"]);
});

Deno.test("LinkSurvey ends its ramp when video comes", () => {
  const { survey, sent, outcomes } = openSurvey(10_000, true);
  survey.tick(0);
  survey.packet(packetOf(USER_FLAG_PICTURE), 10_000);
  survey.tick(10_000);
  assert.deepEqual(outcomes, [{ provenKbps: 0, isLimit: false }]);
  assert.deepEqual(sent.map(({ kind }) => kind), ["probe-request"]);
});

Deno.test("LinkSurvey tells its controller that nothing is known when the host does not answer", () => {
  const { survey, sent, outcomes } = openSurvey(10_000);
  survey.tick(DELAY_US);
  survey.tick(DELAY_US + 15_100_000);
  assert.deepEqual(outcomes, [{ provenKbps: 0, isLimit: false }]);
  assert.equal(sent.length, 1);
});

Deno.test("LinkSurvey leaves a link alone whose rate nobody told", () => {
  const { survey, sent, outcomes } = openSurvey(0);
  survey.tick(DELAY_US * 10);
  assert.deepEqual([sent, outcomes], [[], []]);
});

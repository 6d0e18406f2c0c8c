import assert from "node:assert/strict";
import { FakeClock } from "../../../../src/lib/clock.ts";
import { StreamClock } from "../../../../src/planes/native/stream_clock.ts";
import { StreamOutput } from "../../../../src/planes/native/stream_output.ts";
import {
  type Datagram,
  decodeDatagram,
} from "../../../../src/protocol/punktfunk1/datagrams/datagram.ts";

function openOutput(isSoundRedundant: boolean, datagramSizeMax = 1200) {
  const clock = new FakeClock();
  const sent: (Datagram | undefined)[] = [];
  const output = new StreamOutput({
    connection: {
      datagramSizeMax,
      sendDatagram(bytes) {
        sent.push(decodeDatagram(bytes));
        return true;
      },
    },
    streamClock: new StreamClock(clock),
    clock,
    isSoundRedundant,
  });
  return { output, clock, sent };
}

Deno.test("StreamOutput numbers packets of sound and times them on the stream's clock", () => {
  const { output, sent } = openOutput(false);
  output.sound({ bytes: Uint8Array.of(1), capturedAtUs: 2_000_000 });
  output.sound({ bytes: Uint8Array.of(2), capturedAtUs: 2_005_000 });
  assert.deepEqual(sent, [
    { type: "audio", body: { sequence: 0, ptsNs: 2_000_000_000n, payload: Uint8Array.of(1) } },
    { type: "audio", body: { sequence: 1, ptsNs: 2_005_000_000n, payload: Uint8Array.of(2) } },
  ]);
});

Deno.test("StreamOutput sends each packet twice to a client that reads both, where both fit", () => {
  const { output, sent } = openOutput(true);
  output.sound({ bytes: Uint8Array.of(1), capturedAtUs: 0 });
  output.sound({ bytes: Uint8Array.of(2), capturedAtUs: 0 });
  assert.deepEqual(sent.map((one) => one?.type), ["redundant-audio", "redundant-audio"]);
  const last = sent[1];
  assert.deepEqual(
    last?.type === "redundant-audio" && [...last.body.previous, ...last.body.payload],
    [1, 2],
  );
  const small = openOutput(true, 16);
  small.output.sound({ bytes: Uint8Array.of(1), capturedAtUs: 0 });
  small.output.sound({ bytes: Uint8Array.of(2), capturedAtUs: 0 });
  assert.deepEqual(small.sent.map((one) => one?.type), ["redundant-audio", "audio"]);
});

Deno.test("StreamOutput is silent while muted", () => {
  const { output, sent } = openOutput(false);
  output.setMuted(true);
  output.sound({ bytes: Uint8Array.of(1), capturedAtUs: 0 });
  output.setMuted(false);
  output.sound({ bytes: Uint8Array.of(2), capturedAtUs: 0 });
  assert.equal(sent.length, 1);
});

Deno.test("StreamOutput tells how long a unit took, stage by stage", () => {
  const { output, sent } = openOutput(false);
  output.hostTiming({
    frameIndex: 3,
    capturedAtUs: 5_000_000,
    waitedUs: 300.4,
    encodeUs: 2_900,
    sendUs: 1_000,
  });
  assert.deepEqual(sent, [{
    type: "host-timing",
    body: {
      ptsNs: 5_000_000_000n,
      totalUs: 4_200,
      stages: { queueUs: 300, encodeUs: 2_900, paceUs: 1_000, phaseNs: undefined },
    },
  }]);
});

Deno.test("StreamOutput renews rumble while a motor runs, and stops every motor at its end", () => {
  const { output, clock, sent } = openOutput(false);
  output.padFeedback({ kind: "rumble", pad: 1, low: 8000, high: 4000 });
  output.padFeedback({ kind: "trigger-rumble", pad: 1, left: 100, right: 200 });
  clock.advance(120);
  assert.deepEqual(sent.map((one) => one?.type), ["rumble", "rumble", "rumble"]);
  const levels = sent.map((one) => one?.type === "rumble" ? one.body.levels : undefined);
  assert.deepEqual(levels[2], { low: 8000, high: 4000, leftTrigger: 100, rightTrigger: 200 });
  output[Symbol.dispose]();
  const last = sent.at(-1);
  assert.deepEqual(last?.type === "rumble" && last.body.levels, {
    low: 0,
    high: 0,
    leftTrigger: 0,
    rightTrigger: 0,
  });
  assert.equal(clock.pendingTimers, 0);
});

Deno.test("StreamOutput carries lamps and triggers, and drops what the wire has no word for", () => {
  const { output, sent } = openOutput(false);
  output.padFeedback({ kind: "led", pad: 1, red: 255, green: 0, blue: 128 });
  output.padFeedback({ kind: "motion-rate", pad: 1, sensor: "gyroscope", rateHz: 100 });
  assert.deepEqual(sent, [{
    type: "hid-feedback",
    body: { kind: "led", pad: 1, red: 255, green: 0, blue: 128 },
  }]);
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { createReferenceKernel } from "../../../../src/media/wire/reference_kernel.ts";
import {
  ProbeGate,
  type ProbePlan,
  ProbeTrain,
  type ProbeTrainOptions,
  type ProbeVerdict,
} from "../../../../src/protocol/punktfunk1/probe_train.ts";
import { decodeVideoHeader } from "../../../../src/protocol/punktfunk1/video_header.ts";
import { VideoOpener } from "../../../../src/protocol/punktfunk1/video_opener.ts";
import { SealCounter } from "../../../../src/protocol/punktfunk1/video_seal.ts";
import { TestVideoStream } from "../../../support/punktfunk1_video.ts";

const SECOND_US = 1_000_000;
const SECRETS = {
  cipher: "aes-128-gcm",
  key: new Uint8Array(16).fill(1),
  salt: new Uint8Array(4).fill(2),
} as const;
const REQUEST = { targetKbps: 100_000, durationMs: 500 };
const SMOOTH = { burstHz: 0, groupBytes: 0, groupRateKbps: 0 };

function openGate(phase: "closed" | "ramp" | "stream"): ProbeGate {
  const gate = new ProbeGate({ hasOwnIndices: true });
  if (phase === "ramp") gate.openRamp();
  if (phase === "stream") gate.startStream();
  return gate;
}
const planOf = (verdict: ProbeVerdict) => verdict.kind === "run" ? verdict.plan : undefined;

Deno.test("ProbeGate clamps a probe to 10 Gbit/s and 5 s", () => {
  const admit = (request: Parameters<ProbeGate["admit"]>[0]) =>
    planOf(openGate("stream").admit(request, 0));
  assert.deepEqual(admit(REQUEST), { ...REQUEST, ...SMOOTH });
  assert.deepEqual(admit({ targetKbps: 10_000_001, durationMs: 5_001 }), {
    targetKbps: 10_000_000,
    durationMs: 5_000,
    ...SMOOTH,
  });
  const shape = { burstHz: 60, groupBytes: 20_000, groupRateKbps: 900_000 };
  assert.deepEqual(admit({ ...REQUEST, ...shape }), { ...REQUEST, ...shape });
});

Deno.test("ProbeGate answers zeros to zero arguments and to clients without indices for probes", () => {
  const gate = openGate("stream");
  assert.equal(gate.admit({ targetKbps: 0, durationMs: 500 }, 0).kind, "empty");
  assert.equal(gate.admit({ targetKbps: 1_000, durationMs: 0 }, 0).kind, "empty");
  assert.equal(gate.admit(REQUEST, 0).kind, "run", "they cost no turn");
  const old = new ProbeGate({ hasOwnIndices: false });
  old.startStream();
  assert.equal(old.admit(REQUEST, 0).kind, "empty");
});

Deno.test("ProbeGate does not answer a probe while one runs, or within 10 s of its start", () => {
  const gate = openGate("stream");
  assert.equal(gate.admit(REQUEST, 0).kind, "run");
  assert.equal(gate.admit(REQUEST, 20 * SECOND_US).kind, "ignore");
  gate.finish();
  assert.equal(gate.admit(REQUEST, 10 * SECOND_US - 1).kind, "ignore");
  assert.equal(gate.admit(REQUEST, 10 * SECOND_US).kind, "run");
});

Deno.test("ProbeGate lets the ramp run from the punch to the first frame, 50 ms a step", () => {
  const gate = openGate("closed");
  assert.equal(gate.admit(REQUEST, 0).kind, "ignore");
  gate.openRamp();
  for (let step = 0; step < 5; step++) {
    assert.equal(planOf(gate.admit(REQUEST, step))?.durationMs, 50);
    gate.finish();
  }
  gate.startStream();
  gate.openRamp();
  assert.equal(planOf(gate.admit(REQUEST, 6))?.durationMs, 500, "steps cost no turn");
  gate.finish();
  assert.equal(gate.admit(REQUEST, 7).kind, "ignore");
});

const OPTIONS: ProbeTrainOptions = {
  scheme: "gf65536",
  shardPayloadBytes: 1408,
  blockDataShardsMax: 4096,
  seal: null,
  wallOffsetNs: 0n,
  startUs: 0,
  firstFrameIndex: 0,
};
const PLAN: ProbePlan = { targetKbps: 100_000, durationMs: 500, ...SMOOTH };

/** Run a train to its end, polled every `stepUs`. Returns the packets that left at each poll that sent any. */
function runTrain(
  plan: ProbePlan,
  { stepUs, ...changes }: Partial<ProbeTrainOptions> & { readonly stepUs: number },
) {
  const train = new ProbeTrain(plan, { ...OPTIONS, ...changes });
  const sent: [atUs: number, packets: number][] = [];
  for (let nowUs = 0; !train.isDone(nowUs); nowUs += stepUs) {
    let packets = 0;
    for (let due = train.next(nowUs); due !== null; due = train.next(nowUs)) {
      const { packetCount, shardSizeBytes } = due.job;
      train.sent({ packetCount, bytes: packetCount * shardSizeBytes, refusedPackets: 0 }, nowUs);
      packets += packetCount;
    }
    if (packets > 0) sent.push([nowUs, packets]);
  }
  return { train, sent };
}

Deno.test("ProbeTrain sends the rate it was asked for, evenly", () => {
  const { train, sent } = runTrain(PLAN, { stepUs: 1_000 });
  // 100 Mbit/s over 500 ms are 6.25 MB, in packets of 1448 bytes.
  const packets = Math.floor(6_250_000 / 1_448);
  assert.deepEqual(train.totals, {
    bytes: BigInt(packets * 1_448),
    packets,
    durationMs: 500,
    wireSent: packets,
    dropped: 0,
  });
  assert.ok(sent.every(([, packets]) => packets === 8 || packets === 9));
  assert.equal(sent.length, 500);
});

Deno.test("ProbeTrain releases a burst at each period, whole or in groups", () => {
  const whole = { ...PLAN, burstHz: 10 };
  const atOnce = runTrain(whole, { stepUs: 1_000 }).sent;
  assert.deepEqual(atOnce.map(([atUs]) => atUs), [0, 100_000, 200_000, 300_000, 400_000]);
  const grouped = { ...whole, groupBytes: 250_000, groupRateKbps: 200_000 };
  const groups = runTrain(grouped, { stepUs: 1_000 }).sent.map(([atUs]) => atUs);
  assert.deepEqual(groups.slice(0, 6), [0, 10_000, 20_000, 30_000, 40_000, 100_000]);
});

Deno.test("ProbeTrain makes filler that is no video, under indices of its own", () => {
  const train = new ProbeTrain(PLAN, {
    ...OPTIONS,
    firstFrameIndex: 0xffff_ffff,
    wallOffsetNs: 9n,
  });
  const due = train.next(1_000);
  assert.ok(due !== null);
  const headers = Array.from(
    { length: due.job.packetCount },
    (_, at) => decodeVideoHeader(due.job.headers.subarray(at * 40, at * 40 + 40)),
  );
  assert.equal(headers.length, 8);
  for (const [index, header] of headers.entries()) {
    assert.deepEqual(
      [header.userFlags, header.frameIndex, header.frameBytes, header.blockCount],
      [8, 0xffff_ffff, 8 * 1408, 1],
    );
    assert.deepEqual([header.dataCount, header.parityCount, header.shardIndex], [8, 0, index]);
    assert.equal(header.ptsLow, 1_000_009);
  }
  assert.equal(train.nextFrameIndex, 0);
  assert.equal(createReferenceKernel().build(due.job, due.unit).byteLength, 8 * 1448);
});

Deno.test("ProbeTrain keeps a job to 64 packets and to a block of the video", () => {
  const largest = (blockDataShardsMax: number) => {
    const train = new ProbeTrain(PLAN, { ...OPTIONS, blockDataShardsMax });
    return train.next(500_000)?.job.packetCount;
  };
  assert.equal(largest(4096), 64);
  assert.equal(largest(16), 16);
});

Deno.test("ProbeTrain and VideoPacketiser never seal under the same number", () => {
  const seal = { secrets: SECRETS, counter: new SealCounter() };
  const stream = new TestVideoStream({ seal });
  const train = new ProbeTrain(PLAN, { ...OPTIONS, seal });
  const opener = new VideoOpener(SECRETS);
  const kernel = createReferenceKernel();
  let datagrams = 0;
  for (let turn = 1; turn <= 3; turn++) {
    for (const datagram of stream.next(3_000)) {
      datagrams++;
      assert.notEqual(opener.open(datagram), undefined);
    }
    const due = train.next(turn * 1_000);
    assert.ok(due !== null);
    const bytes = kernel.build(due.job, due.unit);
    for (let at = 0; at < bytes.byteLength; at += 1_472) {
      datagrams++;
      assert.notEqual(opener.open(bytes.subarray(at, at + 1_472)), undefined);
    }
  }
  assert.deepEqual(opener.stats, { opened: datagrams, misshapen: 0, forged: 0, replayed: 0 });
});

Deno.test("ProbeTrain tells what the system refused", () => {
  const train = new ProbeTrain(PLAN, OPTIONS);
  const due = train.next(1_000);
  assert.ok(due !== null);
  train.sent({ packetCount: 8, bytes: 8 * 1448, refusedPackets: 3 }, 1_500);
  assert.deepEqual(train.totals, {
    bytes: 5n * 1448n,
    packets: 8,
    durationMs: 500,
    wireSent: 5,
    dropped: 3,
  });
});

Deno.test("ProbeTrain stops a quarter past its time, however little has left", () => {
  const train = new ProbeTrain(PLAN, OPTIONS);
  assert.equal(train.isDone(625_000), false);
  assert.notEqual(train.next(625_000), null);
  assert.equal(train.isDone(625_001), true);
  assert.equal(train.next(625_001), null);
});

Deno.test("ProbeTrain sends as much as was asked for, whatever its shape", () => {
  const plans: fc.Arbitrary<ProbePlan> = fc.record({
    targetKbps: fc.integer({ min: 1, max: 2_000_000 }),
    durationMs: fc.integer({ min: 1, max: 60 }),
    burstHz: fc.integer({ min: 0, max: 0xffff }),
    groupBytes: fc.integer({ min: 0, max: 1_000_000 }),
    groupRateKbps: fc.constant(0),
  }, { noNullPrototype: true });
  fc.assert(
    fc.property(plans, (plan) => {
      const { train } = runTrain(plan, { stepUs: 500 });
      const wanted = plan.targetKbps * 125 * plan.durationMs / 1000;
      assert.equal(train.totals.packets, Math.floor(wanted / 1_448));
    }),
    { numRuns: 40 },
  );
});

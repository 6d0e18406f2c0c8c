import assert from "node:assert/strict";
import { FakeClock } from "../../../../src/lib/clock.ts";
import { StreamClock } from "../../../../src/planes/native/stream_clock.ts";
import { StreamControl } from "../../../../src/planes/native/stream_control.ts";
import type { ControlMessage } from "../../../../src/protocol/punktfunk1/control.ts";
import { pacingOf } from "../../../../src/protocol/punktfunk1/pacing_profile.ts";
import type { VideoTuning } from "../../../../src/session/session.ts";

interface Options {
  readonly isFecPinned?: boolean;
  readonly encoderKbpsMax?: number;
  readonly countsProbesApart?: boolean;
  readonly shardPayloadLater?: number;
  readonly rampMsMax?: number;
}

function openControl(options: Options = {}) {
  const clock = new FakeClock();
  const sent: ControlMessage[] = [];
  const tuned: VideoTuning[] = [];
  const asked: unknown[] = [];
  const edges: Uint8Array[] = [];
  const warnings: string[] = [];
  const log = () => {};
  const control = new StreamControl({
    session: {
      tune: (command) => tuned.push(command),
      requestIdr: () => asked.push("idr"),
      invalidateReferences: (frames) => asked.push(frames),
    },
    send: (message) => sent.push(message),
    onInput: (event) => edges.push(event),
    roundTripMs: () => 5,
    mode: { width: 1920, height: 1080, refreshHz: 60 },
    wireKbps: 20_000,
    costs: { audioKbps: 256, shardPayloadBytes: 1408, fecPercent: 10 },
    shardPayloadLater: options.shardPayloadLater ?? 1408,
    encoderKbpsMax: options.encoderKbpsMax ?? 100_000,
    isFecPinned: options.isFecPinned ?? false,
    rampMsMax: options.rampMsMax,
    countsProbesApart: options.countsProbesApart ?? true,
    pacing: (link) => pacingOf("burst", link),
    clock,
    streamClock: new StreamClock(clock),
    logger: { debug: log, info: log, warn: (event) => warnings.push(event), error: log },
  });
  return { control, clock, sent, tuned, asked, edges, warnings };
}

function kinds(tuned: readonly VideoTuning[]): unknown[] {
  return tuned.map((command) =>
    command.kind === "bitrate"
      ? ["bitrate", command.kbps]
      : command.kind === "fec"
      ? ["fec", command.percent]
      : command.kind
  );
}

Deno.test("StreamControl echoes a clock probe with the times it came and goes", () => {
  const { control, clock, sent } = openControl();
  clock.advance(3);
  control.handle({ kind: "clock-probe", sentNs: 77n }, 1_001_000_000n);
  assert.deepEqual(sent, [{
    kind: "clock-echo",
    probeSentNs: 77n,
    probeReceivedNs: 1_001_000_000n,
    echoSentNs: 1_003_000_000n,
  }]);
});

Deno.test("StreamControl asks for a key frame, or for one without what was lost", () => {
  const { control, asked } = openControl();
  control.handle({ kind: "request-keyframe" }, 0n);
  control.handle({ kind: "rfi-request", firstFrame: 10, lastFrame: 12 }, 0n);
  control.handle({ kind: "rfi-request", firstFrame: 12, lastFrame: 10 }, 0n);
  control.handle({ kind: "rfi-request", firstFrame: 0, lastFrame: 255 }, 0n);
  control.handle({ kind: "rfi-request", firstFrame: 0, lastFrame: 256 }, 0n);
  assert.deepEqual(asked, ["idr", { first: 10, last: 12 }, "idr", { first: 0, last: 255 }, "idr"]);
});

Deno.test("StreamControl takes parity from the encoder's share as losses come, and gives it back", () => {
  const { control, tuned } = openControl();
  control.handle({ kind: "loss-report", lossPpm: 100_000 }, 0n);
  assert.deepEqual(kinds(tuned), [["bitrate", 16_422], ["fec", 15]]);
  assert.equal(control.inForce.fecPercent, 15);
  for (let window = 0; window < 20; window++) {
    control.handle({ kind: "loss-report", lossPpm: 0 }, 0n);
  }
  assert.equal(control.inForce.fecPercent, 5);
  assert.deepEqual(kinds(tuned).slice(-2), [["fec", 5], ["bitrate", 17_986]]);
});

Deno.test("StreamControl leaves pinned parity alone", () => {
  const { control, tuned } = openControl({ isFecPinned: true });
  control.handle({ kind: "loss-report", lossPpm: 500_000 }, 0n);
  assert.deepEqual(tuned, []);
});

Deno.test("StreamControl sets a rate, its pacing, and answers with what is in force", () => {
  const { control, sent, tuned } = openControl();
  control.handle({ kind: "set-bitrate", kbps: 40_000 }, 0n);
  assert.deepEqual(sent, [{ kind: "bitrate-changed", kbps: 40_000, reason: undefined }]);
  assert.deepEqual(kinds(tuned), [["bitrate", 34_560], "pacing"]);
  for (const [asked, given] of [[0, 20_000], [1, 500], [499, 500]]) {
    control.handle({ kind: "set-bitrate", kbps: asked ?? 0 }, 0n);
    assert.equal(control.inForce.wireKbps, given);
  }
});

Deno.test("StreamControl grants no more than the encoder can fill", () => {
  const { control, sent } = openControl({ encoderKbpsMax: 10_000 });
  control.handle({ kind: "set-bitrate", kbps: 4_000_000 }, 0n);
  assert.deepEqual(sent, [{ kind: "bitrate-changed", kbps: 11_756, reason: undefined }]);
});

Deno.test("StreamControl keeps the mode and says so", () => {
  const { control, sent } = openControl();
  control.handle({ kind: "reconfigure", mode: { width: 800, height: 600, refreshHz: 30 } }, 0n);
  assert.deepEqual(sent, [{
    kind: "reconfigured",
    isAccepted: false,
    mode: { width: 1920, height: 1080, refreshHz: 60 },
  }]);
});

Deno.test("StreamControl runs one probe in ten seconds and answers when it is done", () => {
  const { control, clock, sent, tuned } = openControl();
  const request = { kind: "probe-request", targetKbps: 50_000, durationMs: 800 } as const;
  control.handle(request, 0n);
  assert.deepEqual(tuned, []);
  control.startStream();
  control.handle(request, 0n);
  assert.deepEqual(kinds(tuned), ["probe"]);
  control.handle(request, 0n);
  const totals = { bytes: 5_000_000n, packets: 3400, durationMs: 800, wireSent: 3400, dropped: 0 };
  control.probed(totals);
  assert.deepEqual(sent, [{ kind: "probe-result", ...totals }]);
  control.handle(request, 0n);
  clock.advance(10_000);
  control.handle(request, 0n);
  assert.deepEqual(kinds(tuned), ["probe", "probe"]);
});

const TOTALS = { bytes: 1_000n, packets: 10, durationMs: 25, wireSent: 10, dropped: 0 };
const RAMP_STEP = { kind: "probe-request", targetKbps: 5_000, durationMs: 200 } as const;

/** Whether `ramp` is over, asked again and again. */
function watch(ramp: Promise<void>) {
  let isOver = false;
  void ramp.then(() => isOver = true);
  return async () => {
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    return isOver;
  };
}

Deno.test("StreamControl lets video begin at once where no ramp was offered", async () => {
  const { control, clock } = openControl();
  await control.rampUp();
  assert.equal(clock.pendingTimers, 0);
});

Deno.test("StreamControl lets a client that does not measure wait 150 ms", async () => {
  const { control, clock } = openControl({ rampMsMax: 2_500 });
  const isOver = watch(control.rampUp());
  clock.advance(149);
  assert.equal(await isOver(), false);
  clock.advance(1);
  assert.equal(await isOver(), true);
  assert.equal(clock.pendingTimers, 0);
});

Deno.test("StreamControl answers probes of 50 ms one after another before the first frame", async () => {
  const { control, clock, tuned, sent } = openControl({ rampMsMax: 2_500 });
  const isOver = watch(control.rampUp());
  for (let step = 0; step < 5; step++) {
    clock.advance(140);
    control.handle(RAMP_STEP, 0n);
    // A train takes its time: the quiet begins with its result.
    clock.advance(200);
    assert.equal(await isOver(), false);
    control.probed(TOTALS);
  }
  const probes = tuned.flatMap((command) => command.kind === "probe" ? [command.plan] : []);
  assert.deepEqual(probes.map(({ durationMs }) => durationMs), Array(5).fill(50));
  assert.deepEqual(sent, Array(5).fill({ kind: "probe-result", ...TOTALS }));
  // 150 ms, and the round trip.
  clock.advance(154);
  assert.equal(await isOver(), false);
  clock.advance(1);
  assert.equal(await isOver(), true);
  assert.equal(clock.pendingTimers, 0);
});

Deno.test("StreamControl ends the ramp with LinkReport, with its limit, and with the session", async () => {
  const endings = [
    (lab: ReturnType<typeof openControl>) =>
      lab.control.handle({ kind: "link-report", provenKbps: 50_000 }, 0n),
    (lab: ReturnType<typeof openControl>) => lab.clock.advance(400),
    (lab: ReturnType<typeof openControl>) => lab.control[Symbol.dispose](),
  ];
  for (const end of endings) {
    const lab = openControl({ rampMsMax: 500 });
    const isOver = watch(lab.control.rampUp());
    lab.clock.advance(100);
    lab.control.handle(RAMP_STEP, 0n);
    assert.equal(await isOver(), false);
    end(lab);
    assert.equal(await isOver(), true);
    lab.control.probed(TOTALS);
    assert.equal(lab.clock.pendingTimers, 0);
  }
});

Deno.test("StreamControl answers a probe that came before the punch when the punch is there", () => {
  const { control, tuned } = openControl({ rampMsMax: 2_500 });
  control.handle(RAMP_STEP, 0n);
  assert.deepEqual(tuned, []);
  void control.rampUp();
  assert.deepEqual(kinds(tuned), ["probe"]);
  control[Symbol.dispose]();
});

Deno.test("StreamControl answers an impossible probe with zeros", () => {
  const { control, sent } = openControl({ countsProbesApart: false });
  control.startStream();
  control.handle({ kind: "probe-request", targetKbps: 50_000, durationMs: 800 }, 0n);
  assert.deepEqual(sent, [{
    kind: "probe-result",
    bytes: 0n,
    packets: 0,
    durationMs: 0,
    wireSent: 0,
    dropped: 0,
  }]);
});

Deno.test("StreamControl warns once when no video reaches the client", () => {
  const { control, warnings } = openControl();
  control.handle({ kind: "delivery-report", packetsReceived: 0n }, 0n);
  control.startStream();
  control.handle({ kind: "delivery-report", packetsReceived: 5n }, 0n);
  assert.deepEqual(warnings, []);
  control.handle({ kind: "delivery-report", packetsReceived: 0n }, 0n);
  control.handle({ kind: "delivery-report", packetsReceived: 0n }, 0n);
  assert.deepEqual(warnings, ["native.no-video"]);
});

Deno.test("StreamControl passes the events of input edges on and ignores what is not for it", () => {
  const { control, edges, sent, tuned, asked } = openControl();
  control.handle({ kind: "input-edge", event: Uint8Array.of(0xc8) }, 0n);
  assert.deepEqual(edges, [Uint8Array.of(0xc8)]);
  control.handle({ kind: "cursor-render", isDrawnByClient: true }, 0n);
  control.handle({ kind: "bitrate-changed", kbps: 1, reason: undefined }, 0n);
  assert.deepEqual([sent, tuned, asked], [[], [], []]);
});

Deno.test("StreamControl lets packets grow once the client agreed to that very size", () => {
  const { control, sent, tuned } = openControl({ shardPayloadLater: 8908 });
  control.handle({ kind: "shard-payload-ack", shardPayloadBytes: 1408 }, 0n);
  control.startStream();
  assert.deepEqual(sent, [{ kind: "shard-payload-changed", shardPayloadBytes: 8908 }]);
  control.handle({ kind: "shard-payload-ack", shardPayloadBytes: 9000 }, 0n);
  assert.equal(tuned.length, 0);
  control.handle({ kind: "shard-payload-ack", shardPayloadBytes: 8908 }, 0n);
  control.handle({ kind: "shard-payload-ack", shardPayloadBytes: 8908 }, 0n);
  assert.deepEqual(tuned.map((command) => command.kind), ["shard-payload", "bitrate"]);
});

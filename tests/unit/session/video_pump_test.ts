import assert from "node:assert/strict";
import { FakeClock } from "../../../src/lib/clock.ts";
import { ProtocolError } from "../../../src/lib/errors.ts";
import type {
  AccessUnit,
  VideoEncoder,
  VideoFrame,
  VideoSource,
} from "../../../src/media/ports.ts";
import type { UdpSocketHandle, WireKernel } from "../../../src/media/wire/kernel.ts";
import type {
  AccessUnitFacts,
  Packetiser,
  WaveMark,
  WireJob,
} from "../../../src/protocol/wire_job.ts";
import type { ProbeTotals } from "../../../src/protocol/punktfunk1/probe_train.ts";
import type { Filler } from "../../../src/session/pumps/packetisers.ts";
import type { SentUnit } from "../../../src/session/pumps/messages.ts";
import { VideoPump } from "../../../src/session/pumps/video_pump.ts";

const SOCKET = 3 as UdpSocketHandle;
const DESTINATION = { address: "127.0.0.1", port: 47998 };
const PACING = { burstBytesMax: 65_536, burstPacketsMax: 64, rateBytesPerSecond: 1e8 };
const ROUND_TRIP_US = 1000;
const FILLER_JOB = {} as WireJob;
const SMOOTH = { burstHz: 0, groupBytes: 0, groupRateKbps: 0 };

interface SentFrame {
  readonly capturedAtUs: number;
  readonly isIdr: boolean;
  readonly wave?: WaveMark;
  readonly frameIndex: number;
}

/**
 * A pump over fakes. `script` says what each wait of the source gives: a picture, or "still" for one that timed out.
 * After its last step the pump is stopped.
 */
function openPump(
  script: readonly ("picture" | "still" | (() => void))[],
  options: {
    readonly canInvalidate?: boolean;
    readonly isTooLarge?: (index: number) => boolean;
    readonly unitsMax?: number;
    readonly onUnit?: (unit: SentUnit) => void;
    readonly isHeldBack?: boolean;
    readonly recoveryMs?: number;
    /** Answer requests with waves. */
    readonly hasWaves?: boolean;
    readonly onProbed?: (totals: ProbeTotals) => void;
  } = {},
) {
  const clock = new FakeClock();
  const sent: SentFrame[] = [];
  const fillers: number[] = [];
  const invalidated: [number, number][] = [];
  const data = { pointer: {} as Deno.PointerObject, sizeBytes: 1000 };
  let step = 0;
  let facts: AccessUnitFacts | undefined;
  const source: VideoSource = {
    description: "fake",
    next(timeoutMs) {
      for (;;) {
        const what = script[step++];
        if (typeof what === "function") {
          what();
          continue;
        }
        if (what === undefined) pump.stop();
        clock.advance(what === "picture" ? 16 : timeoutMs);
        return Promise.resolve(what === "picture" ? frameAt(clock.monotonicUs()) : null);
      }
    },
    close() {},
    [Symbol.dispose]() {},
  };
  const frameAt = (capturedAtUs: number): VideoFrame => ({
    data,
    widthPixels: 64,
    heightPixels: 64,
    strideBytes: 256,
    format: "bgrx",
    capturedAtUs,
  });
  const encoder: VideoEncoder = {
    description: "fake",
    encode(_frame, { isIdrWanted, frameIndex }): AccessUnit {
      if (!isIdrWanted) return { data, kind: "p" };
      const isWave = options.hasWaves === true && frameIndex > 1;
      return isWave ? { data, kind: "p", wave: "start" } : { data, kind: "idr" };
    },
    setBitrate() {},
    invalidateReferences(first, last) {
      invalidated.push([first, last]);
      return options.canInvalidate ?? false;
    },
    close() {},
    [Symbol.dispose]() {},
  };
  const packetiser = {
    nextFrameIndex: 1,
    plan(next: AccessUnitFacts): WireJob {
      if (options.isTooLarge?.(packetiser.nextFrameIndex)) {
        throw new ProtocolError("limit", "Cannot send: too large");
      }
      facts = next;
      packetiser.nextFrameIndex++;
      return {} as WireJob;
    },
  } satisfies Packetiser;
  const kernel: WireKernel = {
    description: "fake",
    build: () => new Uint8Array(),
    send(job) {
      if (job === FILLER_JOB) {
        fillers.push(clock.monotonicUs());
        return { packetCount: 4, bytes: 4000, refusedPackets: 0 };
      }
      assert.ok(facts);
      sent.push({
        capturedAtUs: facts.capturedAtUs,
        isIdr: facts.kind === "idr",
        ...(facts.wave === undefined ? {} : { wave: facts.wave }),
        frameIndex: packetiser.nextFrameIndex - 1,
      });
      return { packetCount: 3, bytes: 3000, refusedPackets: 1 };
    },
    close() {},
    [Symbol.dispose]() {},
  };
  const pump = new VideoPump({
    source,
    encoder,
    packetiser,
    kernel,
    socket: SOCKET,
    pacing: PACING,
    clock,
    startProbe: (plan, startUs) => fillerOf(plan.durationMs, startUs),
    isHeldBack: options.isHeldBack,
    recoveryMs: options.recoveryMs,
    unitsMax: options.unitsMax,
    onUnit: options.onUnit,
    onProbed: options.onProbed,
  });
  return { pump, clock, sent, fillers, invalidated };
}

/** One job each millisecond. */
function fillerOf(durationMs: number, startUs: number): Filler {
  let jobs = 0;
  return {
    isDone: () => jobs >= durationMs,
    next(nowUs) {
      if (jobs >= durationMs || nowUs < startUs + jobs * 1000) return null;
      jobs++;
      return { job: FILLER_JOB, unit: new Uint8Array() };
    },
    sent() {},
    get totals() {
      return { bytes: 0n, packets: jobs, durationMs, wireSent: jobs, dropped: 0 };
    },
  };
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

Deno.test("VideoPump answers probes while its picture is held back, and begins with the picture that is shown then", async () => {
  const probed: ProbeTotals[] = [];
  const { pump, sent, fillers, clock } = openPump(["picture", "picture"], {
    isHeldBack: true,
    onProbed: (totals) => probed.push(totals),
  });
  const running = pump.run(() => {});
  pump.command({ kind: "destination", destination: DESTINATION });
  for (let round = 1; round <= 2; round++) {
    await turns();
    assert.equal(clock.pendingTimers, 0, "nothing runs while nobody asks");
    pump.command({ kind: "probe", plan: { ...SMOOTH, targetKbps: 5_000, durationMs: 5 } });
    for (let ms = 0; ms < 6; ms++) {
      await turns();
      clock.advance(1);
    }
    await turns();
    assert.deepEqual([fillers.length, probed.length], [5 * round, round]);
  }
  assert.equal(sent.length, 0);
  pump.command({ kind: "flow" });
  await running;
  assert.deepEqual(sent.map(({ isIdr, frameIndex }) => [isIdr, frameIndex]), [[true, 1], [
    false,
    2,
  ]]);
});

Deno.test("VideoPump that is held back ends when it is stopped", async () => {
  const { pump, sent } = openPump(["picture"], { isHeldBack: true });
  pump.command({ kind: "destination", destination: DESTINATION });
  const running = pump.run(() => {});
  await turns();
  pump.stop();
  await running;
  assert.equal(sent.length, 0);
});

Deno.test("VideoPump sends nothing before it knows where to", async () => {
  const { pump, sent } = openPump(["picture"]);
  const running = pump.run(() => {});
  await Promise.resolve();
  assert.equal(sent.length, 0);
  pump.command({ kind: "destination", destination: DESTINATION });
  await running;
  assert.equal(sent.length, 1);
});

Deno.test("VideoPump begins with an IDR and goes on without", async () => {
  const { pump, sent } = openPump(["picture", "picture", "picture"]);
  let firstPackets = 0;
  pump.command({ kind: "destination", destination: DESTINATION });
  await pump.run(() => firstPackets++);
  assert.deepEqual(sent.map((frame) => frame.isIdr), [true, false, false]);
  assert.equal(firstPackets, 1);
  assert.deepEqual(pump.stats.refusedPackets, 3);
});

Deno.test("VideoPump repeats a still screen at least once a second, with a new time", async () => {
  const { pump, sent } = openPump(["picture", ...Array(100).fill("still")]);
  pump.command({ kind: "destination", destination: DESTINATION });
  await pump.run(() => {});
  for (const [index, frame] of sent.entries()) {
    const earlier = sent[index - 1];
    if (earlier === undefined) continue;
    assert.ok(frame.capturedAtUs > earlier.capturedAtUs);
    assert.ok(frame.capturedAtUs - earlier.capturedAtUs <= 1_000_000);
  }
  assert.ok(sent.length >= 8, `${sent.length} frames in two seconds`);
});

Deno.test("VideoPump answers an IDR request on a still screen without waiting for a change", async () => {
  const { pump, sent, clock } = openPump([
    "picture",
    ...Array(6).fill("still"),
    () => pump.command({ kind: "idr", roundTripUs: ROUND_TRIP_US }),
    "still",
    "still",
  ]);
  pump.command({ kind: "destination", destination: DESTINATION });
  const startUs = clock.monotonicUs();
  await pump.run(() => {});
  assert.equal(sent.length, 2);
  assert.equal(sent[1]?.isIdr, true);
  assert.ok(sent[1].capturedAtUs - startUs < 200_000);
});

Deno.test("VideoPump takes the start of a wave for the answer to a request", async () => {
  const { pump, sent } = openPump([
    ...Array(8).fill("picture"),
    () => pump.command({ kind: "idr", roundTripUs: ROUND_TRIP_US }),
    "picture",
    "picture",
  ], { hasWaves: true });
  pump.command({ kind: "destination", destination: DESTINATION });
  await pump.run(() => {});
  assert.deepEqual(sent.slice(8).map(({ wave }) => wave), ["start", undefined]);
});

Deno.test("VideoPump answers a request no earlier than it is told to", async () => {
  const { pump, sent } = openPump([
    ...Array(8).fill("picture"),
    () => pump.command({ kind: "idr", roundTripUs: ROUND_TRIP_US }),
    ...Array(8).fill("picture"),
  ], { recoveryMs: 100 });
  pump.command({ kind: "destination", destination: DESTINATION });
  await pump.run(() => {});
  // A picture every 16 ms: the seventh comes after 112.
  assert.deepEqual(sent.flatMap(({ isIdr }, index) => isIdr ? [index] : []), [0, 14]);
});

Deno.test("VideoPump makes an IDR when the encoder cannot invalidate references", async () => {
  const still = Array(6).fill("still");
  const { pump, sent, invalidated } = openPump([
    "picture",
    "picture",
    ...still,
    () =>
      pump.command({
        kind: "invalidate",
        firstFrameIndex: 1,
        lastFrameIndex: 2,
        roundTripUs: ROUND_TRIP_US,
      }),
    "picture",
  ]);
  pump.command({ kind: "destination", destination: DESTINATION });
  await pump.run(() => {});
  assert.deepEqual(invalidated, [[1, 2]]);
  assert.deepEqual(sent.map((frame) => frame.isIdr), [true, false, true]);
});

Deno.test("VideoPump ignores an invalidation of frames that were never sent", async () => {
  const { pump, invalidated } = openPump([
    "picture",
    () =>
      pump.command({
        kind: "invalidate",
        firstFrameIndex: 1,
        lastFrameIndex: 99,
        roundTripUs: ROUND_TRIP_US,
      }),
    () =>
      pump.command({
        kind: "invalidate",
        firstFrameIndex: 2,
        lastFrameIndex: 1,
        roundTripUs: ROUND_TRIP_US,
      }),
    "picture",
  ]);
  pump.command({ kind: "destination", destination: DESTINATION });
  await pump.run(() => {});
  assert.deepEqual(invalidated, []);
});

Deno.test("VideoPump follows a unit that is too large with an IDR under the same number", async () => {
  let isFirstTry = true;
  const { pump, sent } = openPump(["picture", "picture", "picture", "picture"], {
    isTooLarge: (index) => {
      const isHit = index === 2 && isFirstTry;
      if (isHit) isFirstTry = false;
      return isHit;
    },
  });
  pump.command({ kind: "destination", destination: DESTINATION });
  await pump.run(() => {});
  assert.deepEqual(sent.map((frame) => [frame.frameIndex, frame.isIdr]), [[1, true], [2, true], [
    3,
    false,
  ]]);
  assert.equal(pump.stats.droppedUnits, 1);
});

Deno.test("VideoPump ends by itself after the units it was asked for", async () => {
  const { pump, sent } = openPump(["picture", "picture", "picture", "picture"], { unitsMax: 2 });
  pump.command({ kind: "destination", destination: DESTINATION });
  await pump.run(() => {});
  assert.equal(sent.length, 2);
});

Deno.test("VideoPump reports each unit that left, and none that could not", async () => {
  const units: SentUnit[] = [];
  const { pump } = openPump(["picture", "picture", "still"], {
    onUnit: (unit) => units.push(unit),
    isTooLarge: (index) => index === 2,
  });
  pump.command({ kind: "destination", destination: DESTINATION });
  await pump.run(() => {});
  assert.deepEqual(units.map((unit) => unit.frameIndex), [1]);
  assert.deepEqual(units[0], {
    frameIndex: 1,
    capturedAtUs: units[0]?.capturedAtUs,
    waitedUs: 0,
    encodeUs: 0,
    sendUs: 0,
  });
});

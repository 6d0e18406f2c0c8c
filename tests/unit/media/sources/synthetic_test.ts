import assert from "node:assert/strict";
import { copyNativeBytes } from "../../../../src/media/native_bytes.ts";
import type { VideoFrame } from "../../../../src/media/ports.ts";
import { readClockStrips } from "../../../../src/probe/clock_strips.ts";
import { openVideoSource } from "../../../../src/media/sources/registry.ts";
import {
  SyntheticSource,
  type SyntheticVideoSpec,
} from "../../../../src/media/sources/synthetic.ts";
import { testVideoSource } from "../contract_video_source.ts";
import { assertLeavesNothing } from "../process_usage.ts";
import { FakeTimer } from "./fake_timer.ts";

const SPEC: SyntheticVideoSpec = {
  kind: "synthetic",
  widthPixels: 640,
  heightPixels: 360,
  refreshMilliHz: 60_000,
  content: "motion",
};

for (const content of ["motion", "noise", "text"] as const) {
  testVideoSource({
    ...SPEC,
    name: `SyntheticSource "${content}"`,
    open: () => openVideoSource({ ...SPEC, content }),
  });
}

function stripsOf(frame: VideoFrame) {
  return readClockStrips({
    data: copyNativeBytes(frame.data),
    widthPixels: frame.widthPixels,
    heightPixels: frame.heightPixels,
    strideBytes: frame.strideBytes,
    pixelSizeBytes: 4,
    offsetBytes: 1,
  });
}

Deno.test("SyntheticSource draws one picture an interval and writes its time and number into it", async () => {
  const timer = new FakeTimer();
  using source = new SyntheticSource(SPEC, timer);
  for (let index = 0; index < 5; index++) {
    const frame = await source.next(100);
    assert.ok(frame !== null);
    const dueAtUs = 1_000_000 + Math.ceil(index * 1e6 / 60);
    assert.equal(frame.capturedAtUs, dueAtUs);
    assert.deepEqual(stripsOf(frame), {
      drawnAtUs: Math.floor(dueAtUs / 100) * 100,
      counter: index,
    });
  }
});

Deno.test("SyntheticSource.next() returns null when the next picture is due after its time is up", async () => {
  const timer = new FakeTimer();
  using source = new SyntheticSource(SPEC, timer);
  await source.next(0);
  assert.equal(await source.next(10), null);
  assert.equal(timer.now, 1_010_000);
  assert.ok(await source.next(10) !== null);
  assert.equal(timer.now, 1_016_667);
});

Deno.test("SyntheticSource skips the pictures that a stalled caller missed", async () => {
  const timer = new FakeTimer();
  using source = new SyntheticSource(SPEC, timer);
  await source.next(100);
  timer.now += 1_000_000;
  const frame = await source.next(0);
  assert.ok(frame !== null);
  assert.equal(stripsOf(frame)?.counter, 60);
  assert.equal(await source.next(0), null);
});

Deno.test("SyntheticSource moves when its script says so", async () => {
  const timer = new FakeTimer();
  const script = { hz: 10, fromMs: 500, untilMs: 700 };
  using source = new SyntheticSource({ ...SPEC, script }, timer);
  const startUs = timer.now;
  const times: number[] = [];
  while (timer.now < startUs + 2_000_000) {
    const frame = await source.next(20);
    if (frame !== null) times.push((frame.capturedAtUs - startUs) / 1000);
  }
  assert.deepEqual(times, [0, 500, 600]);
});

Deno.test("SyntheticSource returns a still picture once", async () => {
  const timer = new FakeTimer();
  using source = new SyntheticSource({ ...SPEC, content: "still" }, timer);
  assert.ok(await source.next(100) !== null);
  for (let tries = 0; tries < 5; tries++) assert.equal(await source.next(100), null);
  assert.equal(timer.now, 1_500_000);
});

Deno.test("SyntheticSource.close() closes its timer", () => {
  const timer = new FakeTimer();
  new SyntheticSource(SPEC, timer).close();
  assert.ok(timer.isClosed);
});

Deno.test("SyntheticSource leaves neither descriptors nor memory behind", async () => {
  // Two pictures and a sheet of this size take 11 MB.
  const size = { widthPixels: 1280, heightPixels: 720 };
  await assertLeavesNothing(async () => {
    using source = await openVideoSource({ ...SPEC, ...size, content: "text" });
    await source.next(100);
  }, 20e6);
});

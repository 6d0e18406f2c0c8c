/**
 * Capture of a real headless Sway, with a client that stamps each of its pictures.
 *
 * @module
 */
import assert from "node:assert/strict";
import { openWlrootsSource, type WlrootsSourceSpec } from "../../src/media/sources/wlroots.ts";
import { copyNativeBytes } from "../../src/media/native_bytes.ts";
import type { VideoFrame, VideoSource } from "../../src/media/ports.ts";
import { canRemoveOutputs } from "../../src/display/wlroots_outputs.ts";
import { openSystemClock } from "../../src/platform/system_clock.ts";
import { SwayLab } from "./sway_lab.ts";

const WAIT_MS = 2000;

function specOf(lab: SwayLab, outputName = "HEADLESS-1"): WlrootsSourceSpec {
  return { kind: "wlroots", socketPath: lab.waylandSocket, outputName, hasCursor: false };
}

/** The client's counter in a picture. */
function counterOf(frame: VideoFrame): number {
  const pixels = new Deno.UnsafePointerView(frame.data.pointer);
  let counter = 0;
  for (let block = 0; block < 32; block++) {
    const isWhite = pixels.getUint8(8 * frame.strideBytes + (block * 16 + 8) * 4 + 1) > 127;
    counter = counter * 2 + (isWhite ? 1 : 0);
  }
  return counter;
}

/** Red, green and blue at a point, whatever the format. */
function colourAt(frame: VideoFrame, x: number, y: number): number[] {
  const offset = y * frame.strideBytes + x * 4;
  const bytes = copyNativeBytes(frame.data).subarray(offset, offset + 3);
  return frame.format === "bgrx" ? [...bytes].reverse() : [...bytes];
}

async function mustNext(source: VideoSource): Promise<VideoFrame> {
  const frame = await source.next(WAIT_MS);
  assert.ok(frame !== null, "no picture came in time");
  return frame;
}

/** Picture after picture until one fits. */
async function nextThat(
  source: VideoSource,
  fits: (frame: VideoFrame) => boolean,
): Promise<VideoFrame> {
  for (let count = 0; count < 200; count++) {
    const frame = await mustNext(source);
    if (fits(frame)) return frame;
  }
  throw new Error("no picture fits");
}

/** What a still screen shows; a version may send the same picture once more before it waits for changes. */
async function lastOfStill(source: VideoSource): Promise<VideoFrame> {
  let frame = await mustNext(source);
  for (let extra = 0; extra < 3; extra++) {
    const next = await source.next(100);
    if (next === null) return frame;
    frame = next;
  }
  throw new Error("a still screen keeps changing");
}

async function countOf(directory: string): Promise<number> {
  return (await Array.fromAsync(Deno.readDir(directory))).length;
}

Deno.test("openWlrootsSource() shows a moving screen, each picture once and in order", async () => {
  await using lab = await SwayLab.start();
  await lab.startClient("HEADLESS-1", "moving");
  using source = await openWlrootsSource(specOf(lab));
  const clock = openSystemClock();
  const frames: { counter: number; capturedAtUs: number; ageUs: number }[] = [];
  for (let count = 0; count < 90; count++) {
    const frame = await mustNext(source);
    assert.equal(`${frame.widthPixels}x${frame.heightPixels}`, "1280x720");
    frames.push({
      counter: counterOf(frame),
      capturedAtUs: frame.capturedAtUs,
      ageUs: clock.monotonicUs() - frame.capturedAtUs,
    });
  }
  frames.slice(1).forEach((frame, index) => {
    const previous = frames[index] ?? frame;
    assert.ok(frame.capturedAtUs > previous.capturedAtUs, "times grow");
    assert.ok(frame.counter >= previous.counter, "no older picture follows a newer one");
    assert.ok(frame.ageUs >= 0 && frame.ageUs < 2_000_000, "the times are CLOCK_MONOTONIC");
  });
  const distinct = new Set(frames.map(({ counter }) => counter)).size;
  assert.ok(distinct >= 80, `${distinct} of 90 pictures differ`);
});

Deno.test("openWlrootsSource() tells the colours apart", async () => {
  await using lab = await SwayLab.start();
  await lab.startClient("HEADLESS-1", "still");
  using source = await openWlrootsSource(specOf(lab));
  const frame = await mustNext(source);
  const [width, bottom] = [frame.widthPixels, frame.heightPixels - 8];
  const bars = [1, 3, 5, 7].map((eighth) =>
    colourAt(frame, Math.floor(width * eighth / 8), bottom)
  );
  assert.deepEqual(bars, [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]);
  assert.equal(frame.data.sizeBytes, frame.strideBytes * frame.heightPixels);
});

Deno.test("openWlrootsSource() shows a still screen at once and then waits for a change", async () => {
  await using lab = await SwayLab.start();
  const client = await lab.startClient("HEADLESS-1", "still");
  using source = await openWlrootsSource(specOf(lab));
  const frame = await lastOfStill(source);
  const before = copyNativeBytes(frame.data);
  assert.equal(await source.next(100), null);
  assert.equal(await source.next(0), null);
  assert.deepEqual(copyNativeBytes(frame.data), before, "the last picture stays through a null");
  const counter = counterOf(frame);
  await client.draw();
  assert.equal(counterOf(await mustNext(source)), counter + 1);
});

Deno.test("openWlrootsSource() leaves a picture alone while the next one is taken", async () => {
  await using lab = await SwayLab.start();
  const client = await lab.startClient("HEADLESS-1", "still");
  using source = await openWlrootsSource(specOf(lab));
  await lastOfStill(source);
  await client.draw();
  const frame = await mustNext(source);
  const before = copyNativeBytes(frame.data);
  const counter = counterOf(frame);
  await client.draw();
  await client.until((event) => event["counter"] === counter + 1);
  // Shown, for the compositor answers requests in order; only not yet asked for.
  await lab.ipc.version();
  assert.deepEqual(copyNativeBytes(frame.data), before);
  assert.equal(counterOf(await mustNext(source)), counter + 1);
});

Deno.test("openWlrootsSource() follows a change of size", async () => {
  await using lab = await SwayLab.start();
  await lab.startClient("HEADLESS-1", "moving");
  using source = await openWlrootsSource(specOf(lab));
  await mustNext(source);
  for (const size of ["1001x701", "640x480", "1920x1080"]) {
    await lab.ipc.command(`output HEADLESS-1 mode --custom ${size}@60Hz`);
    const frame = await nextThat(
      source,
      (one) => `${one.widthPixels}x${one.heightPixels}` === size,
    );
    assert.ok(frame.strideBytes >= frame.widthPixels * 4);
    await nextThat(source, (one) => counterOf(one) > counterOf(frame));
  }
});

Deno.test("openWlrootsSource() says that its output is lost", async () => {
  await using lab = await SwayLab.start();
  await lab.ipc.command("create_output");
  using source = await openWlrootsSource(specOf(lab, "HEADLESS-2"));
  await mustNext(source);
  const lost = assert.rejects(
    async () => {
      for (;;) await source.next(WAIT_MS);
    },
    { name: "OperationError", code: "capture-lost" },
  );
  const canRemove = canRemoveOutputs(await lab.ipc.version());
  // Where no output can be removed, it goes with its compositor.
  if (canRemove) await lab.ipc.command("output HEADLESS-2 unplug");
  else await lab.exit();
  await lost;
  if (!canRemove) {
    await assert.rejects(openWlrootsSource(specOf(lab)), { code: "missing-compositor" });
  }
});

Deno.test("openWlrootsSource() finds no output but the named one", async () => {
  await using lab = await SwayLab.start();
  await assert.rejects(openWlrootsSource(specOf(lab, "HEADLESS-9")), {
    name: "OperationError",
    code: "not-found",
  });
});

Deno.test("VideoSource.close() ends a waiting next() and leaves no descriptor", async () => {
  await using lab = await SwayLab.start();
  await lab.startClient("HEADLESS-1", "still");
  const run = async () => {
    const source = await openWlrootsSource(specOf(lab));
    await lastOfStill(source);
    const waiting = assert.rejects(source.next(60_000), { name: "OperationError", code: "failed" });
    source.close();
    source.close();
    await waiting;
    await assert.rejects(source.next(0), { name: "OperationError", code: "failed" });
  };
  await run();
  const before = await countOf("/proc/self/fd");
  for (let round = 0; round < 5; round++) await run();
  assert.equal(await countOf("/proc/self/fd"), before);
});

/**
 * What every VideoSource promises. A backend's test file calls {@link testVideoSource} with a way to open one.
 *
 * @module
 */
import assert from "node:assert/strict";
import { OperationError } from "../../../src/lib/errors.ts";
import { copyNativeBytes } from "../../../src/media/native_bytes.ts";
import type { VideoFrame, VideoSource } from "../../../src/media/ports.ts";

export interface VideoSourceSubject {
  readonly name: string;
  readonly widthPixels: number;
  readonly heightPixels: number;
  readonly refreshMilliHz: number;
  /** A source whose picture keeps changing. */
  open(): Promise<VideoSource>;
}

/** Long enough for any backend to come up with a picture on a busy machine. */
const WAIT_MS = 5_000;
const PACED_FRAMES = 12;

export function testVideoSource(subject: VideoSourceSubject): void {
  Deno.test(`${subject.name}: the first next() returns a picture of the asked size`, async () => {
    using source = await subject.open();
    const frame = await nextFrame(source);
    assert.equal(frame.widthPixels, subject.widthPixels);
    assert.equal(frame.heightPixels, subject.heightPixels);
    const rowBytes = frame.widthPixels * (frame.format === "i420" ? 1 : 4);
    assert.ok(frame.strideBytes >= rowBytes);
    assert.ok(frame.data.sizeBytes >= frame.strideBytes * (frame.heightPixels - 1) + rowBytes);
    assert.ok(frame.capturedAtUs > 0);
    assert.ok(source.description !== "");
  });

  Deno.test(`${subject.name}: a picture stays as it is through a next() that returns null`, async () => {
    using source = await subject.open();
    let frame = await nextFrame(source);
    let before = copyNativeBytes(frame.data);
    for (let tries = 0; tries < 100; tries++) {
      const newer = await source.next(0);
      if (newer === null) {
        assert.deepEqual(copyNativeBytes(frame.data), before);
        return;
      }
      frame = newer;
      before = copyNativeBytes(frame.data);
    }
    assert.fail("next(0) never returned null: the source does not pace itself");
  });

  Deno.test(`${subject.name}: pictures come in the order of their times, never above the refresh rate`, async () => {
    using source = await subject.open();
    const times: number[] = [];
    while (times.length < PACED_FRAMES) times.push((await nextFrame(source)).capturedAtUs);
    const sorted = times.toSorted((a, b) => a - b);
    assert.deepEqual(times, sorted);
    const spanUs = (times.at(-1) ?? 0) - (times[0] ?? 0);
    // The first picture may be older than its interval, hence one less.
    assert.ok(spanUs >= (PACED_FRAMES - 2) * 1e9 / subject.refreshMilliHz, `${spanUs} µs`);
  });

  Deno.test(`${subject.name}: close() twice is legal and next() fails afterwards`, async () => {
    const source = await subject.open();
    await nextFrame(source);
    const waiting = source.next(20).then(() => "settled", () => "settled");
    source.close();
    source.close();
    assert.equal(await waiting, "settled");
    await assert.rejects(
      () => source.next(0),
      (error) => error instanceof OperationError && error.code === "failed",
    );
  });
}

async function nextFrame(source: VideoSource): Promise<VideoFrame> {
  const frame = await source.next(WAIT_MS);
  assert.ok(frame !== null, "no picture came");
  return frame;
}

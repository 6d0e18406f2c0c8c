/**
 * What every AudioSource promises. A backend's test file calls {@link testAudioSource} with a way to open one.
 *
 * @module
 */
import assert from "node:assert/strict";
import { OperationError } from "../../../src/lib/errors.ts";
import type { AudioChannels, AudioSource } from "../../../src/media/ports.ts";

export interface AudioSourceSubject {
  readonly name: string;
  readonly channels: AudioChannels;
  open(): Promise<AudioSource>;
}

const WAIT_MS = 5_000;
const FLOAT_SIZE_BYTES = 4;
const BLOCKS = 40;
/** What a source may hand out at once after a stall, and its own start. */
const BURST_US = 150_000;

export function testAudioSource(subject: AudioSourceSubject): void {
  Deno.test(`${subject.name}: next() returns exactly as many samples as asked for`, async () => {
    using source = await subject.open();
    for (const samplesPerChannel of [240, 480, 240, 1]) {
      const frame = await source.next(samplesPerChannel, WAIT_MS);
      assert.ok(frame !== null, "no sound came");
      assert.equal(frame.samplesPerChannel, samplesPerChannel);
      assert.equal(
        frame.data.sizeBytes,
        samplesPerChannel * subject.channels * FLOAT_SIZE_BYTES,
      );
      assert.ok(frame.capturedAtUs > 0);
    }
    assert.ok(source.description !== "");
  });

  Deno.test(`${subject.name}: sound comes at its own pace and not faster`, async () => {
    using source = await subject.open();
    const times: number[] = [];
    while (times.length < BLOCKS) {
      const frame = await source.next(240, WAIT_MS);
      assert.ok(frame !== null, "no sound came");
      times.push(frame.capturedAtUs);
    }
    const spanUs = (times.at(-1) ?? 0) - (times[0] ?? 0);
    assert.ok(spanUs >= (BLOCKS - 1) * 5_000 - BURST_US, `${BLOCKS} blocks in ${spanUs} µs`);
  });

  Deno.test(`${subject.name}: close() twice is legal and next() fails afterwards`, async () => {
    const source = await subject.open();
    const waiting = source.next(240, 20).then(() => "settled", () => "settled");
    source.close();
    source.close();
    assert.equal(await waiting, "settled");
    await assert.rejects(
      () => source.next(240, 0),
      (error) => error instanceof OperationError && error.code === "failed",
    );
  });
}

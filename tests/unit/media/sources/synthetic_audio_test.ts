import assert from "node:assert/strict";
import { copyNativeBytes } from "../../../../src/media/native_bytes.ts";
import { openAudioSource } from "../../../../src/media/sources/registry.ts";
import { SyntheticAudioSource } from "../../../../src/media/sources/synthetic_audio.ts";
import { ToneGenerator } from "../../../../src/media/sources/tone.ts";
import { testAudioSource } from "../contract_audio_source.ts";
import { FakeTimer } from "./fake_timer.ts";

for (const channels of [2, 6, 8] as const) {
  testAudioSource({
    name: `SyntheticAudioSource, ${channels} channels`,
    channels,
    open: () => openAudioSource({ kind: "synthetic", channels }),
  });
}

Deno.test("SyntheticAudioSource delivers the tones without a gap, each block when it has sounded", async () => {
  const timer = new FakeTimer();
  using source = new SyntheticAudioSource({ kind: "synthetic", channels: 2 }, timer);
  const tones = new ToneGenerator(2);
  const expected = new Float32Array(480);
  for (let block = 1; block <= 10; block++) {
    const frame = await source.next(240, 100);
    assert.ok(frame !== null);
    assert.equal(frame.capturedAtUs, 1_000_000 + block * 5_000);
    tones.fill(expected);
    assert.deepEqual(new Float32Array(copyNativeBytes(frame.data).buffer), expected);
  }
});

Deno.test("SyntheticAudioSource.next() returns null when the block is not due in time, and loses nothing", async () => {
  const timer = new FakeTimer();
  using source = new SyntheticAudioSource({ kind: "synthetic", channels: 2 }, timer);
  assert.equal(await source.next(480, 4), null);
  assert.equal(timer.now, 1_004_000);
  const frame = await source.next(480, 6);
  assert.equal(frame?.capturedAtUs, 1_010_000);
});

Deno.test("SyntheticAudioSource gives a stalled caller at most 100 ms at once", async () => {
  const timer = new FakeTimer();
  using source = new SyntheticAudioSource({ kind: "synthetic", channels: 2 }, timer);
  timer.now += 3_000_000;
  let blocks = 0;
  while (await source.next(240, 0) !== null) blocks++;
  assert.equal(blocks, 21);
});

Deno.test("SyntheticAudioSource.close() closes its timer", () => {
  const timer = new FakeTimer();
  new SyntheticAudioSource({ kind: "synthetic", channels: 2 }, timer).close();
  assert.ok(timer.isClosed);
});

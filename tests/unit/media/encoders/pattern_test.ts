import assert from "node:assert/strict";
import {
  fillPattern,
  isPattern,
  openPatternEncoder,
  PATTERN_UNIT_BYTES_MAX,
} from "../../../../src/media/encoders/pattern.ts";
import { copyNativeBytes } from "../../../../src/media/native_bytes.ts";
import type { PatternEncoderSpec, VideoFrame } from "../../../../src/media/ports.ts";

const SPEC: PatternEncoderSpec = {
  codec: "pattern",
  refreshMilliHz: 60_000,
  bitrateKbps: 12_000,
  idrPercent: 300,
  fillPercent: 100,
  waveUnits: undefined,
  isFollowingBitrate: true,
  unitBytesMax: 64 * 1024 * 1024,
};
const FRAME = {} as VideoFrame;

Deno.test("fillPattern() writes the index, then the ramp that counts from the start of the unit", () => {
  const unit = new Uint8Array(700);
  fillPattern(unit, 7);
  assert.deepEqual([...unit.subarray(0, 8)], [7, 0, 0, 0, 11, 12, 13, 14]);
  assert.equal(unit[699], (7 + 699) & 0xff);
  assert.ok(isPattern(unit, 7));
});

Deno.test("isPattern() notices any single wrong byte, a wrong index and a unit too short for one", () => {
  const unit = new Uint8Array(600);
  fillPattern(unit, 0x1_0203);
  for (let at = 0; at < unit.byteLength; at++) {
    unit[at] = (unit[at] ?? 0) ^ 0x10;
    assert.equal(isPattern(unit, 0x1_0203), false, `byte ${at}`);
    unit[at] = (unit[at] ?? 0) ^ 0x10;
  }
  assert.ok(isPattern(unit, 0x1_0203));
  assert.equal(isPattern(unit, 0x1_0204), false);
  assert.equal(isPattern(new Uint8Array(3), 0), false);
});

Deno.test("PatternEncoder makes units of the bitrate's size and larger IDRs", () => {
  using encoder = openPatternEncoder(SPEC);
  const first = encoder.encode(FRAME, { isIdrWanted: false, frameIndex: 0 });
  assert.deepEqual([first.kind, first.data.sizeBytes], ["idr", 75_000]);
  const second = encoder.encode(FRAME, { isIdrWanted: false, frameIndex: 1 });
  assert.deepEqual([second.kind, second.data.sizeBytes], ["p", 25_000]);
  assert.ok(isPattern(copyNativeBytes(second.data), 1));
  assert.equal(encoder.encode(FRAME, { isIdrWanted: true, frameIndex: 2 }).kind, "idr");
  encoder.setBitrate(24_000);
  const later = encoder.encode(FRAME, { isIdrWanted: false, frameIndex: 3 });
  assert.equal(later.data.sizeBytes, 50_000);
  assert.ok(isPattern(copyNativeBytes(later.data), 3));
});

Deno.test("PatternEncoder keeps its size when it does not follow the bitrate, and never exceeds the limit", () => {
  using fixed = openPatternEncoder({ ...SPEC, isFollowingBitrate: false });
  fixed.setBitrate(1_000);
  fixed.encode(FRAME, { isIdrWanted: false, frameIndex: 0 });
  assert.equal(
    fixed.encode(FRAME, { isIdrWanted: false, frameIndex: 1 }).data.sizeBytes,
    25_000,
  );
  using huge = openPatternEncoder({ ...SPEC, bitrateKbps: 8_000_000, refreshMilliHz: 1_000 });
  assert.equal(
    huge.encode(FRAME, { isIdrWanted: false, frameIndex: 0 }).data.sizeBytes,
    PATTERN_UNIT_BYTES_MAX,
  );
});

Deno.test("PatternEncoder makes no unit larger than the client takes, whatever the rate becomes", () => {
  using encoder = openPatternEncoder({ ...SPEC, unitBytesMax: 30_000 });
  const sizeOf = (frameIndex: number) =>
    encoder.encode(FRAME, { isIdrWanted: false, frameIndex }).data.sizeBytes;
  assert.deepEqual([sizeOf(0), sizeOf(1)], [30_000, 25_000]);
  encoder.setBitrate(24_000);
  assert.equal(sizeOf(2), 30_000);
});

Deno.test("PatternEncoder fills as much of its rate as it is told", () => {
  using encoder = openPatternEncoder({ ...SPEC, fillPercent: 40 });
  const sizeOf = (frameIndex: number) =>
    encoder.encode(FRAME, { isIdrWanted: false, frameIndex }).data.sizeBytes;
  assert.deepEqual([sizeOf(0), sizeOf(1)], [30_000, 10_000]);
});

Deno.test("PatternEncoder answers with a wave that carries a key frame's surplus, and begins it anew when asked again", () => {
  using encoder = openPatternEncoder({ ...SPEC, waveUnits: 4 });
  const asked = new Set([1, 6, 8]);
  const units = Array.from({ length: 14 }, (_, frameIndex) => {
    const unit = encoder.encode(FRAME, { isIdrWanted: asked.has(frameIndex), frameIndex });
    assert.ok(isPattern(copyNativeBytes(unit.data), frameIndex));
    return unit;
  });
  assert.deepEqual(units.map(({ kind }) => kind), ["idr", ...Array(13).fill("p")]);
  const marks = units.flatMap(({ wave }, index) => wave === undefined ? [] : [[index, wave]]);
  assert.deepEqual(marks, [[1, "start"], [4, "close"], [6, "start"], [8, "start"], [11, "close"]]);
  const sizes = units.slice(0, 6).map(({ data }) => data.sizeBytes);
  assert.deepEqual(sizes, [75_000, 37_500, 37_500, 37_500, 37_500, 25_000]);
});

Deno.test("PatternEncoder refuses to encode once it is closed", () => {
  const encoder = openPatternEncoder(SPEC);
  encoder.close();
  encoder.close();
  assert.throws(() => encoder.encode(FRAME, { isIdrWanted: false, frameIndex: 0 }), /closed/);
});

import assert from "node:assert/strict";
import { OperationError } from "../../../../src/lib/errors.ts";
import { softwareVideoCapabilities } from "../../../../src/media/encoders/openh264.ts";
import { openVideoEncoder } from "../../../../src/media/encoders/registry.ts";
import { copyNativeBytes } from "../../../../src/media/native_bytes.ts";
import type { VideoEncoderSpec } from "../../../../src/media/ports.ts";
import { bgrxFrame, patternFrame, testVideoEncoder } from "../contract_video_encoder.ts";
import { assertLeavesNothing } from "../process_usage.ts";
import { NAL_IDR_SLICE, NAL_PPS, NAL_SLICE, NAL_SPS, parseSps, splitNals } from "./h264_stream.ts";

const SPEC: VideoEncoderSpec = {
  codec: "h264",
  widthPixels: 640,
  heightPixels: 360,
  refreshMilliHz: 60_000,
  bitrateKbps: 5_000,
  slices: 1,
  referenceFrames: 1,
  colorSpace: "bt709",
  isFullRange: false,
};

testVideoEncoder({ name: "OpenH264, one slice", spec: SPEC, open: openVideoEncoder });
testVideoEncoder({
  name: "OpenH264, four slices",
  spec: { ...SPEC, slices: 4, referenceFrames: 3 },
  open: openVideoEncoder,
});

for (const slices of [1, 2, 3, 4]) {
  Deno.test(`OpenH264 puts SPS and PPS before IDRs only, and ${slices} slices into every unit`, async () => {
    using encoder = await openVideoEncoder({ ...SPEC, slices });
    for (let frameIndex = 0; frameIndex < 6; frameIndex++) {
      const isIdr = frameIndex % 3 === 0;
      const unit = encoder.encode(patternFrame(SPEC, frameIndex), {
        isIdrWanted: isIdr,
        frameIndex,
      });
      const nals = splitNals(copyNativeBytes(unit.data));
      const slice = isIdr ? NAL_IDR_SLICE : NAL_SLICE;
      const expected = [...(isIdr ? [NAL_SPS, NAL_PPS] : []), ...Array(slices).fill(slice)];
      assert.deepEqual(nals.map((nal) => nal.type), expected);
      // The first packet of a client with the smallest payload holds about a thousand bytes.
      if (isIdr) assert.ok((nals[2]?.offset ?? Infinity) < 100);
    }
  });
}

Deno.test("OpenH264 says size, colours, references and no reordering in its SPS", async () => {
  for (
    const [colorSpace, isFullRange, code] of [
      ["bt601", false, 6],
      ["bt601", true, 6],
      ["bt709", false, 1],
      ["bt709", true, 1],
    ] as const
  ) {
    const spec = {
      ...SPEC,
      widthPixels: 1366,
      heightPixels: 768,
      referenceFrames: 2,
      colorSpace,
      isFullRange,
    };
    using encoder = await openVideoEncoder(spec);
    const unit = encoder.encode(patternFrame(spec, 0), { isIdrWanted: true, frameIndex: 0 });
    const sps = splitNals(copyNativeBytes(unit.data))[0];
    assert.ok(sps !== undefined);
    assert.deepEqual(parseSps(sps.payload), {
      profileIdc: 100,
      levelIdc: 42,
      referenceFrames: 2,
      widthPixels: 1366,
      heightPixels: 768,
      isFullRange,
      primaries: code,
      transfer: code,
      matrix: code,
      reorderFramesMax: 0,
      bufferedFramesMax: 2,
    });
  }
});

Deno.test("openVideoEncoder() refuses what OpenH264 cannot do and takes the largest picture", async () => {
  const isRefused = (error: unknown) => error instanceof OperationError && error.code === "refused";
  for (
    const change of [
      { codec: "hevc" },
      { colorSpace: "bt2020" },
      { widthPixels: 63 },
      { heightPixels: 63 },
      { widthPixels: 8193, heightPixels: 64 },
      { widthPixels: 4096, heightPixels: 2305 },
    ] as const
  ) {
    await assert.rejects(() => openVideoEncoder({ ...SPEC, ...change }), isRefused);
  }
  (await openVideoEncoder({ ...SPEC, widthPixels: 4096, heightPixels: 2304 })).close();
  (await openVideoEncoder({ ...SPEC, widthPixels: 64, heightPixels: 64 })).close();
  assert.equal(softwareVideoCapabilities.pixelsMax, 4096 * 2304);
});

Deno.test("OpenH264 survives black and white noise at the highest rate, in one slice and in four", async () => {
  const pixels = new Uint8Array(640 * 360 * 4);
  for (const slices of [1, 4]) {
    using encoder = await openVideoEncoder({ ...SPEC, slices, bitrateKbps: 100_000 });
    let random = 1;
    for (let frameIndex = 0; frameIndex < 8; frameIndex++) {
      for (let at = 0; at < pixels.length; at++) {
        random = (Math.imul(random, 1_664_525) + 1_013_904_223) | 0;
        pixels[at] = random < 0 ? 255 : 0;
      }
      const frame = bgrxFrame(pixels, { ...SPEC, capturedAtUs: 1_000_000 + frameIndex * 16_667 });
      const unit = encoder.encode(frame, { isIdrWanted: frameIndex === 5, frameIndex });
      assert.ok(unit.data.sizeBytes < 640 * 360);
    }
  }
});

Deno.test("OpenH264 leaves neither descriptors nor threads nor memory behind", async () => {
  const spec = { ...SPEC, widthPixels: 1280, heightPixels: 720, slices: 2 };
  const frame = patternFrame(spec, 0);
  // One encoder of this size takes 25 MB.
  await assertLeavesNothing(async () => {
    using encoder = await openVideoEncoder(spec);
    encoder.encode(frame, { isIdrWanted: true, frameIndex: 0 });
  }, 20e6);
});

import assert from "node:assert/strict";
import { PictureDrawer } from "../../../../ffi/picture.ts";
import { concatBytes } from "../../../../src/lib/bytes.ts";
import { openVideoEncoder } from "../../../../src/media/encoders/registry.ts";
import { copyNativeBytes } from "../../../../src/media/native_bytes.ts";
import type { VideoEncoderSpec, VideoFrame } from "../../../../src/media/ports.ts";
import { readClockStrips } from "../../../../src/probe/clock_strips.ts";
import { bgrxFrame } from "../contract_video_encoder.ts";
import { decodeWithFfmpeg } from "./h264_stream.ts";

const SPEC: VideoEncoderSpec = {
  codec: "h264",
  widthPixels: 1280,
  heightPixels: 720,
  refreshMilliHz: 60_000,
  bitrateKbps: 40_000,
  slices: 1,
  referenceFrames: 1,
  colorSpace: "bt709",
  isFullRange: false,
};

async function encodeAll(spec: VideoEncoderSpec, frames: Iterable<VideoFrame>) {
  using encoder = await openVideoEncoder(spec);
  const units: Uint8Array[] = [];
  for (const frame of frames) {
    const options = { isIdrWanted: units.length === 0, frameIndex: units.length };
    units.push(copyNativeBytes(encoder.encode(frame, options).data));
  }
  return concatBytes(...units);
}

const FRAMES = 6;
const KR = { bt601: 0.299, bt709: 0.2126 } as const;
const KB = { bt601: 0.114, bt709: 0.0722 } as const;

/** Luma of a BGRX picture by the formula, limited range, for the coded part of it. */
function lumaOf(
  pixels: Uint8Array,
  spec: VideoEncoderSpec,
  strideBytes: number,
): Float64Array<ArrayBuffer> {
  const matrix = spec.colorSpace === "bt601" ? "bt601" : "bt709";
  const luma = new Float64Array(spec.widthPixels * spec.heightPixels);
  for (let y = 0; y < spec.heightPixels; y++) {
    for (let x = 0; x < spec.widthPixels; x++) {
      const at = y * strideBytes + x * 4;
      const [blue = 0, green = 0, red = 0] = pixels.subarray(at, at + 3);
      const value = KR[matrix] * red + KB[matrix] * blue + (1 - KR[matrix] - KB[matrix]) * green;
      luma[y * spec.widthPixels + x] = 16 + value * 219 / 255;
    }
  }
  return luma;
}

function psnr(expected: Float64Array, actual: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < expected.length; at++) {
    sum += ((expected[at] ?? 0) - (actual[at] ?? 0)) ** 2;
  }
  return 10 * Math.log10(255 ** 2 / (sum / expected.length));
}

for (
  const [widthPixels, heightPixels, drawnHeightPixels] of [
    [1280, 720, 720],
    [1366, 768, 768],
    [1728, 1116, 1117],
    [2796, 1290, 1290],
  ] as const
) {
  Deno.test(`OpenH264 at ${widthPixels}x${heightPixels} from ${widthPixels}x${drawnHeightPixels} decodes to every picture, with its clock`, async () => {
    const spec = { ...SPEC, widthPixels, heightPixels };
    const size = { widthPixels, heightPixels: drawnHeightPixels };
    using drawer = new PictureDrawer({ ...size, content: "motion" });
    let last = new Float64Array();
    const draw = function* () {
      for (let index = 0; index < FRAMES; index++) {
        const picture = drawer.draw(5_000_000 + index * 16_700, index);
        if (index === FRAMES - 1) {
          last = lumaOf(copyNativeBytes(picture), spec, picture.strideBytes);
        }
        yield {
          ...size,
          data: picture,
          strideBytes: picture.strideBytes,
          format: "bgrx" as const,
          capturedAtUs: 5_000_000 + index * 16_700,
        };
      }
    };
    const decoded = await decodeWithFfmpeg(await encodeAll(spec, draw()));
    const pictureSize = widthPixels * heightPixels * 3 / 2;
    assert.equal(decoded.byteLength, FRAMES * pictureSize);
    for (let index = 0; index < FRAMES; index++) {
      const strips = readClockStrips({
        data: decoded.subarray(index * pictureSize),
        widthPixels,
        heightPixels,
        strideBytes: widthPixels,
        pixelSizeBytes: 1,
        offsetBytes: 0,
      });
      assert.deepEqual(strips, { drawnAtUs: 5_000_000 + index * 16_700, counter: index });
    }
    const quality = psnr(last, decoded.subarray((FRAMES - 1) * pictureSize));
    assert.ok(quality > 38, `PSNR is ${quality.toFixed(1)} dB`);
  });
}

/** Colours that tell matrices and ranges apart, and red from blue. */
const PATCHES = [
  [255, 0, 0],
  [0, 255, 0],
  [0, 0, 255],
  [255, 255, 255],
  [0, 0, 0],
  [128, 128, 128],
  [250, 200, 20],
  [30, 90, 160],
] as const;
const PATCH_SIZE = 64;

function patchPixels(order: "bgrx" | "rgbx"): Uint8Array<ArrayBuffer> {
  const pixels = new Uint8Array(PATCHES.length * PATCH_SIZE * PATCH_SIZE * 4);
  for (let y = 0; y < PATCH_SIZE; y++) {
    for (const [patch, colour] of PATCHES.entries()) {
      const row = (y * PATCHES.length + patch) * PATCH_SIZE * 4;
      const bytes = order === "rgbx" ? colour : colour.toReversed();
      for (let x = 0; x < PATCH_SIZE; x++) pixels.set(bytes, row + x * 4);
    }
  }
  return pixels;
}

for (const colorSpace of ["bt601", "bt709"] as const) {
  for (const isFullRange of [false, true]) {
    const range = isFullRange ? "full" : "limited";
    Deno.test(`OpenH264 colours in ${colorSpace}, ${range} range, come back as they were`, async () => {
      const size = { widthPixels: PATCHES.length * PATCH_SIZE, heightPixels: PATCH_SIZE };
      const spec = { ...SPEC, ...size, colorSpace, isFullRange };
      for (const format of ["bgrx", "rgbx"] as const) {
        const frame = bgrxFrame(patchPixels(format), { ...size, capturedAtUs: 1_000_000 });
        const stream = await encodeAll(spec, [{ ...frame, format }]);
        const decoded = await decodeWithFfmpeg(stream, "rgb24");
        for (const [patch, colour] of PATCHES.entries()) {
          const middle = ((PATCH_SIZE / 2) * size.widthPixels + (patch + 0.5) * PATCH_SIZE) * 3;
          const found = [...decoded.subarray(middle, middle + 3)];
          const worst = Math.max(...found.map((value, i) => Math.abs(value - (colour[i] ?? 0))));
          assert.ok(worst <= 5, `${format} ${colour} came back as ${found}`);
        }
      }
    });
  }
}

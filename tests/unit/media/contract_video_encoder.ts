/**
 * What every VideoEncoder promises. A backend's test file calls {@link testVideoEncoder} with a way to open one.
 *
 * @module
 */
import assert from "node:assert/strict";
import { OperationError } from "../../../src/lib/errors.ts";
import { copyNativeBytes } from "../../../src/media/native_bytes.ts";
import type { VideoEncoder, VideoEncoderSpec, VideoFrame } from "../../../src/media/ports.ts";

export interface VideoEncoderSubject {
  readonly name: string;
  /** Even sizes. */
  readonly spec: VideoEncoderSpec;
  open(spec: VideoEncoderSpec): Promise<VideoEncoder>;
}

export function testVideoEncoder(subject: VideoEncoderSubject): void {
  const { spec } = subject;

  Deno.test(`${subject.name}: the first unit is an IDR, others only when asked for`, async () => {
    using encoder = await subject.open(spec);
    const kinds: string[] = [];
    for (let frameIndex = 0; frameIndex < 6; frameIndex++) {
      if (frameIndex === 2) encoder.setBitrate(spec.bitrateKbps * 2);
      const frame = patternFrame(spec, frameIndex);
      const unit = encoder.encode(frame, { isIdrWanted: frameIndex === 4, frameIndex });
      kinds.push(unit.kind);
      assert.ok(unit.data.sizeBytes > 0);
    }
    assert.deepEqual(kinds, ["idr", "p", "p", "p", "idr", "p"]);
    assert.ok(encoder.description !== "");
  });

  Deno.test(`${subject.name}: encode() leaves the picture as it is and takes one surplus pixel per axis`, async () => {
    using encoder = await subject.open(spec);
    const larger = {
      ...spec,
      widthPixels: spec.widthPixels + 1,
      heightPixels: spec.heightPixels + 1,
    };
    const frame = patternFrame(larger, 0);
    const before = copyNativeBytes(frame.data);
    assert.equal(encoder.encode(frame, { isIdrWanted: false, frameIndex: 0 }).kind, "idr");
    assert.deepEqual(copyNativeBytes(frame.data), before);
  });

  Deno.test(`${subject.name}: the same pictures give the same units from two encoders`, async () => {
    using first = await subject.open(spec);
    using second = await subject.open(spec);
    for (let frameIndex = 0; frameIndex < 3; frameIndex++) {
      const frame = patternFrame(spec, frameIndex);
      const options = { isIdrWanted: false, frameIndex };
      const unit = copyNativeBytes(first.encode(frame, options).data);
      assert.deepEqual(copyNativeBytes(second.encode(frame, options).data), unit);
    }
  });

  Deno.test(`${subject.name}: invalidateReferences() is followed by what it said`, async () => {
    using encoder = await subject.open(spec);
    for (let frameIndex = 0; frameIndex < 4; frameIndex++) {
      encoder.encode(patternFrame(spec, frameIndex), { isIdrWanted: false, frameIndex });
    }
    const isDone = encoder.invalidateReferences(3, 3);
    const options = { isIdrWanted: !isDone, frameIndex: 4 };
    const unit = encoder.encode(patternFrame(spec, 4), options);
    assert.equal(unit.kind, isDone ? "p-after-invalidation" : "idr");
  });

  Deno.test(`${subject.name}: close() twice is legal and every call fails afterwards`, async () => {
    const encoder = await subject.open(spec);
    encoder.close();
    encoder.close();
    const isFailed = (error: unknown) => error instanceof OperationError && error.code === "failed";
    const frame = patternFrame(spec, 0);
    assert.throws(() => encoder.encode(frame, { isIdrWanted: false, frameIndex: 0 }), isFailed);
    assert.throws(() => encoder.setBitrate(1000), isFailed);
    assert.throws(() => encoder.invalidateReferences(0, 0), isFailed);
  });
}

/** A BGRX picture with edges and slopes that move with `index`, in memory of its own. */
export function patternFrame(
  size: { readonly widthPixels: number; readonly heightPixels: number },
  index: number,
): VideoFrame {
  const { widthPixels, heightPixels } = size;
  const pixels = new Uint8Array(widthPixels * heightPixels * 4);
  for (let y = 0; y < heightPixels; y++) {
    for (let x = 0; x < widthPixels; x++) {
      const at = (y * widthPixels + x) * 4;
      pixels[at] = (x + index * 4) & 0xFF;
      pixels[at + 1] = (y * 2 + index) & 0xFF;
      pixels[at + 2] = ((x >> 5) ^ ((y + index) >> 5)) & 1 ? 220 : 40;
    }
  }
  return bgrxFrame(pixels, { ...size, capturedAtUs: 1_000_000 + index * 16_667 });
}

/** A frame over `pixels`, tightly packed BGRX. It holds on to them: a bare pointer would not. */
export function bgrxFrame(
  pixels: Uint8Array<ArrayBuffer>,
  shape: {
    readonly widthPixels: number;
    readonly heightPixels: number;
    readonly capturedAtUs: number;
  },
): VideoFrame & { readonly pixels: Uint8Array } {
  const pointer = Deno.UnsafePointer.of(pixels);
  assert.ok(pointer !== null);
  return {
    ...shape,
    data: { pointer, sizeBytes: pixels.byteLength },
    strideBytes: shape.widthPixels * 4,
    format: "bgrx",
    pixels,
  };
}

/**
 * H.264 in software as an encoder: OpenH264 codes, {@link QuantiserController} holds the rate.
 *
 * References cannot be invalidated: OpenH264 predicts from long-term references only after feedback about their frame
 * numbers, which clients of this host do not give. A loss costs an IDR.
 *
 * @module
 */
import {
  H264_PIXELS_MAX,
  H264_REFERENCE_FRAMES_MAX,
  H264_SIDE_MAX,
  H264_SIDE_MIN,
  H264_SLICES_MAX,
  H264_THREADS_MAX,
  H264Encoder,
} from "../../../ffi/h264.ts";
import { OperationError } from "../../lib/errors.ts";
import type { AccessUnit, VideoEncoder, VideoEncoderSpec, VideoFrame } from "../ports.ts";
import { QuantiserController } from "../rate/quantiser_controller.ts";
import { h264Level } from "./h264_level.ts";

/** What the session's plan needs to know before it asks for a stream. */
export const softwareVideoCapabilities = {
  codecs: ["h264"],
  widthPixelsMin: H264_SIDE_MIN,
  widthPixelsMax: H264_SIDE_MAX,
  heightPixelsMin: H264_SIDE_MIN,
  heightPixelsMax: H264_SIDE_MAX,
  /** Both sides rounded up to multiples of 16: 4096x2304 is the largest of its shape. */
  pixelsMax: H264_PIXELS_MAX,
  slicesMax: H264_SLICES_MAX,
  referenceFramesMax: H264_REFERENCE_FRAMES_MAX,
  bitrateKbpsMax: 100_000,
  canInvalidateReferences: false,
} as const;

/** A longer pause than this says nothing about the rate. */
const ELAPSED_US_MAX = 500_000;

/** Throws OperationError "refused" for what OpenH264 cannot do, "missing-library" when the shim is not there. */
export function openOpenH264Encoder(spec: VideoEncoderSpec): VideoEncoder {
  const reason = whyRefused(spec);
  if (reason !== null) throw new OperationError("refused", `Cannot encode in software: ${reason}`);
  return new OpenH264Encoder(spec);
}

function whyRefused(spec: VideoEncoderSpec): string | null {
  const { widthPixels, heightPixels } = spec;
  if (spec.codec !== "h264") return `the codec is ${spec.codec}, OpenH264 codes h264 only`;
  if (spec.colorSpace === "bt2020") return "the colour space is bt2020, known are bt601 and bt709";
  if (
    Math.min(widthPixels, heightPixels) < H264_SIDE_MIN || !isCodable(widthPixels, heightPixels)
  ) {
    return `the picture is ${widthPixels}x${heightPixels}, at least ${H264_SIDE_MIN}x${H264_SIDE_MIN} and ` +
      `at most ${H264_PIXELS_MAX} pixels are possible`;
  }
  return null;
}

function isCodable(widthPixels: number, heightPixels: number): boolean {
  const pixels = Math.ceil(widthPixels / 16) * Math.ceil(heightPixels / 16) * 256;
  return Math.max(widthPixels, heightPixels) <= H264_SIDE_MAX && pixels <= H264_PIXELS_MAX;
}

class OpenH264Encoder implements VideoEncoder {
  readonly description: string;
  readonly #encoder: H264Encoder;
  readonly #rate: QuantiserController;
  readonly #intervalUs: number;
  #lastCapturedAtUs: number | null = null;
  #isClosed = false;

  constructor(spec: VideoEncoderSpec) {
    // 4:2:0 has no odd sizes: the last row or column is cropped.
    const widthPixels = spec.widthPixels & ~1;
    const heightPixels = spec.heightPixels & ~1;
    const slices = Math.min(spec.slices, H264_SLICES_MAX);
    const referenceFrames = Math.min(spec.referenceFrames, H264_REFERENCE_FRAMES_MAX);
    const threads = Math.min(slices, H264_THREADS_MAX, navigator.hardwareConcurrency);
    this.#encoder = new H264Encoder({
      widthPixels,
      heightPixels,
      refreshMilliHz: spec.refreshMilliHz,
      slices,
      threads,
      referenceFrames,
      levelIdc: h264Level({ ...spec, widthPixels, heightPixels, referenceFrames }),
      matrix: spec.colorSpace === "bt601" ? "bt601" : "bt709",
      isFullRange: spec.isFullRange,
    });
    this.#rate = new QuantiserController({ ...spec, pixels: widthPixels * heightPixels });
    this.#intervalUs = 1e9 / spec.refreshMilliHz;
    this.description = `OpenH264 2.3.1, ${threads} thread${threads > 1 ? "s" : ""}, ` +
      "no reference invalidation";
  }

  encode(
    frame: VideoFrame,
    options: { readonly isIdrWanted: boolean; readonly frameIndex: number },
  ): AccessUnit {
    const complexity = this.#encoder.load({
      pointer: frame.data.pointer,
      sizeBytes: frame.data.sizeBytes,
      widthPixels: frame.widthPixels,
      heightPixels: frame.heightPixels,
      strideBytes: frame.strideBytes,
      format: frame.format,
    });
    const isIdr = options.isIdrWanted || this.#lastCapturedAtUs === null;
    const elapsedUs = this.#elapsedUs(frame.capturedAtUs);
    const quantiser = this.#rate.plan({ ...complexity, isIdr, elapsedUs });
    const unit = this.#encoder.encode(quantiser, isIdr);
    this.#rate.update(unit.sizeBytes);
    return {
      data: { pointer: unit.pointer, sizeBytes: unit.sizeBytes },
      kind: unit.isIdr ? "idr" : "p",
    };
  }

  setBitrate(kbps: number): void {
    this.#assertOpen();
    this.#rate.setBitrate(kbps);
  }

  invalidateReferences(): boolean {
    this.#assertOpen();
    return false;
  }

  close(): void {
    this.#isClosed = true;
    this.#encoder.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new OperationError("failed", "Cannot use the encoder: it is closed");
  }

  /** A repeated picture carries its old time: it counts as one interval. */
  #elapsedUs(capturedAtUs: number): number {
    const elapsedUs = capturedAtUs - (this.#lastCapturedAtUs ?? capturedAtUs);
    this.#lastCapturedAtUs = capturedAtUs;
    return elapsedUs > 0 ? Math.min(elapsedUs, ELAPSED_US_MAX) : this.#intervalUs;
  }
}

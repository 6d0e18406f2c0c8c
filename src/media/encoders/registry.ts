/**
 * From a spec to an encoder. Backends are imported when they are opened.
 *
 * @module
 */
import type {
  AudioEncoder,
  AudioEncoderSpec,
  PatternEncoderSpec,
  VideoEncoder,
  VideoEncoderSpec,
} from "../ports.ts";

/** Throws OperationError when no encoder here can do what the spec asks. */
export async function openVideoEncoder(
  spec: VideoEncoderSpec | PatternEncoderSpec,
): Promise<VideoEncoder> {
  if (spec.codec === "pattern") return (await import("./pattern.ts")).openPatternEncoder(spec);
  return (await import("./openh264.ts")).openOpenH264Encoder(spec);
}

/** Throws OperationError "missing-library" when the shim is not there. */
export async function openAudioEncoder(spec: AudioEncoderSpec): Promise<AudioEncoder> {
  return (await import("./opus.ts")).openOpusEncoder(spec);
}

/**
 * Opus as an encoder: libopus, restricted low delay, constant bitrate.
 *
 * @module
 */
import { OpusEncoder } from "../../../ffi/opus.ts";
import { NativeError } from "../../lib/errors.ts";
import type { AudioEncoder, AudioEncoderSpec, AudioFrame } from "../ports.ts";
import type { NativeBytes } from "../native_bytes.ts";

const SAMPLES_PER_MS = 48;

/** Throws OperationError "missing-library" when the shim is not there, NativeError for an impossible layout. */
export function openOpusEncoder(spec: AudioEncoderSpec): AudioEncoder {
  return new OpusAudioEncoder(spec);
}

class OpusAudioEncoder implements AudioEncoder {
  readonly #encoder: OpusEncoder;

  constructor(spec: AudioEncoderSpec) {
    this.#encoder = new OpusEncoder({
      channels: spec.channels,
      streams: spec.streams,
      coupledStreams: spec.coupledStreams,
      mapping: spec.mapping,
      bitrateBps: spec.bitrateBps,
      frameSamples: spec.frameDurationMs * SAMPLES_PER_MS,
    });
  }

  encode(frame: AudioFrame): NativeBytes {
    const packet = this.#encoder.encode(frame.data);
    const pointer = Deno.UnsafePointer.of(packet);
    if (pointer === null) throw new NativeError("opus", 0, "Cannot use Opus: the packet is empty");
    return { pointer, sizeBytes: packet.byteLength };
  }

  close(): void {
    this.#encoder.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

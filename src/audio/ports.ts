/**
 * Sound of the desktop, for one session.
 *
 * `claim` makes a virtual sink with the asked channels, makes it the default so that applications play into it, and
 * says how its monitor is captured. `close` of the claim removes the sink and puts the former default back, unless
 * somebody chose another default meanwhile. The former default is journalled before it is changed; `recover` puts it
 * back after a crash.
 *
 * @module
 */
import type { NativeBytes } from "../media/native_bytes.ts";
import type { AudioChannels, AudioSourceSpec } from "../media/ports.ts";

export interface AudioClaim extends AsyncDisposable {
  readonly source: AudioSourceSpec;
  close(): Promise<void>;
}

export interface AudioBackend {
  readonly id: "synthetic" | "pipewire";
  probe(): Promise<{ readonly isAvailable: boolean; readonly reason: string }>;
  /**
   * `isHeardOnHost` keeps the sound on the host's own speakers as well. Throws OperationError "unavailable"; nothing
   * is left behind then.
   */
  claim(
    options: { readonly channels: AudioChannels; readonly isHeardOnHost: boolean },
  ): Promise<AudioClaim>;
  /**
   * A microphone that applications list as `name`, independent of claims. Throws OperationError "unavailable" or
   * "missing-library".
   */
  openMicrophone(options: { readonly name: string; readonly channels: 1 | 2 }): MicrophoneSink;
  /** Undo what a killed host left. Returns one sentence for each thing done. */
  recover(): Promise<readonly string[]>;
}

/**
 * A microphone that applications of this machine record from, fed with what a client says into its own.
 *
 * `close` takes the microphone away; twice is legal.
 */
export interface MicrophoneSink extends Disposable {
  /**
   * 48 kHz interleaved 32-bit float of the channels it was opened with, at most 100 ms. Does not wait. What nobody
   * records is dropped, so that the delay stays bounded. Throws OperationError "unavailable" once it is gone.
   */
  write(data: NativeBytes): void;
  close(): void;
}

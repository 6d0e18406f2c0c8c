/**
 * From a spec to a source. Backends are imported when they are opened, so that a session over the synthetic picture
 * loads nothing of the desktop's.
 *
 * @module
 */
import type { AudioSource, AudioSourceSpec, VideoSource, VideoSourceSpec } from "../ports.ts";

/** Throws OperationError when the backend cannot be opened here. */
export async function openVideoSource(spec: VideoSourceSpec): Promise<VideoSource> {
  switch (spec.kind) {
    case "synthetic":
      return (await import("./synthetic.ts")).openSyntheticSource(spec);
    case "wlroots":
      return await (await import("./wlroots.ts")).openWlrootsSource(spec);
  }
}

/** Throws OperationError when the backend cannot be opened here. */
export async function openAudioSource(spec: AudioSourceSpec): Promise<AudioSource> {
  switch (spec.kind) {
    case "synthetic":
      return (await import("./synthetic_audio.ts")).openSyntheticAudioSource(spec);
    case "pipewire":
      return await (await import("./pipewire.ts")).openPipewireAudioSource(spec);
  }
}

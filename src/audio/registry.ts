/**
 * Picks the sound of a session and says why.
 *
 * @module
 */
import type { AudioBackend } from "./ports.ts";

export interface AudioChoice {
  readonly backend: AudioBackend;
  /** One sentence without a full stop. */
  readonly reason: string;
}

/**
 * PipeWire when it answers, else the synthetic sound. `isSyntheticWanted` is for a synthetic picture: the tone belongs to
 * it, and the machine's own sound is left alone.
 */
export async function chooseAudioBackend(
  backends: { readonly pipewire: AudioBackend; readonly synthetic: AudioBackend },
  options: { readonly isSyntheticWanted: boolean },
): Promise<AudioChoice> {
  if (options.isSyntheticWanted) {
    return { backend: backends.synthetic, reason: "The synthetic picture comes with its own tone" };
  }
  const { isAvailable, reason } = await backends.pipewire.probe();
  return { backend: isAvailable ? backends.pipewire : backends.synthetic, reason };
}

/**
 * Sound without a desktop: test tones. Nothing of the machine is touched, so there is nothing to put back.
 *
 * @module
 */
import type { AudioSourceSpec } from "../media/ports.ts";
import type { AudioBackend, AudioClaim } from "./ports.ts";

export function openSyntheticAudioBackend(): AudioBackend {
  return {
    id: "synthetic",
    probe: () =>
      Promise.resolve({ isAvailable: true, reason: "The test tones need no sound server" }),
    claim: ({ channels }) => Promise.resolve(claimOf({ kind: "synthetic", channels })),
    // Nobody records it: what is said is taken and forgotten.
    openMicrophone: () => ({ write() {}, close() {}, [Symbol.dispose]() {} }),
    recover: () => Promise.resolve([]),
  };
}

function claimOf(source: AudioSourceSpec): AudioClaim {
  return {
    source,
    close: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

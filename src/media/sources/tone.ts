/**
 * Test tones, one pitch a channel, so that a listener or a program can tell which channel went where.
 *
 *     FL 440   FR 660   FC 550   LFE 60   BL 330   BR 770   SL 880   SR 990 Hz      −12 dBFS
 *
 * @module
 */

export const TONE_FREQUENCIES_HZ = [440, 660, 550, 60, 330, 770, 880, 990] as const;
/** −12 dBFS. */
export const TONE_AMPLITUDE = 10 ** (-12 / 20);
export const SAMPLE_RATE_HZ = 48_000;

/** The tones of the first `channels` channels, sample by sample. Whole hertz repeat within a second: no drift. */
export class ToneGenerator {
  readonly #sine = new Float32Array(SAMPLE_RATE_HZ);
  readonly #phases: { at: number; readonly step: number }[];
  readonly #channels: number;

  constructor(channels: number) {
    this.#channels = channels;
    this.#phases = TONE_FREQUENCIES_HZ.slice(0, channels).map((step) => ({ at: 0, step }));
    for (let index = 0; index < SAMPLE_RATE_HZ; index++) {
      this.#sine[index] = TONE_AMPLITUDE * Math.sin(2 * Math.PI * index / SAMPLE_RATE_HZ);
    }
  }

  /** Fill `target`, interleaved, with the samples that follow those of the call before. */
  fill(target: Float32Array): void {
    for (const [channel, phase] of this.#phases.entries()) {
      let at = phase.at;
      for (let index = channel; index < target.length; index += this.#channels) {
        target[index] = this.#sine[at] ?? 0;
        at += phase.step;
        if (at >= SAMPLE_RATE_HZ) at -= SAMPLE_RATE_HZ;
      }
      phase.at = at;
    }
  }
}

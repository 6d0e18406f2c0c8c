/**
 * Test tones as a source of sound, at exactly 48 000 samples a second.
 *
 * @module
 */
import { PictureTimer } from "../../../ffi/picture.ts";
import { OperationError } from "../../lib/errors.ts";
import type { AudioFrame, AudioSource, AudioSourceSpec } from "../ports.ts";
import { SampleSchedule } from "./sample_schedule.ts";
import type { SourceTimer } from "./timer.ts";
import { ToneGenerator } from "./tone.ts";

export type SyntheticAudioSpec = Extract<AudioSourceSpec, { kind: "synthetic" }>;

/** Throws OperationError "missing-library" when the shim is not there. */
export function openSyntheticAudioSource(spec: SyntheticAudioSpec): AudioSource {
  return new SyntheticAudioSource(spec, new PictureTimer());
}

export class SyntheticAudioSource implements AudioSource {
  readonly description: string;
  readonly #channels: number;
  readonly #timer: SourceTimer;
  readonly #tones: ToneGenerator;
  readonly #schedule: SampleSchedule;
  #samples = new Float32Array(0);
  #isClosed = false;

  /** `timer` belongs to the source from here on. */
  constructor(spec: SyntheticAudioSpec, timer: SourceTimer) {
    this.#channels = spec.channels;
    this.#timer = timer;
    this.#tones = new ToneGenerator(spec.channels);
    this.#schedule = new SampleSchedule(timer.nowUs());
    this.description = `synthetic tones, ${spec.channels} channels`;
  }

  async next(samplesPerChannel: number, timeoutMs: number): Promise<AudioFrame | null> {
    this.#assertOpen();
    const dueAtUs = this.#schedule.dueAtUs(samplesPerChannel);
    const giveUpAtUs = this.#timer.nowUs() + timeoutMs * 1000;
    await this.#sleepUntil(Math.min(dueAtUs, giveUpAtUs));
    const nowUs = this.#timer.nowUs();
    if (nowUs < dueAtUs) return null;
    this.#schedule.take(samplesPerChannel, nowUs);
    return this.#fill(samplesPerChannel, nowUs);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timer.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #sleepUntil(deadlineUs: number): Promise<void> {
    if (deadlineUs > this.#timer.nowUs()) await this.#timer.sleepUntil(deadlineUs);
    this.#assertOpen();
  }

  #assertOpen(): void {
    if (this.#isClosed) {
      throw new OperationError("failed", "Cannot make the next sound: the source is closed");
    }
  }

  #fill(samplesPerChannel: number, capturedAtUs: number): AudioFrame {
    const count = samplesPerChannel * this.#channels;
    if (this.#samples.length !== count) this.#samples = new Float32Array(count);
    this.#tones.fill(this.#samples);
    const pointer = Deno.UnsafePointer.of(this.#samples);
    if (pointer === null) {
      throw new OperationError("failed", "Cannot make the next sound: no samples were asked for");
    }
    return {
      data: { pointer, sizeBytes: this.#samples.byteLength },
      samplesPerChannel,
      capturedAtUs,
    };
  }
}

/**
 * The synthetic picture as a source: proves a client without a desktop.
 *
 * @module
 */
import { PictureDrawer, type PictureFrame, PictureTimer } from "../../../ffi/picture.ts";
import { OperationError } from "../../lib/errors.ts";
import type { VideoFrame, VideoSource, VideoSourceSpec } from "../ports.ts";
import { ALWAYS_MOVING, MotionSchedule, NEVER_MOVING } from "./motion_schedule.ts";
import type { SourceTimer } from "./timer.ts";

export type SyntheticVideoSpec = Extract<VideoSourceSpec, { kind: "synthetic" }>;

/** Throws OperationError "missing-library" when the shim is not there. */
export function openSyntheticSource(spec: SyntheticVideoSpec): VideoSource {
  const timer = new PictureTimer();
  try {
    return new SyntheticSource(spec, timer);
  } catch (error) {
    timer.close();
    throw error;
  }
}

export class SyntheticSource implements VideoSource {
  readonly description: string;
  readonly #spec: SyntheticVideoSpec;
  readonly #timer: SourceTimer;
  readonly #drawer: PictureDrawer;
  readonly #schedule: MotionSchedule;
  #blank: PictureFrame | undefined;
  #isClosed = false;

  /** `timer` belongs to the source from here on. */
  constructor(spec: SyntheticVideoSpec, timer: SourceTimer) {
    const { widthPixels, heightPixels, refreshMilliHz, content } = spec;
    this.#spec = spec;
    this.#timer = timer;
    this.#drawer = new PictureDrawer({
      widthPixels,
      heightPixels,
      content: content === "still" || content === "blank" ? "motion" : content,
    });
    const script = content === "still" ? NEVER_MOVING : spec.script ?? ALWAYS_MOVING;
    this.#schedule = new MotionSchedule(timer.nowUs(), { refreshMilliHz, script });
    this.description = `synthetic ${content} ${widthPixels}x${heightPixels}`;
  }

  async next(timeoutMs: number): Promise<VideoFrame | null> {
    this.#assertOpen();
    const nowUs = this.#timer.nowUs();
    const due = this.#schedule.peek(nowUs);
    const giveUpAtUs = nowUs + timeoutMs * 1000;
    if (due === undefined || due.dueAtUs > giveUpAtUs) {
      await this.#sleepUntil(giveUpAtUs);
      return null;
    }
    await this.#sleepUntil(due.dueAtUs);
    this.#schedule.take(due);
    const drawnAtUs = this.#timer.nowUs();
    return this.#frameOf(this.#blank ?? this.#draw(drawnAtUs, due.index), drawnAtUs);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#drawer.close();
    this.#timer.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #draw(nowUs: number, index: number): PictureFrame {
    const picture = this.#drawer.draw(nowUs, index);
    if (this.#spec.content === "blank") this.#blank = picture;
    return picture;
  }

  async #sleepUntil(deadlineUs: number): Promise<void> {
    if (deadlineUs > this.#timer.nowUs()) await this.#timer.sleepUntil(deadlineUs);
    this.#assertOpen();
  }

  #assertOpen(): void {
    if (this.#isClosed) {
      throw new OperationError("failed", "Cannot draw the next picture: the source is closed");
    }
  }

  #frameOf(picture: PictureFrame, drawnAtUs: number): VideoFrame {
    return {
      data: { pointer: picture.pointer, sizeBytes: picture.sizeBytes },
      widthPixels: this.#spec.widthPixels,
      heightPixels: this.#spec.heightPixels,
      strideBytes: picture.strideBytes,
      format: "bgrx",
      capturedAtUs: drawnAtUs,
    };
  }
}

/**
 * When pictures are due of a screen that does not always move.
 *
 *     first picture, at once │ still until fromMs │ motion: hz pictures a second │ still from untilMs on
 *
 * Times count from the first picture taken, so that a script does not run while nobody looks.
 *
 * @module
 */
import { type DueFrame, FrameSchedule } from "./frame_schedule.ts";

/** Plain data, that crosses to a Worker. */
export interface MotionScript {
  /** Pictures a second while it moves, at most the refresh rate; undefined is that rate. */
  readonly hz: number | undefined;
  readonly fromMs: number;
  /** Undefined: it goes on. */
  readonly untilMs: number | undefined;
}

export const ALWAYS_MOVING: MotionScript = { hz: undefined, fromMs: 0, untilMs: undefined };
export const NEVER_MOVING: MotionScript = { hz: undefined, fromMs: 0, untilMs: 0 };

export class MotionSchedule {
  readonly #script: MotionScript;
  readonly #frames: FrameSchedule;
  #firstTakenAtUs: number | undefined;

  constructor(
    startUs: number,
    { refreshMilliHz, script }: {
      readonly refreshMilliHz: number;
      readonly script: MotionScript;
    },
  ) {
    const milliHz = script.hz === undefined
      ? refreshMilliHz
      : Math.min(script.hz * 1000, refreshMilliHz);
    this.#script = script;
    this.#frames = new FrameSchedule(startUs, milliHz);
  }

  /** As FrameSchedule.peek; undefined when no picture comes any more. */
  peek(nowUs: number): DueFrame | undefined {
    const startUs = this.#firstTakenAtUs;
    if (startUs === undefined) return this.#frames.peek(nowUs);
    const { fromMs, untilMs } = this.#script;
    const due = this.#frames.peek(Math.max(nowUs, startUs + fromMs * 1000));
    const isOver = untilMs !== undefined && due.dueAtUs >= startUs + untilMs * 1000;
    return isOver ? undefined : due;
  }

  take(due: DueFrame): void {
    this.#firstTakenAtUs ??= due.dueAtUs;
    this.#frames.take(due);
  }
}

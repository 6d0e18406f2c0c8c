/**
 * Pen batches as events of the common model (specification 7.6).
 *
 *     before      sample: out of range    in range             touching
 *     away        nothing                 hover                down
 *     hovering    hover-leave             hover                down
 *     touching    up, hover-leave         up, hover            move
 *
 * A batch that is not newer than the last one is dropped. The client repeats what is so about every 100 ms; after 200 ms
 * of silence the pen is lifted here. Predicted samples are not drawn, because ink cannot be taken back. Roll has no place in
 * the common model.
 *
 * @module
 */
import type { Clock, Timer } from "../../../lib/clock.ts";
import type { ContactPhase, PenEvent } from "../../input_event.ts";
import type { PenBatch, PenSample } from "./pen_batch.ts";
import { isNewerSequence } from "./tags.ts";

export const PEN_SILENCE_MS = 200;

const PRESSURE_MAX = 65_535;
const DISTANCE_MAX = 65_534;
const TILT_DEGREES_MAX = 90;
const BUTTON_PRIMARY = 1;
const BUTTON_SECONDARY = 2;

export interface PenMapperOptions {
  readonly clock: Clock;
  readonly emit: (event: PenEvent) => void;
}

export class PenMapper {
  readonly #options: PenMapperOptions;
  #lastSequence: number | undefined;
  /** The last sample drawn; undefined while the pen is away. */
  #last: PenSample | undefined;
  #silence: Timer | undefined;

  constructor(options: PenMapperOptions) {
    this.#options = options;
  }

  apply({ sequence, samples }: PenBatch): void {
    const last = this.#lastSequence;
    if (last !== undefined && !isNewerSequence(sequence, last, 16)) return;
    this.#lastSequence = sequence;
    for (const sample of samples) {
      if (!sample.isPredicted) this.#draw(sample);
    }
    this.#silence?.cancel();
    this.#silence = this.#last && this.#options.clock.after(PEN_SILENCE_MS, () => this.lift());
  }

  /** The pen leaves from where it was last. */
  lift(): void {
    this.#silence?.cancel();
    this.#silence = undefined;
    const last = this.#last;
    if (last === undefined) return;
    this.#last = undefined;
    if (last.isTouching) this.#emit(last, "up");
    this.#emit(last, "hover-leave");
  }

  #draw(sample: PenSample): void {
    const isNear = sample.isInRange || sample.isTouching;
    if (!isNear || (this.#last !== undefined && this.#last.tool !== sample.tool)) this.lift();
    if (!isNear) return;
    const wasTouching = this.#last?.isTouching ?? false;
    this.#last = sample;
    if (sample.isTouching) return this.#emit(sample, wasTouching ? "move" : "down");
    if (wasTouching) this.#emit(sample, "up");
    this.#emit(sample, "hover");
  }

  #emit(sample: PenSample, phase: ContactPhase): void {
    const { tiltDegrees, azimuthDegrees } = sample;
    this.#options.emit({
      kind: "pen",
      phase,
      tool: sample.tool,
      buttons: (sample.isFirstButtonDown ? BUTTON_PRIMARY : 0) |
        (sample.isSecondButtonDown ? BUTTON_SECONDARY : 0),
      x: sample.x,
      y: sample.y,
      pressureOrDistance: phase === "hover" || phase === "hover-leave"
        ? (sample.distance ?? 0) / DISTANCE_MAX
        : sample.pressure / PRESSURE_MAX,
      contactMajor: 0,
      contactMinor: 0,
      rotationDegrees: azimuthDegrees === undefined ? undefined : azimuthDegrees % 360,
      tiltDegrees: tiltDegrees === undefined ? undefined : Math.min(tiltDegrees, TILT_DEGREES_MAX),
    });
  }
}

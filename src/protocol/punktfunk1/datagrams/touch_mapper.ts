/**
 * Fingers on the picture as events of the common model (specification 7.1, kinds 9 to 11). Pure.
 *
 *     wire    finger absent   finger there
 *     down    down            up, down: the one before went up unheard
 *     move    down            move
 *     up      nothing         up, from where it was last
 *
 * @module
 */
import type { TouchEvent } from "../../input_event.ts";
import type { TouchInput } from "./input.ts";

/** More than hands have: a client may not grow the list without end. */
export const TOUCHES_MAX = 32;

export class TouchMapper {
  readonly #emit: (event: TouchEvent) => void;
  readonly #touches = new Map<number, TouchInput>();

  constructor(emit: (event: TouchEvent) => void) {
    this.#emit = emit;
  }

  apply(input: TouchInput): void {
    const last = this.#touches.get(input.pointerId);
    if (last !== undefined && input.phase !== "move") {
      this.#touches.delete(input.pointerId);
      this.#emit(touchOf(last, "up"));
    }
    if (input.phase === "up") return;
    if (last === undefined && this.#touches.size >= TOUCHES_MAX) return;
    const isThere = this.#touches.has(input.pointerId);
    this.#touches.set(input.pointerId, input);
    this.#emit(touchOf(input, isThere ? "move" : "down"));
  }

  /** All fingers leave without having tapped. */
  releaseAll(): void {
    if (this.#touches.size === 0) return;
    this.#touches.clear();
    this.#emit(touchOf({ pointerId: 0, x: 0, y: 0 }, "cancel-all"));
  }
}

function touchOf(
  { pointerId, x, y }: Pick<TouchInput, "pointerId" | "x" | "y">,
  phase: TouchEvent["phase"],
): TouchEvent {
  return {
    kind: "touch",
    phase,
    pointerId,
    x,
    y,
    pressureOrDistance: 0,
    contactMajor: 0,
    contactMinor: 0,
    rotationDegrees: undefined,
  };
}

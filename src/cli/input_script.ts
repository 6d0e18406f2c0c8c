/**
 * What `input-test` plays: a square drawn with the pointer, or a walk over corners and centre, with a key and a click
 * now and then (product specification 1.6). Pure.
 *
 * @module
 */
import type {
  KeyEvent,
  PointerButtonEvent,
  PointerMotionEvent,
  PointerPositionEvent,
} from "../protocol/input_event.ts";

export type ScriptEvent =
  | KeyEvent
  | PointerButtonEvent
  | PointerMotionEvent
  | PointerPositionEvent;

/** Time between two steps. */
export const INPUT_STEP_MS = 50;

const MOVE_PIXELS = 12;
const MOVES_PER_SIDE = 10;
const STEPS_PER_POSITION = 4;
const STEPS_PER_TAP = 20;
const VIRTUAL_KEY_A = 0x41;

const DIRECTIONS = [[1, 0], [0, 1], [-1, 0], [0, -1]] as const;
const POSITIONS = [[0, 0], [1, 0], [1, 1], [0, 1], [0.5, 0.5]] as const;

/** The events of step `index`, from 0. */
export function inputScriptStep(index: number, isAbsolute: boolean): readonly ScriptEvent[] {
  const events: ScriptEvent[] = [];
  if (isAbsolute) {
    const [x, y] = POSITIONS[Math.floor(index / STEPS_PER_POSITION) % POSITIONS.length] ?? [0, 0];
    events.push({ kind: "pointer-position", x, y });
  } else {
    const [dx, dy] = DIRECTIONS[Math.floor(index / MOVES_PER_SIDE) % DIRECTIONS.length] ?? [0, 0];
    events.push({ kind: "pointer-motion", dx: dx * MOVE_PIXELS, dy: dy * MOVE_PIXELS });
  }
  if (index % STEPS_PER_TAP === STEPS_PER_TAP - 1) {
    for (const isDown of [true, false]) {
      events.push({
        kind: "key",
        virtualKey: VIRTUAL_KEY_A,
        isDown,
        modifiers: 0,
        isPositional: true,
      });
    }
    for (const isDown of [true, false]) {
      events.push({ kind: "pointer-button", button: "left", isDown });
    }
  }
  return events;
}

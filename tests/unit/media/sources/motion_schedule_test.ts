import assert from "node:assert/strict";
import {
  ALWAYS_MOVING,
  MotionSchedule,
  type MotionScript,
  NEVER_MOVING,
} from "../../../../src/media/sources/motion_schedule.ts";

const START_US = 7_000_000;

/** When pictures are taken, in milliseconds from the first, within `durationMs`. */
function timesOf(script: MotionScript, durationMs: number, refreshMilliHz = 10_000): number[] {
  const schedule = new MotionSchedule(START_US, { refreshMilliHz, script });
  // Opened long before somebody looks.
  const firstUs = START_US + 60_000_000;
  const times: number[] = [];
  for (let nowUs = firstUs;;) {
    const due = schedule.peek(nowUs);
    if (due === undefined) return times;
    nowUs = Math.max(nowUs, due.dueAtUs);
    if (nowUs > firstUs + durationMs * 1000) return times;
    schedule.take(due);
    times.push((nowUs - firstUs) / 1000);
  }
}

Deno.test("MotionSchedule gives a picture each interval of a screen that always moves", () => {
  assert.deepEqual(timesOf(ALWAYS_MOVING, 400), [0, 100, 200, 300, 400]);
});

Deno.test("MotionSchedule gives a screen that never moves once", () => {
  assert.deepEqual(timesOf(NEVER_MOVING, 10_000), [0]);
});

Deno.test("MotionSchedule shows one picture, and the next ones when motion begins", () => {
  const script = { hz: undefined, fromMs: 1_000, untilMs: undefined };
  assert.deepEqual(timesOf(script, 1_200), [0, 1_000, 1_100, 1_200]);
});

Deno.test("MotionSchedule stops when motion is over", () => {
  assert.deepEqual(timesOf({ hz: undefined, fromMs: 0, untilMs: 300 }, 10_000), [0, 100, 200]);
});

Deno.test("MotionSchedule keeps to the script's rate, and never exceeds the display's", () => {
  const scriptOf = (hz: number) => ({ hz, fromMs: 0, untilMs: undefined });
  assert.deepEqual(timesOf(scriptOf(5), 400), [0, 200, 400]);
  assert.deepEqual(timesOf(scriptOf(1000), 300), [0, 100, 200, 300]);
});

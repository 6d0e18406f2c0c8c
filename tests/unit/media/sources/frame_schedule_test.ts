import assert from "node:assert/strict";
import fc from "fast-check";
import { FrameSchedule } from "../../../../src/media/sources/frame_schedule.ts";

Deno.test("FrameSchedule.peek() gives the first picture at once and later ones in their time", () => {
  const schedule = new FrameSchedule(5_000, 60_000);
  const first = schedule.peek(5_000);
  assert.deepEqual(first, { index: 0, dueAtUs: 5_000 });
  schedule.take(first);
  assert.deepEqual(schedule.peek(5_000), { index: 1, dueAtUs: 5_000 + 16_667 });
});

Deno.test("FrameSchedule.peek() skips pictures whose time has passed", () => {
  const schedule = new FrameSchedule(0, 60_000);
  schedule.take(schedule.peek(0));
  assert.deepEqual(schedule.peek(100_000), { index: 6, dueAtUs: 100_000 });
});

Deno.test("FrameSchedule does not drift over a day at 59.94 Hz", () => {
  const schedule = new FrameSchedule(0, 59_940);
  const frames = 59.94 * 86_400;
  const due = schedule.peek(86_400e6);
  assert.equal(due.index, Math.floor(frames));
  assert.ok(Math.abs(due.dueAtUs - 86_400e6) < 1e9 / 59_940);
});

Deno.test("FrameSchedule never gives one picture twice nor more than the refresh rate", () => {
  fc.assert(fc.property(
    fc.integer({ min: 1_000, max: 480_000 }),
    fc.array(fc.integer({ min: 0, max: 50_000 }), { minLength: 1, maxLength: 60 }),
    (refreshMilliHz, delaysUs) => {
      const schedule = new FrameSchedule(1_000_000, refreshMilliHz);
      let nowUs = 1_000_000;
      let lastIndex = -1;
      let count = 0;
      for (const delayUs of delaysUs) {
        nowUs += delayUs;
        const due = schedule.peek(nowUs);
        nowUs = Math.max(nowUs, due.dueAtUs);
        schedule.take(due);
        assert.ok(due.index > lastIndex);
        lastIndex = due.index;
        count++;
      }
      assert.ok(count <= Math.floor((nowUs - 1_000_000) * refreshMilliHz / 1e9) + 1);
    },
  ));
});

import assert from "node:assert/strict";
import { BACKLOG_US, SampleSchedule } from "../../../../src/media/sources/sample_schedule.ts";

Deno.test("SampleSchedule is exact after a day of blocks", () => {
  const schedule = new SampleSchedule(0);
  const blocks = 86_400 * 200;
  for (let block = 0; block < blocks; block++) {
    schedule.take(240, schedule.dueAtUs(240));
  }
  assert.equal(schedule.dueAtUs(0), 86_400e6);
});

Deno.test("SampleSchedule keeps a backlog of 100 ms for a caller that stalled and drops what is older", () => {
  const schedule = new SampleSchedule(0);
  let nowUs = 1_000_000;
  schedule.take(240, nowUs);
  let blocks = 0;
  while (schedule.dueAtUs(240) <= nowUs) {
    schedule.take(240, nowUs);
    blocks++;
  }
  assert.equal(blocks, BACKLOG_US / 5_000);
  nowUs = schedule.dueAtUs(240);
  assert.equal(nowUs, 1_005_000);
});

Deno.test("SampleSchedule makes up for a stall of up to 100 ms without losing a sample", () => {
  const schedule = new SampleSchedule(0);
  schedule.take(240, 5_000 + BACKLOG_US);
  assert.equal(schedule.dueAtUs(240), 10_000);
});

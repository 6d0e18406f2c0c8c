import assert from "node:assert/strict";
import {
  isWithinWindows,
  nextSequence,
  sequenceDistance,
} from "../../../../src/protocol/enet/sequence.ts";

Deno.test("nextSequence() wraps after 65535", () => {
  assert.equal(nextSequence(0), 1);
  assert.equal(nextSequence(0xffff), 0);
});

Deno.test("sequenceDistance() goes the shorter way round", () => {
  assert.equal(sequenceDistance(1, 3), 2);
  assert.equal(sequenceDistance(3, 1), -2);
  assert.equal(sequenceDistance(0xffff, 1), 2);
  assert.equal(sequenceDistance(1, 0xffff), -2);
  assert.equal(sequenceDistance(0, 0x8000), -0x8000);
});

Deno.test("isWithinWindows() takes the current window and six more, across the wrap", () => {
  assert.equal(isWithinWindows(10, 10), true);
  assert.equal(isWithinWindows(10, 7 * 4096 - 1), true);
  assert.equal(isWithinWindows(10, 7 * 4096), false);
  assert.equal(isWithinWindows(10, 9), false);
  assert.equal(isWithinWindows(0xffff, 0), true);
  assert.equal(isWithinWindows(0xffff, 6 * 4096 - 1), true);
  assert.equal(isWithinWindows(0xffff, 6 * 4096), false);
  assert.equal(isWithinWindows(0, 0xffff), false);
});

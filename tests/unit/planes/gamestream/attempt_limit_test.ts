import assert from "node:assert/strict";
import { FakeClock } from "../../../../src/lib/clock.ts";
import { AttemptLimit } from "../../../../src/planes/gamestream/attempt_limit.ts";

Deno.test("AttemptLimit gives each address its share of a sliding window", () => {
  const clock = new FakeClock();
  const limit = new AttemptLimit(clock, { attemptsMax: 2, windowMs: 1000, addressesMax: 9 });
  assert.ok(limit.tryTake("a"));
  clock.advance(600);
  assert.ok(limit.tryTake("a"));
  assert.ok(!limit.tryTake("a"));
  assert.ok(limit.tryTake("b"));
  clock.advance(399);
  assert.ok(!limit.tryTake("a"));
  clock.advance(1);
  assert.ok(limit.tryTake("a"));
  assert.ok(!limit.tryTake("a"));
});

Deno.test("AttemptLimit remembers a limited number of addresses and forgets old ones", () => {
  const clock = new FakeClock();
  const limit = new AttemptLimit(clock, { attemptsMax: 1, windowMs: 1000, addressesMax: 2 });
  assert.ok(limit.tryTake("a"));
  assert.ok(limit.tryTake("b"));
  assert.ok(!limit.tryTake("c"));
  clock.advance(1000);
  assert.ok(limit.tryTake("c"));
});

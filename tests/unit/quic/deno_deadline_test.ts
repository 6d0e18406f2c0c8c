import assert from "node:assert/strict";
import { FakeClock } from "../../../src/lib/clock.ts";
import { within } from "../../../src/quic/deno_deadline.ts";

function setUp() {
  const clock = new FakeClock();
  const source = Promise.withResolvers<string>();
  const late: string[] = [];
  const result = within(source.promise, {
    clock,
    timeoutMs: 100,
    discard: (value) => late.push(value),
  });
  return { clock, source, late, result };
}

Deno.test("within() gives what comes in time and leaves no timer", async () => {
  const { clock, source, late, result } = setUp();
  clock.advance(99);
  source.resolve("here");
  assert.equal(await result, "here");
  assert.equal(clock.pendingTimers, 0);
  assert.deepEqual(late, []);
});

Deno.test("within() gives undefined when time is up, and discards what comes then", async () => {
  const { clock, source, late, result } = setUp();
  clock.advance(100);
  assert.equal(await result, undefined);
  source.resolve("late");
  await source.promise;
  assert.deepEqual(late, ["late"]);
});

Deno.test("within() rejects as its promise does, but for one that is late", async () => {
  const early = setUp();
  early.source.reject(new Error("broken"));
  await assert.rejects(early.result, /broken/);
  assert.equal(early.clock.pendingTimers, 0);

  const late = setUp();
  late.clock.advance(100);
  late.source.reject(new Error("broken"));
  assert.equal(await late.result, undefined);
});

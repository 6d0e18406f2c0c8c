import assert from "node:assert/strict";
import { RoundTrip } from "../../../../src/protocol/enet/round_trip.ts";

Deno.test("RoundTrip starts at 500 ms and takes the first echo as it is", () => {
  const roundTrip = new RoundTrip();
  assert.equal(roundTrip.meanMs, 500);
  roundTrip.addEcho(1000, 1040);
  assert.equal(roundTrip.meanMs, 40);
  // Variance 20 would give 80 of slack; it is held to the mean.
  assert.equal(roundTrip.timeoutMs(1), 80);
});

Deno.test("RoundTrip moves by an eighth of the difference, either way", () => {
  const roundTrip = new RoundTrip();
  roundTrip.addEcho(0, 40);
  roundTrip.addEcho(0, 80);
  assert.equal(roundTrip.meanMs, 45);
  roundTrip.addEcho(0, 5);
  assert.equal(roundTrip.meanMs, 40);
});

Deno.test("RoundTrip.timeoutMs() follows the variance once it is small", () => {
  const roundTrip = new RoundTrip();
  for (let echo = 0; echo < 40; echo++) roundTrip.addEcho(0, 100);
  assert.equal(roundTrip.meanMs, 100);
  assert.equal(roundTrip.timeoutMs(1), 104);
  assert.equal(roundTrip.timeoutMs(2), 208);
  assert.equal(roundTrip.timeoutMs(9), 208);
});

Deno.test("RoundTrip.timeoutMs() is never under 20 ms nor, once, over 2 s", () => {
  const fast = new RoundTrip();
  fast.addEcho(7, 7);
  assert.equal(fast.meanMs, 1);
  assert.equal(fast.timeoutMs(1), 20);
  const slow = new RoundTrip();
  slow.addEcho(0, 9_000);
  assert.equal(slow.timeoutMs(1), 2_000);
});

Deno.test("RoundTrip.addEcho() reads times over the wrap and ignores those of the future", () => {
  const roundTrip = new RoundTrip();
  roundTrip.addEcho(0xfff0, 0x0010);
  assert.equal(roundTrip.meanMs, 32);
  roundTrip.addEcho(0x0011, 0x0010);
  roundTrip.addEcho(0x0010, 0x8010);
  assert.equal(roundTrip.meanMs, 32);
});

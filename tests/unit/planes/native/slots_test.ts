import assert from "node:assert/strict";
import { type Slot, Slots } from "../../../../src/planes/native/slots.ts";

const NEVER = new AbortController().signal;

Deno.test("Slots lets as many in as there are, and the next when one leaves, in order", async () => {
  const slots = new Slots(2);
  const first = await slots.take(NEVER);
  await slots.take(NEVER);
  const order: string[] = [];
  const third = slots.take(NEVER).then((slot) => (order.push("third"), slot));
  const fourth = slots.take(NEVER).then((slot) => (order.push("fourth"), slot));
  assert.deepEqual([slots.taken, slots.waiting], [2, 2]);
  first?.release();
  first?.release();
  const third_ = await third;
  assert.deepEqual([order, slots.taken, slots.waiting], [["third"], 2, 1]);
  third_?.release();
  await fourth;
  assert.deepEqual(order, ["third", "fourth"]);
});

Deno.test("Slots forgets whoever stopped waiting", async () => {
  const slots = new Slots(1);
  const held = await slots.take(NEVER);
  const abort = new AbortController();
  const gone = slots.take(abort.signal);
  const patient = slots.take(NEVER);
  abort.abort();
  assert.equal(await gone, undefined);
  held?.release();
  assert.ok(await patient);
  assert.equal(slots.taken, 1);
  assert.equal(await slots.take(abort.signal), undefined);
});

Deno.test("Slots without a limit lets everybody in", async () => {
  const slots = new Slots(0);
  const held: (Slot | undefined)[] = [];
  for (let i = 0; i < 100; i++) held.push(await slots.take(NEVER));
  assert.equal(slots.taken, 100);
  for (const slot of held) slot?.release();
  assert.equal(slots.taken, 0);
});

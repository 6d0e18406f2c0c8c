import assert from "node:assert/strict";
import { WaitingQueue } from "../../../src/quic/waiting_queue.ts";

Deno.test("WaitingQueue.take() gives items in order, and waits for the next", async () => {
  const queue = new WaitingQueue<number>();
  queue.push(1);
  queue.push(2);
  assert.equal(await queue.take(), 1);
  assert.equal(await queue.take(), 2);
  const waiting = queue.take();
  queue.push(3);
  assert.equal(await waiting, 3);
});

Deno.test("WaitingQueue.push() drops the oldest past its limit", async () => {
  const queue = new WaitingQueue<number>(256);
  for (let item = 0; item < 257; item++) queue.push(item);
  queue.end();
  for (let item = 1; item < 257; item++) assert.equal(await queue.take(), item);
  assert.equal(await queue.take(), undefined);
});

Deno.test("WaitingQueue.end() leaves what is there, ends who waits and takes nothing more", async () => {
  const queue = new WaitingQueue<number>();
  const waiting = queue.take();
  queue.end();
  queue.end();
  assert.equal(await waiting, undefined);
  queue.push(1);
  assert.equal(await queue.take(), undefined);

  const full = new WaitingQueue<number>();
  full.push(1);
  full.end();
  assert.equal(await full.take(), 1);
  assert.equal(await full.take(), undefined);
});

Deno.test("WaitingQueue.drain() gives all that is there and ends", async () => {
  const queue = new WaitingQueue<number>();
  queue.push(1);
  queue.push(2);
  assert.deepEqual(queue.drain(), [1, 2]);
  assert.deepEqual(queue.drain(), []);
  assert.equal(await queue.take(), undefined);
});

Deno.test("WaitingQueue.take() refuses a second call that would wait", async () => {
  const queue = new WaitingQueue<number>();
  const waiting = queue.take();
  assert.throws(() => queue.take(), /another call waits/);
  queue.push(7);
  assert.equal(await waiting, 7);
});

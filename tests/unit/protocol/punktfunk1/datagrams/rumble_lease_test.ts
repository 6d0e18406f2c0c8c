import assert from "node:assert/strict";
import { FakeClock } from "../../../../../src/lib/clock.ts";
import {
  type Rumble,
  RUMBLE_STOP,
  type RumbleLevels,
} from "../../../../../src/protocol/punktfunk1/datagrams/rumble.ts";
import {
  RUMBLE_RENEWAL_MS,
  RUMBLE_TTL_MS,
  RUMBLE_TTL_MS_MAX,
  RUMBLE_UNLEASED_MS,
  RumbleLease,
  RumbleReceiver,
} from "../../../../../src/protocol/punktfunk1/datagrams/rumble_lease.ts";

const STRONG: RumbleLevels = { ...RUMBLE_STOP, low: 0x8000 };

function openLease() {
  const clock = new FakeClock();
  const sent: Rumble[] = [];
  const lease = new RumbleLease({ pad: 3, clock, send: (rumble) => sent.push(rumble) });
  /** Sequence and left motor of what was sent. */
  const told = () => sent.splice(0).map((rumble) => [rumble.lease?.sequence, rumble.levels.low]);
  return { clock, lease, told, sent: () => sent.splice(0) };
}

Deno.test("RumbleLease sends at once and renews while a motor runs", () => {
  const { clock, lease, told, sent } = openLease();
  lease.set({ low: 0x8000 });
  assert.deepEqual(sent(), [
    { pad: 3, levels: STRONG, lease: { sequence: 0, ttlMs: RUMBLE_TTL_MS } },
  ]);
  clock.advance(RUMBLE_RENEWAL_MS - 1);
  assert.deepEqual(told(), []);
  clock.advance(1);
  assert.deepEqual(told(), [[1, 0x8000]]);
  clock.advance(3 * RUMBLE_RENEWAL_MS);
  assert.deepEqual(told(), [[2, 0x8000], [3, 0x8000], [4, 0x8000]]);
});

Deno.test("RumbleLease says a stop three times and then falls silent", () => {
  const { clock, lease, told } = openLease();
  lease.set({ low: 1 });
  clock.advance(50);
  lease.set({ low: 0 });
  assert.deepEqual(told(), [[0, 1], [1, 0]]);
  clock.advance(2 * RUMBLE_RENEWAL_MS);
  assert.deepEqual(told(), [[2, 0], [3, 0]]);
  assert.equal(clock.pendingTimers, 0);
  clock.advance(10_000);
  assert.deepEqual(told(), []);
});

Deno.test("RumbleLease begins anew when a motor starts between the stops", () => {
  const { clock, lease, told } = openLease();
  lease.set({ high: 5 });
  lease.set({ high: 0 });
  clock.advance(RUMBLE_RENEWAL_MS);
  lease.set({ low: 7 });
  clock.advance(RUMBLE_RENEWAL_MS);
  lease.set({ low: 0 });
  clock.advance(1_000);
  assert.deepEqual(told().map(([, low]) => low), [0, 0, 0, 7, 7, 0, 0, 0]);
});

Deno.test("RumbleLease sends only changes and keeps the motors that are not named", () => {
  const { lease, sent } = openLease();
  lease.set(RUMBLE_STOP);
  lease.set({ low: 1, high: 2 });
  lease.set({ low: 1 });
  lease.set({ leftTrigger: 3, rightTrigger: 4 });
  assert.deepEqual(sent().map(({ levels }) => levels), [
    { low: 1, high: 2, leftTrigger: 0, rightTrigger: 0 },
    { low: 1, high: 2, leftTrigger: 3, rightTrigger: 4 },
  ]);
});

Deno.test("RumbleLease counts round in one byte", () => {
  const { lease, told } = openLease();
  for (let level = 1; level <= 257; level++) lease.set({ low: level });
  assert.deepEqual(told().slice(-2), [[255, 256], [0, 257]]);
});

Deno.test("RumbleLease.close() stops the motors and leaves no timer, twice too", () => {
  const { clock, lease, told } = openLease();
  lease.set({ low: 1 });
  lease.close();
  lease.close();
  assert.deepEqual(told(), [[0, 1], [1, 0]]);
  assert.equal(clock.pendingTimers, 0);
});

function openReceiver() {
  const clock = new FakeClock();
  const applied: (readonly [number, number])[] = [];
  const receiver = new RumbleReceiver({
    clock,
    apply: (pad, { low }) => applied.push([pad, low]),
  });
  const receive = (sequence: number | undefined, low: number, ttlMs = 400) =>
    receiver.receive({
      pad: 0,
      levels: { ...RUMBLE_STOP, low },
      lease: sequence === undefined ? undefined : { sequence, ttlMs },
    });
  return { clock, receiver, receive, applied: () => applied.splice(0) };
}

Deno.test("RumbleReceiver applies only newer levels", () => {
  const { receive, applied } = openReceiver();
  receive(254, 1);
  receive(254, 2);
  receive(253, 3);
  receive(1, 4);
  receive(255, 5);
  assert.deepEqual(applied(), [[0, 1], [0, 4]]);
});

Deno.test("RumbleReceiver lets a lease run out unless it is renewed", () => {
  const { clock, receive, applied } = openReceiver();
  receive(1, 9);
  clock.advance(399);
  receive(2, 9);
  clock.advance(399);
  assert.deepEqual(applied(), [[0, 9]]);
  clock.advance(1);
  assert.deepEqual(applied(), [[0, 0]]);
});

Deno.test("RumbleReceiver caps leases and gives one to levels without", () => {
  const { clock, receive, applied } = openReceiver();
  receive(1, 9, 65_535);
  clock.advance(RUMBLE_TTL_MS_MAX - 1);
  assert.deepEqual(applied(), [[0, 9]]);
  clock.advance(1);
  assert.deepEqual(applied(), [[0, 0]]);
  receive(undefined, 8);
  clock.advance(RUMBLE_UNLEASED_MS - 1);
  assert.deepEqual(applied(), [[0, 8]]);
  clock.advance(1);
  assert.deepEqual(applied(), [[0, 0]]);
});

Deno.test("RumbleReceiver.close() stops every pad and leaves no timer", () => {
  const { clock, receiver, receive, applied } = openReceiver();
  receive(1, 9);
  receiver.receive({ pad: 15, levels: STRONG, lease: undefined });
  applied();
  receiver.close();
  receiver.close();
  assert.deepEqual(applied(), [[0, 0], [15, 0]]);
  assert.equal(clock.pendingTimers, 0);
});

Deno.test("RumbleReceiver lives with the loss of two in three of what RumbleLease sends", () => {
  const clock = new FakeClock();
  const applied: number[] = [];
  const receiver = new RumbleReceiver({ clock, apply: (_pad, { low }) => applied.push(low) });
  let count = 0;
  const lease = new RumbleLease({
    pad: 0,
    clock,
    send: (rumble) => count++ % 3 === 0 ? receiver.receive(rumble) : undefined,
  });
  lease.set({ low: 5 });
  clock.advance(10 * RUMBLE_RENEWAL_MS);
  assert.deepEqual(applied, [5]);
  lease.set({ low: 0 });
  clock.advance(3 * RUMBLE_RENEWAL_MS);
  assert.deepEqual(applied, [5, 0]);
});

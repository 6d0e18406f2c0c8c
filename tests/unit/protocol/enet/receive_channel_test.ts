import assert from "node:assert/strict";
import { ProtocolError } from "../../../../src/lib/errors.ts";
import type { EnetCommand, FragmentCommand } from "../../../../src/protocol/enet/datagram.ts";
import {
  FRAGMENT_COUNT_MAX,
  MESSAGE_BYTES_MAX,
  REORDER_BYTES_MAX,
  REORDER_ENTRY_BYTES,
} from "../../../../src/protocol/enet/limits.ts";
import { ReorderBudget } from "../../../../src/protocol/enet/reassembly.ts";
import { ReceiveChannel } from "../../../../src/protocol/enet/receive_channel.ts";

const HEADER = { channel: 0, isReliable: true, isUnsequenced: false };

/** A channel and what it delivered: the first byte of each message, reliable ones positive, others negative. */
function openChannel(): { channel: ReceiveChannel; budget: ReorderBudget; delivered: number[] } {
  const budget = new ReorderBudget();
  const delivered: number[] = [];
  const channel = new ReceiveChannel(
    budget,
    (bytes, isReliable) => delivered.push((bytes[0] ?? 0) * (isReliable ? 1 : -1)),
  );
  return { channel, budget, delivered };
}

function reliable(
  sequence: number,
  data: Uint8Array = new Uint8Array([sequence & 0xff]),
): Extract<EnetCommand, { kind: "reliable" }> {
  return { ...HEADER, kind: "reliable", sequence, data };
}

function unreliable(
  sequence: number,
  unreliableSequence: number,
  value: number,
): Extract<EnetCommand, { kind: "unreliable" }> {
  const data = new Uint8Array([value]);
  return { ...HEADER, kind: "unreliable", sequence, unreliableSequence, data };
}

/** Fragment `fragmentNumber` of a message of `fragmentCount` bytes, all of them `value`. */
function fragment(
  startSequence: number,
  fragmentNumber: number,
  change: Partial<FragmentCommand> & { value?: number } = {},
): FragmentCommand {
  const { value = 9, ...fields } = change;
  return {
    ...HEADER,
    kind: "fragment",
    sequence: startSequence + fragmentNumber,
    startSequence,
    fragmentCount: 3,
    fragmentNumber,
    totalBytes: 3,
    offsetBytes: fragmentNumber,
    data: new Uint8Array([value]),
    ...fields,
  };
}

Deno.test("ReceiveChannel delivers reliable messages in order and once, whatever order they come in", () => {
  const { channel, budget, delivered } = openChannel();
  for (const sequence of [3, 2, 2, 3, 5, 1, 1, 2, 4, 5]) channel.acceptReliable(reliable(sequence));
  assert.deepEqual(delivered, [1, 2, 3, 4, 5]);
  assert.equal(budget.usedBytes, 0);
});

Deno.test("ReceiveChannel copies what it keeps: the datagram's buffer is used again", () => {
  const { channel, delivered } = openChannel();
  const buffer = new Uint8Array([2]);
  channel.acceptReliable(reliable(2, buffer));
  buffer[0] = 77;
  channel.acceptReliable(reliable(1));
  assert.deepEqual(delivered, [1, 2]);
});

Deno.test("ReceiveChannel goes on over the wrap of its numbers and drops what lies out of window", () => {
  const { channel, budget, delivered } = openChannel();
  channel.acceptReliable(reliable(7 * 4096));
  assert.equal(budget.usedBytes, 0);
  for (let sequence = 1; sequence <= 0x10002; sequence++) {
    channel.acceptReliable(reliable(sequence & 0xffff));
  }
  assert.equal(delivered.length, 0x10002);
});

Deno.test("ReceiveChannel keeps to its budget, and takes the message again once there is room", () => {
  const { channel, budget, delivered } = openChannel();
  const size = 1000;
  const count = Math.floor(REORDER_BYTES_MAX / (size + REORDER_ENTRY_BYTES));
  for (let index = 0; index < count; index++) {
    channel.acceptReliable(reliable(2 + index, new Uint8Array(size)));
  }
  const next = reliable(2 + count, new Uint8Array(size));
  assert.throws(() => channel.acceptReliable(next), { name: "ProtocolError", code: "limit" });
  assert.ok(budget.usedBytes <= REORDER_BYTES_MAX);
  channel.acceptReliable(reliable(1));
  assert.equal(budget.usedBytes, 0);
  channel.acceptReliable(next);
  assert.equal(delivered.length, 2 + count);
});

Deno.test("ReceiveChannel counts empty messages against its budget", () => {
  const { channel } = openChannel();
  assert.throws(() => {
    for (let sequence = 2; sequence < 28_000; sequence++) {
      channel.acceptReliable(reliable(sequence, new Uint8Array(0)));
    }
  }, { code: "limit" });
});

Deno.test("ReceiveChannel joins fragments at the place of the first and goes on after the last", () => {
  const { channel, budget, delivered } = openChannel();
  channel.acceptReliable(reliable(5));
  for (const number of [2, 0, 0]) channel.acceptFragment(fragment(2, number));
  channel.acceptReliable(reliable(1));
  assert.deepEqual(delivered, [1]);
  channel.acceptFragment(fragment(2, 1));
  assert.deepEqual(delivered, [1, 9, 5]);
  channel.acceptFragment(fragment(2, 1));
  assert.deepEqual(delivered, [1, 9, 5]);
  assert.equal(budget.usedBytes, 0);
});

Deno.test("ReceiveChannel puts every fragment where its offset says", () => {
  const joined: number[][] = [];
  const channel = new ReceiveChannel(new ReorderBudget(), (bytes) => joined.push([...bytes]));
  for (const number of [1, 2, 0]) {
    channel.acceptFragment(fragment(1, number, { value: 10 + number }));
  }
  assert.deepEqual(joined, [[10, 11, 12]]);
});

Deno.test("ReceiveChannel refuses impossible fragments and keeps nothing of them", () => {
  const wrong: Partial<FragmentCommand>[] = [
    { fragmentNumber: 3 },
    { fragmentCount: 0 },
    { totalBytes: 2 },
    { offsetBytes: 3 },
    { offsetBytes: 0xffff_ffff },
    { data: new Uint8Array(0) },
    { data: new Uint8Array(4) },
    { totalBytes: MESSAGE_BYTES_MAX + 1 },
    { fragmentCount: FRAGMENT_COUNT_MAX + 1, totalBytes: FRAGMENT_COUNT_MAX + 1 },
  ];
  for (const change of wrong) {
    const { channel, budget } = openChannel();
    assert.throws(() => channel.acceptFragment(fragment(1, 0, change)), ProtocolError);
    assert.throws(
      () => channel.acceptUnreliableFragment(fragment(1, 0, { ...change, sequence: 0 })),
      ProtocolError,
    );
    assert.equal(budget.usedBytes, 0);
  }
});

Deno.test("ReceiveChannel takes a message in pieces at the limits", () => {
  const { channel, delivered } = openChannel();
  for (let number = 0; number < FRAGMENT_COUNT_MAX; number++) {
    const size = MESSAGE_BYTES_MAX / FRAGMENT_COUNT_MAX;
    channel.acceptFragment(fragment(1, number, {
      fragmentCount: FRAGMENT_COUNT_MAX,
      totalBytes: MESSAGE_BYTES_MAX,
      offsetBytes: number * size,
      data: new Uint8Array(size).fill(5),
    }));
  }
  assert.deepEqual(delivered, [5]);
});

Deno.test("ReceiveChannel refuses a fragment that contradicts the first of its message", () => {
  const { channel } = openChannel();
  channel.acceptFragment(fragment(1, 0));
  for (const change of [{ totalBytes: 4 }, { fragmentCount: 2 }]) {
    assert.throws(() => channel.acceptFragment(fragment(1, 1, change)), { code: "malformed" });
  }
});

Deno.test("ReceiveChannel forgets what a peer put under the numbers of a message's fragments", () => {
  const { channel, budget, delivered } = openChannel();
  channel.acceptReliable(reliable(2, new Uint8Array([66])));
  for (const number of [0, 1, 2]) channel.acceptFragment(fragment(1, number));
  assert.deepEqual(delivered, [9]);
  assert.equal(budget.usedBytes, 0);
});

Deno.test("ReceiveChannel delivers unreliable messages only forwards", () => {
  const { channel, delivered } = openChannel();
  for (const number of [1, 3, 2, 3, 4]) channel.acceptUnreliable(unreliable(0, number, number));
  assert.deepEqual(delivered, [-1, -3, -4]);
});

Deno.test("ReceiveChannel keeps an unreliable message until the reliable one before it has come", () => {
  const { channel, budget, delivered } = openChannel();
  channel.acceptUnreliable(unreliable(1, 2, 12));
  channel.acceptUnreliable(unreliable(1, 1, 11));
  channel.acceptUnreliable(unreliable(1, 1, 11));
  channel.acceptReliable(reliable(2));
  channel.acceptUnreliable(unreliable(2, 1, 21));
  assert.deepEqual(delivered, []);
  channel.acceptReliable(reliable(1));
  assert.deepEqual(delivered, [1, -11, -12, 2, -21]);
  channel.acceptUnreliable(unreliable(1, 3, 13));
  assert.deepEqual(delivered, [1, -11, -12, 2, -21]);
  assert.equal(budget.usedBytes, 0);
});

Deno.test("ReceiveChannel joins unreliable fragments and drops those that newer messages overtake", () => {
  const { channel, budget, delivered } = openChannel();
  for (const number of [1, 0, 2]) {
    channel.acceptUnreliableFragment(fragment(1, number, { sequence: 0 }));
  }
  assert.deepEqual(delivered, [-9]);
  channel.acceptUnreliableFragment(fragment(2, 0, { sequence: 0 }));
  channel.acceptReliable(reliable(1));
  assert.equal(budget.usedBytes, 0);
  channel.acceptUnreliableFragment(fragment(2, 1, { sequence: 0 }));
  assert.equal(budget.usedBytes, 0);
  assert.deepEqual(delivered, [-9, 1]);
});

Deno.test("ReceiveChannel keeps four unreliable messages in pieces and lets the oldest go", () => {
  const { channel, budget, delivered } = openChannel();
  for (const start of [1, 2, 3, 4, 5]) {
    channel.acceptUnreliableFragment(fragment(start, 0, { sequence: 0 }));
  }
  assert.equal(budget.usedBytes, 4 * (3 + REORDER_ENTRY_BYTES));
  for (const number of [1, 2]) {
    channel.acceptUnreliableFragment(fragment(1, number, { sequence: 0 }));
  }
  assert.deepEqual(delivered, []);
  for (const number of [1, 2]) {
    channel.acceptUnreliableFragment(fragment(5, number, { sequence: 0 }));
  }
  assert.deepEqual(delivered, [-9]);
});

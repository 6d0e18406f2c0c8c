import assert from "node:assert/strict";
import {
  IN_FLIGHT_COMMANDS_MAX,
  IN_FLIGHT_SPAN_MAX,
  MESSAGE_BYTES_MAX,
  SEND_QUEUE_BYTES_MAX,
} from "../../../../src/protocol/enet/limits.ts";
import { RoundTrip } from "../../../../src/protocol/enet/round_trip.ts";
import { type Delivery, SendQueue } from "../../../../src/protocol/enet/send_queue.ts";

const WINDOW_BYTES = 65_536;
const MTU_BYTES = 900;

function createQueue(): {
  queue: SendQueue;
  send: (sizeBytes: number, channel?: number, delivery?: Delivery) => boolean;
} {
  const queue = new SendQueue(new RoundTrip());
  const send = (sizeBytes: number, channel = 0, delivery: Delivery = "reliable") =>
    queue.queueMessage(new Uint8Array(sizeBytes), { channel, delivery, mtuBytes: MTU_BYTES });
  return { queue, send };
}

Deno.test("SendQueue numbers each channel from 1, and the peer's own commands apart", () => {
  const { queue, send } = createQueue();
  send(1, 0);
  send(1, 3);
  send(1, 0);
  queue.queuePeerCommand({ kind: "ping" });
  assert.deepEqual(
    queue.collect(0, WINDOW_BYTES).map(({ kind, channel, sequence }) => [kind, channel, sequence]),
    [["ping", 0xff, 1], ["reliable", 0, 1], ["reliable", 3, 1], ["reliable", 0, 2]],
  );
  assert.equal(queue.nextPeerSequence, 2);
});

Deno.test("SendQueue counts unreliable messages from 1 after each reliable one, unsequenced over all channels", () => {
  const { queue, send } = createQueue();
  send(1, 2, "unreliable");
  send(1, 2, "unreliable");
  send(1, 2, "reliable");
  send(1, 2, "unreliable");
  send(1, 5, "unsequenced");
  send(1, 6, "unsequenced");
  const numbers = queue.collect(0, WINDOW_BYTES).map((command) => {
    if (command.kind === "unreliable") return [command.sequence, command.unreliableSequence];
    return command.kind === "unsequenced" ? command.group : command.sequence;
  });
  assert.deepEqual(numbers, [[0, 1], [0, 2], 1, [1, 1], 1, 2]);
});

Deno.test("SendQueue sends reliably what would wrap the unreliable number", () => {
  const { queue, send } = createQueue();
  for (let count = 1; count <= 0xffff; count++) {
    send(0, 1, "unreliable");
    if (count % 1000 === 0) queue.collect(0, WINDOW_BYTES);
  }
  queue.collect(0, WINDOW_BYTES);
  send(0, 1, "unreliable");
  send(0, 1, "unreliable");
  assert.deepEqual(
    queue.collect(0, WINDOW_BYTES).map(({ kind, sequence }) => [kind, sequence]),
    [["reliable", 1], ["unreliable", 1]],
  );
});

Deno.test("SendQueue fragments what is larger than the MTU leaves, and nothing smaller", () => {
  const { queue, send } = createQueue();
  send(872);
  send(873);
  send(1);
  const commands = queue.collect(0, WINDOW_BYTES);
  assert.deepEqual(commands.map(({ kind, sequence }) => [kind, sequence]), [
    ["reliable", 1],
    ["fragment", 2],
    ["fragment", 3],
    ["reliable", 4],
  ]);
  const last = commands[2];
  assert.ok(last?.kind === "fragment");
  assert.deepEqual(
    [last.startSequence, last.fragmentCount, last.totalBytes, last.offsetBytes],
    [2, 2, 873, 872],
  );
});

Deno.test("SendQueue.queueMessage() takes a message at the limit and refuses what no delivery carries", () => {
  const { send } = createQueue();
  assert.equal(send(MESSAGE_BYTES_MAX), true);
  assert.throws(() => send(MESSAGE_BYTES_MAX + 1), RangeError);
  assert.throws(() => send(873, 0, "unreliable"), RangeError);
  assert.throws(() => send(873, 0, "unsequenced"), RangeError);
});

Deno.test("SendQueue.queueMessage() copies, and says no when too much waits", () => {
  const { queue, send } = createQueue();
  const bytes = new Uint8Array([1]);
  queue.queueMessage(bytes, { channel: 0, delivery: "reliable", mtuBytes: MTU_BYTES });
  bytes[0] = 2;
  const [command] = queue.collect(0, WINDOW_BYTES);
  assert.ok(command?.kind === "reliable");
  assert.deepEqual(command.data, new Uint8Array([1]));

  let count = 0;
  while (send(800)) count++;
  assert.ok(count > 200);
  assert.ok(queue.waitingBytes <= SEND_QUEUE_BYTES_MAX);
  queue.collect(0, WINDOW_BYTES);
  assert.equal(send(800), true);
});

Deno.test("SendQueue keeps within the window, and sends at least one command", () => {
  const { queue, send } = createQueue();
  for (let count = 0; count < 4; count++) send(500);
  assert.equal(queue.collect(0, 1100).length, 2);
  assert.equal(queue.collect(0, 1100).length, 0);
  queue.acknowledge(0, 1);
  assert.equal(queue.collect(0, 1100).length, 1);
  queue.acknowledge(0, 2);
  queue.acknowledge(0, 3);
  assert.equal(queue.collect(0, 0).length, 1);
});

Deno.test("SendQueue lets a command of the peer itself pass a full window", () => {
  const { queue, send } = createQueue();
  send(500);
  send(500);
  queue.collect(0, 500);
  queue.queuePeerCommand({ kind: "disconnect", data: 0 });
  assert.deepEqual(queue.collect(0, 500).map(({ kind }) => kind), ["disconnect"]);
});

Deno.test("SendQueue keeps within the number of commands, and within the receiver's windows", () => {
  const { queue, send } = createQueue();
  for (let count = 0; count <= IN_FLIGHT_COMMANDS_MAX; count++) send(0);
  assert.equal(queue.collect(0, WINDOW_BYTES).length, IN_FLIGHT_COMMANDS_MAX);

  // Number 1 stays unacknowledged while all others come and go.
  let last = IN_FLIGHT_COMMANDS_MAX;
  for (;;) {
    for (let sequence = 2; sequence <= last; sequence++) queue.acknowledge(0, sequence);
    send(0);
    const sent = queue.collect(0, WINDOW_BYTES);
    if (sent.length === 0) break;
    last = sent.at(-1)?.sequence ?? 0;
  }
  assert.equal(last, IN_FLIGHT_SPAN_MAX);
  queue.acknowledge(0, 1);
  assert.notEqual(queue.collect(0, WINDOW_BYTES).length, 0);
});

Deno.test("SendQueue repeats what is not acknowledged, later each time, and nothing else", () => {
  const { queue, send } = createQueue();
  send(1);
  send(1, 0, "unreliable");
  assert.equal(queue.collect(0, WINDOW_BYTES).length, 2);
  assert.equal(queue.nextDueMs, 504);
  assert.equal(queue.collect(503, WINDOW_BYTES).length, 0);
  assert.equal(queue.collect(504, WINDOW_BYTES).length, 1);
  assert.equal(queue.nextDueMs, 504 + 1008);
  assert.equal(queue.oldestSentMs, 0);
  assert.equal(queue.acknowledge(0, 1)?.kind, "reliable");
  assert.equal(queue.acknowledge(0, 1), undefined);
  assert.equal(queue.acknowledge(1, 1), undefined);
  assert.equal(queue.isEmpty, true);
  assert.equal(queue.nextDueMs, undefined);
  assert.equal(queue.oldestSentMs, undefined);
});

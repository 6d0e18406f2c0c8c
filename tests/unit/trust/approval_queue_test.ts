import assert from "node:assert/strict";
import { OperationError } from "../../../src/lib/errors.ts";
import {
  ApprovalQueue,
  type Knock,
  PARKED_TIMEOUT_MS,
  type ParkedKnock,
  PENDING_LIFETIME_MS,
  PENDING_MAX,
  PENDING_PER_ADDRESS_MAX,
} from "../../../src/trust/approval_queue.ts";
import { type ClientsLab, device, makeClients, PHONE, TABLET } from "./native_fixture.ts";

function isOperationError(code: string): (error: unknown) => boolean {
  return (error) => error instanceof OperationError && error.code === code;
}

function knockOf(fingerprint = PHONE, changes: Partial<Knock> = {}): Knock {
  return { ...device(fingerprint), address: "10.0.0.7", source: "lan", ...changes };
}

/** The `index`th of many devices, each at an address of its own. */
function knockOfMany(index: number): Knock {
  const fingerprint = index.toString(16).padStart(64, "0");
  return knockOf(fingerprint, { address: `10.0.1.${index}` });
}

interface QueueLab extends AsyncDisposable {
  readonly lab: ClientsLab;
  readonly queue: ApprovalQueue;
  readonly pending: string[];
}

async function makeQueue(): Promise<QueueLab> {
  const lab = await makeClients();
  const pending: string[] = [];
  const queue = new ApprovalQueue({
    clients: lab.clients,
    clock: lab.clock,
    onPending: (one) => pending.push(one.name),
  });
  return {
    lab,
    queue,
    pending,
    async [Symbol.asyncDispose]() {
      queue[Symbol.dispose]();
      assert.equal(lab.clock.pendingTimers, 0);
      await lab[Symbol.asyncDispose]();
    },
  };
}

async function outcomeOf(parked: ParkedKnock): Promise<string> {
  const decision = await parked.decision;
  return decision.kind === "refused" ? decision.reason : decision.kind;
}

function idOf(queue: ApprovalQueue, fingerprint = PHONE): number {
  return queue.list().find((one) => one.fingerprint === fingerprint)?.id ?? 0;
}

Deno.test("ApprovalQueue lists a device that knocks, under a name made harmless, and tells of it once", async () => {
  await using parts = await makeQueue();
  const { queue, lab, pending } = parts;
  queue.knock(knockOf(PHONE, { name: "Liv\u202eing\n room" }));
  lab.clock.advance(1999);
  assert.deepEqual(queue.list(), [{
    id: 1,
    fingerprint: PHONE,
    name: "Living room",
    source: "lan",
    ageS: 1,
    known: undefined,
  }]);
  queue.knock(knockOf(PHONE, { name: "Kitchen" }));
  queue.knock(knockOf(TABLET, { name: "", source: "wan" }));
  assert.deepEqual(queue.list().map(({ id, name, ageS, source }) => [id, name, ageS, source]), [
    [1, "Kitchen", 0, "lan"],
    [2, "Device cdcdcdcd", 0, "wan"],
  ]);
  assert.deepEqual(pending, ["Living room", "Device cdcdcdcd"]);
});

Deno.test("ApprovalQueue.approve() stores the device and lets its connection through", async () => {
  await using parts = await makeQueue();
  const { queue, lab } = parts;
  const parked = queue.knock(knockOf());
  const client = await queue.approve(idOf(queue), { name: "TV", offer: { grants: 1 } });
  assert.deepEqual(await parked.decision, { kind: "admitted", client });
  assert.deepEqual([client.name, client.grants, client.kind], ["TV", 1, "certificate"]);
  assert.deepEqual((await lab.reopen()).list(), [client]);
  assert.deepEqual(queue.list(), []);
});

Deno.test("ApprovalQueue.approve() admits the next time a device whose connection is gone", async () => {
  await using parts = await makeQueue();
  const { queue, lab } = parts;
  const parked = queue.knock(knockOf());
  parked.leave();
  assert.equal(await outcomeOf(parked), "gone");
  await queue.approve(idOf(queue), { offer: {} });
  assert.equal(lab.clients.get(PHONE)?.name, "Phone");
});

Deno.test("ApprovalQueue.deny() refuses this once", async () => {
  await using parts = await makeQueue();
  const { queue, lab } = parts;
  const parked = queue.knock(knockOf());
  const id = idOf(queue);
  queue.deny(id);
  assert.equal(await outcomeOf(parked), "denied");
  parked.leave();
  assert.deepEqual(queue.list(), []);
  assert.throws(() => queue.deny(id), isOperationError("not-found"));
  assert.equal(lab.clients.size, 0);
  queue.knock(knockOf());
  assert.equal(idOf(queue), id + 1);
});

Deno.test("ApprovalQueue gives up a connection after three minutes and its row after ten", async () => {
  await using parts = await makeQueue();
  const { queue, lab } = parts;
  const parked = queue.knock(knockOf());
  lab.clock.advance(PARKED_TIMEOUT_MS - 1);
  assert.equal(lab.clock.pendingTimers, 1);
  lab.clock.advance(1);
  assert.equal(await outcomeOf(parked), "approval-timeout");
  lab.clock.advance(PENDING_LIFETIME_MS - PARKED_TIMEOUT_MS - 1);
  const id = idOf(queue);
  assert.equal(id, 1);
  lab.clock.advance(1);
  assert.deepEqual(queue.list(), []);
  await assert.rejects(queue.approve(id, { offer: {} }), isOperationError("not-found"));
});

Deno.test("ApprovalQueue closes the older connection of a device that knocks again", async () => {
  await using parts = await makeQueue();
  const { queue, lab } = parts;
  const older = queue.knock(knockOf());
  lab.clock.advance(PARKED_TIMEOUT_MS - 1);
  const newer = queue.knock(knockOf());
  assert.equal(await outcomeOf(older), "superseded");
  older.leave();
  lab.clock.advance(PARKED_TIMEOUT_MS - 1);
  assert.equal(queue.list().length, 1);
  await queue.approve(idOf(queue), { offer: {} });
  assert.equal(await outcomeOf(newer), "admitted");
});

Deno.test("ApprovalQueue.approve() refuses a knock from the internet, which then waits on", async () => {
  await using parts = await makeQueue();
  const { queue, lab } = parts;
  const parked = queue.knock(knockOf(PHONE, { source: "wan", address: "203.0.113.9" }));
  await assert.rejects(queue.approve(idOf(queue), { offer: {} }), isOperationError("refused"));
  assert.equal(lab.clients.size, 0);
  queue.deny(idOf(queue));
  assert.equal(await outcomeOf(parked), "denied");
});

Deno.test("ApprovalQueue lets a device through that became trusted in another way", async () => {
  await using parts = await makeQueue();
  const { queue, lab } = parts;
  await lab.clients.pair(device(PHONE), { grants: 1, lifetimeS: 1 });
  lab.clock.advance(1000);
  const parked = queue.knock(knockOf());
  const other = queue.knock(knockOf(TABLET));
  assert.equal(queue.list()[0]?.known?.grants, 1);
  await lab.clients.change(PHONE, { name: "Still expired" });
  assert.equal(queue.list().length, 2);
  await lab.clients.change(PHONE, { expiresUnix: null });
  assert.equal(await outcomeOf(parked), "admitted");
  await lab.clients.pair(device(TABLET), {});
  assert.equal(await outcomeOf(other), "admitted");
  assert.deepEqual(queue.list(), []);
});

Deno.test("ApprovalQueue.approve() that cannot be stored admits nobody and can be tried again", async () => {
  await using parts = await makeQueue();
  const { queue, lab } = parts;
  const parked = queue.knock(knockOf());
  lab.isDiskFull = true;
  await assert.rejects(queue.approve(idOf(queue), { offer: {} }), isOperationError("storage"));
  lab.isDiskFull = false;
  await queue.approve(idOf(queue), { offer: {} });
  assert.equal(await outcomeOf(parked), "admitted");
});

Deno.test("ApprovalQueue takes one decision at a time for a device", async () => {
  await using parts = await makeQueue();
  const { queue, lab } = parts;
  const older = queue.knock(knockOf());
  const id = idOf(queue);
  const approving = queue.approve(id, { offer: {} });
  assert.throws(() => queue.deny(id), isOperationError("refused"));
  await assert.rejects(queue.approve(id, { offer: {} }), isOperationError("refused"));
  const newer = queue.knock(knockOf());
  assert.throws(() => queue.deny(id), isOperationError("refused"));
  await approving;
  assert.deepEqual([await outcomeOf(older), await outcomeOf(newer)], ["superseded", "admitted"]);
  assert.equal(lab.clients.size, 1);
});

Deno.test("ApprovalQueue parks 4 devices an address and not one more", async () => {
  await using parts = await makeQueue();
  const { queue, lab } = parts;
  const knockAt = (index: number, address = "10.0.0.7") =>
    queue.knock({ ...knockOfMany(index), address });
  const first = knockAt(1);
  for (let index = 2; index <= PENDING_PER_ADDRESS_MAX; index++) knockAt(index);
  assert.equal(await outcomeOf(knockAt(5, "::ffff:10.0.0.7")), "busy");
  const other = knockAt(6, "10.0.0.8");
  first.leave();
  lab.clock.advance(1);
  knockAt(7);
  assert.deepEqual(queue.list().map(({ id }) => id), [2, 3, 4, 5, 6]);
  // A device that is listed may always knock again.
  const again = knockAt(2);
  queue.deny(idOf(queue, knockOfMany(2).fingerprint));
  assert.equal(await outcomeOf(again), "denied");
  other.leave();
});

Deno.test("ApprovalQueue keeps 32 rows, and drops the longest silent of those nobody waits at", async () => {
  await using parts = await makeQueue();
  const { queue } = parts;
  const parked = Array.from({ length: PENDING_MAX }, (_, index) => queue.knock(knockOfMany(index)));
  assert.equal(await outcomeOf(queue.knock(knockOfMany(100))), "busy");
  parked[7]?.leave();
  parked[5]?.leave();
  queue.knock(knockOfMany(101));
  const ids = queue.list().map(({ id }) => id);
  assert.equal(ids.length, PENDING_MAX);
  assert.ok(!ids.includes(6) && ids.includes(8));
});

Deno.test("ApprovalQueue tells all that wait when it ends", async () => {
  await using parts = await makeQueue();
  const parked = parts.queue.knock(knockOf());
  parts.queue[Symbol.dispose]();
  assert.equal(await outcomeOf(parked), "gone");
  await parts.lab.clients.pair(device(PHONE), {});
});

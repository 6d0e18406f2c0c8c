import assert from "node:assert/strict";
import { SwayIpc } from "../../../src/display/sway_ipc.ts";
import { canRemoveOutputs, HeadlessOutputs } from "../../../src/display/wlroots_outputs.ts";
import type { Clock } from "../../../src/lib/clock.ts";
import { type FakeFaults, FakeSway } from "./fake_sway.ts";

const MODE = { widthPixels: 1337, heightPixels: 777, refreshMilliHz: 59_940 };
const DEAD = { processId: 999_999_999, startTicks: 1 };

/** Waits without waiting; a request's own time-out never runs out. */
const IMPATIENT: Clock = {
  monotonicUs: () => 0,
  wallMs: () => 0,
  after(delayMs, callback) {
    const id = delayMs < 1000 ? setTimeout(callback, 0) : undefined;
    return { cancel: () => clearTimeout(id) };
  },
};

function open(faults: FakeFaults = {}) {
  const sway = new FakeSway(faults);
  const outputs = new HeadlessOutputs(new SwayIpc(sway.socketPath, IMPATIENT), IMPATIENT);
  const journalPath = `${sway.directory}/punktfunk-host/sway-ipc.0.1.sock.json`;
  return {
    sway,
    outputs,
    names: () => sway.outputs.map(({ name }) => name),
    readJournal: async () => JSON.parse(await Deno.readTextFile(journalPath)).outputs,
    writeJournal: async (text: string) => {
      await Deno.mkdir(`${sway.directory}/punktfunk-host`, { recursive: true });
      await Deno.writeTextFile(journalPath, text);
    },
    [Symbol.asyncDispose]: () => sway[Symbol.asyncDispose](),
  };
}

Deno.test("HeadlessOutputs.acquire() makes an output of the mode and release() removes it", async () => {
  await using desk = open();
  const lease = await desk.outputs.acquire(MODE);
  assert.deepEqual(lease, { name: "HEADLESS-2", mode: MODE, focusBefore: "HEADLESS-1" });
  assert.deepEqual(desk.sway.commands, [
    "create_output",
    'output "HEADLESS-2" mode --custom 1337x777@59.940Hz scale 1 transform normal',
    'focus output "HEADLESS-2"',
  ]);
  const [entry] = await desk.readJournal();
  assert.deepEqual([entry.name, entry.owner.processId], ["HEADLESS-2", Deno.pid]);
  await desk.outputs.release(lease);
  assert.deepEqual(desk.sway.commands.slice(3), [
    'focus output "HEADLESS-1"',
    'output "HEADLESS-2" unplug',
  ]);
  assert.deepEqual(desk.names(), ["HEADLESS-1"]);
  assert.deepEqual(await desk.readJournal(), []);
});

Deno.test("HeadlessOutputs.acquire() leaves nothing when Sway makes another mode", async () => {
  await using desk = open({ refreshInstead: 60_000 });
  await assert.rejects(desk.outputs.acquire(MODE), {
    name: "OperationError",
    code: "failed",
    message: "Cannot give HEADLESS-2 the mode 1337x777@59.940Hz: Sway made another",
  });
  assert.deepEqual(desk.names(), ["HEADLESS-1"]);
  assert.deepEqual(await desk.readJournal(), []);
});

Deno.test("HeadlessOutputs keeps an output that cannot be removed and takes it again", async () => {
  await using desk = open({ isOld: true });
  for (let round = 0; round < 3; round++) {
    const lease = await desk.outputs.acquire(MODE);
    assert.equal(lease.name, "HEADLESS-2");
    await desk.outputs.release(lease);
  }
  assert.deepEqual(await desk.readJournal(), [{
    name: "HEADLESS-2",
    namesBefore: [],
    owner: null,
  }]);
  assert.deepEqual(desk.names(), ["HEADLESS-1", "HEADLESS-2"]);
});

Deno.test("HeadlessOutputs.release() never takes the desktop's last output", async () => {
  await using desk = open();
  const lease = await desk.outputs.acquire(MODE);
  desk.sway.outputs.splice(0, 1);
  await desk.outputs.release(lease);
  assert.deepEqual(desk.names(), ["HEADLESS-2"]);
  assert.equal((await desk.outputs.acquire(MODE)).name, "HEADLESS-2");
});

Deno.test("HeadlessOutputs.acquire() takes none of several new outputs, for some are another's", async () => {
  await using desk = open({ outputsPerCreate: 2 });
  await assert.rejects(desk.outputs.acquire(MODE), { name: "OperationError", code: "failed" });
  assert.deepEqual(await desk.readJournal(), []);
});

Deno.test("HeadlessOutputs.release() leaves the focus where the user put it", async () => {
  await using desk = open();
  const lease = await desk.outputs.acquire(MODE);
  for (const output of desk.sway.outputs) output.focused = output.name === "HEADLESS-1";
  await desk.outputs.release(lease);
  assert.ok(!desk.sway.commands.includes('focus output "HEADLESS-1"'));
});

Deno.test("HeadlessOutputs.recover() releases what a dead host made or was about to make", async () => {
  await using desk = open();
  const { sway, outputs } = desk;
  const kept = await outputs.acquire(MODE);
  const ipc = new SwayIpc(sway.socketPath, IMPATIENT);
  await ipc.command("create_output");
  await ipc.command("create_output");
  assert.deepEqual(desk.names(), ["HEADLESS-1", "HEADLESS-2", "HEADLESS-3", "HEADLESS-4"]);
  const namesBefore = ["HEADLESS-1", "HEADLESS-2", "HEADLESS-3"];
  await desk.writeJournal(JSON.stringify({
    v: 1,
    outputs: [
      ...await desk.readJournal(),
      { name: "HEADLESS-3", namesBefore: [], owner: DEAD },
      { name: null, namesBefore, owner: DEAD },
      // Made by a host that died before Sway did it.
      { name: null, namesBefore: [...namesBefore, "HEADLESS-4"], owner: DEAD },
    ],
  }));
  assert.deepEqual(await outputs.recover(), ["HEADLESS-3", "HEADLESS-4"]);
  assert.deepEqual(desk.names(), ["HEADLESS-1", kept.name]);
  assert.deepEqual((await desk.readJournal()).length, 1);
});

Deno.test("HeadlessOutputs takes a damaged journal for an empty one", async () => {
  for (const text of ["", "{", "[]", '{"v":2,"outputs":[]}', '{"v":1,"outputs":[7,{"name":1}]}']) {
    await using desk = open();
    await desk.writeJournal(text);
    assert.deepEqual(await desk.outputs.recover(), []);
    assert.equal((await desk.outputs.acquire(MODE)).name, "HEADLESS-2");
  }
});

Deno.test("canRemoveOutputs() is true from Sway 1.8 on", () => {
  const versions = [[1, 7, false], [1, 8, true], [1, 12, true], [2, 0, true]] as const;
  for (const [major, minor, expected] of versions) {
    assert.equal(canRemoveOutputs({ major, minor }), expected);
  }
});

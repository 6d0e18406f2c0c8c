import assert from "node:assert/strict";
import { AudioJournal } from "../../../src/audio/journal.ts";
import { isRunningElsewhere, thisProcess } from "../../../src/platform/process_identity.ts";

const ENTRY = {
  owner: { processId: 4, startTicks: 77 },
  claims: [{ sinkName: "punktfunk-1", replaced: null }],
};

async function inDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "punktfunk-journal-" });
  try {
    await work(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("AudioJournal keeps one entry until it is removed, readable by its owner only", async () => {
  await inDirectory(async (parent) => {
    const directory = `${parent}/state/punktfunk`;
    const journal = new AudioJournal(directory);
    assert.equal(await journal.read(0), undefined);
    await journal.write(ENTRY);
    assert.deepEqual(await new AudioJournal(directory).read(0), ENTRY);
    const { mode } = await Deno.stat(`${directory}/audio-default.json`);
    assert.equal((mode ?? 0) & 0o777, 0o600);
    await journal.remove();
    await journal.remove();
    assert.equal(await journal.read(0), undefined);
  });
});

Deno.test("AudioJournal.read() sets a damaged file aside", async () => {
  const claims = ENTRY.claims;
  const { owner } = ENTRY;
  const damaged: unknown[] = [
    "{",
    null,
    3,
    {},
    { version: 2, owner, claims },
    { version: 1, claims },
    { version: 1, owner: { processId: "4", startTicks: 77 }, claims },
    { version: 1, owner, claims: {} },
    { version: 1, owner, claims: [null] },
    { version: 1, owner, claims: [{ sinkName: 3, replaced: null }] },
    { version: 1, owner, claims: [{ sinkName: "punktfunk-1" }] },
    { version: 1, owner, claims: new Array(65).fill(claims[0]) },
  ];
  for (const json of damaged) {
    await inDirectory(async (directory) => {
      const text = typeof json === "string" ? json : JSON.stringify(json);
      await Deno.writeTextFile(`${directory}/audio-default.json`, text);
      assert.equal(await new AudioJournal(directory).read(0), undefined, text);
      const names = [...Deno.readDirSync(directory)].map((entry) => entry.name);
      assert.deepEqual(names, ["audio-default.json.damaged-19700101T000000Z"]);
    });
  }
  await inDirectory(async (directory) => {
    const most = { version: 1, owner, claims: new Array(64).fill(claims[0]) };
    await Deno.writeTextFile(`${directory}/audio-default.json`, JSON.stringify(most));
    assert.equal((await new AudioJournal(directory).read(0))?.claims.length, 64);
  });
});

Deno.test("isRunningElsewhere() knows a process from a later one with the same id", async () => {
  const own = await thisProcess();
  assert.equal(own.processId, Deno.pid);
  assert.ok(own.startTicks > 0);
  assert.equal(await isRunningElsewhere(own), false);
  const stat = await Deno.readTextFile(`/proc/${Deno.ppid}/stat`);
  const startTicks = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
  assert.equal(await isRunningElsewhere({ processId: Deno.ppid, startTicks }), true);
  assert.equal(
    await isRunningElsewhere({ processId: Deno.ppid, startTicks: startTicks - 1 }),
    false,
  );
  // Beyond the largest id that Linux gives.
  assert.equal(await isRunningElsewhere({ processId: 2 ** 22 + 1, startTicks }), false);
});

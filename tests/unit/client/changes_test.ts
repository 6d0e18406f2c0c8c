import assert from "node:assert/strict";
import { Changes } from "../../client/changes.ts";

const SOON = { timeoutMs: 60_000 };

Deno.test("Changes.until() resolves at once with what is there already", async () => {
  assert.equal(await new Changes().until("number", () => 7, SOON), 7);
});

Deno.test("Changes.until() looks again at every change and at nothing else", async () => {
  const changes = new Changes();
  let looks = 0;
  let value: number | undefined = undefined;
  const waiting = changes.until("number", () => (looks++, value), SOON);
  changes.notify();
  value = 3;
  assert.equal(looks, 2);
  changes.notify();
  assert.equal(await waiting, 3);
  changes.notify();
  assert.equal(looks, 3);
});

Deno.test("Changes.fail() ends every wait, but not one for what is there", async () => {
  const changes = new Changes();
  const waiting = assert.rejects(changes.until("number", () => undefined, SOON), /closed/);
  changes.fail(new Error("closed"));
  await waiting;
  await assert.rejects(changes.until("number", () => false, SOON), /closed/);
  assert.equal(await changes.until("number", () => 1, SOON), 1);
});

Deno.test("Changes.until() names what did not come", async () => {
  await assert.rejects(
    new Changes().until("picture", () => undefined, { timeoutMs: 0 }),
    /No picture within 0 ms/,
  );
});

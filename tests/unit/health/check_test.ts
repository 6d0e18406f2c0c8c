import assert from "node:assert/strict";
import {
  type Check,
  CHECK_TIMEOUT_MS,
  type CheckResult,
  type CheckState,
  describeResults,
  runChecks,
} from "../../../src/health/check.ts";
import { FakeClock } from "../../../src/lib/clock.ts";
import { OperationError } from "../../../src/lib/errors.ts";

function check(id: string, state: CheckState): Check {
  return { id, find: () => Promise.resolve({ state, summary: id }) };
}

Deno.test("runChecks() puts the worst first and keeps the order within a state", async () => {
  const states: CheckState[] = ["ok", "skipped", "ok", "fault", "unknown", "warning", "fault"];
  const results = await runChecks(
    states.map((state, index) => check(`${index}`, state)),
    { clock: new FakeClock() },
  );
  assert.deepEqual(results.map(({ id }) => id), ["3", "6", "5", "4", "1", "0", "2"]);
});

Deno.test("runChecks() makes a fault of a check that throws, now or later, and of nothing else", async () => {
  const remedied = new OperationError("unavailable", "Cannot look", { remedy: "Open\nyour eyes" });
  const clock = new FakeClock();
  const results = await runChecks([
    {
      id: "now",
      find: () => {
        throw new Error("no eyes");
      },
    },
    { id: "later", find: () => Promise.reject(remedied) },
    check("fine", "ok"),
  ], { clock });
  assert.deepEqual(results, [
    { id: "now", state: "fault", summary: "Could not be checked: no eyes" },
    { id: "later", state: "fault", summary: "Could not be checked: Cannot look. Open your eyes" },
    { id: "fine", state: "ok", summary: "fine" },
  ]);
  assert.equal(clock.pendingTimers, 0);
});

Deno.test("runChecks() waits for a check that hangs until its time is over, and no longer", async () => {
  const clock = new FakeClock();
  const running = runChecks([{ id: "hung", find: () => new Promise(() => {}) }], { clock });
  clock.advance(CHECK_TIMEOUT_MS - 1);
  assert.equal(clock.pendingTimers, 1);
  clock.advance(1);
  assert.deepEqual(await running, [
    { id: "hung", state: "fault", summary: "Could not be checked: no answer within 8 s" },
  ]);
});

Deno.test("describeResults() aligns its columns, puts remedies below, and counts", () => {
  const results: CheckResult[] = [
    { id: "a", state: "fault", summary: "Broken", remedy: "one\ntwo" },
    { id: "longer", state: "warning", summary: "Odd" },
    { id: "b", state: "ok", summary: "Fine" },
    { id: "c", state: "ok", summary: "Fine" },
  ];
  assert.equal(
    describeResults(results),
    [
      "fault   a      Broken",
      "               → one",
      "               → two",
      "warning longer Odd",
      "ok      b      Fine",
      "ok      c      Fine",
      "",
      "1 fault, 1 warning, 2 ok",
    ].join("\n"),
  );
});

import assert from "node:assert/strict";
import {
  clockFinding,
  directoryChecks,
  directoryFinding,
  type DirectoryName,
  gatherDirectory,
  limitsFinding,
} from "../../../src/health/system.ts";
import { resolveDirectories } from "../../../src/platform/paths.ts";
import { type FakeEntry, fakeMachine } from "./fake_machine.ts";

const MEBIBYTE = 1024 * 1024;

Deno.test("clockFinding() wants a time at which the host's certificates are valid", () => {
  for (
    const [wallMs, state] of [
      [Date.UTC(2020, 0, 1) - 1, "fault"],
      [Date.UTC(2020, 0, 1), "ok"],
      [Date.UTC(2040, 0, 1) - 1, "ok"],
      [Date.UTC(2040, 0, 1), "fault"],
    ] as const
  ) {
    assert.equal(clockFinding({ wallMs, isSynchronised: true }).state, state);
  }
});

Deno.test("clockFinding() warns of a clock that nothing keeps right, and not of one that is silent", () => {
  const wallMs = Date.UTC(2026, 6, 1);
  assert.equal(clockFinding({ wallMs, isSynchronised: false }).state, "warning");
  assert.match(clockFinding({ wallMs, isSynchronised: true }).summary, /kept right$/);
  assert.match(clockFinding({ wallMs, isSynchronised: undefined }).summary, /000Z$/);
});

async function findingFor(
  entries: Record<string, FakeEntry>,
  { path = "/home/ada/.config/punktfunk", name = "config" as DirectoryName } = {},
) {
  const facts = await gatherDirectory(fakeMachine(entries), path);
  return directoryFinding(facts, { name, userId: 1000 });
}

Deno.test("directoryFinding() is content with a private directory of this user", async () => {
  const directory = { kind: "directory", mode: 0o700, freeBytes: 64 * MEBIBYTE } as const;
  assert.deepEqual(await findingFor({ "/home/ada/.config/punktfunk": directory }), {
    state: "ok",
    summary: "/home/ada/.config/punktfunk, mode 0700, 64 MiB free",
  });
});

Deno.test("directoryFinding() looks above a directory that does not exist yet", async () => {
  const above = { kind: "directory" } as const;
  assert.equal((await findingFor({ "/home/ada": above })).state, "ok");
  const closed = await findingFor({ "/home/ada": { ...above, isWritable: false } });
  assert.equal(closed.state, "fault");
  assert.match(closed.summary, /cannot be made in \/home\/ada$/);
  assert.match(closed.remedy ?? "", /^sudo install -d -m 700 /);
  assert.equal((await gatherDirectory(fakeMachine(), "/a/b")).base, "/");
  assert.equal((await gatherDirectory(fakeMachine(), "a/b")).base, ".");
});

Deno.test("directoryFinding() tells what is wrong with a directory", async () => {
  const path = "/home/ada/.config/punktfunk";
  const directory = { kind: "directory", mode: 0o700 } as const;
  const table: [FakeEntry, string, RegExp, RegExp][] = [
    [{ kind: "file" }, "fault", /is no directory/, /^mv /],
    [{ ...directory, isWritable: false }, "fault", /cannot be written to/, /^sudo install/],
    [{ ...directory, freeBytes: 64 * MEBIBYTE - 1 }, "warning", /63 MiB free/, /^df -h /],
    [{ ...directory, userId: 0 }, "fault", /belongs to user 0/, /^sudo chown -R /],
    [{ ...directory, mode: 0o701 }, "warning", /mode 0701/, /^chmod 700 /],
  ];
  for (const [entry, state, summary, remedy] of table) {
    const finding = await findingFor({ [path]: entry });
    assert.equal(finding.state, state);
    assert.match(finding.summary, summary);
    assert.match(finding.remedy ?? "", remedy);
  }
});

Deno.test("directoryFinding() has a runtime directory chosen rather than changed", async () => {
  const shared = { kind: "directory", mode: 0o1777, userId: 0 } as const;
  const finding = await findingFor({ "/tmp": shared }, { path: "/tmp", name: "runtime" });
  assert.equal(finding.state, "warning");
  assert.match(finding.remedy ?? "", /^export XDG_RUNTIME_DIR=/);
  const own = { ...shared, mode: 0o700, userId: 1000 };
  const options = { path: "/run/user/1000", name: "runtime" as const };
  assert.equal((await findingFor({ "/run/user/1000": own }, options)).state, "ok");
});

Deno.test("directoryChecks() are one fault for a user without a home", async () => {
  const home = directoryChecks(fakeMachine(), () => resolveDirectories({}, "linux"));
  assert.deepEqual(home.map(({ id }) => id), ["directories"]);
  const finding = await home[0]?.find();
  assert.equal(finding?.state, "fault");
  assert.match(finding?.remedy ?? "", /^export HOME=/);
  const all = directoryChecks(fakeMachine(), () => resolveDirectories({ HOME: "/h" }, "linux"));
  assert.deepEqual(all.map(({ id }) => id), [
    "directory-config",
    "directory-state",
    "directory-runtime",
  ]);
});

Deno.test("limitsFinding() reads the soft limits", () => {
  const text = [
    "Limit                     Soft Limit           Hard Limit           Units     ",
    "Max locked memory         8388608              unlimited            bytes     ",
    "Max nice priority         20                   31                   ",
  ].join("\n");
  assert.equal(
    limitsFinding(text).summary,
    "A program may lock 8192 KiB of memory, its priority may not be raised",
  );
  const wide = text.replace("8388608  ", "unlimited").replace("20  ", "31  ");
  assert.equal(
    limitsFinding(wide).summary,
    "A program may lock any memory, its priority may be raised",
  );
  assert.equal(limitsFinding(undefined).state, "unknown");
  assert.equal(limitsFinding("nothing").state, "unknown");
});

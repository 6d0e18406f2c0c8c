import assert from "node:assert/strict";
import { OperationError } from "../../../src/lib/errors.ts";
import {
  ensurePrivateDirectory,
  keepDamagedFile,
  PUBLIC_FILE_MODE,
  readFileIfPresent,
  storageError,
  writeFileAtomic,
} from "../../../src/store/file.ts";

async function withDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await body(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function namesIn(directory: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(directory), (entry) => entry.name)).sort();
}

function modeOf(path: string): number {
  return (Deno.statSync(path).mode ?? 0) & 0o777;
}

Deno.test("writeFileAtomic() leaves one file with exactly the mode asked for", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/a`;
    await writeFileAtomic(path, new TextEncoder().encode("one"));
    assert.equal(modeOf(path), 0o600);
    await writeFileAtomic(path, new TextEncoder().encode("two"), PUBLIC_FILE_MODE);
    assert.equal(modeOf(path), 0o644);
    assert.equal(await Deno.readTextFile(path), "two");
    assert.deepEqual(await namesIn(directory), ["a"]);
  });
});

Deno.test("writeFileAtomic() leaves the old file and no other when it fails", async () => {
  await withDirectory(async (directory) => {
    // A directory cannot be replaced by a file, so the rename fails after the bytes were written.
    await Deno.mkdir(`${directory}/a/inside`, { recursive: true });
    await assert.rejects(
      writeFileAtomic(`${directory}/a`, new Uint8Array(3)),
      (error) =>
        error instanceof OperationError && error.code === "storage" &&
        error.message.includes(`${directory}/a`) && error.remedy !== undefined,
    );
    assert.deepEqual(await namesIn(directory), ["a"]);
  });
});

Deno.test("ensurePrivateDirectory() tightens a directory that is there", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/b/c`;
    await Deno.mkdir(path, { recursive: true, mode: 0o755 });
    await Deno.chmod(path, 0o777);
    await ensurePrivateDirectory(path);
    assert.equal(modeOf(path), 0o700);
    await assert.rejects(
      (async () => {
        await Deno.writeFile(`${directory}/file`, new Uint8Array());
        await ensurePrivateDirectory(`${directory}/file`);
      })(),
      OperationError,
    );
  });
});

Deno.test("readFileIfPresent() tells a missing file from an unreadable one", async () => {
  await withDirectory(async (directory) => {
    assert.equal(await readFileIfPresent(`${directory}/none`), undefined);
    await assert.rejects(readFileIfPresent(directory), OperationError);
  });
});

Deno.test("keepDamagedFile() never overwrites an earlier one", async () => {
  await withDirectory(async (directory) => {
    const kept: string[] = [];
    for (const text of ["first", "second"]) {
      await Deno.writeTextFile(`${directory}/a`, text);
      kept.push(await keepDamagedFile(`${directory}/a`, Date.UTC(2026, 10, 25, 10, 20, 30)));
    }
    assert.deepEqual(kept, [
      `${directory}/a.damaged-20261125T102030Z`,
      `${directory}/a.damaged-20261125T102030Z-2`,
    ]);
    assert.equal(await Deno.readTextFile(kept[0] ?? ""), "first");
    assert.equal(await Deno.readTextFile(kept[1] ?? ""), "second");
    assert.equal(await readFileIfPresent(`${directory}/a`), undefined);
  });
});

Deno.test("storageError() names the file, the cause and what to do", () => {
  const full = storageError("write", "/d/a", Object.assign(new Error(), { code: "ENOSPC" }));
  assert.equal(full.message, "Cannot write /d/a: no space is left");
  assert.match(full.remedy ?? "", /^Free space/);
  const denied = storageError("write", "/d/a", new Deno.errors.PermissionDenied());
  assert.match(denied.message, /permission is denied$/);
  assert.match(denied.remedy ?? "", /\/d/);
  const other = storageError("read", "/d/a", new Error("text of some library"));
  assert.equal(other.message, "Cannot read /d/a: the file system refused it");
});

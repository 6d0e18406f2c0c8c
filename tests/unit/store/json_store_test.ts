import assert from "node:assert/strict";
import { OperationError } from "../../../src/lib/errors.ts";
import { storageError, writeFileAtomic } from "../../../src/store/file.ts";
import { JsonStore, type JsonStoreOptions } from "../../../src/store/json_store.ts";

const OPTIONS: JsonStoreOptions<readonly number[]> = {
  parse(json) {
    if (!Array.isArray(json) || !json.every((item) => typeof item === "number")) {
      throw new TypeError("not numbers");
    }
    return json;
  },
  empty: [],
  nowMs: () => 0,
};

async function withFile(body: (path: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await body(`${directory}/list.json`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("JsonStore keeps its value from one opening to the next", async () => {
  await withFile(async (path) => {
    const store = await JsonStore.open(path, OPTIONS);
    assert.deepEqual(store.value, []);
    await Promise.all([1, 2, 3].map((item) => store.update((list) => [...list, item])));
    const again = await JsonStore.open(path, OPTIONS);
    assert.deepEqual(again.value, [1, 2, 3]);
    assert.equal(again.notice, undefined);
  });
});

Deno.test("JsonStore sets a damaged file aside, starts empty and names both files", async () => {
  for (const damage of ["", "[1,", '["a"]', "\xff"]) {
    await withFile(async (path) => {
      const bytes = Uint8Array.from(damage, (character) => character.charCodeAt(0));
      await Deno.writeFile(path, bytes);
      const store = await JsonStore.open(path, OPTIONS);
      const kept = `${path}.damaged-19700101T000000Z`;
      assert.deepEqual(store.value, []);
      assert.ok(store.notice?.includes(path) && store.notice.includes(kept));
      assert.deepEqual(await Deno.readFile(kept), bytes);
      await store.update(() => [7]);
      assert.deepEqual(await Deno.readFile(kept), bytes);
      assert.deepEqual((await JsonStore.open(path, OPTIONS)).value, [7]);
    });
  }
});

Deno.test("JsonStore keeps the old value when the write fails, and works again afterwards", async () => {
  await withFile(async (path) => {
    let isDiskFull = false;
    const store = await JsonStore.open(path, {
      ...OPTIONS,
      write: (...parameters) => {
        if (!isDiskFull) return writeFileAtomic(...parameters);
        const cause = Object.assign(new Error(), { code: "ENOSPC" });
        return Promise.reject(storageError("write", path, cause));
      },
    });
    await store.update(() => [1]);
    isDiskFull = true;
    await assert.rejects(
      store.update(() => [2]),
      (error) => error instanceof OperationError && error.code === "storage",
    );
    assert.deepEqual(store.value, [1]);
    assert.deepEqual((await JsonStore.open(path, OPTIONS)).value, [1]);
    isDiskFull = false;
    await store.update((list) => [...list, 3]);
    assert.deepEqual(store.value, [1, 3]);
  });
});

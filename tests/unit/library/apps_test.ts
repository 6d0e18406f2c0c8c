import assert from "node:assert/strict";
import {
  type App,
  APP_TITLE_CHARACTERS_MAX,
  APPS_MAX,
  openApps,
} from "../../../src/library/apps.ts";

const DESKTOP = [{ id: 1, title: "Desktop", compositor: undefined, command: undefined }];

async function appsOf(json: unknown) {
  const directory = await Deno.makeTempDir();
  try {
    const text = typeof json === "string" ? json : JSON.stringify(json);
    if (json !== undefined) await Deno.writeTextFile(`${directory}/apps.json`, text);
    const opened = await openApps(directory);
    if (json !== undefined) assert.equal(await Deno.readTextFile(`${directory}/apps.json`), text);
    return opened;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function idOf(apps: readonly App[], title: string): number | undefined {
  return apps.find((app) => app.title === title)?.id;
}

Deno.test("openApps() offers Desktop when there is no file and when it is empty", async () => {
  for (const json of [undefined, "", " \n", []]) {
    assert.deepEqual(await appsOf(json), { apps: DESKTOP, notice: undefined });
  }
});

Deno.test("openApps() offers the rows of the file in their order", async () => {
  const { apps, notice } = await appsOf([
    { id: 7, title: "Steam", compositor: "gamescope", cmd: "steam -bigpicture", later: true },
    { id: 2147483647, title: "Größe & <Form>", cmd: "" },
  ]);
  assert.equal(notice, undefined);
  assert.deepEqual(apps, [
    { id: 7, title: "Steam", compositor: "gamescope", command: "steam -bigpicture" },
    { id: 2147483647, title: "Größe & <Form>", compositor: undefined, command: undefined },
  ]);
});

Deno.test("openApps() gives rows without id one that other rows do not change", async () => {
  const few = (await appsOf([{ title: "A" }, { title: "B" }])).apps;
  const more = (await appsOf([{ title: "C" }, { title: "B" }, { title: "A" }])).apps;
  for (const title of ["A", "B"]) assert.equal(idOf(few, title), idOf(more, title));
  // CRC-32 of "A" is 0xd3d99e8b; the top bit goes.
  assert.equal(idOf(few, "A"), 0x53d99e8b);
  const twins =
    (await appsOf([{ title: "A" }, { title: "A" }, { id: 0x53d99e8c, title: "x" }])).apps;
  assert.deepEqual(twins.map((app) => app.id), [0x53d99e8b, 0x53d99e8d, 0x53d99e8c]);
});

Deno.test("openApps() offers Desktop and says why when the file cannot be used", async () => {
  const cases: [unknown, string][] = [
    ["{", "no JSON"],
    [{}, "no list"],
    [[1], "row 1 is no object"],
    [[{ title: "A" }, { title: "" }], "row 2"],
    [[{ title: "a\nb" }], "row 1"],
    [[{ title: "a".repeat(APP_TITLE_CHARACTERS_MAX + 1) }], "row 1"],
    [[{ id: 0, title: "A" }], "id outside"],
    [[{ id: 2147483648, title: "A" }], "id outside"],
    [[{ id: "1", title: "A" }], "id outside"],
    [[{ id: 3, title: "A" }, { id: 3, title: "B" }], "id 3 stands twice"],
    [[{ title: "A", cmd: ["x"] }], "cmd"],
    [[{ title: "A", compositor: 1 }], "compositor"],
    [Array.from({ length: APPS_MAX + 1 }, () => ({ title: "A" })), "more than"],
  ];
  for (const [json, reason] of cases) {
    const { apps, notice } = await appsOf(json);
    assert.deepEqual(apps, DESKTOP);
    assert.ok(notice?.includes("apps.json") && notice.includes(reason), `${notice}`);
  }
  assert.equal(
    (await appsOf(Array.from({ length: APPS_MAX }, () => ({ title: "A" })))).apps.length,
    APPS_MAX,
  );
  assert.equal((await appsOf([{ title: "a".repeat(APP_TITLE_CHARACTERS_MAX) }])).notice, undefined);
});

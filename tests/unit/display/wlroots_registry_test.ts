import assert from "node:assert/strict";
import { chooseDisplayBackend } from "../../../src/display/registry.ts";
import { openWlrootsDisplayBackend } from "../../../src/display/wlroots.ts";
import { FakeClock } from "../../../src/lib/clock.ts";
import { FakeSway } from "./fake_sway.ts";

const NOWHERE = { XDG_RUNTIME_DIR: "/nonexistent" };

function choose(
  source: "auto" | "synthetic" | "wlroots",
  variables: Record<string, string>,
): ReturnType<typeof chooseDisplayBackend> {
  const environment = { get: (name: string) => variables[name] };
  return chooseDisplayBackend({ source, environment, clock: new FakeClock() });
}

async function inSway(variables: Record<string, string> = {}) {
  await using sway = new FakeSway();
  using _wayland = Deno.listen({ transport: "unix", path: `${sway.directory}/wayland-1` });
  return await choose("auto", { XDG_RUNTIME_DIR: sway.directory, ...variables });
}

Deno.test("chooseDisplayBackend() takes what runs, and says which", async () => {
  const { backend, reason } = await inSway();
  assert.equal(backend.id, "wlroots");
  assert.match(reason, /^Sway 1\.9 runs at \/\S+sway-ipc\.0\.1\.sock$/);
});

Deno.test("chooseDisplayBackend() falls back to the synthetic picture, and says why", async () => {
  const { backend, reason } = await choose("auto", NOWHERE);
  assert.equal(backend.id, "synthetic");
  assert.match(reason, /no display backend is available: .*\/nonexistent/);
});

Deno.test("chooseDisplayBackend() does as the setting or PUNKTFUNK_COMPOSITOR asks", async () => {
  assert.equal((await choose("synthetic", NOWHERE)).backend.id, "synthetic");
  assert.deepEqual((await inSway({ PUNKTFUNK_COMPOSITOR: " Sway " })).backend.id, "wlroots");
  const { backend, reason } = await inSway({ PUNKTFUNK_COMPOSITOR: "synthetic" });
  assert.equal(backend.id, "synthetic");
  assert.equal(reason, "PUNKTFUNK_COMPOSITOR asks for the synthetic picture");
});

Deno.test("chooseDisplayBackend() shows no test picture to somebody who asked for a desktop", async () => {
  const missing = { name: "OperationError", code: "missing-compositor" };
  await assert.rejects(choose("wlroots", NOWHERE), missing);
  await assert.rejects(choose("auto", { ...NOWHERE, PUNKTFUNK_COMPOSITOR: "wlroots" }), missing);
  await assert.rejects(choose("auto", { ...NOWHERE, PUNKTFUNK_COMPOSITOR: "windows" }), {
    name: "OperationError",
    code: "invalid",
  });
});

Deno.test("The wlroots backend explains itself without a compositor, in one sentence with the remedy", async () => {
  const environment = { get: (name: string) => (NOWHERE as Record<string, string>)[name] };
  const backend = openWlrootsDisplayBackend({ environment, clock: new FakeClock() });
  assert.deepEqual(await backend.probe(), {
    isAvailable: false,
    reason: "Cannot use Sway: /nonexistent is no runtime directory of this user. " +
      "Start Sway as this user, or set SWAYSOCK and WAYLAND_DISPLAY to its sockets",
  });
  const mode = { widthPixels: 1280, heightPixels: 720, refreshMilliHz: 60_000 };
  await assert.rejects(backend.createDisplay(mode), {
    name: "OperationError",
    code: "missing-compositor",
  });
  assert.deepEqual(await backend.recover(), []);
});

Deno.test("The wlroots backend takes modes up to their limits and none beyond", async () => {
  const environment = { get: (name: string) => (NOWHERE as Record<string, string>)[name] };
  const backend = openWlrootsDisplayBackend({ environment, clock: new FakeClock() });
  const smallest = { widthPixels: 64, heightPixels: 64, refreshMilliHz: 1000 };
  const largest = { widthPixels: 8192, heightPixels: 8192, refreshMilliHz: 1_000_000 };
  for (const mode of [smallest, largest]) {
    await assert.rejects(backend.createDisplay(mode), { code: "missing-compositor" });
  }
  const keys = ["widthPixels", "heightPixels", "refreshMilliHz"] as const;
  for (const key of keys) {
    for (const value of [smallest[key] - 1, largest[key] + 1, smallest[key] + 0.5, Number.NaN]) {
      await assert.rejects(backend.createDisplay({ ...smallest, [key]: value }), {
        name: "OperationError",
        code: "invalid",
      });
    }
  }
});

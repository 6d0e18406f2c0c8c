/**
 * Virtual displays on a real headless Sway.
 *
 * @module
 */
import assert from "node:assert/strict";
import { listSwayMonitors } from "../../src/display/monitors.ts";
import { chooseDisplayBackend } from "../../src/display/registry.ts";
import { openWlrootsDisplayBackend } from "../../src/display/wlroots.ts";
import { canRemoveOutputs } from "../../src/display/wlroots_outputs.ts";
import type { DisplayBackend } from "../../src/display/ports.ts";
import { openVideoSource } from "../../src/media/sources/registry.ts";
import { openSystemClock } from "../../src/platform/system_clock.ts";
import { SwayLab } from "./sway_lab.ts";

const MODE = { widthPixels: 1280, heightPixels: 720, refreshMilliHz: 60_000 };

function backendOf(lab: SwayLab): DisplayBackend {
  return openWlrootsDisplayBackend({ environment: lab.environment, clock: openSystemClock() });
}

async function namesOf(lab: SwayLab): Promise<string[]> {
  return (await lab.ipc.outputs()).map(({ name }) => name);
}

Deno.test("createDisplay() makes exactly the asked mode, and close() gives the focus back", async () => {
  await using lab = await SwayLab.start();
  const backend = backendOf(lab);
  const modes = [[1337, 777, 59_940], [64, 64, 23_976], [2796, 1290, 119_880], [
    8192,
    4320,
    60_000,
  ]];
  for (const [widthPixels = 0, heightPixels = 0, refreshMilliHz = 0] of modes) {
    const mode = { widthPixels, heightPixels, refreshMilliHz };
    await using display = await backend.createDisplay(mode);
    assert.deepEqual(display.mode, mode);
    const output = (await lab.ipc.outputs()).find(({ name }) => name === display.name);
    assert.deepEqual(output?.mode, mode);
    assert.equal(output?.isFocused, true);
    // Beside the user's screen and unscaled.
    assert.equal(`${output?.x} ${output?.y}`, "1280 0");
    assert.equal(
      `${output?.widthLogical}x${output?.heightLogical}`,
      `${widthPixels}x${heightPixels}`,
    );
  }
  const first = (await lab.ipc.outputs()).find(({ name }) => name === "HEADLESS-1");
  assert.deepEqual([first?.isFocused, first?.x, first?.y], [true, 0, 0]);
});

Deno.test("createDisplay() shows what runs on the display through its source", async () => {
  await using lab = await SwayLab.start({ config: "output * scale 2 transform 90" });
  const mode = { widthPixels: 1001, heightPixels: 701, refreshMilliHz: 75_000 };
  await using display = await backendOf(lab).createDisplay(mode);
  await lab.startClient(display.name, "moving");
  using source = await openVideoSource(display.videoSource);
  const frame = await source.next(2000);
  assert.deepEqual([frame?.widthPixels, frame?.heightPixels], [1001, 701]);
  assert.match(source.description, new RegExp(display.name));
  await using sink = await display.openInput();
  assert.deepEqual(
    (["pointer", "keyboard", "text", "touch", "pen"] as const).map((ability) => sink.can(ability)),
    [true, true, true, false, false],
  );
});

Deno.test("createDisplay() twenty times leaves neither outputs nor descriptors", async () => {
  await using lab = await SwayLab.start();
  const backend = backendOf(lab);
  const countDescriptors = async () =>
    (await Array.fromAsync(Deno.readDir("/proc/self/fd"))).length;
  const cycle = async (widthPixels: number) => {
    const display = await backend.createDisplay({ ...MODE, widthPixels });
    await using sink = await display.openInput();
    sink.inject({ kind: "pointer-position", x: 0.5, y: 0.5 });
    const source = await openVideoSource(display.videoSource);
    assert.equal((await source.next(2000))?.widthPixels, widthPixels);
    source.close();
    await sink.close();
    await display.close();
    await display.close();
  };
  await cycle(1280);
  const [outputs, descriptors] = [await namesOf(lab), await countDescriptors()];
  for (let round = 0; round < 20; round++) await cycle(640 + round);
  // A Sway that can remove outputs leaves the first alone, an older one keeps one for the next session.
  assert.equal(outputs.length, canRemoveOutputs(await lab.ipc.version()) ? 1 : 2);
  assert.deepEqual(await namesOf(lab), outputs);
  assert.equal(await countDescriptors(), descriptors);
});

Deno.test("createDisplay() gives each session a display of its own, side by side", async () => {
  await using lab = await SwayLab.start();
  const backend = backendOf(lab);
  const displays = await Promise.all([1, 2, 3].map(() => backend.createDisplay(MODE)));
  const names = displays.map(({ name }) => name);
  assert.equal(new Set(names).size, 3);
  const edges = (await lab.ipc.outputs()).map(({ x }) => x).sort((a, b) => a - b);
  assert.deepEqual(edges, [0, 1280, 2560, 3840]);
  for (const display of displays) await display.close();
});

Deno.test("listSwayMonitors() tells our outputs from those of the desktop", async () => {
  await using lab = await SwayLab.start();
  await using display = await backendOf(lab).createDisplay(MODE);
  const monitors = await listSwayMonitors({
    environment: lab.environment,
    clock: openSystemClock(),
  });
  assert.deepEqual(monitors.map(({ connector, isVirtual }) => [connector, isVirtual]), [
    ["HEADLESS-1", false],
    [display.name, true],
  ]);
  assert.deepEqual(monitors[1]?.mode, MODE);
});

Deno.test("createDisplay() never takes an output that somebody else made", async () => {
  await using lab = await SwayLab.start();
  await lab.ipc.command("create_output");
  const theirs = await namesOf(lab);
  await using display = await backendOf(lab).createDisplay(MODE);
  assert.ok(!theirs.includes(display.name));
});

Deno.test("recover() releases what a killed host left, and nothing of one that runs", async () => {
  await using lab = await SwayLab.start();
  const backend = backendOf(lab);
  await using own = await backend.createDisplay(MODE);
  const variables = ["XDG_RUNTIME_DIR", "WAYLAND_DISPLAY", "SWAYSOCK"];
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL("./clients/leave_display.ts", import.meta.url).pathname],
    env: Object.fromEntries(variables.map((name) => [name, lab.environment.get(name) ?? ""])),
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const left = (await new Response(child.stdout).text()).trim();
  assert.equal((await child.status).signal, "SIGKILL");
  assert.ok((await namesOf(lab)).includes(left));

  assert.deepEqual(await backend.recover(), [left]);
  assert.deepEqual(await backend.recover(), []);
  const names = await namesOf(lab);
  assert.ok(names.includes(own.name));
  assert.equal(names.includes(left), !canRemoveOutputs(await lab.ipc.version()));
  // What could not be removed serves again.
  await using next = await backend.createDisplay(MODE);
  assert.equal(next.name === left, names.includes(left));
});

Deno.test("close() of a display is quiet when its compositor is gone", async () => {
  await using lab = await SwayLab.start();
  const display = await backendOf(lab).createDisplay(MODE);
  await lab.exit();
  await display.close();
  await assert.rejects(display.openInput(), { name: "OperationError", code: "missing-compositor" });
});

Deno.test("chooseDisplayBackend() takes a Sway that runs", async () => {
  await using lab = await SwayLab.start();
  const { environment } = lab;
  const clock = openSystemClock();
  const { backend, reason } = await chooseDisplayBackend({ source: "auto", environment, clock });
  assert.equal(backend.id, "wlroots");
  assert.match(reason, /^Sway [0-9.]+ runs at \//);
});

Deno.test("The wlroots shim stands the sanitizers against a real compositor", async () => {
  await using lab = await SwayLab.start();
  await lab.startClient("HEADLESS-1", "moving");
  const root = new URL("../../", import.meta.url).pathname;
  const build = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `${root}scripts/native.ts`, "--sanitize", "wlroots"],
    stderr: "inherit",
  }).output();
  assert.ok(build.success);
  const test = await new Deno.Command(`${root}dist/native-test/wlroots_test`, {
    args: [lab.waylandSocket, "HEADLESS-1"],
  }).output();
  const text = new TextDecoder().decode(test.stdout) + new TextDecoder().decode(test.stderr);
  assert.ok(test.success, text);
  assert.match(text, /^[0-9]+ passed, 0 failed$/m);
});

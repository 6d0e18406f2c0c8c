/**
 * Input on a real headless Sway, as a full-screen client of its gets it.
 *
 * @module
 */
import assert from "node:assert/strict";
import { WlrootsInput } from "../../ffi/wlroots_input.ts";
import type { InputSink } from "../../src/input/ports.ts";
import { openWlrootsInput } from "../../src/input/wlroots.ts";
import { usKeymap } from "../../src/input/xkb_keymap.ts";
import type { KeyEvent } from "../../src/protocol/input_event.ts";
import { type LabClient, type LabEvent, SwayLab } from "./sway_lab.ts";

const OUTPUT = { outputName: "HEADLESS-1", widthPixels: 1280, heightPixels: 720 };

/** A button that no other part of a test presses: everything sent before it has arrived when it does. */
const LAST_BUTTON = 0x114;

interface Desk extends AsyncDisposable {
  readonly lab: SwayLab;
  readonly client: LabClient;
  readonly sink: InputSink;
  /** What the client got of these kinds since the last call. */
  got(...kinds: readonly string[]): Promise<LabEvent[]>;
}

async function openDesk(): Promise<Desk> {
  const stack = new AsyncDisposableStack();
  const lab = stack.use(await SwayLab.start());
  const client = await lab.startClient(OUTPUT.outputName, "still");
  const sink = stack.use(await openWlrootsInput({ socketPath: lab.waylandSocket, ...OUTPUT }));
  const events = await client.collect(["no-keymap"], ({ event }) => event === "keyboard-enter");
  assert.deepEqual(events, [], "programs never see a keyboard without a keymap");
  sink.inject({ kind: "pointer-position", x: 0.5, y: 0.5 });
  const isLast = (event: LabEvent) => event["code"] === LAST_BUTTON && event["isDown"] === false;
  const got = (...kinds: readonly string[]) => {
    sink.inject({ kind: "pointer-button", button: "forward", isDown: true });
    sink.inject({ kind: "pointer-button", button: "forward", isDown: false });
    return client.collect(kinds, isLast);
  };
  await got();
  return { lab, client, sink, got, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

function key(virtualKey: number, isDown: boolean, isPositional = true): KeyEvent {
  return { kind: "key", virtualKey, isDown, modifiers: 0, isPositional };
}

function tap(sink: InputSink, virtualKey: number, isPositional = true): void {
  sink.inject(key(virtualKey, true, isPositional));
  sink.inject(key(virtualKey, false, isPositional));
}

function textOf(events: readonly LabEvent[]): string {
  return events.filter(({ event, isDown }) => event === "key" && isDown === true)
    .map(({ text }) => text).join("");
}

Deno.test("WlrootsInputSink puts absolute positions on its output, to the last pixel", async () => {
  await using desk = await openDesk();
  // A neighbour on the right, where a position one pixel too far would land.
  await desk.lab.ipc.command("create_output");
  for (const [x, y] of [[0, 0], [1, 1], [0.25, 0.75], [1, 0]] as const) {
    desk.sink.inject({ kind: "pointer-position", x, y });
  }
  const places = (await desk.got("motion")).map(({ x, y }) => [x, y]);
  assert.deepEqual(places, [[0, 0], [1279, 719], [319.75, 539.25], [1279, 0]]);
});

Deno.test("WlrootsInputSink moves by fractions of a pixel", async () => {
  await using desk = await openDesk();
  desk.sink.inject({ kind: "pointer-position", x: 100 / 1279, y: 100 / 719 });
  desk.sink.inject({ kind: "pointer-motion", dx: 10.5, dy: -3.25 });
  desk.sink.inject({ kind: "pointer-motion", dx: -1, dy: 0 });
  const places = (await desk.got("motion")).map(({ x, y }) => [x, y]);
  assert.deepEqual(places, [[100, 100], [110.5, 96.75], [109.5, 96.75]]);
});

Deno.test("WlrootsInputSink presses and releases each button", async () => {
  await using desk = await openDesk();
  for (const button of ["left", "middle", "right", "back"] as const) {
    desk.sink.inject({ kind: "pointer-button", button, isDown: true });
    desk.sink.inject({ kind: "pointer-button", button, isDown: false });
  }
  const buttons = (await desk.got("button")).map(({ code, isDown }) => [code, isDown]);
  assert.deepEqual(
    buttons,
    [0x110, 0x112, 0x111, 0x113, LAST_BUTTON].flatMap((code) => [[code, true], [code, false]]),
  );
});

Deno.test("WlrootsInputSink turns the wheel by detents and by parts of them", async () => {
  await using desk = await openDesk();
  desk.sink.inject({ kind: "scroll", axis: "vertical", amount120: 120 });
  for (const amount120 of [40, 40, 40]) {
    desk.sink.inject({ kind: "scroll", axis: "horizontal", amount120 });
  }
  desk.sink.inject({ kind: "scroll", axis: "vertical", amount120: -240 });
  const events = await desk.got("axis", "axis-discrete", "axis-source");
  assert.ok(
    events.filter(({ event }) => event === "axis-source").every((one) => one["source"] === 0),
  );
  // Up is negative to Wayland.
  assert.deepEqual(
    events.filter(({ event }) => event === "axis").map(({ axis, value }) => [axis, value]),
    [[0, -15], [1, 5], [1, 5], [1, 5], [0, 30]],
  );
  assert.deepEqual(
    events.filter(({ event }) => event === "axis-discrete").map(({ axis, steps }) => [axis, steps]),
    [[0, -1], [1, 1], [0, 2]],
  );
});

Deno.test("WlrootsInputSink passes keys by their place", async () => {
  await using desk = await openDesk();
  for (const virtualKey of [0x41, 0x31, 0xba, 0x74, 0x25, 0x0d]) tap(desk.sink, virtualKey);
  const events = await desk.got("key");
  assert.deepEqual(
    events.map(({ code, isDown }) => [code, isDown]),
    [30, 2, 39, 63, 105, 28].flatMap((code) => [[code, true], [code, false]]),
  );
  assert.equal(textOf(events), "a1;\r");
});

Deno.test("WlrootsInputSink holds a key until it is released", async () => {
  await using desk = await openDesk();
  desk.sink.inject(key(0x57, true));
  desk.sink.inject({ kind: "pointer-motion", dx: 1, dy: 0 });
  assert.deepEqual((await desk.got("key")).map(({ isDown }) => isDown), [true]);
  desk.sink.inject(key(0x57, false));
  assert.deepEqual((await desk.got("key")).map(({ isDown }) => isDown), [false]);
});

Deno.test("WlrootsInputSink keeps the state of modifiers and locks", async () => {
  await using desk = await openDesk();
  desk.sink.inject(key(0xa0, true));
  desk.sink.inject(key(0xa1, true));
  desk.sink.inject(key(0xa0, false));
  // Right Shift is still down.
  tap(desk.sink, 0x41);
  desk.sink.inject(key(0xa1, false));
  tap(desk.sink, 0x41);
  desk.sink.inject(key(0xa2, true));
  desk.sink.inject(key(0xa4, true));
  desk.sink.inject(key(0xa4, false));
  desk.sink.inject(key(0xa2, false));
  const events = await desk.got("modifiers", "key");
  assert.equal(textOf(events), "Aa");
  const depressed = events.filter(({ event }) => event === "modifiers").map((one) =>
    one["depressed"]
  );
  assert.deepEqual(depressed.filter((mask, index) => mask !== depressed[index - 1]), [
    1,
    0,
    4,
    12,
    4,
    0,
  ]);

  tap(desk.sink, 0x14);
  tap(desk.sink, 0x42);
  tap(desk.sink, 0x14);
  tap(desk.sink, 0x42);
  tap(desk.sink, 0x61);
  tap(desk.sink, 0x90);
  tap(desk.sink, 0x61);
  assert.equal(textOf(await desk.got("key")), "Bb1");
});

Deno.test("WlrootsInputSink types any text, and keys mean the same afterwards", async () => {
  await using desk = await openDesk();
  const text = 'Grüße, 日本語 😀 «ŁÓDŹ» "quoted" \\ 𝄞\tend\n';
  desk.sink.inject({ kind: "text", text });
  const alphabet = Array.from({ length: 400 }, (_, index) => String.fromCodePoint(0x400 + index));
  desk.sink.inject({ kind: "text", text: alphabet.join("") });
  tap(desk.sink, 0x5a);
  assert.equal(textOf(await desk.got("key")), text.replace("\n", "\r") + alphabet.join("") + "z");
});

Deno.test("WlrootsInputSink follows the layout of the seat's own keyboard", async () => {
  await using lab = await SwayLab.start();
  const client = await lab.startClient(OUTPUT.outputName, "still");
  // A keyboard with Y and Z as in Germany.
  using keyboard = await WlrootsInput.open({ socketPath: lab.waylandSocket, ...OUTPUT });
  const swapped = usKeymap().replaceAll("punktfunk", "lab").replace("[ y, Y ]", "[ _, _ ]")
    .replace("[ z, Z ]", "[ y, Y ]").replace("[ _, _ ]", "[ z, Z ]");
  keyboard.setKeymap("main", swapped);
  keyboard.key(1, true);
  keyboard.key(1, false);
  await using sink = await openWlrootsInput({ socketPath: lab.waylandSocket, ...OUTPUT });
  assert.match(sink.description, /the seat's own layout/);
  // By place it is the host's letter, by name the client's.
  tap(sink, 0x59);
  sink.inject(key(0xa0, true));
  tap(sink, 0x59);
  sink.inject(key(0xa0, false));
  tap(sink, 0x59, false);
  const isLast = (event: LabEvent) => event["code"] === 44 && event["isDown"] === false;
  const events = await client.collect(["key"], isLast);
  assert.deepEqual(
    events.filter(({ text, isDown }) => /[yz]/i.test(`${text}`) && isDown === true)
      .map(({ code, text }) => [code, text]),
    [[21, "z"], [21, "Z"], [44, "y"]],
  );
});

Deno.test("openWlrootsInput() does not take another session's text keymap for a layout", async () => {
  await using desk = await openDesk();
  desk.sink.inject({ kind: "text", text: "日" });
  await using second = await openWlrootsInput({ socketPath: desk.lab.waylandSocket, ...OUTPUT });
  assert.match(second.description, /US layout/);
  tap(second, 0x51);
  const isReleased = (event: LabEvent) => event["code"] === 16 && event["isDown"] === false;
  await desk.client.until((event) => event["text"] === "日");
  assert.equal(textOf(await desk.client.collect(["key"], isReleased)), "q");
});

Deno.test("openWlrootsInput() binds no other output than the named one", async () => {
  await using lab = await SwayLab.start();
  await assert.rejects(
    openWlrootsInput({ socketPath: lab.waylandSocket, ...OUTPUT, outputName: "HEADLESS-9" }),
    { name: "OperationError", code: "not-found" },
  );
});

Deno.test("WlrootsInputSink says so when the compositor is gone", async () => {
  await using lab = await SwayLab.start();
  await using sink = await openWlrootsInput({ socketPath: lab.waylandSocket, ...OUTPUT });
  await lab.exit();
  assert.throws(() => sink.inject({ kind: "pointer-motion", dx: 1, dy: 1 }), {
    name: "OperationError",
    code: "unavailable",
  });
});

Deno.test("A host that is killed leaves no key and no button down", async () => {
  await using lab = await SwayLab.start();
  const client = await lab.startClient(OUTPUT.outputName, "still");
  await using child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", new URL("./sway_input_child.ts", import.meta.url).pathname],
      ...[lab.waylandSocket, OUTPUT.outputName],
    ],
    stdin: "piped",
    stdout: "null",
    stderr: "null",
  }).spawn();
  // The keyboard may come into focus with the key down already, and before or after the button.
  const awaited = new Set(["key", "button"]);
  await client.until(({ event, isDown, held }) => {
    if (isDown === true) awaited.delete(event);
    if (event === "keyboard-enter" && Number(held) > 0) awaited.delete("key");
    return awaited.size === 0;
  });
  child.kill("SIGKILL");
  // A device that goes away takes its focus along: a program lets go of what it held then, too.
  const held = new Set(["key", "button"]);
  await client.until(({ event, isDown }) => {
    if (isDown === false) held.delete(event);
    if (event === "keyboard-leave") held.delete("key");
    if (event === "leave") held.delete("button");
    return held.size === 0;
  });
});

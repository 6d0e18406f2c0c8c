import assert from "node:assert/strict";
import { type WlrootsDevices, WlrootsInputSink } from "../../../src/input/wlroots.ts";
import { usKeymap } from "../../../src/input/xkb_keymap.ts";
import type { KeyEvent } from "../../../src/protocol/input_event.ts";

const OPTIONS = {
  socketPath: "/run/wayland-1",
  outputName: "HEADLESS-2",
  widthPixels: 1920,
  heightPixels: 1080,
};

/** Devices that write down what is done with them, and a sink on them. */
function openSink(seatKeymap?: string) {
  const calls: unknown[][] = [];
  const record = (name: string) => (...values: unknown[]) => void calls.push([name, ...values]);
  const devices: WlrootsDevices = {
    setKeymap: record("keymap"),
    key: record("key"),
    setModifiers: record("modifiers"),
    tap: record("tap"),
    move: record("move"),
    moveTo: record("moveTo"),
    button: record("button"),
    scroll: record("scroll"),
    close: record("close"),
  };
  const sink = new WlrootsInputSink(devices, OPTIONS, seatKeymap);
  const opened = calls.splice(0);
  return { sink, opened, calls: () => calls.splice(0) };
}

function key(virtualKey: number, isDown: boolean, isPositional = true): KeyEvent {
  return { kind: "key", virtualKey, isDown, modifiers: 0, isPositional };
}

Deno.test("WlrootsInputSink gives both keyboards a keymap at once, Num Lock on", () => {
  const { opened, sink } = openSink();
  assert.deepEqual(opened[0], ["keymap", "main", usKeymap()]);
  assert.deepEqual(opened[1]?.slice(0, 2), ["keymap", "text"]);
  assert.deepEqual(opened[2], ["modifiers", 0, 16]);
  assert.equal(sink.description, "virtual devices on HEADLESS-2, US layout");
});

Deno.test("WlrootsInputSink takes the seat's layout, but neither its own nor a fragment", () => {
  const users = usKeymap().replaceAll("punktfunk", "pc+de");
  assert.deepEqual(openSink(users).opened[0], ["keymap", "main", users]);
  const fragment = 'xkb_keymap { <A> = 9; key <A> { [ a ] }; xkb_symbols "x" {}; };';
  for (const keymap of [usKeymap(), fragment, ""]) {
    assert.deepEqual(openSink(keymap).opened[0], ["keymap", "main", usKeymap()]);
  }
});

Deno.test("WlrootsInputSink sends modifiers after the keys that change them", () => {
  const { sink, calls } = openSink();
  sink.inject(key(0x10, true));
  sink.inject(key(0xa1, true));
  sink.inject(key(0x10, false));
  sink.inject(key(0xa1, false));
  assert.deepEqual(calls(), [
    ["key", 42, true],
    ["modifiers", 1, 16],
    ["key", 54, true],
    ["modifiers", 1, 16],
    ["key", 42, false],
    ["modifiers", 1, 16],
    ["key", 54, false],
    ["modifiers", 0, 16],
  ]);
  sink.inject(key(0x14, true));
  sink.inject(key(0x14, false));
  sink.inject(key(0x90, true));
  assert.deepEqual(calls(), [
    ["key", 58, true],
    ["modifiers", 0, 18],
    ["key", 58, false],
    ["modifiers", 0, 18],
    ["key", 69, true],
    ["modifiers", 0, 2],
  ]);
});

Deno.test("WlrootsInputSink leaves out keys that no keyboard has", () => {
  const { sink, calls } = openSink();
  sink.inject(key(0x07, true));
  sink.inject(key(0xfe, true, false));
  assert.deepEqual(calls(), []);
});

Deno.test("WlrootsInputSink maps positions from the first pixel to the last", () => {
  const { sink, calls } = openSink();
  const place = (x: number, y: number) => {
    sink.inject({ kind: "pointer-position", x, y });
    return calls()[0]?.[1];
  };
  assert.deepEqual(place(0, 0), { x: 0, y: 0 });
  assert.deepEqual(place(1, 1), { x: 1919 * 256, y: 1079 * 256 });
  assert.deepEqual(place(0.5, 0.5), { x: 959.5 * 256, y: 539.5 * 256 });
  assert.deepEqual(place(-0.1, 1.1), { x: 0, y: 1079 * 256 });
});

Deno.test("WlrootsInputSink keeps relative motion within what a device can say", () => {
  const { sink, calls } = openSink();
  sink.inject({ kind: "pointer-motion", dx: 0.25, dy: -3 });
  sink.inject({ kind: "pointer-motion", dx: 1e9, dy: -1e9 });
  assert.deepEqual(calls(), [["move", 0.25, -3], ["move", 32_767, -32_767]]);
});

Deno.test("WlrootsInputSink counts whole detents of the wheel, anew when it turns back", () => {
  const { sink, calls } = openSink();
  for (const amount120 of [60, 60, 90, -30, -90, 0, 360]) {
    sink.inject({ kind: "scroll", axis: "horizontal", amount120 });
  }
  assert.deepEqual(calls(), [
    ["scroll", "horizontal", 7.5, 0],
    ["scroll", "horizontal", 7.5, 1],
    ["scroll", "horizontal", 11.25, 0],
    ["scroll", "horizontal", -3.75, 0],
    ["scroll", "horizontal", -11.25, -1],
    ["scroll", "horizontal", 45, 3],
  ]);
  sink.inject({ kind: "scroll", axis: "vertical", amount120: 120 });
  assert.deepEqual(calls(), [["scroll", "vertical", -15, -1]]);
});

Deno.test("WlrootsInputSink scrolls a measured distance without turning the wheel", () => {
  const { sink, calls } = openSink();
  const scroll = (axis: "vertical" | "horizontal", pixels: number) =>
    sink.inject({
      kind: "scroll",
      axis,
      amount120: pixels * 2,
      smooth: { pixels, source: "finger", phase: pixels === 0 ? "end" : "update" },
    });
  scroll("vertical", 100);
  scroll("horizontal", -7.5);
  scroll("horizontal", 0);
  sink.inject({ kind: "scroll", axis: "vertical", amount120: 60 });
  assert.deepEqual(calls(), [
    ["scroll", "vertical", -100, 0],
    ["scroll", "horizontal", -7.5, 0],
    ["scroll", "vertical", -7.5, 0],
  ]);
});

Deno.test("WlrootsInputSink ignores what it cannot do, and says so", () => {
  const { sink, calls } = openSink();
  assert.deepEqual([sink.can("touch"), sink.can("pen"), sink.can("text")], [false, false, true]);
  sink.inject({
    kind: "touch",
    phase: "down",
    pointerId: 1,
    x: 0,
    y: 0,
    pressureOrDistance: 0,
    contactMajor: 0,
    contactMinor: 0,
    rotationDegrees: undefined,
  });
  assert.deepEqual(calls(), []);
});

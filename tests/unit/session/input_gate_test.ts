import assert from "node:assert/strict";
import { InputGate, type SinkEvent } from "../../../src/session/input_gate.ts";

const SHIFT = 1;
const VK_A = 0x41;
const VK_LEFT_SHIFT = 0xa0;

function openGate() {
  const seen: SinkEvent[] = [];
  const gate = new InputGate((event) => seen.push(event));
  /** "+41" is key 0x41 down, "-41" up. */
  const keys = () =>
    seen.flatMap((event) =>
      event.kind === "key" ? [`${event.isDown ? "+" : "-"}${event.virtualKey.toString(16)}`] : []
    );
  return { gate, seen, keys };
}

function key(virtualKey: number, isDown: boolean, modifiers = 0): SinkEvent {
  return { kind: "key", virtualKey, isDown, modifiers, isPositional: true };
}

function touch(phase: "down" | "up" | "cancel-all", pointerId: number): SinkEvent {
  return {
    kind: "touch",
    phase,
    pointerId,
    x: 0.5,
    y: 0.5,
    pressureOrDistance: 0,
    contactMajor: 0,
    contactMinor: 0,
    rotationDegrees: undefined,
  };
}

Deno.test("InputGate passes only changes of keys and buttons", () => {
  const { gate, seen } = openGate();
  gate.handle(key(VK_A, false));
  gate.handle(key(VK_A, true));
  gate.handle(key(VK_A, true));
  gate.handle({ kind: "pointer-button", button: "left", isDown: false });
  gate.handle({ kind: "pointer-button", button: "left", isDown: true });
  gate.handle({ kind: "pointer-button", button: "left", isDown: true });
  assert.equal(seen.length, 2);
  assert.equal(gate.heldCount, 2);
});

Deno.test("InputGate presses a modifier around a key that only carries its bit", () => {
  const { gate, keys } = openGate();
  gate.handle(key(VK_A, true, SHIFT));
  gate.handle(key(VK_A, false, SHIFT));
  assert.deepEqual(keys(), ["+a0", "+41", "-a0", "-41"]);
  assert.equal(gate.heldCount, 0);
});

Deno.test("InputGate adds no modifier while the client holds either side of it", () => {
  for (const held of [0x10, VK_LEFT_SHIFT, 0xa1]) {
    const { gate, keys } = openGate();
    gate.handle(key(held, true, SHIFT));
    gate.handle(key(VK_A, true, SHIFT));
    assert.deepEqual(keys(), [`+${held.toString(16)}`, "+41"]);
  }
});

Deno.test("InputGate never makes up Meta", () => {
  const { gate, keys } = openGate();
  gate.handle(key(VK_A, true, 8));
  assert.deepEqual(keys(), ["+41"]);
});

Deno.test("InputGate.releaseAll() lets go of everything, last pressed first", () => {
  const { gate, seen, keys } = openGate();
  gate.handle(key(VK_LEFT_SHIFT, true, SHIFT));
  gate.handle(key(VK_A, true, SHIFT));
  gate.handle({ kind: "pointer-button", button: "right", isDown: true });
  gate.handle(touch("down", 7));
  gate.releaseAll();
  assert.deepEqual(keys(), ["+a0", "+41", "-41", "-a0"]);
  assert.deepEqual(seen.at(-2), { kind: "pointer-button", button: "right", isDown: false });
  assert.equal(seen.at(-1)?.kind === "touch" && seen.at(-1)?.kind, "touch");
  assert.equal(gate.heldCount, 0);
  const count = seen.length;
  gate.releaseAll();
  assert.equal(seen.length, count);
});

Deno.test("InputGate bounds the contacts a peer can put down", () => {
  const { gate } = openGate();
  for (let id = 0; id < 1000; id++) gate.handle(touch("down", id));
  assert.equal(gate.heldCount, 32);
  gate.handle(touch("cancel-all", 0));
  assert.equal(gate.heldCount, 0);
});

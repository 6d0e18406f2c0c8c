import assert from "node:assert/strict";
import type { PadArrivalEvent, PadEvent, PadFeedback } from "../../../src/protocol/input_event.ts";
import { PadGate, PADS_MAX } from "../../../src/session/pad_gate.ts";

const STATE = {
  kind: "pad-state",
  buttons: 0x1000,
  leftTrigger: 0,
  rightTrigger: 0,
  leftX: 0,
  leftY: 0,
  rightX: 0,
  rightY: 0,
} as const;

function arrival(pad: number): PadArrivalEvent {
  return { kind: "pad-arrival", pad, type: "playstation", capabilities: 2, supportedButtons: 1 };
}

interface GateOptions {
  readonly refuses?: boolean;
  readonly breaks?: boolean;
  readonly sticks?: boolean;
}

function openGate(options: GateOptions = {}) {
  const log: string[] = [];
  const refused: number[] = [];
  const felt: PadFeedback[] = [];
  let feedback: ((one: PadFeedback) => void) | undefined;
  const gate = new PadGate({
    onFeedback: (one) => felt.push(one),
    onRefused: (pad) => refused.push(pad),
    factory: {
      probe: () => ({ isAvailable: true, reason: "fake" }),
      create(event, onFeedback) {
        if (options.refuses) throw new Error("no uinput");
        feedback = onFeedback;
        log.push(`create ${event.pad} ${event.type}`);
        return {
          inject(next: PadEvent) {
            if (options.breaks) throw new Error("gone");
            log.push(`${next.kind} ${next.pad}`);
          },
          close() {
            log.push(`close ${event.pad}`);
            if (options.sticks) throw new Error("device busy");
          },
          [Symbol.dispose]() {},
        };
      },
    },
  });
  return { gate, log, refused, felt, feedback: (one: PadFeedback) => feedback?.(one) };
}

Deno.test("PadGate makes a pad when it arrives, feeds it, and takes it away with it", () => {
  const { gate, log } = openGate();
  gate.handle(arrival(2));
  gate.handle({ ...STATE, pad: 2 });
  gate.handle({ kind: "pad-removal", pad: 2 });
  assert.deepEqual(log, ["create 2 playstation", "pad-state 2", "close 2"]);
});

Deno.test("PadGate makes a plain pad for one that never introduced itself", () => {
  const { gate, log } = openGate();
  gate.handle({ ...STATE, pad: 0 });
  gate.handle({ ...STATE, pad: 0 });
  assert.deepEqual(log, ["create 0 unknown", "pad-state 0", "pad-state 0"]);
});

Deno.test("PadGate replaces a pad that arrives again, and closes all of them at the end", () => {
  const { gate, log } = openGate();
  gate.handle(arrival(0));
  gate.handle(arrival(0));
  gate.handle(arrival(1));
  gate[Symbol.dispose]();
  assert.deepEqual(log.filter((line) => line.startsWith("close")), [
    "close 0",
    "close 0",
    "close 1",
  ]);
});

Deno.test("PadGate ignores pad numbers that no protocol has", () => {
  const { gate, log } = openGate();
  for (const pad of [-1, PADS_MAX, 1.5]) gate.handle({ ...STATE, pad });
  gate.handle({ ...STATE, pad: PADS_MAX - 1 });
  assert.deepEqual(log, ["create 15 unknown", "pad-state 15"]);
});

Deno.test("PadGate says once that a pad is refused, and asks again when it arrives anew", () => {
  const { gate, refused } = openGate({ refuses: true });
  gate.handle({ ...STATE, pad: 3 });
  gate.handle({ ...STATE, pad: 3 });
  assert.deepEqual(refused, [3]);
  gate.handle(arrival(3));
  assert.deepEqual(refused, [3, 3]);
});

Deno.test("PadGate closes a pad that breaks and goes on without it", () => {
  const { gate, log, refused } = openGate({ breaks: true });
  gate.handle(arrival(0));
  gate.handle({ ...STATE, pad: 0 });
  gate.handle({ ...STATE, pad: 0 });
  assert.deepEqual([log, refused], [["create 0 playstation", "close 0"], [0]]);
});

Deno.test("PadGate passes on what games answer", () => {
  const { gate, felt, feedback } = openGate();
  gate.handle(arrival(0));
  feedback({ kind: "rumble", pad: 0, low: 1, high: 2 });
  assert.deepEqual(felt, [{ kind: "rumble", pad: 0, low: 1, high: 2 }]);
});

Deno.test("PadGate takes every pad away though one does not go in peace", () => {
  const { gate, log, refused } = openGate({ sticks: true, breaks: true });
  for (const pad of [0, 1, 2]) gate.handle(arrival(pad));
  gate.handle({ ...STATE, pad: 0 });
  gate.handle({ kind: "pad-removal", pad: 1 });
  gate[Symbol.dispose]();
  assert.deepEqual(log.slice(3), ["close 0", "close 1", "close 2"]);
  assert.deepEqual(new Set(refused), new Set([0, 1, 2]));
});

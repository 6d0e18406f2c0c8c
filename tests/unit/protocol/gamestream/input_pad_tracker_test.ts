import assert from "node:assert/strict";
import type { InputEvent } from "../../../../src/protocol/input_event.ts";
import type { InputPacket } from "../../../../src/protocol/gamestream/input.ts";
import { PadTracker } from "../../../../src/protocol/gamestream/input_pad_tracker.ts";

function report(pad: number, activeMask: number): Extract<InputPacket, { kind: "pad-report" }> {
  return {
    kind: "pad-report",
    activeMask,
    state: {
      kind: "pad-state",
      pad,
      buttons: 0x1000,
      leftTrigger: 0,
      rightTrigger: 0,
      leftX: 0,
      leftY: 0,
      rightX: 0,
      rightY: 0,
    },
  };
}

const arrival = (pad: number) =>
  ({
    kind: "pad-arrival",
    pad,
    type: "playstation",
    capabilities: 2,
    supportedButtons: 0,
  }) as const;
const battery = (pad: number) =>
  ({ kind: "pad-battery", pad, state: "full", percent: 100 }) as const;
const kinds = (events: readonly InputEvent[]) => events.map((event) => event.kind);

Deno.test("PadTracker.apply() passes arrival, states and removal of an announced pad", () => {
  const tracker = new PadTracker();
  assert.deepEqual(tracker.apply(arrival(2)), [arrival(2)]);
  assert.deepEqual(tracker.apply(report(2, 0b100)), [report(2, 0b100).state]);
  assert.deepEqual(tracker.apply(report(2, 0)), [{ kind: "pad-removal", pad: 2 }]);
  assert.deepEqual(tracker.apply(report(2, 0)), []);
});

Deno.test("PadTracker.apply() makes an Xbox pad of a state without arrival, once", () => {
  const tracker = new PadTracker();
  const events = tracker.apply(report(0, 1));
  assert.deepEqual(kinds(events), ["pad-arrival", "pad-state"]);
  assert.deepEqual(events[0], {
    kind: "pad-arrival",
    pad: 0,
    type: "xbox",
    capabilities: 3,
    supportedButtons: 0xf7ff,
  });
  assert.deepEqual(kinds(tracker.apply(report(0, 1))), ["pad-state"]);
});

Deno.test("PadTracker.apply() replaces a live pad at a second arrival", () => {
  const tracker = new PadTracker();
  tracker.apply(arrival(15));
  assert.deepEqual(tracker.apply(arrival(15)), [{ kind: "pad-removal", pad: 15 }, arrival(15)]);
});

Deno.test("PadTracker.apply() does not let the mask in one pad's packet decide about another", () => {
  const tracker = new PadTracker();
  tracker.apply(arrival(1));
  assert.deepEqual(kinds(tracker.apply(report(0, 0b01))), ["pad-arrival", "pad-state"]);
  assert.deepEqual(kinds(tracker.apply(report(1, 0b11))), ["pad-state"]);
  assert.deepEqual(kinds(tracker.apply(report(0, 0b111))), ["pad-state"]);
  assert.deepEqual(kinds(tracker.apply(report(2, 0b111))), ["pad-arrival", "pad-state"]);
});

Deno.test("PadTracker.apply() drops what belongs to a pad that is not there", () => {
  const tracker = new PadTracker();
  assert.deepEqual(tracker.apply(battery(3)), []);
  tracker.apply(arrival(3));
  assert.deepEqual(tracker.apply(battery(3)), [battery(3)]);
  tracker.apply(report(3, 0));
  assert.deepEqual(tracker.apply(battery(3)), []);
});

Deno.test("PadTracker.apply() leaves events of other kinds alone", () => {
  const motion = { kind: "pointer-motion", dx: 1, dy: 2 } as const;
  assert.deepEqual(new PadTracker().apply(motion), [motion]);
});

import assert from "node:assert/strict";
import type { InputEvent, PadStateEvent } from "../../../../../src/protocol/input_event.ts";
import { PadMapper } from "../../../../../src/protocol/punktfunk1/datagrams/pad_mapper.ts";
import { padArrivalOf } from "../../../../../src/protocol/punktfunk1/datagrams/pad_arrival.ts";
import { PAD_KINDS, type PadKind } from "../../../../../src/protocol/punktfunk1/enums.ts";

function openMapper(defaultKind: PadKind = "auto") {
  const events: InputEvent[] = [];
  const mapper = new PadMapper({ defaultKind, emit: (event) => events.push(event) });
  const announce = (pad: number, padKind: PadKind) =>
    mapper.apply({ kind: "pad-announced", pad, padKind, playsHaptics: false, playsSpeaker: false });
  const snapshot = (sequence: number, change: Partial<PadStateEvent> = {}) =>
    mapper.apply({ kind: "pad-snapshot", sequence, state: stateOf(change) });
  const remove = (sequence: number, pad = 0) =>
    mapper.apply({ kind: "pad-removed", pad, sequence });
  return { mapper, announce, snapshot, remove, events: () => events.splice(0) };
}

function stateOf(change: Partial<PadStateEvent> = {}): PadStateEvent {
  return {
    kind: "pad-state",
    pad: 0,
    buttons: 0,
    leftTrigger: 0,
    rightTrigger: 0,
    leftX: 0,
    leftY: 0,
    rightX: 0,
    rightY: 0,
    ...change,
  };
}

const REMOVAL: InputEvent = { kind: "pad-removal", pad: 0 };
const TOUCH = { kind: "pad-touch", pad: 0, finger: 0 } as const;
const CLICK = {
  kind: "pad-surface",
  pad: 0,
  finger: 0,
  isTouching: false,
  x: 0,
  y: 0,
  pressure: 0,
} as const;

Deno.test("PadMapper announces a pad once, whatever is repeated", () => {
  const { announce, events } = openMapper();
  announce(0, "dualsense");
  announce(0, "dualsense");
  announce(1, "xbox-one");
  assert.deepEqual(events(), [padArrivalOf(0, "dualsense"), padArrivalOf(1, "xbox-one")]);
});

Deno.test("PadMapper replaces a pad of another kind and keeps what is held on it", () => {
  const { announce, snapshot, events } = openMapper();
  snapshot(1, { buttons: 0x1000 });
  assert.deepEqual(events(), [padArrivalOf(0, "auto"), stateOf({ buttons: 0x1000 })]);
  announce(0, "switch-pro");
  assert.deepEqual(events(), [
    REMOVAL,
    padArrivalOf(0, "switch-pro"),
    stateOf({ buttons: 0x1000 }),
  ]);
});

Deno.test("PadMapper takes a pad of no kind for one of the session's", () => {
  const { announce, snapshot, events } = openMapper("dualsense");
  snapshot(1, { leftX: 5 });
  announce(0, "auto");
  assert.deepEqual(events(), [padArrivalOf(0, "dualsense"), stateOf({ leftX: 5 })]);
});

Deno.test("PadMapper applies only newer snapshots, round the sequence's end", () => {
  const { snapshot, events } = openMapper();
  snapshot(250, { leftX: 1 });
  events();
  for (const sequence of [250, 249, 123, 122 + 128]) snapshot(sequence, { leftX: 2 });
  assert.deepEqual(events(), []);
  snapshot(3, { leftX: 3 });
  snapshot(255, { leftX: 4 });
  snapshot(3 + 127, { leftX: 5 });
  assert.deepEqual(events(), [stateOf({ leftX: 3 }), stateOf({ leftX: 5 })]);
});

Deno.test("PadMapper counts the sequence of each pad for itself", () => {
  const { snapshot, events } = openMapper();
  snapshot(9, { leftX: 1 });
  snapshot(2, { pad: 15, leftX: 1 });
  assert.deepEqual(events().map(({ kind }) => kind), [
    "pad-arrival",
    "pad-state",
    "pad-arrival",
    "pad-state",
  ]);
});

Deno.test("PadMapper lets no late snapshot bring a removed pad back", () => {
  const { announce, snapshot, remove, events } = openMapper();
  announce(0, "xbox-360");
  snapshot(10, { leftX: 1 });
  remove(9);
  events();
  remove(12);
  snapshot(11, { leftX: 2 });
  assert.deepEqual(events(), [REMOVAL]);
  remove(13);
  assert.deepEqual(events(), []);
  snapshot(14, { leftX: 3 });
  assert.deepEqual(events(), [padArrivalOf(0, "xbox-360"), stateOf({ leftX: 3 })]);
});

Deno.test("PadMapper passes a state on when it changed", () => {
  const { snapshot, events } = openMapper();
  snapshot(1);
  assert.deepEqual(events(), [padArrivalOf(0, "auto")]);
  const changes: Partial<PadStateEvent>[] = [
    { buttons: 1 },
    { leftTrigger: 1 },
    { rightTrigger: 1 },
    { leftX: 1 },
    { leftY: 1 },
    { rightX: 1 },
    { rightY: 1 },
  ];
  for (const [index, change] of changes.entries()) {
    snapshot(3 * index + 2, change);
    snapshot(3 * index + 3, change);
    snapshot(3 * index + 4);
    assert.deepEqual(events(), [stateOf(change), stateOf()]);
  }
});

Deno.test("PadMapper merges single buttons and axes into the pad's state", () => {
  const { mapper, snapshot, events } = openMapper();
  mapper.apply({ kind: "pad-button", pad: 0, buttons: 0x1000, isDown: true });
  mapper.apply({ kind: "pad-axis", pad: 0, axis: "rightTrigger", value: 200 });
  mapper.apply({ kind: "pad-button", pad: 0, buttons: 0x8000_0000, isDown: true });
  mapper.apply({ kind: "pad-button", pad: 0, buttons: 0x1000, isDown: false });
  snapshot(1, { leftY: -7 });
  mapper.apply({ kind: "pad-button", pad: 0, buttons: 0x2000, isDown: true });
  assert.deepEqual(events(), [
    padArrivalOf(0, "auto"),
    stateOf({ buttons: 0x1000 }),
    stateOf({ buttons: 0x1000, rightTrigger: 200 }),
    stateOf({ buttons: 0x8000_1000, rightTrigger: 200 }),
    stateOf({ buttons: 0x8000_0000, rightTrigger: 200 }),
    stateOf({ leftY: -7 }),
    stateOf({ leftY: -7, buttons: 0x2000 }),
  ]);
});

Deno.test("PadMapper makes down, move and up of what a touchpad repeats", () => {
  const { mapper, announce, events } = openMapper();
  const touch = (isTouching: boolean, x: number) =>
    mapper.applyRich({ ...TOUCH, isTouching, x, y: 65_535 });
  touch(true, 0);
  assert.deepEqual(events(), [], "a pad that is not there has no touchpad");
  announce(0, "dualsense");
  events();
  touch(false, 0);
  for (const isTouching of [true, true, false, false]) touch(isTouching, 65_535);
  const event = { kind: "pad-touchpad", pad: 0, touchpad: 0, pointerId: 0, x: 1, y: 1 };
  assert.deepEqual(events(), [
    { ...event, phase: "down", pressure: 1 },
    { ...event, phase: "move", pressure: 1 },
    { ...event, phase: "up", pressure: 0 },
  ]);
});

Deno.test("PadMapper forgets the fingers of a pad that left", () => {
  const { mapper, snapshot, remove, events } = openMapper();
  const touch = () => mapper.applyRich({ ...TOUCH, isTouching: true, x: 0, y: 0 });
  snapshot(1);
  touch();
  remove(2);
  snapshot(3);
  events();
  touch();
  assert.equal(events()[0]?.kind === "pad-touchpad" && "down", "down");
});

Deno.test("PadMapper numbers surfaces and centres their places", () => {
  const { mapper, announce, events } = openMapper();
  announce(0, "steam-deck");
  events();
  for (const surface of ["only", "left", "right"] as const) {
    mapper.applyRich({
      ...CLICK,
      surface,
      finger: surface === "left" ? 1 : 0,
      isTouching: true,
      isClicked: false,
      x: -32_768,
      y: 32_767,
      pressure: 13_107,
    });
  }
  const event = { kind: "pad-touchpad", pad: 0, phase: "down", x: 0, y: 1, pressure: 0.2 };
  assert.deepEqual(events(), [
    { ...event, touchpad: 0, pointerId: 0 },
    { ...event, touchpad: 0, pointerId: 1 },
    { ...event, touchpad: 1, pointerId: 0 },
  ]);
});

Deno.test("PadMapper holds the touchpad button while any surface is clicked", () => {
  const { mapper, snapshot, events } = openMapper();
  snapshot(1, { buttons: 1 });
  events();
  mapper.applyRich({ ...CLICK, surface: "left", isClicked: true });
  mapper.applyRich({ ...CLICK, surface: "right", isClicked: true });
  mapper.applyRich({ ...CLICK, surface: "left", isClicked: false });
  snapshot(2, { buttons: 2 });
  mapper.applyRich({ ...CLICK, surface: "right", isClicked: false });
  assert.deepEqual(events(), [
    stateOf({ buttons: 0x10_0001 }),
    stateOf({ buttons: 0x10_0002 }),
    stateOf({ buttons: 2 }),
  ]);
});

Deno.test("PadMapper counts motion in degrees a second and metres a second squared", () => {
  const { mapper, announce, events } = openMapper();
  announce(2, "dualsense");
  events();
  mapper.applyRich({
    kind: "pad-motion",
    pad: 2,
    gyro: [20, -40, 32_767],
    acceleration: [0, 10_000, -10_000],
  });
  assert.deepEqual(events(), [
    { kind: "pad-motion", pad: 2, sensor: "gyroscope", x: 1, y: -2, z: 1638.3500000000001 },
    { kind: "pad-motion", pad: 2, sensor: "accelerometer", x: 0, y: 9.80665, z: -9.80665 },
  ]);
});

Deno.test("PadMapper.releaseAll() removes every pad once and remembers their kinds", () => {
  const { mapper, announce, snapshot, events } = openMapper();
  announce(0, "dualshock-4");
  announce(7, "xbox-elite");
  events();
  mapper.releaseAll();
  mapper.releaseAll();
  assert.deepEqual(events(), [REMOVAL, { kind: "pad-removal", pad: 7 }]);
  snapshot(1);
  assert.deepEqual(events(), [padArrivalOf(0, "dualshock-4")]);
});

Deno.test("padArrivalOf() tells each kind's family, and sensors where pads have them", () => {
  const MOTION = 0x030;
  const families: Record<string, PadKind[]> = {};
  for (const padKind of Object.keys(PAD_KINDS) as PadKind[]) {
    const { type, model, capabilities, supportedButtons } = padArrivalOf(3, padKind);
    assert.equal(model, padKind === "auto" ? undefined : padKind);
    assert.equal(capabilities & 2, 2, `${padKind} rumbles`);
    assert.equal(supportedButtons & 0xf7ff, 0xf7ff);
    const hasMotion = !["auto", "xbox-360", "xbox-one", "xbox-elite", "switch-2-gamecube"]
      .includes(padKind);
    assert.equal(capabilities & MOTION, hasMotion ? MOTION : 0, padKind);
    (families[type] ??= []).push(padKind);
  }
  assert.deepEqual(families["playstation"], ["dualsense", "dualshock-4", "dualsense-edge"]);
  assert.deepEqual(families["xbox"], ["xbox-360", "xbox-one", "xbox-elite"]);
  assert.deepEqual(families["unknown"]?.length, 4);
  assert.deepEqual(padArrivalOf(3, "dualsense"), {
    kind: "pad-arrival",
    pad: 3,
    type: "playstation",
    model: "dualsense",
    capabilities: 0x0bb,
    supportedButtons: 0x30_f7ff,
  });
});

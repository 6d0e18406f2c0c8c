import assert from "node:assert/strict";
import { FakeClock } from "../../../../../src/lib/clock.ts";
import type { PenEvent } from "../../../../../src/protocol/input_event.ts";
import {
  decodePenBatch,
  encodePenBatch,
  PEN_SAMPLES_MAX,
  type PenSample,
} from "../../../../../src/protocol/punktfunk1/datagrams/pen_batch.ts";
import {
  PEN_SILENCE_MS,
  PenMapper,
} from "../../../../../src/protocol/punktfunk1/datagrams/pen_mapper.ts";

const AWAY: PenSample = {
  isInRange: false,
  isTouching: false,
  isFirstButtonDown: false,
  isSecondButtonDown: false,
  isPredicted: false,
  tool: "pen",
  x: 0.5,
  y: 0.25,
  pressure: 0,
  distance: undefined,
  tiltDegrees: undefined,
  azimuthDegrees: undefined,
  rollDegrees: undefined,
  deltaUs: 0,
};
const NEAR: PenSample = { ...AWAY, isInRange: true };
const DOWN: PenSample = { ...NEAR, isTouching: true, pressure: 65_535 };

function openMapper() {
  const clock = new FakeClock();
  const events: PenEvent[] = [];
  const mapper = new PenMapper({ clock, emit: (event) => events.push(event) });
  const apply = (sequence: number, ...samples: PenSample[]) =>
    mapper.apply({ kind: "pen", sequence, samples });
  const phases = () => events.splice(0).map(({ phase }) => phase);
  return { clock, mapper, apply, phases, events: () => events.splice(0) };
}

Deno.test("PenMapper goes through hovering, touching and leaving", () => {
  const { clock, apply, phases } = openMapper();
  apply(1, AWAY, NEAR, NEAR, DOWN, DOWN, NEAR, AWAY, AWAY);
  assert.deepEqual(phases(), ["hover", "hover", "down", "move", "up", "hover", "hover-leave"]);
  apply(2, DOWN, AWAY);
  assert.deepEqual(phases(), ["down", "up", "hover-leave"]);
  assert.equal(clock.pendingTimers, 0);
});

Deno.test("PenMapper takes a pen that touches for one that is in range", () => {
  const { apply, phases } = openMapper();
  apply(1, { ...DOWN, isInRange: false });
  assert.deepEqual(phases(), ["down"]);
});

Deno.test("PenMapper drops batches that are not newer, round the sequence's end", () => {
  const { apply, phases } = openMapper();
  apply(65_535, NEAR);
  apply(65_535, DOWN);
  apply(65_534, DOWN);
  assert.deepEqual(phases(), ["hover"]);
  apply(0, DOWN);
  assert.deepEqual(phases(), ["down"]);
});

Deno.test("PenMapper lifts the pen after silence, and not before", () => {
  const { clock, apply, phases } = openMapper();
  apply(1, DOWN);
  clock.advance(PEN_SILENCE_MS - 1);
  apply(2, DOWN);
  clock.advance(PEN_SILENCE_MS - 1);
  assert.deepEqual(phases(), ["down", "move"]);
  clock.advance(1);
  assert.deepEqual(phases(), ["up", "hover-leave"]);
  assert.equal(clock.pendingTimers, 0);
  apply(2, DOWN);
  assert.deepEqual(phases(), []);
  apply(3, NEAR);
  clock.advance(PEN_SILENCE_MS);
  assert.deepEqual(phases(), ["hover", "hover-leave"]);
});

Deno.test("PenMapper lifts one tool before it takes the other", () => {
  const { apply, events } = openMapper();
  apply(1, DOWN, { ...DOWN, tool: "eraser" });
  assert.deepEqual(events().map(({ phase, tool }) => [phase, tool]), [
    ["down", "pen"],
    ["up", "pen"],
    ["hover-leave", "pen"],
    ["down", "eraser"],
  ]);
});

Deno.test("PenMapper draws no predicted sample", () => {
  const { apply, phases } = openMapper();
  apply(1, DOWN, { ...DOWN, isPredicted: true }, { ...AWAY, isPredicted: true });
  assert.deepEqual(phases(), ["down"]);
});

Deno.test("PenMapper scales what a sample says", () => {
  const { apply, events } = openMapper();
  const details = {
    distance: 65_534,
    tiltDegrees: 120,
    azimuthDegrees: 450,
    isSecondButtonDown: true,
  };
  apply(1, { ...NEAR, ...details }, { ...DOWN, isFirstButtonDown: true });
  assert.deepEqual(events(), [
    {
      kind: "pen",
      phase: "hover",
      tool: "pen",
      buttons: 2,
      x: 0.5,
      y: 0.25,
      pressureOrDistance: 1,
      contactMajor: 0,
      contactMinor: 0,
      rotationDegrees: 90,
      tiltDegrees: 90,
    },
    {
      kind: "pen",
      phase: "down",
      tool: "pen",
      buttons: 1,
      x: 0.5,
      y: 0.25,
      pressureOrDistance: 1,
      contactMajor: 0,
      contactMinor: 0,
      rotationDegrees: undefined,
      tiltDegrees: undefined,
    },
  ]);
});

Deno.test("PenMapper.lift() twice lifts once", () => {
  const { clock, mapper, apply, phases } = openMapper();
  mapper.lift();
  apply(1, NEAR);
  mapper.lift();
  mapper.lift();
  assert.deepEqual(phases(), ["hover", "hover-leave"]);
  assert.equal(clock.pendingTimers, 0);
});

Deno.test("decodePenBatch() drops a batch with one bad sample, flags or count", () => {
  const bytes = encodePenBatch({ kind: "pen", sequence: 1, samples: [DOWN, DOWN] });
  assert.ok(decodePenBatch(bytes));
  const changed = (offset: number, ...values: number[]) => {
    const copy = bytes.slice();
    copy.set(values, offset);
    return decodePenBatch(copy);
  };
  assert.equal(changed(2, 1), undefined, "flags");
  for (const count of [0, 3, PEN_SAMPLES_MAX + 1]) assert.equal(changed(3, count), undefined);
  assert.equal(changed(6 + 21 + 1, 2), undefined, "tool");
  assert.equal(changed(6 + 21 + 2, 0, 0, 0xc0, 0x7f), undefined, "NaN");
  assert.equal(changed(6 + 6, 0, 0, 0x80, 0xff), undefined, "minus infinity");
  assert.equal(changed(6 + 2, 0, 0, 0, 0x40)?.samples[0]?.x, 1, "2 is beyond the edge");
});

Deno.test("encodePenBatch() holds so many samples and no more", () => {
  const batch = (count: number) =>
    encodePenBatch({ kind: "pen", sequence: 0, samples: Array(count).fill(NEAR) });
  assert.equal(batch(PEN_SAMPLES_MAX).byteLength, 6 + 21 * PEN_SAMPLES_MAX);
  assert.throws(() => batch(PEN_SAMPLES_MAX + 1), RangeError);
  assert.throws(() => batch(0), RangeError);
});

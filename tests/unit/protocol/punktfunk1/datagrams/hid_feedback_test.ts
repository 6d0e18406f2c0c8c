import assert from "node:assert/strict";
import type { PadFeedback } from "../../../../../src/protocol/input_event.ts";
import {
  decodeHidFeedback,
  encodeHidFeedback,
  type HidFeedback,
  hidFeedbackOf,
  padFeedbackOf,
} from "../../../../../src/protocol/punktfunk1/datagrams/hid_feedback.ts";
import { bytesOf } from "./vectors.ts";

const TRIGGERS: PadFeedback = {
  kind: "adaptive-triggers",
  pad: 2,
  flags: 0x0c,
  leftType: 0x21,
  rightType: 0x26,
  left: bytesOf("0102030405060708090a"),
  right: bytesOf("0b0c0d0e0f1011121314"),
};

Deno.test("decodeHidFeedback() knows modes, reports and effects at their limits only", () => {
  const isRead = (text: string) => decodeHidFeedback(bytesOf(text)) !== undefined;
  const cases: readonly (readonly [text: string, isReadable: boolean])[] = [
    ["cd0000ffffff", false],
    ["cd0800ffffff", false],
    ["cd010fff0080", true],
    ["cd0110ff0080", false],
    ["cd0300", false],
    ["cd030000", false],
    ["cd03000001", true],
    ["cd03000201", false],
    [`cd030000${"00".repeat(11)}`, true],
    [`cd030000${"00".repeat(12)}`, false],
    ["cd050000", true],
    [`cd050001${"00".repeat(64)}`, true],
    [`cd050001${"00".repeat(65)}`, false],
    ["cd050002", false],
    ["cd060f0000000000000000", true],
    ["cd06100000000000000000", false],
    ["cd06000100000000000000", false],
    ["cd070002", true],
    ["cd070003", false],
  ];
  for (const [text, isReadable] of cases) assert.equal(isRead(text), isReadable, text);
});

Deno.test("decodeHidFeedback() drops every shortened form of a fixed size", () => {
  const fixed: readonly HidFeedback[] = [
    { kind: "led", pad: 1, red: 1, green: 2, blue: 3 },
    { kind: "player-leds", pad: 1, bits: 4 },
    { kind: "trackpad-haptic", pad: 1, side: 1, amplitude: 0x1234, period: 0x5678, count: 0x9abc },
    { kind: "audio-control", pad: 1, flags: 7, raw: bytesOf("010203040506") },
    { kind: "microphone-led", pad: 1, mode: "pulse" },
  ];
  for (const feedback of fixed) {
    const bytes = encodeHidFeedback(feedback);
    assert.deepEqual(decodeHidFeedback(bytes), feedback);
    for (let length = 0; length < bytes.byteLength; length++) {
      assert.equal(decodeHidFeedback(bytes.subarray(0, length)), undefined, feedback.kind);
    }
  }
});

Deno.test("encodeHidFeedback() refuses parts of impossible sizes", () => {
  const trigger = (sizeBytes: number): HidFeedback => ({
    kind: "trigger",
    pad: 0,
    trigger: "left",
    effect: new Uint8Array(sizeBytes),
  });
  assert.throws(() => encodeHidFeedback(trigger(0)), RangeError);
  assert.throws(() => encodeHidFeedback(trigger(12)), RangeError);
  const report = new Uint8Array(65);
  assert.throws(
    () => encodeHidFeedback({ kind: "report", pad: 0, reportKind: "output", report }),
    RangeError,
  );
  assert.throws(
    () => encodeHidFeedback({ kind: "audio-control", pad: 0, flags: 0, raw: new Uint8Array(5) }),
    RangeError,
  );
});

Deno.test("hidFeedbackOf() sends each trigger that is meant", () => {
  assert.deepEqual(hidFeedbackOf(TRIGGERS), [
    { kind: "trigger", pad: 2, trigger: "left", effect: bytesOf("210102030405060708090a") },
    { kind: "trigger", pad: 2, trigger: "right", effect: bytesOf("260b0c0d0e0f1011121314") },
  ]);
  assert.equal(hidFeedbackOf({ ...TRIGGERS, flags: 0x04 })[0]?.kind, "trigger");
  assert.equal(hidFeedbackOf({ ...TRIGGERS, flags: 0x04 }).length, 1);
  assert.deepEqual(hidFeedbackOf({ ...TRIGGERS, flags: 0 }), []);
});

Deno.test("hidFeedbackOf() passes lamps on and leaves rumble to its own datagram", () => {
  const lamps: PadFeedback[] = [
    { kind: "led", pad: 1, red: 1, green: 2, blue: 3 },
    { kind: "player-leds", pad: 1, bits: 4 },
    { kind: "microphone-led", pad: 1, mode: "on" },
  ];
  for (const lamp of lamps) {
    assert.deepEqual(hidFeedbackOf(lamp), [lamp]);
    for (const feedback of hidFeedbackOf(lamp)) assert.deepEqual(padFeedbackOf(feedback), lamp);
  }
  assert.deepEqual(hidFeedbackOf({ kind: "rumble", pad: 0, low: 1, high: 1 }), []);
  assert.deepEqual(hidFeedbackOf({ kind: "trigger-rumble", pad: 0, left: 1, right: 1 }), []);
  assert.deepEqual(
    hidFeedbackOf({ kind: "motion-rate", pad: 0, sensor: "gyroscope", rateHz: 250 }),
    [],
  );
});

Deno.test("padFeedbackOf() fills a short effect with zeros and names the trigger", () => {
  const none = new Uint8Array(10);
  const parameters = bytesOf("fc030000000000000000");
  const effect = bytesOf("21fc03");
  assert.deepEqual(padFeedbackOf({ kind: "trigger", pad: 0, trigger: "right", effect }), {
    kind: "adaptive-triggers",
    pad: 0,
    flags: 0x04,
    leftType: 0,
    rightType: 0x21,
    left: none,
    right: parameters,
  });
  assert.deepEqual(padFeedbackOf({ kind: "trigger", pad: 0, trigger: "left", effect }), {
    kind: "adaptive-triggers",
    pad: 0,
    flags: 0x08,
    leftType: 0x21,
    rightType: 0,
    left: parameters,
    right: none,
  });
  const haptic = { side: 0, amplitude: 1, period: 1, count: 1 };
  assert.equal(padFeedbackOf({ kind: "trackpad-haptic", pad: 0, ...haptic }), undefined);
});

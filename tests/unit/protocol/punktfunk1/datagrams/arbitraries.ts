/**
 * Bodies of every type of datagram, as a well-behaved peer makes them.
 *
 * @module
 */
import fc from "fast-check";
import type { ScrollEvent } from "../../../../../src/protocol/input_event.ts";
import type { DatagramBodies } from "../../../../../src/protocol/punktfunk1/datagrams/datagram.ts";
import type { HidFeedback } from "../../../../../src/protocol/punktfunk1/datagrams/hid_feedback.ts";
import type { WireInput } from "../../../../../src/protocol/punktfunk1/datagrams/input.ts";
import type { RichInput } from "../../../../../src/protocol/punktfunk1/datagrams/rich_input.ts";
import type { DatagramType } from "../../../../../src/protocol/punktfunk1/datagrams/tags.ts";
import { PAD_KINDS, type PadKind } from "../../../../../src/protocol/punktfunk1/enums.ts";

const u8 = fc.integer({ min: 0, max: 0xff });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const i16 = fc.integer({ min: -32_768, max: 32_767 });
const i32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const pad = fc.integer({ min: 0, max: 15 });
const flag = fc.boolean();
const bytes = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength });

function record<T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(fields, { noNullPrototype: true }) as fc.Arbitrary<T>;
}

const kind = <Kind extends string>(name: Kind) => fc.constant(name);

/** Positions that the default surface of the encoder holds exactly. */
const place = fc.integer({ min: 0, max: 65_534 }).map((pixel) => pixel / 65_534);
const f32 = fc.float({ min: 0, max: 1, noNaN: true }).map((value) => value + 0);

const MEASURED: fc.Arbitrary<ScrollEvent["smooth"]> = fc.oneof(
  record({
    pixels: fc.integer({ min: -30_000, max: 30_000 }).map((steps) => steps / 12),
    source: fc.constant("unknown" as const),
    phase: fc.constant("none" as const),
  }),
  record({
    pixels: fc.integer({ min: -1e6, max: 1e6 }).map((steps) => steps / 256),
    source: fc.constantFrom("finger" as const, "continuous" as const, "touch" as const),
    phase: fc.constantFrom(
      "none" as const,
      "begin" as const,
      "update" as const,
      "momentum-begin" as const,
      "momentum" as const,
    ),
  }),
  record({
    pixels: fc.constant(0),
    source: fc.constantFrom("finger" as const, "controller" as const),
    phase: fc.constantFrom("end" as const, "cancel" as const),
  }),
);

const SCROLL: fc.Arbitrary<ScrollEvent> = fc.tuple(
  fc.constantFrom("vertical" as const, "horizontal" as const),
  fc.oneof(fc.integer({ min: -8_000_000, max: 8_000_000 }).map((steps) => steps / 256), MEASURED),
).map(([axis, measured]) =>
  typeof measured === "number"
    ? { kind: "scroll", axis, amount120: measured }
    : { kind: "scroll", axis, amount120: (measured?.pixels ?? 0) * 2, smooth: measured }
) as fc.Arbitrary<ScrollEvent>;

export const INPUT: fc.Arbitrary<WireInput> = fc.oneof(
  record({
    kind: kind("key"),
    virtualKey: fc.constantFrom(0x08, 0x41, 0xa0, 0xe1, 0xe8, 0xf3),
    isDown: flag,
    modifiers: fc.constant(0),
    isPositional: fc.constant(true),
  }),
  record({ kind: kind("text"), text: fc.string({ minLength: 1, maxLength: 1, unit: "binary" }) }),
  record({ kind: kind("pointer-motion"), dx: i32, dy: i32 }),
  record({ kind: kind("pointer-position"), x: place, y: place }),
  record({
    kind: kind("pointer-button"),
    button: fc.constantFrom("left", "middle", "right", "back", "forward"),
    isDown: flag,
  }),
  SCROLL,
  record({
    kind: kind("touch"),
    phase: fc.constantFrom("down" as const, "move" as const),
    pointerId: u32,
    x: place,
    y: place,
  }),
  record({
    kind: kind("touch"),
    phase: fc.constant("up" as const),
    pointerId: u32,
    x: fc.constant(0),
    y: fc.constant(0),
  }),
  record({ kind: kind("pad-button"), pad, buttons: u32, isDown: flag }),
  record({ kind: kind("pad-axis"), pad, axis: fc.constantFrom("leftX", "rightY"), value: i16 }),
  record({ kind: kind("pad-axis"), pad, axis: fc.constant("leftTrigger" as const), value: u8 }),
  record({
    kind: kind("pad-snapshot"),
    sequence: u8,
    state: record({
      kind: kind("pad-state"),
      pad,
      buttons: u32,
      leftTrigger: u8,
      rightTrigger: u8,
      leftX: i16,
      leftY: i16,
      rightX: i16,
      rightY: i16,
    }),
  }),
  record({ kind: kind("pad-removed"), pad, sequence: u8 }),
  record({
    kind: kind("pad-announced"),
    pad,
    padKind: fc.constantFrom(...Object.keys(PAD_KINDS) as PadKind[]),
    playsHaptics: flag,
    playsSpeaker: flag,
  }),
) as fc.Arbitrary<WireInput>;

const known = fc.option(fc.integer({ min: 0, max: 0xfffe }), { nil: undefined });

const RICH_INPUT: fc.Arbitrary<RichInput> = fc.oneof(
  record({ kind: kind("pad-touch"), pad, finger: u8, isTouching: flag, x: u16, y: u16 }),
  record({
    kind: kind("pad-motion"),
    pad,
    gyro: fc.tuple(i16, i16, i16),
    acceleration: fc.tuple(i16, i16, i16),
  }),
  record({
    kind: kind("pad-surface"),
    pad,
    surface: fc.constantFrom("only", "left", "right"),
    finger: u8,
    isTouching: flag,
    isClicked: flag,
    x: i16,
    y: i16,
    pressure: u16,
  }),
  record({ kind: kind("pad-hid-report"), pad, report: bytes(0, 64) }),
  record({
    kind: kind("pen"),
    sequence: u16,
    samples: fc.array(
      record({
        isInRange: flag,
        isTouching: flag,
        isFirstButtonDown: flag,
        isSecondButtonDown: flag,
        isPredicted: flag,
        tool: fc.constantFrom("pen", "eraser"),
        x: f32,
        y: f32,
        pressure: u16,
        distance: known,
        tiltDegrees: fc.option(fc.integer({ min: 0, max: 0xfe }), { nil: undefined }),
        azimuthDegrees: known,
        rollDegrees: known,
        deltaUs: u16,
      }),
      { minLength: 1, maxLength: 8 },
    ),
  }),
) as fc.Arbitrary<RichInput>;

export const HID_FEEDBACK: fc.Arbitrary<HidFeedback> = fc.oneof(
  record({ kind: kind("led"), pad, red: u8, green: u8, blue: u8 }),
  record({ kind: kind("player-leds"), pad, bits: u8 }),
  record({
    kind: kind("trigger"),
    pad,
    trigger: fc.constantFrom("left", "right"),
    effect: bytes(1, 11),
  }),
  record({
    kind: kind("trackpad-haptic"),
    pad,
    side: u8,
    amplitude: u16,
    period: u16,
    count: u16,
  }),
  record({
    kind: kind("report"),
    pad,
    reportKind: fc.constantFrom("output", "feature"),
    report: bytes(0, 64),
  }),
  record({ kind: kind("audio-control"), pad, flags: u8, raw: bytes(6, 6) }),
  record({ kind: kind("microphone-led"), pad, mode: fc.constantFrom("off", "on", "pulse") }),
) as fc.Arbitrary<HidFeedback>;

const AUDIO = { sequence: u32, ptsNs: u64, payload: bytes(0, 40) };
const point = record({ x: u16, y: u16 });
const lease = record({ sequence: u8, ttlMs: u16 });

export const BODIES: { readonly [Type in DatagramType]: fc.Arbitrary<DatagramBodies[Type]> } = {
  "input": INPUT,
  "audio": record(AUDIO),
  "microphone": record(AUDIO),
  "pcm": record(AUDIO),
  "redundant-audio": record({ ...AUDIO, previous: bytes(0, 40) }),
  "pad-audio": record({ ...AUDIO, pad, output: fc.constantFrom("haptics", "speaker") }),
  "rumble": fc.oneof(
    record({
      pad,
      levels: record({
        low: u16,
        high: u16,
        leftTrigger: fc.constant(0),
        rightTrigger: fc.constant(0),
      }),
      lease: fc.option(lease, { nil: undefined }),
    }),
    record({
      pad,
      levels: record({ low: u16, high: u16, leftTrigger: u16, rightTrigger: u16 }),
      lease,
    }),
  ),
  "rich-input": RICH_INPUT,
  "hid-feedback": HID_FEEDBACK,
  "hdr-metadata": record({
    green: point,
    blue: point,
    red: point,
    white: point,
    maxLuminance10000: u32,
    minLuminance10000: u32,
    maxContentNits: u16,
    maxFrameAverageNits: u16,
  }),
  "host-timing": record({
    ptsNs: u64,
    totalUs: u32,
    stages: fc.option(
      record({
        queueUs: u32,
        encodeUs: u32,
        paceUs: u32,
        phaseNs: fc.option(i32, { nil: undefined }),
      }),
      { nil: undefined },
    ),
  }),
  "cursor": record({ serial: u32, isVisible: flag, isRelative: flag, x: i32, y: i32 }),
};

import assert from "node:assert/strict";
import fc from "fast-check";
import { concatBytes } from "../../../../src/lib/bytes.ts";
import {
  type ControlMessage,
  decodeControl,
  encodeControl,
} from "../../../../src/protocol/punktfunk1/control.ts";
import { CLIP_FORMATS_MAX } from "../../../../src/protocol/punktfunk1/control_clipboard.ts";
import vectors from "../../../vectors/punktfunk1-control.json" with { type: "json" };
import { CONTROL_MEANINGS, CONTROL_MESSAGES, CONTROL_WITHOUT_VECTOR } from "./control_messages.ts";

const SAMPLES: readonly ControlMessage[] = [
  ...Object.values(CONTROL_MEANINGS),
  ...Object.values(CONTROL_WITHOUT_VECTOR),
];

/** The message whose bytes behind the magic are `hex`. */
function decodeHex(hex: string): ControlMessage | undefined {
  return decodeControl(Uint8Array.fromHex(`504b4663${hex}`));
}

Deno.test("decodeControl() reads the specification's messages, and encodeControl() writes them", () => {
  assert.deepEqual(
    vectors.control.map(({ name }) => name).sort(),
    Object.keys(CONTROL_MEANINGS).sort(),
  );
  for (const { name, hex } of vectors.control) {
    const meaning = CONTROL_MEANINGS[name] ?? assert.fail(name);
    assert.deepEqual(decodeControl(Uint8Array.fromHex(hex)), meaning, name);
    assert.deepEqual(encodeControl(meaning), Uint8Array.fromHex(hex), name);
  }
});

Deno.test("decodeControl() and encodeControl() follow the table where there is no vector", () => {
  for (const [hex, meaning] of Object.entries(CONTROL_WITHOUT_VECTOR)) {
    assert.deepEqual(decodeControl(Uint8Array.fromHex(hex)), meaning, meaning.kind);
    assert.deepEqual(encodeControl(meaning), Uint8Array.fromHex(hex), meaning.kind);
  }
});

Deno.test("decodeControl() ignores every size that a type does not have", () => {
  const otherSizes: Record<string, readonly number[]> = {
    "bitrate-changed": [9, 10],
    "probe-result": [21, 29, 30],
    "phase-report": [25, 27],
  };
  for (const sample of SAMPLES) {
    const bytes = concatBytes(encodeControl(sample), Uint8Array.of(0));
    const legal = otherSizes[sample.kind] ?? [bytes.byteLength - 1];
    for (let size = 0; size <= bytes.byteLength; size++) {
      const message = decodeControl(bytes.subarray(0, size));
      assert.equal(message?.kind, legal.includes(size) ? sample.kind : undefined, `${size} bytes`);
    }
  }
});

Deno.test("decodeControl() ignores unknown types, pairing and other magics", () => {
  const known = new Set(SAMPLES.map((message) => encodeControl(message)[4]));
  for (let type = 0; type < 256; type++) {
    if (known.has(type)) continue;
    for (const size of [0, 1, 4, 32]) {
      const hex = type.toString(16).padStart(2, "0") + "00".repeat(size);
      assert.equal(decodeHex(hex), undefined);
    }
  }
  assert.equal(decodeControl(Uint8Array.fromHex("504b463103")), undefined);
  assert.equal(decodeControl(Uint8Array.fromHex("504b4663")), undefined);
});

Deno.test("decodeControl() reads ProbeResult of old hosts and of later ones", () => {
  const old = { kind: "probe-result", bytes: 1n, packets: 2, durationMs: 3 } as const;
  const hex = "210100000000000000" + "02000000" + "03000000";
  assert.deepEqual(decodeHex(hex), { ...old, wireSent: 0, dropped: 0 });
  for (let surplus = 1; surplus < 8; surplus++) {
    assert.equal(decodeHex(hex + "01".repeat(surplus)), undefined);
  }
  assert.deepEqual(decodeHex(hex + "0400000005000000" + "ffff"), {
    ...old,
    wireSent: 4,
    dropped: 5,
  });
});

Deno.test("decodeControl() reads words it does not know as those that promise least", () => {
  assert.deepEqual(decodeHex("06010000007f"), {
    kind: "bitrate-changed",
    kbps: 1,
    reason: undefined,
  });
  assert.deepEqual(decodeHex("5a0600"), {
    kind: "launch-outcome",
    outcome: "spawned",
    message: "",
  });
  assert.deepEqual(decodeHex("0d09"), { kind: "set-delivery", profile: "burst" });
  const status = decodeHex("44090500000000000000");
  assert.ok(status?.kind === "clip-fetch-hdr" && status.status === "unavailable");
  const state = decodeHex("41000009");
  assert.ok(state?.kind === "clip-state" && state.reason === "ok" && !state.isEnabled);
  const facts = decodeHex("0f09" + "00".repeat(8) + "03");
  assert.ok(facts?.kind === "host-facts" && facts.interfaceKind === "unknown");
  assert.equal(facts.forcedProfile, "none");
});

Deno.test("decodeControl() takes any byte but 0 for true and reads flags by their bits", () => {
  assert.deepEqual(decodeHex("5980"), { kind: "audio-state", isMuted: true });
  assert.deepEqual(decodeHex("40ff02"), {
    kind: "clip-control",
    isEnabled: true,
    wantsFiles: false,
  });
  const state = decodeHex("4101fe00");
  assert.ok(state?.kind === "clip-state");
  assert.deepEqual(state.allows, { text: false, files: true });
});

Deno.test("decodeControl() takes offers of 16 formats of 128 bytes, none past either", () => {
  const format = (size: number) =>
    size.toString(16).padStart(2, "0") + "61".repeat(size) + "00".repeat(8);
  const offer = (count: number, size: number) =>
    decodeHex("4207000000" + count.toString(16).padStart(2, "0") + format(size).repeat(count));
  const most = offer(CLIP_FORMATS_MAX, 128);
  assert.ok(most?.kind === "clip-offer" && most.formats.length === CLIP_FORMATS_MAX);
  assert.deepEqual(offer(0, 0), { kind: "clip-offer", offerNumber: 7, formats: [] });
  assert.equal(offer(CLIP_FORMATS_MAX + 1, 1), undefined);
  assert.equal(offer(1, 129), undefined);
  assert.equal(decodeHex("420700000001" + "01ff" + "00".repeat(8)), undefined);
  assert.equal(decodeHex("4307000000ffffffff" + "81" + "61".repeat(129)), undefined);
  assert.equal(decodeHex("4307000000ffffffff" + "01ff"), undefined);
});

Deno.test("decodeControl() takes cursors of 1 to 120 pixels a side with all their pixels", () => {
  const u16 = (value: number) => value.toString(16).padStart(2, "0") + "00";
  const cursor = (width: number, height: number, pixels: number) =>
    decodeHex("5009000000" + u16(width) + u16(height) + "00000000" + "01020304".repeat(pixels))
      ?.kind;
  assert.equal(cursor(120, 120, 120 * 120), "cursor-shape");
  assert.equal(cursor(121, 1, 121), undefined);
  assert.equal(cursor(1, 121, 121), undefined);
  assert.equal(cursor(0, 1, 0), undefined);
  assert.equal(cursor(1, 0, 0), undefined);
  assert.equal(cursor(2, 3, 5), undefined);
  assert.equal(cursor(2, 3, 7), undefined);
});

Deno.test("decodeControl() takes launch messages of 200 bytes, none of 201, and any bytes as text", () => {
  const outcome = (size: number) =>
    decodeHex("5a04" + size.toString(16).padStart(2, "0") + "61".repeat(size));
  const longest = outcome(200);
  assert.ok(longest?.kind === "launch-outcome" && longest.message.length === 200);
  assert.equal(outcome(201), undefined);
  assert.deepEqual(decodeHex("5a0401ff"), {
    kind: "launch-outcome",
    outcome: "failed",
    message: "\u{fffd}",
  });
});

Deno.test("encodeControl() cuts a launch message between characters", () => {
  const bytes = encodeControl({
    kind: "launch-outcome",
    outcome: "failed",
    message: "x" + "ä".repeat(120),
  });
  const message = decodeControl(bytes);
  assert.ok(message?.kind === "launch-outcome");
  assert.equal(message.message, "x" + "ä".repeat(99));
});

Deno.test("encodeControl() refuses what nobody could read", () => {
  const formats = new Array(CLIP_FORMATS_MAX + 1).fill({ mime: "a", sizeBytes: 0n });
  const shape = { kind: "cursor-shape", serial: 1, hotX: 0, hotY: 0 } as const;
  const wrong: ControlMessage[] = [
    { kind: "set-bitrate", kbps: -1 },
    { kind: "delivery-report", packetsReceived: 1n << 64n },
    { kind: "clip-offer", offerNumber: 1, formats },
    { kind: "clip-fetch", offerNumber: 1, fileIndex: undefined, mime: "m".repeat(129) },
    { ...shape, width: 121, height: 1, rgba: new Uint8Array(484) },
    { ...shape, width: 2, height: 2, rgba: new Uint8Array(15) },
    { kind: "input-edge", event: new Uint8Array(17) },
  ];
  for (const message of wrong) {
    assert.throws(() => encodeControl(message), RangeError, message.kind);
  }
});

Deno.test("decodeControl() inverts encodeControl()", () => {
  fc.assert(
    fc.property(CONTROL_MESSAGES, (message) => {
      assert.deepEqual(decodeControl(encodeControl(message)), message);
    }),
    { numRuns: 500 },
  );
});

Deno.test("decodeControl() throws nothing on arbitrary bytes", () => {
  const type = fc.constantFrom(...SAMPLES.map((message) => encodeControl(message)[4] ?? 0));
  fc.assert(fc.property(type, fc.uint8Array({ maxLength: 40 }), (byte, tail) => {
    decodeControl(concatBytes(Uint8Array.of(0x50, 0x4b, 0x46, 0x63, byte), tail));
    decodeControl(tail);
  }));
});

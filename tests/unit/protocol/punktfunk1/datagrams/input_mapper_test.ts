import assert from "node:assert/strict";
import fc from "fast-check";
import { FakeClock } from "../../../../../src/lib/clock.ts";
import type { InputEvent } from "../../../../../src/protocol/input_event.ts";
import type { WireInput } from "../../../../../src/protocol/punktfunk1/datagrams/input.ts";
import {
  grantOf,
  isInputGranted,
} from "../../../../../src/protocol/punktfunk1/datagrams/input_grants.ts";
import { InputMapper } from "../../../../../src/protocol/punktfunk1/datagrams/input_mapper.ts";
import { decodeRichInput } from "../../../../../src/protocol/punktfunk1/datagrams/rich_input.ts";
import { GRANTS, GRANTS_VIEW_ONLY } from "../../../../../src/protocol/punktfunk1/caps.ts";
import { BODIES, INPUT } from "./arbitraries.ts";
import { bytesOf } from "./vectors.ts";

function openMapper() {
  const clock = new FakeClock();
  const events: InputEvent[] = [];
  const mapper = new InputMapper({
    clock,
    padKind: "xbox-360",
    emit: (event) => events.push(event),
  });
  return { clock, mapper, events: () => events.splice(0) };
}

function rich(text: string) {
  return decodeRichInput(bytesOf(text)) ?? assert.fail(text);
}

const TOUCH: WireInput = { kind: "touch", phase: "down", pointerId: 1, x: 0.5, y: 0.5 };
const BUTTON: WireInput = { kind: "pad-button", pad: 0, buttons: 1, isDown: true };
const PEN = rich("cc050001090003000000003f0000803e0080ffffffffffffff0000");

Deno.test("InputMapper passes keyboard and pointer through as they are", () => {
  const { mapper, events } = openMapper();
  const plain: readonly WireInput[] = [
    { kind: "key", virtualKey: 0x41, isDown: true, modifiers: 0, isPositional: true },
    { kind: "text", text: "ß" },
    { kind: "pointer-motion", dx: 1, dy: -1 },
    { kind: "pointer-position", x: 0.5, y: 1 },
    { kind: "pointer-button", button: "back", isDown: false },
    { kind: "scroll", axis: "vertical", amount120: 120 },
  ];
  for (const input of plain) mapper.apply(input);
  assert.deepEqual(events(), plain);
});

Deno.test("InputMapper sends fingers, pens and pads their ways and releases them all", () => {
  const { clock, mapper, events } = openMapper();
  mapper.apply(TOUCH);
  mapper.apply(BUTTON);
  mapper.applyRich(rich("cc0100000100800040"));
  mapper.applyRich(rich("cc04000201ff"));
  mapper.applyRich(PEN);
  assert.deepEqual(events().map(({ kind }) => kind), [
    "touch",
    "pad-arrival",
    "pad-state",
    "pad-touchpad",
    "pen",
  ]);
  mapper.releaseAll();
  assert.deepEqual(
    events().map((event) => "phase" in event ? `${event.kind} ${event.phase}` : event.kind),
    ["touch cancel-all", "pen up", "pen hover-leave", "pad-removal"],
  );
  assert.equal(clock.pendingTimers, 0);
  mapper.releaseAll();
  assert.deepEqual(events(), []);
});

Deno.test("InputMapper introduces every pad before it speaks, in any order of events", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(INPUT, BODIES["rich-input"]), { maxLength: 40 }),
      (inputs) => {
        const { mapper, events } = openMapper();
        for (const input of inputs) {
          if (input.kind === "pen" || isRich(input)) mapper.applyRich(input);
          else mapper.apply(input as WireInput);
        }
        mapper.releaseAll();
        const live = new Set<number>();
        for (const event of events()) {
          if (!("pad" in event)) continue;
          if (event.kind === "pad-arrival") {
            assert.ok(!live.has(event.pad));
            live.add(event.pad);
          } else {
            assert.ok(live.has(event.pad), event.kind);
            if (event.kind === "pad-removal") live.delete(event.pad);
          }
        }
        assert.equal(live.size, 0);
      },
    ),
  );
});

function isRich(input: { readonly kind: string }): input is ReturnType<typeof rich> {
  return ["pad-touch", "pad-motion", "pad-surface", "pad-hid-report"].includes(input.kind);
}

Deno.test("grantOf() asks for keyboard, pointer or gamepad", () => {
  const key: WireInput = {
    kind: "key",
    virtualKey: 0x41,
    isDown: true,
    modifiers: 0,
    isPositional: true,
  };
  assert.equal(grantOf(key), GRANTS.keyboard);
  assert.equal(grantOf({ kind: "text", text: "a" }), GRANTS.keyboard);
  assert.equal(grantOf({ kind: "pointer-motion", dx: 0, dy: 0 }), GRANTS.pointer);
  assert.equal(grantOf({ kind: "scroll", axis: "vertical", amount120: 1 }), GRANTS.pointer);
  assert.equal(grantOf(TOUCH), GRANTS.pointer);
  assert.equal(grantOf(PEN), GRANTS.pointer);
  assert.equal(grantOf(BUTTON), GRANTS.gamepad);
  assert.equal(grantOf(rich("cc0100000100800040")), GRANTS.gamepad);
  assert.equal(grantOf(rich("cc02001400ecff0000000010270000")), GRANTS.gamepad);
});

Deno.test("isInputGranted() lets through what its one bit allows", () => {
  fc.assert(
    fc.property(fc.oneof(INPUT, BODIES["rich-input"]), (input) => {
      const bit = grantOf(input);
      assert.ok(isInputGranted(input, bit));
      assert.ok(!isInputGranted(input, 0xff & ~bit));
      assert.ok(!isInputGranted(input, GRANTS_VIEW_ONLY));
    }),
  );
});

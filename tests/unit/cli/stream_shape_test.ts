import assert from "node:assert/strict";
import { parseContent, parseKeyframeAnswer, shapeOf } from "../../../src/cli/stream_shape.ts";
import { OperationError } from "../../../src/lib/errors.ts";

Deno.test("parseContent() knows four scripts", () => {
  const scripts = ["steady", "idle-then-motion", "frame-driven:24", "motion-then-still:60"];
  assert.deepEqual(scripts.map(parseContent), [
    { hz: undefined, fromMs: 0, untilMs: undefined },
    { hz: undefined, fromMs: 5_000, untilMs: undefined },
    { hz: 24, fromMs: 0, untilMs: undefined },
    { hz: 60, fromMs: 0, untilMs: 5_000 },
  ]);
});

Deno.test("parseContent() refuses everything else", () => {
  const wrong = [
    ...["", "motion", "Steady", "steady:60", "idle-then-motion:60", "frame-driven"],
    ...["frame-driven:", "frame-driven:0", "frame-driven:1001", "frame-driven:6.5"],
    ...["frame-driven:60:60", "motion-then-still", "motion-then-still:-1", ":60"],
  ];
  for (const text of wrong) assert.throws(() => parseContent(text), RangeError, text);
});

Deno.test("parseKeyframeAnswer() knows a key frame and waves of two units and more, and nothing else", () => {
  assert.equal(parseKeyframeAnswer("idr").waveUnits, undefined);
  assert.equal(parseKeyframeAnswer("wave:30").waveUnits, 30);
  for (const text of ["", "wave", "wave:", "wave:1", "wave:1001", "wave:2:3", "idr:2", "i:2"]) {
    assert.throws(() => parseKeyframeAnswer(text), RangeError, text);
  }
});

Deno.test("shapeOf() fills in what is not given, and refuses shapes of other sources", () => {
  const plain = shapeOf({}, "synthetic");
  assert.deepEqual([plain.fillPercent, plain.recoveryMs, plain.waveUnits], [100, 0, undefined]);
  const flags = [
    { content: parseContent("steady") },
    { fill: 50 },
    { recoveryMs: 0 },
    { keyframeAnswer: parseKeyframeAnswer("idr") },
  ];
  for (const given of flags) {
    assert.doesNotThrow(() => shapeOf(given, "synthetic-abr"));
    for (const source of ["synthetic", "virtual"]) {
      assert.throws(
        () => shapeOf(given, source),
        (error) => error instanceof OperationError && error.code === "invalid",
      );
    }
  }
});

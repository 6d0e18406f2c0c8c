import assert from "node:assert/strict";
import { inputScriptStep } from "../../../src/cli/input_script.ts";

Deno.test("inputScriptStep() draws closed squares of 12-pixel moves", () => {
  let [x, y] = [0, 0];
  const corners = new Set<string>();
  for (let index = 0; index < 160; index++) {
    const [move] = inputScriptStep(index, false);
    assert.equal(move?.kind, "pointer-motion");
    x += move.dx;
    y += move.dy;
    assert.equal(Math.abs(move.dx) + Math.abs(move.dy), 12);
    if (index % 10 === 9) corners.add(`${x},${y}`);
  }
  assert.deepEqual([x, y], [0, 0]);
  assert.deepEqual([...corners], ["120,0", "120,120", "0,120", "0,0"]);
});

Deno.test("inputScriptStep() taps A and clicks left at every 20th step, and releases both", () => {
  for (let index = 0; index < 160; index++) {
    const [, ...taps] = inputScriptStep(index, false);
    if (index % 20 !== 19) {
      assert.deepEqual(taps, []);
      continue;
    }
    assert.deepEqual(taps.map((event) => [event.kind, "isDown" in event && event.isDown]), [
      ["key", true],
      ["key", false],
      ["pointer-button", true],
      ["pointer-button", false],
    ]);
  }
});

Deno.test("inputScriptStep() walks the corners and the centre when positions are absolute", () => {
  const seen = new Set<string>();
  for (let index = 0; index < 20; index++) {
    const [move] = inputScriptStep(index, true);
    assert.equal(move?.kind, "pointer-position");
    seen.add(`${move.x},${move.y}`);
  }
  assert.deepEqual([...seen], ["0,0", "1,0", "1,1", "0,1", "0.5,0.5"]);
});

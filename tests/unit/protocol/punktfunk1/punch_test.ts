import assert from "node:assert/strict";
import fc from "fast-check";
import { encodePunch, isPunch, punchDelayMs } from "../../../../src/protocol/punktfunk1/punch.ts";
import vectors from "../../../vectors/punktfunk1-video.json" with { type: "json" };

Deno.test("encodePunch() makes the specification's datagram, and isPunch() knows it", () => {
  assert.equal(encodePunch().toHex(), vectors.punch);
  assert.equal(isPunch(Uint8Array.fromHex(vectors.punch)), true);
});

Deno.test("isPunch() refuses every shortened, lengthened and changed form", () => {
  const punch = encodePunch();
  for (let length = 0; length < punch.length; length++) {
    assert.equal(isPunch(punch.subarray(0, length)), false);
    const changed = punch.slice();
    changed[length] = (changed[length] ?? 0) ^ 0x20;
    assert.equal(isPunch(changed), false);
  }
  assert.equal(isPunch(new Uint8Array([...punch, 0])), false);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => !isPunch(bytes)));
});

Deno.test("punchDelayMs() is fast fifteen times and slow from then on", () => {
  const delays = Array.from({ length: 18 }, (_, sent) => punchDelayMs(sent));
  assert.deepEqual(delays, [...Array(15).fill(200), 2_000, 2_000, 2_000]);
});

import assert from "node:assert/strict";
import { isKeyAccessUnit, keySliceOffset, listNalUnits } from "../../client/access_unit.ts";

const unit = (...headers: number[]) =>
  Uint8Array.from(headers.flatMap((header) => [0, 0, 0, 1, header, 0x55]));

Deno.test("listNalUnits() finds units behind start codes of either length", () => {
  const au = Uint8Array.of(0, 0, 0, 1, 0x67, 9, 0, 0, 1, 0x68, 1, 0, 1, 0, 0, 1, 0x65);
  assert.deepEqual(listNalUnits(au, "h264"), [
    { type: 7, offset: 1 },
    { type: 8, offset: 6 },
    { type: 5, offset: 13 },
  ]);
});

Deno.test("isKeyAccessUnit() wants parameter sets and a key slice in H.264", () => {
  assert.equal(isKeyAccessUnit(unit(0x67, 0x68, 0x65), "h264"), true);
  assert.equal(isKeyAccessUnit(unit(0x09, 0x67, 0x68, 0x06, 0x65), "h264"), true);
  assert.equal(isKeyAccessUnit(unit(0x65), "h264"), false);
  assert.equal(isKeyAccessUnit(unit(0x67, 0x68, 0x41), "h264"), false);
  assert.equal(isKeyAccessUnit(unit(0x41), "h264"), false);
});

Deno.test("isKeyAccessUnit() wants parameter sets and a key slice in HEVC", () => {
  const [vps, sps, pps] = [32 << 1, 33 << 1, 34 << 1];
  for (const slice of [16, 19, 20, 21]) {
    assert.equal(isKeyAccessUnit(unit(vps ?? 0, sps ?? 0, pps ?? 0, slice << 1), "hevc"), true);
  }
  assert.equal(isKeyAccessUnit(unit(vps ?? 0, sps ?? 0, pps ?? 0, 1 << 1), "hevc"), false);
  assert.equal(isKeyAccessUnit(unit(sps ?? 0, pps ?? 0, 19 << 1), "hevc"), false);
});

Deno.test("isKeyAccessUnit() wants a sequence header in AV1, behind a delimiter or not", () => {
  const delimiter = [2 << 3 | 2, 0];
  const sequence = [1 << 3 | 2, 1, 0];
  assert.equal(isKeyAccessUnit(Uint8Array.from([...delimiter, ...sequence]), "av1"), true);
  assert.equal(isKeyAccessUnit(Uint8Array.from(sequence), "av1"), true);
  assert.equal(isKeyAccessUnit(Uint8Array.from([...delimiter, 6 << 3 | 2, 1, 0]), "av1"), false);
  assert.equal(isKeyAccessUnit(new Uint8Array(0), "av1"), false);
});

Deno.test("keySliceOffset() is where the first key slice begins", () => {
  assert.equal(keySliceOffset(unit(0x67, 0x68, 0x65, 0x65), "h264"), 13);
  assert.equal(keySliceOffset(unit(0x41), "h264"), undefined);
});

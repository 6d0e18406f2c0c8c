import assert from "node:assert/strict";
import { viewOf } from "../../../../src/lib/bytes.ts";
import { GRANTS, GRANTS_ALL, hasBits } from "../../../../src/protocol/punktfunk1/caps.ts";
import {
  audioBits,
  audioChannels,
  audioRateHz,
  bitDepth,
  chroma,
  codec,
  compositor,
  fecScheme,
  hasMotionSensors,
  PAD_KINDS,
  type PadKind,
  padKind,
  padKindOfCode,
  videoFit,
} from "../../../../src/protocol/punktfunk1/enums.ts";
import type { Field } from "../../../../src/protocol/punktfunk1/fields.ts";

/** What each byte from 0 on reads as. */
function readings<Value>(field: Field<Value>, count: number): Value[] {
  return Array.from({ length: count }, (_, byte) => field.read(viewOf(Uint8Array.of(byte)), 0));
}

Deno.test("enumerations read unknown bytes as the specification says", () => {
  assert.deepEqual(readings(compositor, 8).slice(5), ["hyprland", "windows", "auto"]);
  assert.deepEqual(readings(padKind, 20).slice(17), ["switch-2-pro", "switch-2-gamecube", "auto"]);
  assert.deepEqual(readings(codec, 9), [
    ...["hevc", "h264", "hevc", "hevc", "av1", "hevc", "hevc", "hevc", "pyrowave"],
  ]);
  assert.deepEqual(readings(fecScheme, 3), ["gf256", "gf65536", "gf256"]);
  assert.deepEqual(readings(chroma, 5), ["4:2:0", "4:2:0", "4:2:0", "4:4:4", "4:2:0"]);
  assert.deepEqual(readings(videoFit, 4), ["fit", "crop", "stretch", "fit"]);
  assert.deepEqual(readings(audioChannels, 10), [2, 2, 2, 2, 2, 2, 6, 2, 8, 2]);
  assert.deepEqual(readings(audioBits, 26).slice(15), [16, 16, 16, 16, 16, 16, 16, 16, 16, 24, 16]);
  assert.deepEqual(readings(bitDepth, 12).slice(7), [8, 8, 8, 10, 8]);
});

Deno.test("audioRateHz reads a rate that PCM cannot have as 48 000", () => {
  const read = (rateHz: number) => {
    const bytes = new Uint8Array(4);
    viewOf(bytes).setUint32(0, rateHz, true);
    return audioRateHz.read(viewOf(bytes), 0);
  };
  assert.deepEqual([44_100, 176_400, 192_000, 0].map(read), [44_100, 176_400, 48_000, 48_000]);
});

Deno.test("padKindOfCode() inverts PAD_KINDS and takes other codes for auto", () => {
  for (const [kind, code] of Object.entries(PAD_KINDS)) assert.equal(padKindOfCode(code), kind);
  for (const code of [19, 255, 0xffffffff, -1]) assert.equal(padKindOfCode(code), "auto");
});

Deno.test("hasMotionSensors() knows the four kinds without", () => {
  const kinds = Object.keys(PAD_KINDS) as PadKind[];
  const without = kinds.filter((kind) => !hasMotionSensors(kind));
  assert.deepEqual(without.map((kind) => PAD_KINDS[kind]), [1, 3, 11, 18]);
});

Deno.test("hasBits() asks for all of them", () => {
  assert.equal(hasBits(0b101, 0b101), true);
  assert.equal(hasBits(0b100, 0b101), false);
  assert.equal(hasBits(0, 0), true);
});

Deno.test("GRANTS_ALL is every grant", () => {
  assert.equal(Object.values(GRANTS).reduce((all, grant) => all | grant, 0), GRANTS_ALL);
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { PictureDrawer } from "../../../ffi/picture.ts";
import { copyNativeBytes } from "../../../src/media/native_bytes.ts";
import {
  decodeClockStrips,
  readClockStrips,
  type StripImage,
} from "../../../src/probe/clock_strips.ts";

// 1 234 567 890 123 × 100 µs: groups 0x4CB, 0x609, 0x65F, 0x08F make the sum 0x1 1C2, of which 12 bits stay.
const TIME = 1_234_567_890_123n;

function timeStrip(time: bigint): bigint {
  let sum = 0n;
  for (let shift = 0n; shift < 44n; shift += 11n) sum += (time >> shift) & 0x7FFn;
  return 0xAn << 60n | time << 16n | (sum & 0xFFFn) << 4n | 0x5n;
}

function counterStrip(counter: number): bigint {
  const sum = (counter & 0xFF) + ((counter >> 8) & 0xFF) + (counter >> 16);
  return 0xAn << 60n | BigInt(counter) << 36n | BigInt(sum & 0xFF) << 28n | 0x555_5555n;
}

Deno.test("decodeClockStrips() reads time and counter", () => {
  assert.deepEqual(decodeClockStrips(timeStrip(TIME), counterStrip(0x123456)), {
    drawnAtUs: 123_456_789_012_300,
    counter: 0x123456,
  });
});

Deno.test("decodeClockStrips() refuses any single wrong bit", () => {
  const time = timeStrip(TIME);
  const counter = counterStrip(0x00FF7F);
  for (let bit = 0n; bit < 64n; bit++) {
    assert.equal(decodeClockStrips(time ^ (1n << bit), counter), null, `time bit ${bit}`);
    assert.equal(decodeClockStrips(time, counter ^ (1n << bit)), null, `counter bit ${bit}`);
  }
});

Deno.test("readClockStrips() reads what PictureDrawer draws, at any size", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 64, max: 700 }),
      fc.integer({ min: 64, max: 400 }),
      fc.integer({ min: 0, max: 2 ** 52 }),
      fc.integer({ min: 0, max: 2 ** 24 - 1 }),
      (widthPixels, heightPixels, timeUs, counter) => {
        using drawer = new PictureDrawer({ widthPixels, heightPixels, content: "motion" });
        const frame = drawer.draw(timeUs, counter);
        const image: StripImage = {
          data: copyNativeBytes(frame),
          widthPixels,
          heightPixels,
          strideBytes: frame.strideBytes,
          pixelSizeBytes: 4,
          offsetBytes: 1,
        };
        const drawnAtUs = (Math.floor(timeUs / 100) % 2 ** 44) * 100;
        assert.deepEqual(readClockStrips(image), { drawnAtUs, counter });
      },
    ),
    { numRuns: 40 },
  );
});

Deno.test("readClockStrips() finds nothing in a picture without strips or too short for them", () => {
  const image = (data: Uint8Array): StripImage => ({
    data,
    widthPixels: 640,
    heightPixels: 480,
    strideBytes: 640,
    pixelSizeBytes: 1,
    offsetBytes: 0,
  });
  assert.equal(readClockStrips(image(new Uint8Array(640 * 480).fill(128))), null);
  assert.equal(readClockStrips(image(new Uint8Array(640))), null);
});

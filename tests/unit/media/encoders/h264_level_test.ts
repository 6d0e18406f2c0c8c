import assert from "node:assert/strict";
import { h264Level } from "../../../../src/media/encoders/h264_level.ts";

const HD60 = {
  widthPixels: 1920,
  heightPixels: 1080,
  refreshMilliHz: 60_000,
  bitrateKbps: 20_000,
  referenceFrames: 1,
};

Deno.test("h264Level() gives the lowest level that holds size, rate, references and bitrate", () => {
  assert.equal(
    h264Level({ ...HD60, widthPixels: 640, heightPixels: 480, bitrateKbps: 17_500 }),
    31,
  );
  assert.equal(h264Level({ ...HD60, widthPixels: 1280, heightPixels: 720 }), 32);
  assert.equal(h264Level({ ...HD60, refreshMilliHz: 30_000 }), 40);
  assert.equal(h264Level({ ...HD60, refreshMilliHz: 30_000, bitrateKbps: 25_001 }), 41);
  assert.equal(h264Level(HD60), 42);
  assert.equal(h264Level({ ...HD60, bitrateKbps: 62_501 }), 50);
  assert.equal(h264Level({ ...HD60, referenceFrames: 5 }), 50);
  assert.equal(h264Level({ ...HD60, refreshMilliHz: 120_000 }), 51);
  assert.equal(h264Level({ ...HD60, widthPixels: 3840, heightPixels: 2160 }), 52);
});

Deno.test("h264Level() minds the longest side and ends at 5.2", () => {
  assert.equal(h264Level({ ...HD60, widthPixels: 8192, heightPixels: 64 }), 51);
  assert.equal(h264Level({ ...HD60, refreshMilliHz: 1_000_000 }), 52);
});

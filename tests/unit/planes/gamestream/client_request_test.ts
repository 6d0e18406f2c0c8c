import assert from "node:assert/strict";
import { OperationError } from "../../../../src/lib/errors.ts";
import {
  type LaunchFacts,
  toClientRequest,
} from "../../../../src/planes/gamestream/client_request.ts";
import { parseAnnounce } from "../../../../src/protocol/gamestream/announce.ts";
import {
  AUDIO_LAYOUTS,
  parseSurroundParams,
} from "../../../../src/protocol/gamestream/audio_layouts.ts";
import vectors from "../../../vectors/gamestream-rtsp.json" with { type: "json" };

const BODY = vectors.transcript[5]?.request.split("\r\n\r\n")[1] ?? "";
const CONFIG = parseAnnounce(new TextEncoder().encode(BODY));
const FACTS: LaunchFacts = {
  isHighQualityStereo: false,
  isHeardOnHost: true,
  customAudio: undefined,
  fecPercent: 20,
};

Deno.test("toClientRequest() puts the recorded ANNOUNCE in common terms", () => {
  assert.deepEqual(toClientRequest(CONFIG, FACTS), {
    mode: { widthPixels: 1280, heightPixels: 720, refreshMilliHz: 60_000 },
    codec: "h264",
    bitrateKbps: 16_000 - 192 - 500,
    slices: 1,
    referenceFrames: 1,
    colorSpace: "bt709",
    isFullRange: false,
    audio: { ...AUDIO_LAYOUTS[2].normal, frameDurationMs: 5 },
    isHeardOnHost: true,
  });
});

Deno.test("toClientRequest() chooses stereo quality by the address, surround by the attribute", () => {
  const audioOf = (audioChannels: 2 | 6 | 8, isAudioQualityHigh: boolean, isStereoHigh: boolean) =>
    toClientRequest({ ...CONFIG, audioChannels, isAudioQualityHigh }, {
      ...FACTS,
      isHighQualityStereo: isStereoHigh,
    }).audio.bitrateBps;
  assert.equal(audioOf(2, true, false), 96_000);
  assert.equal(audioOf(2, false, true), 512_000);
  assert.equal(audioOf(6, true, false), 1_536_000);
  assert.equal(audioOf(6, false, true), 256_000);
  assert.equal(audioOf(8, true, false), 2_048_000);
  assert.equal(audioOf(8, false, true), 450_000);
});

Deno.test("toClientRequest() takes the layout that the client gave at launch", () => {
  const facts = { ...FACTS, customAudio: parseSurroundParams("660543210") };
  const config = { ...CONFIG, audioChannels: 6, isAudioQualityHigh: true } as const;
  assert.deepEqual(toClientRequest(config, facts).audio.mapping, [5, 4, 3, 2, 1, 0]);
  assert.deepEqual(toClientRequest(CONFIG, facts).audio.mapping, [0, 1]);
});

Deno.test("toClientRequest() uses the maximum bitrate as it is when nothing else is known", () => {
  const config = { ...CONFIG, configuredBitrateKbps: undefined };
  assert.equal(toClientRequest(config, FACTS).bitrateKbps, 16_000);
});

Deno.test("toClientRequest() refuses 10-bit and 4:4:4 pictures", () => {
  for (const change of [{ is10Bit: true }, { isYuv444: true }]) {
    assert.throws(
      () => toClientRequest({ ...CONFIG, ...change }, FACTS),
      (error) => error instanceof OperationError && error.code === "invalid",
    );
  }
});

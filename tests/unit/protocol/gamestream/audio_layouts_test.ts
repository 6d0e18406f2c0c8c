import assert from "node:assert/strict";
import { ProtocolError } from "../../../../src/lib/errors.ts";
import {
  AUDIO_LAYOUTS,
  type AudioLayout,
  chooseAudioLayout,
  parseSurroundParams,
} from "../../../../src/protocol/gamestream/audio_layouts.ts";
import {
  formatDescribe,
  type StreamCapabilities,
} from "../../../../src/protocol/gamestream/describe.ts";

const CAPABILITIES: StreamCapabilities = {
  hasPenAndTouch: true,
  hasPadTouchAndMotion: true,
  encryptionSupported: 7,
  encryptionRequested: 1,
  hasReferenceInvalidation: true,
  codecs: ["h264", "hevc", "av1"],
  customAudio: undefined,
};

/** What a client makes of DESCRIBE: its own search and its own move of digits. */
function decoderLayout(description: string, channels: number, isHigh: boolean) {
  const prefix = `a=fmtp:97 surround-params=${channels}`;
  const normalAt = description.indexOf(prefix);
  const at = isHigh ? description.indexOf(prefix, normalAt + 1) : normalAt;
  assert.notEqual(at, -1);
  const digits = Array.from(
    description.slice(at + prefix.length, at + prefix.length + 2 + channels),
    Number,
  );
  const advertised = digits.slice(2);
  const mapping = [...advertised];
  if (!isHigh && channels > 2) {
    mapping[3] = advertised[channels - 1] ?? -1;
    for (let index = 4; index < channels; index++) mapping[index] = advertised[index - 1] ?? -1;
  }
  return { channels, streams: digits[0], coupledStreams: digits[1], mapping };
}

const withoutRate = ({ bitrateBps: _, ...layout }: AudioLayout) => layout;

Deno.test("formatDescribe() makes the client decode with the mapping the encoder uses", () => {
  const description = formatDescribe(CAPABILITIES);
  for (const channels of [2, 6, 8] as const) {
    for (const quality of ["normal", "high"] as const) {
      const chosen = chooseAudioLayout(channels, {
        quality,
        custom: undefined,
        packetDurationMs: 5,
      });
      assert.deepEqual(
        decoderLayout(description, channels, quality === "high"),
        withoutRate(chosen),
        `${channels} ${quality}`,
      );
    }
  }
});

Deno.test("formatDescribe() advertises a custom layout twice, first and alone for its channel count", () => {
  for (const params of ["642012345", "660543210", "85301245673", "21110", "88076543210"]) {
    const custom = parseSurroundParams(params);
    const description = formatDescribe({ ...CAPABILITIES, customAudio: custom });
    const lines = description.split("\r\n").filter((line) => line.includes("surround-params"));
    const line = `a=fmtp:97 surround-params=${params}`;
    assert.deepEqual(lines.slice(0, 2), [line, line]);
    assert.equal(lines.filter((one) => one.includes(`=${custom.channels}`)).length, 2);
    assert.equal(lines.length, 6);
    for (const quality of ["normal", "high"] as const) {
      assert.deepEqual(
        decoderLayout(description, custom.channels, quality === "high"),
        withoutRate(chooseAudioLayout(custom.channels, { quality, custom, packetDurationMs: 5 })),
      );
    }
  }
});

Deno.test("formatDescribe() writes the surround lines of natural pairing", () => {
  const lines = formatDescribe(CAPABILITIES).split("\r\n");
  assert.deepEqual(lines.slice(6), [
    "a=fmtp:97 surround-params=21101",
    "a=fmtp:97 surround-params=21101",
    "a=fmtp:97 surround-params=642014235",
    "a=fmtp:97 surround-params=660012345",
    "a=fmtp:97 surround-params=85301623457",
    "a=fmtp:97 surround-params=88001234567",
    "",
  ]);
});

Deno.test("formatDescribe() names only what this host can do", () => {
  assert.deepEqual(formatDescribe(CAPABILITIES).split("\r\n").slice(0, 6), [
    "a=x-ss-general.featureFlags:3",
    "a=x-ss-general.encryptionSupported:7",
    "a=x-ss-general.encryptionRequested:1",
    "a=x-nv-video[0].refPicInvalidation:1",
    "sprop-parameter-sets=AAAAAU",
    "a=rtpmap:98 AV1/90000",
  ]);
  const least = formatDescribe({
    ...CAPABILITIES,
    hasPenAndTouch: false,
    hasPadTouchAndMotion: false,
    encryptionSupported: 0,
    encryptionRequested: 0,
    hasReferenceInvalidation: false,
    codecs: ["h264"],
  });
  assert.ok(least.startsWith("a=x-ss-general.featureFlags:0\r\n"));
  for (const absent of ["refPicInvalidation", "sprop-parameter-sets", "AV1"]) {
    assert.ok(!least.includes(absent), absent);
  }
});

Deno.test("AUDIO_LAYOUTS feed every channel from a stream channel of its own", () => {
  for (const qualities of Object.values(AUDIO_LAYOUTS)) {
    for (const layout of Object.values(qualities)) {
      assert.equal(layout.streams + layout.coupledStreams, layout.channels);
      assert.deepEqual(
        layout.mapping.toSorted((a, b) => a - b),
        Array.from({ length: layout.channels }, (_, index) => index),
      );
    }
  }
});

Deno.test("parseSurroundParams() refuses what Opus cannot code", () => {
  const refused = [
    "",
    "2110",
    "211012",
    "21102", // a stream channel that is not there
    "20001",
    "21201", // more coupled streams than streams
    "22200", // more coded channels than channels
    "431012",
    "64201245x",
    "642012453 ",
  ];
  for (const text of refused) {
    assert.throws(() => parseSurroundParams(text), ProtocolError, text);
  }
});

Deno.test("chooseAudioLayout() keeps every datagram within 1400 bytes, encrypted and with parity", () => {
  const PARITY_HEADER_SIZE_BYTES = 24;
  for (const channels of [2, 6, 8] as const) {
    for (const quality of ["normal", "high"] as const) {
      for (const packetDurationMs of [5, 10] as const) {
        const options = { quality, custom: undefined, packetDurationMs };
        const { bitrateBps } = chooseAudioLayout(channels, options);
        const opusSizeBytes = Math.floor(bitrateBps * packetDurationMs / 8000);
        const sealedSizeBytes = opusSizeBytes + 16 - opusSizeBytes % 16;
        assert.ok(PARITY_HEADER_SIZE_BYTES + sealedSizeBytes <= 1400, `${channels} ${quality}`);
      }
    }
  }
  const options = { quality: "high", custom: undefined, packetDurationMs: 5 } as const;
  assert.equal(chooseAudioLayout(8, options).bitrateBps, 2_048_000, "5 ms need no reduction");
  assert.equal(chooseAudioLayout(8, { ...options, packetDurationMs: 10 }).bitrateBps, 1_100_000);
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { ProtocolError } from "../../../../src/lib/errors.ts";
import {
  FRAME_RATE_MAX,
  MIN_PARITY_PACKETS_MAX,
  parseAnnounce,
  REFERENCE_FRAMES_MAX,
  requireEncryption,
  SLICES_MAX,
  type StreamConfig,
  VIDEO_PACKET_SIZE_BYTES_MAX,
  VIDEO_PACKET_SIZE_BYTES_MIN,
} from "../../../../src/protocol/gamestream/announce.ts";
import vectors from "../../../vectors/gamestream-rtsp.json" with { type: "json" };

const bytesOf = (text: string) => new TextEncoder().encode(text);
const isProtocolError = (code: string) => (error: unknown) =>
  error instanceof ProtocolError && error.code === code;
const RECORDED = vectors.transcript[5]?.request.split("\r\n\r\n")[1] ?? "";

const MANDATORY: Readonly<Record<string, string | number>> = {
  "x-nv-video[0].clientViewportWd": 1920,
  "x-nv-video[0].clientViewportHt": 1080,
  "x-nv-video[0].maxFPS": 60,
  "x-nv-video[0].packetSize": 1392,
  "x-nv-vqos[0].bw.maximumBitrateKbps": 16000,
};

/** Parse the mandatory attributes and `changes` to them; undefined takes one away. */
function parse(changes: Readonly<Record<string, string | number | undefined>> = {}): StreamConfig {
  const lines = Object.entries({ ...MANDATORY, ...changes })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `a=${name}:${value} \r\n`);
  return parseAnnounce(bytesOf(`v=0\r\n${lines.join("")}t=0 0\r\n`));
}

Deno.test("parseAnnounce() reads the recorded body", () => {
  assert.deepEqual(parseAnnounce(bytesOf(RECORDED)), {
    widthPixels: 1280,
    heightPixels: 720,
    refreshMilliHz: 60_000,
    packetSizeBytes: 1360,
    configuredBitrateKbps: 20_000,
    maximumBitrateKbps: 16_000,
    codec: "h264",
    is10Bit: false,
    isYuv444: false,
    colorSpace: "bt709",
    isFullRange: false,
    referenceFrames: 1,
    slices: 1,
    minParityPackets: 2,
    isControlV2: true,
    isVideoEncrypted: true,
    isAudioEncrypted: true,
    sendsFecStatus: true,
    hasSessionPings: true,
    audioChannels: 2,
    isAudioQualityHigh: false,
    audioPacketDurationMs: 5,
    isVideoTrafficMarked: true,
    isAudioTrafficMarked: true,
    isIntraRefreshWanted: false,
  });
});

Deno.test("parseAnnounce() takes the defaults for everything that is not mandatory", () => {
  assert.deepEqual(parse(), {
    widthPixels: 1920,
    heightPixels: 1080,
    refreshMilliHz: 60_000,
    packetSizeBytes: 1392,
    configuredBitrateKbps: undefined,
    maximumBitrateKbps: 16_000,
    codec: "h264",
    is10Bit: false,
    isYuv444: false,
    colorSpace: "bt601",
    isFullRange: false,
    referenceFrames: 1,
    slices: 1,
    minParityPackets: 0,
    isControlV2: false,
    isVideoEncrypted: false,
    isAudioEncrypted: false,
    sendsFecStatus: false,
    hasSessionPings: false,
    audioChannels: 2,
    isAudioQualityHigh: false,
    audioPacketDurationMs: 5,
    isVideoTrafficMarked: true,
    isAudioTrafficMarked: true,
    isIntraRefreshWanted: false,
  });
});

Deno.test("parseAnnounce() needs every mandatory attribute, and one bitrate of two", () => {
  for (const name of Object.keys(MANDATORY)) {
    assert.throws(() => parse({ [name]: undefined }), isProtocolError("malformed"), name);
  }
  const config = parse({
    "x-nv-vqos[0].bw.maximumBitrateKbps": undefined,
    "x-ml-video.configuredBitrateKbps": 20_000,
  });
  assert.equal(config.configuredBitrateKbps, 20_000);
  assert.equal(config.maximumBitrateKbps, undefined);
});

Deno.test("parseAnnounce() uses the exact refresh rate only near the nominal one", () => {
  const refresh = (maxFps: number, exactX100: number) =>
    parse({ "x-nv-video[0].maxFPS": maxFps, "x-nv-video[0].clientRefreshRateX100": exactX100 })
      .refreshMilliHz;
  assert.equal(refresh(60, 5994), 59_940);
  assert.equal(refresh(60, 6060), 60_600);
  assert.equal(refresh(60, 6061), 60_000);
  assert.equal(refresh(60, 5940), 59_400);
  assert.equal(refresh(60, 5939), 60_000);
  assert.equal(refresh(30, 6000), 30_000);
  assert.equal(refresh(120, 0), 120_000);
});

Deno.test("parseAnnounce() encrypts audio by the older bit as well as by the newer one", () => {
  const isEncrypted = (general: number, enabled: number) =>
    parse({ "x-nv-general.featureFlags": general, "x-ss-general.encryptionEnabled": enabled })
      .isAudioEncrypted;
  assert.equal(isEncrypted(135, 0), false);
  assert.equal(isEncrypted(167, 0), true);
  assert.equal(isEncrypted(135, 4), true);
  assert.equal(isEncrypted(135, 3), false);
});

Deno.test("parseAnnounce() reads every codec, colour space and range", () => {
  const codecs = [0, 1, 2].map((value) => parse({ "x-nv-vqos[0].bitStreamFormat": value }).codec);
  assert.deepEqual(codecs, ["h264", "hevc", "av1"]);
  const colors = [0, 1, 2, 3, 4, 5].map((value) => {
    const config = parse({ "x-nv-video[0].encoderCscMode": value });
    return `${config.colorSpace} ${config.isFullRange}`;
  });
  assert.deepEqual(colors, [
    "bt601 false",
    "bt601 true",
    "bt709 false",
    "bt709 true",
    "bt2020 false",
    "bt2020 true",
  ]);
});

Deno.test("parseAnnounce() accepts each range's ends and refuses one past them", () => {
  const ranges: readonly (readonly [name: string, low: number, high: number, step: number])[] = [
    ["x-nv-video[0].clientViewportWd", 1, 0xffff, 1],
    ["x-nv-video[0].clientViewportHt", 1, 0xffff, 1],
    ["x-nv-video[0].maxFPS", 1, FRAME_RATE_MAX, 1],
    ["x-nv-video[0].packetSize", VIDEO_PACKET_SIZE_BYTES_MIN, VIDEO_PACKET_SIZE_BYTES_MAX, 16],
    ["x-nv-vqos[0].bw.maximumBitrateKbps", 1, 0xffff_ffff, 1],
    ["x-ml-video.configuredBitrateKbps", 1, 0xffff_ffff, 1],
    ["x-nv-vqos[0].bitStreamFormat", 0, 2, 1],
    ["x-nv-video[0].encoderCscMode", 0, 5, 1],
    ["x-nv-video[0].dynamicRangeMode", 0, 1, 1],
    ["x-ss-video[0].chromaSamplingType", 0, 1, 1],
    ["x-nv-video[0].maxNumReferenceFrames", 0, REFERENCE_FRAMES_MAX, 1],
    ["x-nv-video[0].videoEncoderSlicesPerFrame", 1, SLICES_MAX, 1],
    ["x-nv-vqos[0].fec.minRequiredFecPackets", 0, MIN_PARITY_PACKETS_MAX, 1],
    ["x-nv-audio.surround.AudioQuality", 0, 1, 1],
    ["x-nv-aqos.packetDuration", 5, 10, 5],
  ];
  for (const [name, low, high, step] of ranges) {
    assert.ok(parse({ [name]: low }), name);
    assert.ok(parse({ [name]: high }), name);
    assert.throws(() => parse({ [name]: high + step }), isProtocolError("limit"), name);
    if (low > 0) {
      assert.throws(() => parse({ [name]: low - step }), isProtocolError("limit"), name);
    }
  }
});

Deno.test("parseAnnounce() refuses values that are no use", () => {
  for (const value of ["", "x", "-1", "1.5", "0x10", "12345678901", "1 2"]) {
    assert.throws(
      () => parse({ "x-nv-video[0].maxFPS": value }),
      isProtocolError("malformed"),
      value,
    );
  }
  assert.throws(() => parse({ "x-nv-video[0].packetSize": 1400 }), isProtocolError("malformed"));
  for (const channels of [1, 3, 4, 7, 9]) {
    assert.throws(
      () => parse({ "x-nv-audio.surround.numChannels": channels }),
      isProtocolError("limit"),
    );
  }
  assert.throws(() => parse({ "x-nv-aqos.packetDuration": 7 }), isProtocolError("limit"));
});

Deno.test("parseAnnounce() ignores names it does not know, order and repetition but the last", () => {
  const config = parse({ "x-nv-unknown": "anything: at all", "x-nv-aqos.drc": "" });
  assert.deepEqual(config, parse());
  const reversed = RECORDED.split("\r\n").reverse().join("\r\n");
  assert.deepEqual(parseAnnounce(bytesOf(reversed)), parseAnnounce(bytesOf(RECORDED)));
  const twice = `${RECORDED}a=x-nv-video[0].maxFPS:30 \r\na=x-nv-video[0].maxFPS:60 \r\n`;
  assert.equal(parseAnnounce(bytesOf(twice)).refreshMilliHz, 60_000);
});

Deno.test("requireEncryption() refuses what the policy demands and the client left off", () => {
  for (let enabled = 0; enabled < 8; enabled++) {
    const config = parse({ "x-ss-general.encryptionEnabled": enabled });
    for (let demanded = 0; demanded < 8; demanded++) {
      const check = () => requireEncryption(config, demanded);
      if ((demanded & ~enabled) === 0) check();
      else assert.throws(check, isProtocolError("authentication"));
    }
  }
});

Deno.test("parseAnnounce() throws only ProtocolError on arbitrary text", () => {
  const line = fc.tuple(
    fc.constantFrom(...Object.keys(MANDATORY), "x-nv-aqos.packetDuration"),
    fc.oneof(fc.integer().map(String), fc.string({ maxLength: 8 })),
  ).map(([name, value]) => bytesOf(`a=${name}:${value} \r\n`));
  const piece = fc.oneof(line, fc.uint8Array({ maxLength: 16 }));
  fc.assert(fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
    try {
      parseAnnounce(new Uint8Array(pieces.flatMap((bytes) => [...bytes])));
    } catch (error) {
      assert.ok(error instanceof ProtocolError, `${error}`);
    }
  }));
});

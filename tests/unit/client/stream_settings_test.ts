import assert from "node:assert/strict";
import { parseAnnounce } from "../../../src/protocol/gamestream/announce.ts";
import { formatDescribe } from "../../../src/protocol/gamestream/describe.ts";
import { parseLaunchParameters } from "../../../src/protocol/gamestream/launch.ts";
import {
  agreeEncryption,
  DEFAULT_SETTINGS,
  formatAnnounce,
  type HostOffer,
  launchQuery,
  parseOffer,
  type StreamSettings,
} from "../../client/stream_settings.ts";
import vectors from "../../vectors/gamestream-rtsp.json" with { type: "json" };

const SETTINGS: StreamSettings = { ...DEFAULT_SETTINGS, appId: 7 };
const RECORDED = vectors.transcript[5]?.request.split("\r\n\r\n")[1] ?? "";
const OFFER = parseOffer(vectors.transcript[1]?.response.split("\r\n\r\n")[1] ?? "");
const parse = (text: string) => parseAnnounce(new TextEncoder().encode(text));

Deno.test("parseOffer() reads what formatDescribe() says", () => {
  const offer = parseOffer(formatDescribe({
    hasPenAndTouch: true,
    hasPadTouchAndMotion: false,
    encryptionSupported: 7,
    encryptionRequested: 3,
    hasReferenceInvalidation: true,
    codecs: ["h264", "av1"],
    customAudio: undefined,
  }));
  assert.deepEqual({ ...offer, surroundParams: [...offer.surroundParams.keys()] }, {
    featureFlags: 1,
    encryptionSupported: 7,
    encryptionRequested: 3,
    hasReferenceInvalidation: true,
    codecs: ["h264", "av1"],
    surroundParams: [2, 6, 8],
  });
  assert.equal(offer.surroundParams.get(6)?.length, 2);
});

Deno.test("agreeEncryption() turns on what is wanted and supported, or requested", () => {
  const offer = (encryptionSupported: number, encryptionRequested: number): HostOffer => ({
    ...OFFER,
    encryptionSupported,
    encryptionRequested,
  });
  const unwilling = { ...SETTINGS, isVideoEncryptionWanted: false, isAudioEncryptionWanted: false };
  const bits = (settings: StreamSettings, supported: number, requested: number) => {
    const agreed = agreeEncryption(settings, offer(supported, requested));
    return (agreed.isControlV2 ? 1 : 0) | (agreed.isVideoEncrypted ? 2 : 0) |
      (agreed.isAudioEncrypted ? 4 : 0);
  };
  assert.equal(bits(SETTINGS, 7, 0), 7);
  assert.equal(bits(SETTINGS, 1, 0), 1);
  assert.equal(bits(unwilling, 7, 0), 1);
  assert.equal(bits(unwilling, 7, 6), 7);
  assert.equal(bits(SETTINGS, 0, 0), 0);
});

Deno.test("formatAnnounce() asks for what the recorded client asked for", () => {
  const settings = { ...SETTINGS, bitrateKbps: 20_000 };
  const text = formatAnnounce(settings, agreeEncryption(settings, OFFER), {
    host: "127.0.0.1",
    videoPort: 47998,
  });
  assert.deepEqual(parse(text), parse(RECORDED));
  const recordedLines = RECORDED.split("\r\n");
  for (const line of text.split("\r\n")) assert.ok(recordedLines.includes(line), line);
});

Deno.test("formatAnnounce() takes a test's own attributes", () => {
  const settings = {
    ...SETTINGS,
    attributes: { "x-nv-video[0].maxFPS": undefined, "x-nv-video[0].packetSize": 161 },
  };
  const text = formatAnnounce(settings, agreeEncryption(settings, OFFER), {
    host: "::1",
    videoPort: 1,
  });
  assert.ok(text.includes("IN IPv6 ::1"));
  assert.ok(!text.includes("maxFPS"));
  assert.ok(text.includes("packetSize:161 "));
});

Deno.test("launchQuery() says what a host reads from it", () => {
  const rikey = Uint8Array.from({ length: 16 }, (_, index) => index);
  const query = new URLSearchParams(launchQuery(SETTINGS, { rikey, rikeyId: -2 }));
  const parameters = parseLaunchParameters(query, { isResume: false });
  assert.equal(parameters.appId, 7);
  assert.deepEqual([...parameters.rikey], [...rikey]);
  assert.equal(parameters.rikeyId, -2);
  assert.equal(parameters.corever, 1);
  assert.deepEqual(parameters.mode, {
    widthPixels: 1280,
    heightPixels: 720,
    refreshMilliHz: 60_000,
  });
  assert.equal(query.get("surroundAudioInfo"), "196610");
});

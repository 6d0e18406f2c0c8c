import assert from "node:assert/strict";
import { OperationError } from "../../../../src/lib/errors.ts";
import {
  composeWelcome,
  isLaunchPermitted,
  type NativeTerms,
  negotiate,
  type WelcomeFacts,
} from "../../../../src/planes/native/negotiation.ts";
import { GRANTS, GRANTS_ALL, VIDEO_CAPS } from "../../../../src/protocol/punktfunk1/caps.ts";
import { CODECS } from "../../../../src/protocol/punktfunk1/enums.ts";
import { type Hello, HELLO_DEFAULTS } from "../../../../src/protocol/punktfunk1/hello.ts";
import { decodeWelcome, encodeWelcome } from "../../../../src/protocol/punktfunk1/welcome.ts";
import { planSession } from "../../../../src/session/plan.ts";

const TERMS: NativeTerms = {
  capabilities: {
    codecs: ["h264", "hevc", "av1"],
    pixelsMax: 4096 * 2304,
    bitrateKbpsMax: 100_000,
    slicesMax: 4,
    referenceFramesMax: 1,
    hasReferenceInvalidation: false,
    audioChannels: [2, 6, 8],
  },
  fec: { scheme: "gf65536", percent: 10, blockDataShardsMax: 4096 },
  soundTierMax: "high",
  isChaChaAllowed: true,
  isRampAllowed: true,
  isIpv6: false,
  mtuBytes: undefined,
};

function hello(change: Partial<Hello> = {}): Hello {
  return { ...HELLO_DEFAULTS, mode: { width: 1920, height: 1080, refreshHz: 60 }, ...change };
}

function codecOf(change: Partial<Hello>, codecs = TERMS.capabilities.codecs): string {
  return negotiate(hello(change), { ...TERMS, capabilities: { ...TERMS.capabilities, codecs } })
    .codec;
}

Deno.test("negotiate() takes HEVC, then AV1, then H.264, and a preference before all", () => {
  const all = CODECS.h264 | CODECS.hevc | CODECS.av1;
  assert.equal(codecOf({ videoCodecs: all }), "hevc");
  assert.equal(codecOf({ videoCodecs: CODECS.h264 | CODECS.av1 }), "av1");
  assert.equal(codecOf({ videoCodecs: CODECS.h264 }), "h264");
  assert.equal(codecOf({ videoCodecs: all, preferredCodec: CODECS.h264 }), "h264");
  assert.equal(codecOf({ videoCodecs: all, preferredCodec: CODECS.av1 | CODECS.h264 }), "h264");
  assert.equal(codecOf({ videoCodecs: CODECS.av1, preferredCodec: CODECS.h264 }), "av1");
});

Deno.test("negotiate() reads no codecs as HEVC alone and refuses when nothing is shared", () => {
  assert.equal(codecOf({ videoCodecs: 0 }), "hevc");
  assert.throws(
    () => codecOf({ videoCodecs: 0 }, ["h264"]),
    (error) => error instanceof OperationError && error.code === "refused",
  );
});

Deno.test("negotiate() grants the asked rate on the wire and gives the encoder what is left of it", () => {
  const offer = negotiate(hello({ bitrateKbps: 20_000 }), TERMS);
  assert.equal(offer.wireKbps, 20_000);
  assert.equal(offer.sound.kbps, 256);
  assert.equal(offer.request.bitrateKbps, 17_168);
});

Deno.test("negotiate() grants no more on the wire than the encoder can fill", () => {
  const offer = negotiate(hello({ bitrateKbps: 500_000 }), TERMS);
  assert.equal(offer.request.bitrateKbps, 100_000);
  assert.ok(offer.wireKbps > 115_000 && offer.wireKbps < 116_000, `${offer.wireKbps}`);
});

Deno.test("negotiate() sends smaller shards over IPv6", () => {
  assert.equal(negotiate(hello(), TERMS).costs.shardPayloadBytes, 1408);
  assert.equal(negotiate(hello(), { ...TERMS, isIpv6: true }).costs.shardPayloadBytes, 1388);
});

Deno.test("negotiate() takes ChaCha20-Poly1305 only where the client asks for it and the host allows it", () => {
  const cipherOf = (videoCaps: number, isChaChaAllowed: boolean) =>
    negotiate(hello({ videoCaps }), { ...TERMS, isChaChaAllowed }).cipher;
  assert.equal(cipherOf(VIDEO_CAPS.chaCha20, true), "chacha20-poly1305");
  assert.equal(cipherOf(VIDEO_CAPS.chaCha20, false), "aes-128-gcm");
  assert.equal(cipherOf(0xff & ~VIDEO_CAPS.chaCha20, true), "aes-128-gcm");
});

Deno.test("negotiate() offers the ramp to clients alone that count filler apart, and where it is allowed", () => {
  const hasRamp = (videoCaps: number, isRampAllowed: boolean) =>
    negotiate(hello({ videoCaps }), { ...TERMS, isRampAllowed }).hasRamp;
  assert.equal(hasRamp(VIDEO_CAPS.probeSequence, true), true);
  assert.equal(hasRamp(VIDEO_CAPS.probeSequence, false), false);
  assert.equal(hasRamp(0xff & ~VIDEO_CAPS.probeSequence, true), false);
});

Deno.test("isLaunchPermitted() asks for the grant only when a game is named", () => {
  assert.ok(isLaunchPermitted(hello(), 0));
  assert.ok(isLaunchPermitted(hello({ launch: "steam:570" }), GRANTS_ALL));
  assert.equal(isLaunchPermitted(hello({ launch: "steam:570" }), ~GRANTS.launch), false);
});

Deno.test("composeWelcome() says what will be streamed, cropped sizes included", () => {
  const offer = negotiate(hello({ mode: { width: 1727, height: 1117, refreshHz: 120 } }), TERMS);
  const facts: WelcomeFacts = {
    plan: planSession(offer.request, TERMS.capabilities),
    udpPort: 50_000,
    secrets: {
      key: new Uint8Array(16).fill(7),
      salt: new Uint8Array(4).fill(9),
      chaChaKey: new Uint8Array(32).fill(5),
    },
    isEncrypted: true,
    frameCount: 0,
    compositor: "wlroots",
    managementPort: 47_990,
    grants: GRANTS_ALL,
    expiresInSeconds: 0,
    can: (ability) => ability === "text",
  };
  const welcome = composeWelcome(offer, TERMS, facts);
  assert.deepEqual(welcome.mode, { width: 1726, height: 1116, refreshHz: 120 });
  assert.deepEqual([welcome.hostCaps, welcome.hostCaps2], [0x05, 0x49]);
  assert.deepEqual([welcome.key[0], welcome.salt[0], welcome.chaChaKey?.[0]], [7, 9, 5]);
  assert.deepEqual(decodeWelcome(encodeWelcome(welcome)), welcome);
  assert.equal(composeWelcome({ ...offer, hasRamp: true }, TERMS, facts).hostCaps2, 0x59);
});

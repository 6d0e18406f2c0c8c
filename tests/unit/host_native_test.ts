import assert from "node:assert/strict";
import { nativeAdvert, testLossLines } from "../../src/host_native.ts";

const PARTS = {
  hostName: "Living room",
  port: 9777,
  fingerprint: "ab".repeat(32),
  policy: "required",
  uniqueId: "0123456789ABCDEF",
  managementPort: 47_990,
} as const;

Deno.test("nativeAdvert() says what clients look for before they connect", () => {
  const { instanceName, type, protocol, port, txt } = nativeAdvert(PARTS);
  assert.deepEqual([instanceName, type, protocol, port], ["Living room", "punktfunk", "udp", 9777]);
  const { mac, os, ...rest } = txt;
  assert.deepEqual(rest, {
    proto: "punktfunk/1",
    fp: "ab".repeat(32),
    pair: "required",
    id: "0123456789ABCDEF",
    mgmt: "47990",
    wire: "1",
  });
  assert.match(os ?? "", /^(linux|windows|macos|darwin)$/);
  assert.match(
    mac ?? "00:11:22:33:44:55",
    /^([0-9a-f]{2}:){5}[0-9a-f]{2}(,([0-9a-f]{2}:){5}[0-9a-f]{2})*$/,
  );
});

Deno.test("nativeAdvert() says that an open host asks for no pairing, and names no API where none runs", () => {
  const { txt } = nativeAdvert({ ...PARTS, policy: "open", managementPort: 0 });
  assert.equal(txt.pair, "optional");
  assert.equal("mgmt" in txt, false);
});

Deno.test("testLossLines() tells of video that is lost on purpose, and of nothing else", () => {
  assert.deepEqual(testLossLines(0), []);
  assert.deepEqual(testLossLines(10), [
    "PUNKTFUNK_VIDEO_DROP: 10 % of all video packets are not sent",
  ]);
});

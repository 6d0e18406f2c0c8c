import assert from "node:assert/strict";
import fc from "fast-check";
import { ProtocolError } from "../../../../src/lib/errors.ts";
import {
  createVideoHeader,
  decodeVideoHeader,
  encodeVideoHeader,
  looksLikeVideo,
  ptsApproximateNsOf,
  ptsNsOf,
  setPtsNs,
  VIDEO_HEADER_SIZE_BYTES,
  type VideoHeader,
} from "../../../../src/protocol/punktfunk1/video_header.ts";
import vectors from "../../../vectors/punktfunk1-video.json" with { type: "json" };

const u8 = fc.integer({ min: 0, max: 0xff });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const HEADERS: fc.Arbitrary<VideoHeader> = fc.record({
  ptsLow: u32,
  ptsHigh: u32,
  frameIndex: u32,
  streamSequence: u32,
  frameBytes: u32,
  userFlags: u32,
  blockIndex: u16,
  blockCount: u16,
  dataCount: u16,
  parityCount: u16,
  shardIndex: u16,
  shardBytes: u16,
  version: u8,
  fecScheme: u8,
  packetFlags: u8,
}, { noNullPrototype: true });

function encoded(header: VideoHeader): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(VIDEO_HEADER_SIZE_BYTES);
  encodeVideoHeader(header, new DataView(bytes.buffer));
  return bytes;
}

Deno.test("decodeVideoHeader() reads the headers of the specification's frame", () => {
  const { packets, ptsNs, frameIndex, userFlags, shardPayloadBytes } = vectors.frame;
  for (const [index, packet] of packets.entries()) {
    const header = decodeVideoHeader(Uint8Array.fromHex(packet.header));
    assert.equal(ptsNsOf(header), BigInt(ptsNs));
    assert.deepEqual(header, {
      ptsLow: header.ptsLow,
      ptsHigh: header.ptsHigh,
      frameIndex,
      streamSequence: 100 + index,
      frameBytes: 20,
      userFlags,
      blockIndex: 0,
      blockCount: 1,
      dataCount: 1,
      parityCount: 2,
      shardIndex: index,
      shardBytes: shardPayloadBytes,
      version: 1,
      fecScheme: 1,
      packetFlags: [5, 1, 3][index],
    });
    assert.equal(encoded(header).toHex(), packet.header);
  }
});

Deno.test("decodeVideoHeader() refuses every shortened form and leaves what follows alone", () => {
  const bytes = Uint8Array.fromHex(vectors.frame.packets[0]?.header ?? "");
  for (let length = 0; length < bytes.length; length++) {
    assert.equal(looksLikeVideo(bytes.subarray(0, length)), false);
    assert.throws(() => decodeVideoHeader(bytes.subarray(0, length)), ProtocolError);
  }
  const longer = new Uint8Array([...bytes, 1, 2, 3]);
  assert.deepEqual(decodeVideoHeader(longer), decodeVideoHeader(bytes));
  assert.equal(looksLikeVideo(longer), true);
});

Deno.test("decodeVideoHeader() refuses every other magic", () => {
  const bytes = Uint8Array.fromHex(vectors.frame.packets[0]?.header ?? "");
  for (let magic = 0; magic < 256; magic++) {
    bytes[36] = magic;
    assert.equal(looksLikeVideo(bytes), magic === 0xc9);
    if (magic === 0xc9) continue;
    assert.throws(() => decodeVideoHeader(bytes), ProtocolError);
  }
});

Deno.test("decodeVideoHeader() gives back what encodeVideoHeader() wrote, at any offset", () => {
  const into = createVideoHeader();
  fc.assert(fc.property(HEADERS, fc.nat({ max: 9 }), (header, offset) => {
    const bytes = new Uint8Array(offset + VIDEO_HEADER_SIZE_BYTES);
    const end = encodeVideoHeader(header, new DataView(bytes.buffer), offset);
    assert.equal(end, bytes.length);
    assert.deepEqual(decodeVideoHeader(bytes.subarray(offset), into), header);
  }));
});

Deno.test("decodeVideoHeader() throws only ProtocolError on arbitrary bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
    try {
      decodeVideoHeader(bytes);
      assert.ok(looksLikeVideo(bytes));
    } catch (error) {
      assert.ok(error instanceof ProtocolError, `${error}`);
      assert.ok(!looksLikeVideo(bytes));
    }
  }));
});

Deno.test("setPtsNs() keeps every 64-bit time, and wraps others", () => {
  const header = createVideoHeader();
  fc.assert(fc.property(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), (ptsNs) => {
    setPtsNs(header, ptsNs);
    assert.equal(ptsNsOf(header), ptsNs);
    assert.equal(ptsApproximateNsOf(header), Number(ptsNs));
  }));
  setPtsNs(header, -1n);
  assert.equal(ptsNsOf(header), (1n << 64n) - 1n);
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { ProtocolError } from "../../../../src/lib/errors.ts";
import {
  RTSP_CIPHERTEXT_SIZE_BYTES_MAX,
  RTSP_FRAMES_PER_KEY_MAX,
  RtspCrypto,
  rtspFrameSizeBytes,
} from "../../../../src/protocol/gamestream/rtsp_crypto.ts";
import vectors from "../../../vectors/gamestream-rtsp.json" with { type: "json" };

const KEY = Uint8Array.fromHex(vectors.rikey);
const isProtocolError = (code: string) => (error: unknown) =>
  error instanceof ProtocolError && error.code === code;

Deno.test("RtspCrypto opens and seals the recorded frames byte for byte", () => {
  const host = new RtspCrypto(KEY);
  const client = new RtspCrypto(KEY, { role: "client" });
  for (const { direction, sequence, plaintext, frame } of vectors.encryptedFrames) {
    const isRequest = direction === "client->host";
    const opener = isRequest ? host : client;
    assert.equal(opener.open(Uint8Array.fromHex(frame)).toHex(), plaintext);
    const sealer = new RtspCrypto(KEY, {
      role: isRequest ? "client" : "host",
      firstSequence: sequence,
    });
    assert.equal(sealer.seal(Uint8Array.fromHex(plaintext)).toHex(), frame);
  }
});

Deno.test("RtspCrypto.open() rejects every shortened and lengthened frame", () => {
  const frame = Uint8Array.fromHex(vectors.encryptedFrames[0]?.frame ?? "");
  const host = new RtspCrypto(KEY);
  for (let length = 0; length < frame.length; length++) {
    assert.throws(() => host.open(frame.subarray(0, length)), isProtocolError("short"));
  }
  assert.throws(() => host.open(new Uint8Array([...frame, 0])), isProtocolError("trailing"));
  assert.ok(host.open(frame));
});

Deno.test("RtspCrypto.open() rejects a change of any byte, and the frame itself still opens", () => {
  const frame = Uint8Array.fromHex(vectors.encryptedFrames[0]?.frame ?? "");
  const host = new RtspCrypto(KEY);
  for (let index = 0; index < frame.length; index++) {
    const changed = frame.slice();
    changed[index] = (changed[index] ?? 0) ^ 0x01;
    assert.throws(() => host.open(changed), ProtocolError);
  }
  assert.ok(host.open(frame));
});

Deno.test("RtspCrypto.open() refuses a repeated number, whatever the message", () => {
  const host = new RtspCrypto(KEY);
  const first = new RtspCrypto(KEY, { role: "client", firstSequence: 8 });
  const second = new RtspCrypto(KEY, { role: "client", firstSequence: 8 });
  host.open(first.seal(Uint8Array.of(1)));
  assert.throws(() => host.open(second.seal(Uint8Array.of(2))), isProtocolError("out-of-order"));
  host.open(second.seal(Uint8Array.of(3)));
});

Deno.test("RtspCrypto.open() takes numbers from anywhere, in any order, also under a new key", () => {
  for (const key of [KEY, new Uint8Array(16)]) {
    const host = new RtspCrypto(key);
    for (const firstSequence of [0xffff_ffff, 8, 3, 0]) {
      const client = new RtspCrypto(key, { role: "client", firstSequence });
      assert.deepEqual(host.open(client.seal(Uint8Array.of(7))), Uint8Array.of(7));
    }
  }
});

Deno.test("RtspCrypto.open() refuses its own side's frames and another key's", () => {
  const frame = new RtspCrypto(KEY).seal(Uint8Array.of(1));
  assert.throws(() => new RtspCrypto(KEY).open(frame), isProtocolError("authentication"));
  const other = new RtspCrypto(new Uint8Array(16), { role: "client" });
  assert.throws(() => other.open(frame), isProtocolError("authentication"));
});

Deno.test("RtspCrypto.open() takes RTSP_FRAMES_PER_KEY_MAX frames and not one more", () => {
  const host = new RtspCrypto(KEY);
  const client = new RtspCrypto(KEY, { role: "client" });
  for (let count = 0; count < RTSP_FRAMES_PER_KEY_MAX; count++) {
    host.open(client.seal(Uint8Array.of(1)));
  }
  assert.throws(() => host.open(client.seal(Uint8Array.of(1))), isProtocolError("limit"));
});

Deno.test("RtspCrypto.seal() never repeats a number", () => {
  const host = new RtspCrypto(KEY);
  const numbers = Array.from(
    { length: 50 },
    () => host.seal(Uint8Array.of(1)).toHex().slice(8, 16),
  );
  assert.equal(new Set(numbers).size, 50);
});

Deno.test("rtspFrameSizeBytes() accepts the limit and refuses one past it", () => {
  const headerOf = (sizeBytes: number) => {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, 0x8000_0000 + sizeBytes);
    return bytes;
  };
  assert.equal(
    rtspFrameSizeBytes(headerOf(RTSP_CIPHERTEXT_SIZE_BYTES_MAX)),
    RTSP_CIPHERTEXT_SIZE_BYTES_MAX + 24,
  );
  assert.throws(
    () => rtspFrameSizeBytes(headerOf(RTSP_CIPHERTEXT_SIZE_BYTES_MAX + 1)),
    isProtocolError("limit"),
  );
  assert.throws(() => rtspFrameSizeBytes(headerOf(0)), isProtocolError("malformed"));
  assert.throws(
    () => rtspFrameSizeBytes(Uint8Array.of(0, 0, 0, 60)),
    isProtocolError("malformed"),
  );
  assert.equal(rtspFrameSizeBytes(Uint8Array.of(0x80, 0, 0)), undefined);
});

Deno.test("RtspCrypto.open() inverts seal()", () => {
  fc.assert(fc.property(
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
    fc.uint8Array({ minLength: 1, maxLength: 300 }),
    fc.nat(0xffff_ffff),
    (key, message, firstSequence) => {
      const client = new RtspCrypto(key, { role: "client", firstSequence });
      const opened = new RtspCrypto(key).open(client.seal(message));
      assert.deepEqual([...opened], [...message]);
    },
  ));
});

Deno.test("RtspCrypto.open() throws only ProtocolError on arbitrary bytes", () => {
  const host = new RtspCrypto(KEY);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
    try {
      host.open(bytes);
    } catch (error) {
      assert.ok(error instanceof ProtocolError, `${error}`);
    }
  }));
});

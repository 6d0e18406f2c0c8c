import assert from "node:assert/strict";
import fc from "fast-check";
import { concatBytes } from "../../../../src/lib/bytes.ts";
import {
  encodeFrame,
  FRAME_PAYLOAD_BYTES_MAX,
  FrameReader,
} from "../../../../src/protocol/punktfunk1/framing.ts";
import handshake from "../../../vectors/punktfunk1-handshake.json" with { type: "json" };

function readAll(reader: FrameReader, chunk: Uint8Array): Uint8Array[] {
  const messages: Uint8Array[] = [];
  reader.push(chunk);
  for (let message; (message = reader.next()) !== undefined;) messages.push(message);
  return messages;
}

Deno.test("encodeFrame() writes the specification's frame", () => {
  const [vector] = handshake.framed;
  const [hello] = handshake.hello;
  assert.ok(vector !== undefined && hello !== undefined);
  const framed = Uint8Array.fromHex(vector.hex);
  assert.deepEqual(encodeFrame(Uint8Array.fromHex(hello.hex)), framed);
  assert.deepEqual(readAll(new FrameReader(), framed), [Uint8Array.fromHex(hello.hex)]);
});

Deno.test("encodeFrame() frames the largest payload and refuses one byte more", () => {
  const frame = encodeFrame(new Uint8Array(FRAME_PAYLOAD_BYTES_MAX).fill(7));
  assert.deepEqual(frame.subarray(0, 3), Uint8Array.of(0xff, 0xff, 7));
  assert.equal(readAll(new FrameReader(), frame)[0]?.byteLength, FRAME_PAYLOAD_BYTES_MAX);
  assert.throws(() => encodeFrame(new Uint8Array(FRAME_PAYLOAD_BYTES_MAX + 1)), RangeError);
});

Deno.test("FrameReader gives the same messages however the stream is cut", () => {
  const messages = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 8 });
  const sizes = fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 8 });
  fc.assert(fc.property(messages, sizes, (sent, chunkSizes) => {
    const stream = concatBytes(...sent.map(encodeFrame));
    const reader = new FrameReader();
    const received: Uint8Array[] = [];
    for (let offset = 0, index = 0; offset < stream.byteLength; index++) {
      const size = index % 2 === 0 ? 1 : chunkSizes[index % chunkSizes.length] ?? 1;
      received.push(...readAll(reader, stream.subarray(offset, offset + size)));
      offset += size;
    }
    assert.deepEqual(received, sent.map((bytes) => new Uint8Array(bytes)));
  }));
});

Deno.test("FrameReader gives a message bytes of its own", () => {
  const chunk = Uint8Array.of(1, 0, 42);
  const reader = new FrameReader();
  const [message] = readAll(reader, chunk);
  chunk.fill(0);
  assert.deepEqual(message, Uint8Array.of(42));
});

Deno.test("FrameReader takes no chunk while one is unread", () => {
  const reader = new FrameReader();
  reader.push(Uint8Array.of(0, 0, 0, 0));
  assert.throws(() => reader.push(Uint8Array.of(0)), RangeError);
  assert.deepEqual([reader.next(), reader.next(), reader.next()], [
    new Uint8Array(),
    new Uint8Array(),
    undefined,
  ]);
  reader.push(Uint8Array.of(0, 0));
  assert.deepEqual(reader.next(), new Uint8Array());
});

Deno.test("FrameReader.takeRest() gives what follows a message and nothing twice", () => {
  const reader = new FrameReader();
  reader.push(Uint8Array.of(1, 0, 42, 5, 6, 7));
  assert.deepEqual(reader.next(), Uint8Array.of(42));
  assert.deepEqual(reader.takeRest(), Uint8Array.of(5, 6, 7));
  assert.deepEqual(reader.takeRest(), new Uint8Array());
});

Deno.test("FrameReader.takeRest() throws within a message and within its length", () => {
  for (const begun of [[1], [2, 0], [2, 0, 9]]) {
    const reader = new FrameReader();
    reader.push(Uint8Array.from(begun));
    assert.equal(reader.next(), undefined);
    assert.throws(() => reader.takeRest(), RangeError, `${begun}`);
  }
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { parseHex, toHex } from "../../../../src/lib/bytes.ts";
import { ProtocolError } from "../../../../src/lib/errors.ts";
import {
  decodeHostControl,
  encodeHostControl,
  type HostControlMessage,
} from "../../../../src/protocol/gamestream/control_host_messages.ts";
import {
  type ClientControlPacket,
  decodeClientControl,
  encodeClientControl,
} from "../../../../src/protocol/gamestream/control_messages.ts";
import vectors from "../../../vectors/gamestream-control.json" with { type: "json" };

const bytesOf = (text: string) => parseHex(text) ?? assert.fail(`not hexadecimal: ${text}`);

const CLIENT_MEANINGS: Record<string, ClientControlPacket> = {
  "request IDR / start A": { type: "request-idr" },
  "start B": { type: "start-b" },
  "periodic ping": { type: "ping" },
  "input": { type: "input", packet: bytesOf("000000060d0000000100") },
  "invalidate reference frames": { type: "invalidate-references", firstFrame: 100, lastFrame: 100 },
  "frame FEC status": {
    type: "frame-fec-status",
    frameIndex: 1,
    highestSequence: 10,
    nextSequence: 8,
    missingCount: 1,
    dataCount: 10,
    parityCount: 2,
    receivedDataCount: 9,
    receivedParityCount: 1,
    fecPercent: 20,
    blockIndex: 0,
    blockCount: 1,
  },
};

const HOST_MEANINGS: Record<string, HostControlMessage> = {
  "rumble": {
    type: "pad-feedback",
    feedback: { kind: "rumble", pad: 2, low: 0x1234, high: 0xabcd },
  },
  "trigger rumble": {
    type: "pad-feedback",
    feedback: { kind: "trigger-rumble", pad: 2, left: 0x1111, right: 0x2222 },
  },
  "motion enable": {
    type: "pad-feedback",
    feedback: { kind: "motion-rate", pad: 2, sensor: "gyroscope", rateHz: 100 },
  },
  "controller LED": {
    type: "pad-feedback",
    feedback: { kind: "led", pad: 2, red: 0x11, green: 0x22, blue: 0x33 },
  },
  "adaptive triggers": {
    type: "pad-feedback",
    feedback: {
      kind: "adaptive-triggers",
      pad: 2,
      flags: 0x0c,
      leftType: 0x21,
      rightType: 0x26,
      left: bytesOf("0102030405060708090a"),
      right: bytesOf("0b0c0d0e0f1011121314"),
    },
  },
  "HDR mode": {
    type: "hdr-mode",
    isEnabled: true,
    metadata: {
      red: [34000, 16000],
      green: [13250, 34500],
      blue: [7500, 3000],
      white: [15635, 16450],
      maxDisplayNits: 1000,
      minDisplayNits10000: 50,
      maxContentNits: 1000,
      maxFrameAverageNits: 400,
      maxFullFrameNits: 0,
    },
  },
  "termination": { type: "termination", reason: 0x80030023 },
};

for (const { meaning, direction, plaintext } of vectors.v2) {
  const bytes = bytesOf(plaintext);
  if (direction === "client->host") {
    Deno.test(`decodeClientControl() and encodeClientControl() agree with the vector "${meaning}"`, () => {
      const expected = CLIENT_MEANINGS[meaning];
      assert.ok(expected);
      assert.deepEqual(decodeClientControl(bytes), expected);
      assert.equal(toHex(encodeClientControl(expected)), plaintext);
    });
  } else {
    Deno.test(`decodeHostControl() and encodeHostControl() agree with the vector "${meaning}"`, () => {
      const expected = HOST_MEANINGS[meaning];
      const decoded = decodeHostControl(bytes);
      assert.ok(expected && decoded);
      assert.deepEqual(decoded, expected);
      // The recording holds leftovers in the unused number of a rumble.
      const written = meaning === "rumble" ? plaintext.replace("eeffc000", "00000000") : plaintext;
      assert.equal(toHex(encodeHostControl(decoded)), written);
      assert.equal(toHex(encodeHostControl(expected)), written);
    });
  }
}

const u8 = fc.integer({ min: 0, max: 0xff });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const PLAIN = { noNullPrototype: true } as const;

const clientMessages: fc.Arbitrary<ClientControlPacket> = fc.oneof(
  fc.constantFrom<ClientControlPacket>(
    { type: "request-idr" },
    { type: "start-b" },
    { type: "ping" },
    { type: "unknown", code: 0x0201 },
    { type: "unknown", code: 0x0305 },
  ),
  fc.tuple(u32, u32).map(([a, b]): ClientControlPacket => ({
    type: "invalidate-references",
    firstFrame: Math.min(a, b),
    lastFrame: Math.max(a, b),
  })),
  fc.record({ type: fc.constant("acknowledge-reference" as const), frame: u32 }, PLAIN),
  fc.record({ type: fc.constant("input" as const), packet: fc.uint8Array() }, PLAIN),
  fc.record({
    type: fc.constant("frame-fec-status" as const),
    frameIndex: u32,
    highestSequence: u16,
    nextSequence: u16,
    missingCount: u16,
    dataCount: u16,
    parityCount: u16,
    receivedDataCount: u16,
    receivedParityCount: u16,
    fecPercent: u8,
    blockIndex: u8,
    blockCount: u8,
  }, PLAIN),
);

const point = fc.tuple(u16, u16);
const effect = fc.uint8Array({ minLength: 10, maxLength: 10 });
const hostMessages: fc.Arbitrary<HostControlMessage> = fc.oneof(
  fc.record({ type: fc.constant("termination" as const), reason: u32 }, PLAIN),
  fc.record({
    type: fc.constant("hdr-mode" as const),
    isEnabled: fc.boolean(),
    metadata: fc.option(
      fc.record({
        red: point,
        green: point,
        blue: point,
        white: point,
        maxDisplayNits: u16,
        minDisplayNits10000: u16,
        maxContentNits: u16,
        maxFrameAverageNits: u16,
        maxFullFrameNits: u16,
      }, PLAIN),
      { nil: undefined },
    ),
  }, PLAIN),
  fc.oneof(
    fc.record({ kind: fc.constant("rumble" as const), pad: u16, low: u16, high: u16 }, PLAIN),
    fc.record(
      { kind: fc.constant("trigger-rumble" as const), pad: u16, left: u16, right: u16 },
      PLAIN,
    ),
    fc.record({
      kind: fc.constant("motion-rate" as const),
      pad: u16,
      sensor: fc.constantFrom("accelerometer" as const, "gyroscope" as const),
      rateHz: u16,
    }, PLAIN),
    fc.record(
      { kind: fc.constant("led" as const), pad: u16, red: u8, green: u8, blue: u8 },
      PLAIN,
    ),
    fc.record({
      kind: fc.constant("adaptive-triggers" as const),
      pad: u16,
      flags: u8,
      leftType: u8,
      rightType: u8,
      left: effect,
      right: effect,
    }, PLAIN),
  ).map((feedback): HostControlMessage => ({ type: "pad-feedback", feedback })),
);

Deno.test("decodeClientControl() inverts encodeClientControl()", () => {
  fc.assert(fc.property(clientMessages, (message) => {
    assert.deepEqual(decodeClientControl(encodeClientControl(message)), message);
  }));
});

Deno.test("decodeHostControl() inverts encodeHostControl()", () => {
  fc.assert(fc.property(hostMessages, (message) => {
    assert.deepEqual(decodeHostControl(encodeHostControl(message)), message);
  }));
});

/** `bytes` with its payload `change` bytes shorter or longer, and the size field made to agree. */
function resized(bytes: Uint8Array, sizeBytes: number): Uint8Array {
  const changed = new Uint8Array(4 + sizeBytes);
  changed.set(bytes.subarray(0, 4 + sizeBytes));
  new DataView(changed.buffer).setUint16(2, sizeBytes, true);
  return changed;
}

Deno.test("decodeClientControl() rejects every other payload size of the messages it knows", () => {
  fc.assert(
    fc.property(clientMessages, (message) => {
      if (message.type === "input" || message.type === "unknown") return;
      const bytes = encodeClientControl(message);
      for (let sizeBytes = 0; sizeBytes < bytes.byteLength + 4; sizeBytes++) {
        if (sizeBytes === bytes.byteLength - 4) continue;
        assert.throws(() => decodeClientControl(resized(bytes, sizeBytes)), {
          name: "ProtocolError",
        });
      }
    }),
    { numRuns: 50 },
  );
});

Deno.test("decodeHostControl() rejects every other payload size, but for the lone HDR byte", () => {
  fc.assert(
    fc.property(hostMessages, (message) => {
      const bytes = encodeHostControl(message);
      for (let sizeBytes = 0; sizeBytes < bytes.byteLength + 4; sizeBytes++) {
        if (sizeBytes === bytes.byteLength - 4) continue;
        if (message.type === "hdr-mode" && (sizeBytes === 1 || sizeBytes === 27)) continue;
        assert.throws(() => decodeHostControl(resized(bytes, sizeBytes)), {
          name: "ProtocolError",
        });
      }
    }),
    { numRuns: 50 },
  );
});

Deno.test("decodeClientControl() rejects a size field that does not agree with the message", () => {
  const bytes = encodeClientControl({ type: "start-b" });
  for (let length = 0; length < bytes.byteLength; length++) {
    assert.throws(() => decodeClientControl(bytes.subarray(0, length)), { code: "short" });
  }
  assert.throws(() => decodeClientControl(new Uint8Array([...bytes, 0])), { code: "trailing" });
});

Deno.test("decodeClientControl() takes a range of one frame and refuses a reversed one", () => {
  const bytes = encodeClientControl({
    type: "invalidate-references",
    firstFrame: 8,
    lastFrame: 7,
  });
  assert.throws(() => decodeClientControl(bytes), { code: "malformed" });
  const beyond = bytes.slice();
  beyond[4] = 1;
  beyond[8] = 1;
  assert.throws(() => decodeClientControl(beyond), { code: "malformed" });
});

Deno.test("decodeHostControl() ignores an unknown type and refuses an unknown sensor", () => {
  assert.equal(decodeHostControl(bytesOf("99990000")), undefined);
  assert.throws(() => decodeHostControl(bytesOf("015505000200640003")), { code: "malformed" });
});

Deno.test("encodeHostControl() refuses trigger effects that are not ten bytes each", () => {
  const feedback = {
    kind: "adaptive-triggers",
    pad: 0,
    flags: 0,
    leftType: 0,
    rightType: 0,
    left: new Uint8Array(10),
    right: new Uint8Array(9),
  } as const;
  assert.throws(() => encodeHostControl({ type: "pad-feedback", feedback }), RangeError);
});

Deno.test("decodeClientControl() and decodeHostControl() throw only ProtocolError on arbitrary bytes", () => {
  const types = fc.constantFrom(0x0302, 0x0301, 0x0206, 0x5500, 0x5501, 0x5502, 0x5503, 0x010e);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), fc.option(types), (bytes, type) => {
    if (type !== null && bytes.byteLength >= 4) {
      bytes.set([type & 0xff, type >> 8, bytes.byteLength - 4, 0]);
    }
    for (const decode of [decodeClientControl, decodeHostControl]) {
      try {
        decode(bytes);
      } catch (error) {
        assert.ok(error instanceof ProtocolError, `${error}`);
      }
    }
  }));
});

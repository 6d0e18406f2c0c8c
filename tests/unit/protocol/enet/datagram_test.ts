import assert from "node:assert/strict";
import fc from "fast-check";
import { ProtocolError } from "../../../../src/lib/errors.ts";
import {
  commandSizeBytes,
  decodeCommand,
  decodeHeader,
  encodeCommand,
  encodeHeader,
  type EnetCommand,
} from "../../../../src/protocol/enet/datagram.ts";
import { EXCHANGES, hex, recorded } from "./vectors.ts";

const u8 = fc.integer({ min: 0, max: 0xff });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const data = fc.uint8Array({ maxLength: 40 });
const fields = fc.record({
  outgoingPeerId: u16,
  incomingSessionId: u8,
  outgoingSessionId: u8,
  mtuBytes: u32,
  windowBytes: u32,
  channelCount: u32,
  incomingBandwidth: u32,
  outgoingBandwidth: u32,
  throttleIntervalMs: u32,
  throttleAcceleration: u32,
  throttleDeceleration: u32,
  connectId: u32,
}, { noNullPrototype: true });

/** A command of `kind` with `body`, under any header. */
function commandOf<Kind extends EnetCommand["kind"]>(
  kind: Kind,
  body: { [Key in keyof Extract<EnetCommand, { kind: Kind }>]?: fc.Arbitrary<unknown> },
): fc.Arbitrary<EnetCommand> {
  return fc.record({
    kind: fc.constant(kind),
    channel: u8,
    sequence: u16,
    isReliable: fc.boolean(),
    isUnsequenced: fc.boolean(),
    ...body,
  }, { noNullPrototype: true }) as fc.Arbitrary<EnetCommand>;
}

const fragment = {
  startSequence: u16,
  fragmentCount: u32,
  fragmentNumber: u32,
  totalBytes: u32,
  offsetBytes: u32,
  data,
};
const commands = fc.oneof(
  commandOf("acknowledge", { receivedSequence: u16, receivedSentTime: u16 }),
  commandOf("connect", { fields, data: u32 }),
  commandOf("verify-connect", { fields }),
  commandOf("disconnect", { data: u32 }),
  commandOf("ping", {}),
  commandOf("reliable", { data }),
  commandOf("unreliable", { unreliableSequence: u16, data }),
  commandOf("fragment", fragment),
  commandOf("unsequenced", { group: u16, data }),
  commandOf("bandwidth-limit", { incoming: u32, outgoing: u32 }),
  commandOf("throttle-configure", { intervalMs: u32, acceleration: u32, deceleration: u32 }),
  commandOf("unreliable-fragment", fragment),
);

/** `command` as bytes. */
function encoded(command: EnetCommand): Uint8Array {
  const bytes = new Uint8Array(commandSizeBytes(command));
  assert.equal(encodeCommand(command, bytes, 0), bytes.byteLength);
  return bytes;
}

/** Every command of a datagram. */
function decodeAll(bytes: Uint8Array): EnetCommand[] {
  const found: EnetCommand[] = [];
  for (let { offset } = decodeHeader(bytes); offset < bytes.byteLength;) {
    const { command, nextOffset } = decodeCommand(bytes, offset);
    found.push(command);
    offset = nextOffset;
  }
  return found;
}

for (const exchange of EXCHANGES) {
  Deno.test(`decodeCommand() and encodeCommand() agree with every recorded datagram of ${exchange}`, () => {
    for (const { bytes } of recorded(exchange)) {
      const rebuilt = new Uint8Array(bytes.byteLength);
      let offset = encodeHeader(decodeHeader(bytes).header, rebuilt);
      for (const command of decodeAll(bytes)) offset = encodeCommand(command, rebuilt, offset);
      assert.equal(offset, bytes.byteLength);
      assert.deepEqual(rebuilt, bytes);
    }
  });
}

Deno.test("decodeCommand() reads the fields of a recorded CONNECT", () => {
  const [connect] = recorded("handshake");
  assert.ok(connect);
  const { header, offset } = decodeHeader(connect.bytes);
  assert.deepEqual(header, { peerId: 0xfff, sessionId: 0, sentTime: 0x6649 });
  assert.deepEqual(decodeCommand(connect.bytes, offset).command, {
    kind: "connect",
    channel: 0xff,
    sequence: 1,
    isReliable: true,
    isUnsequenced: false,
    fields: {
      outgoingPeerId: 0,
      incomingSessionId: 0xff,
      outgoingSessionId: 0xff,
      mtuBytes: 900,
      windowBytes: 65536,
      channelCount: 48,
      incomingBandwidth: 0,
      outgoingBandwidth: 0,
      throttleIntervalMs: 5000,
      throttleAcceleration: 2,
      throttleDeceleration: 2,
      connectId: 0xb23cfba1,
    },
    data: 0x1234abcd,
  });
});

Deno.test("decodeHeader() reads peer id, session bits and time, and refuses what it cannot read", () => {
  assert.deepEqual(decodeHeader(hex("3123")), {
    header: { peerId: 0x123, sessionId: 3, sentTime: undefined },
    offset: 2,
  });
  assert.deepEqual(decodeHeader(hex("a0011234")), {
    header: { peerId: 1, sessionId: 2, sentTime: 0x1234 },
    offset: 4,
  });
  assert.throws(() => decodeHeader(hex("4001")), { name: "ProtocolError", code: "unsupported" });
  for (const short of ["", "80", "8000", "800012"]) {
    assert.throws(() => decodeHeader(hex(short)), { name: "ProtocolError", code: "short" });
  }
});

Deno.test("decodeCommand() refuses the numbers 0 and 13 to 15", () => {
  for (const number of [0, 13, 14, 15]) {
    const bytes = new Uint8Array(64).fill(0, 1);
    bytes[0] = 0x80 | number;
    assert.throws(() => decodeCommand(bytes, 0), { name: "ProtocolError", code: "unknown-type" });
  }
});

Deno.test("decodeCommand() inverts encodeCommand() and takes exactly its bytes", () => {
  fc.assert(fc.property(commands, fc.uint8Array({ maxLength: 8 }), (command, rest) => {
    const bytes = encoded(command);
    const followed = new Uint8Array([...bytes, ...rest]);
    const { command: decoded, nextOffset } = decodeCommand(followed, 0);
    assert.equal(nextOffset, bytes.byteLength);
    assert.deepEqual(decoded, command);
  }));
});

Deno.test("decodeCommand() rejects every shortened form", () => {
  fc.assert(
    fc.property(commands, (command) => {
      const bytes = encoded(command);
      for (let length = 0; length < bytes.byteLength; length++) {
        assert.throws(() => decodeCommand(bytes.subarray(0, length), 0), {
          name: "ProtocolError",
          code: "short",
        });
      }
    }),
    { numRuns: 50 },
  );
});

Deno.test("decodeHeader() and decodeCommand() throw only ProtocolError on arbitrary bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
    try {
      decodeAll(bytes);
    } catch (error) {
      assert.ok(error instanceof ProtocolError, `${error}`);
    }
  }));
});

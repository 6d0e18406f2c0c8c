import assert from "node:assert/strict";
import fc from "fast-check";
import { UdpSocket } from "../../../../ffi/wire.ts";
import { concatBytes, toHex } from "../../../../src/lib/bytes.ts";
import { OperationError } from "../../../../src/lib/errors.ts";
import type { PacketStreamSpec } from "../../../../src/media/wire/kernel.ts";
import { openNativePacketStream } from "../../../../src/media/wire/native_kernel.ts";
import {
  createReferencePacketStream,
  type PacketStreamCore,
} from "../../../../src/media/wire/reference_kernel.ts";
import { AUDIO_FEC_CODE } from "../../../../src/protocol/fec/audio.ts";
import vectors from "../../../vectors/gamestream-audio.json" with { type: "json" };

const HEADER_SIZE_BYTES = 12;
const PARITY_HEADER_SIZE_BYTES = 24;
const PARITY_HEADERS = new Uint8Array(2 * PARITY_HEADER_SIZE_BYTES).fill(5);

function audioSpec(cbcKey: Uint8Array | null): PacketStreamSpec {
  const { dataCount, parityCount, matrix } = AUDIO_FEC_CODE;
  return { dataCount, parityCount, parityMatrix: matrix, cbcKey };
}

/** One test against each implementation, which `open` opens as often as wanted. */
function contract(
  name: string,
  check: (open: (spec: PacketStreamSpec) => PacketStreamCore) => void,
): void {
  Deno.test(`reference packet stream: ${name}`, () => check(createReferencePacketStream));
  Deno.test(`native packet stream: ${name}`, () => {
    using stack = new DisposableStack();
    check((spec) => stack.use(openNativePacketStream(spec)));
  });
}

interface VectorBlock {
  readonly data: readonly {
    readonly opus: string;
    readonly iv?: string;
    readonly datagram: string;
  }[];
  readonly fec: readonly { readonly datagram: string }[];
}

function checkBlock(stream: PacketStreamCore, block: VectorBlock): void {
  const parityHeaders = concatBytes(
    ...block.fec.map(({ datagram }) =>
      Uint8Array.fromHex(datagram.slice(0, 2 * PARITY_HEADER_SIZE_BYTES))
    ),
  );
  const built = block.data.flatMap(({ opus, iv, datagram }) =>
    stream.build(Uint8Array.fromHex(opus), {
      header: Uint8Array.fromHex(datagram.slice(0, 2 * HEADER_SIZE_BYTES)),
      iv: iv === undefined ? null : Uint8Array.fromHex(iv),
      parityHeaders,
    })
  );
  const expected = [...block.data, ...block.fec].map(({ datagram }) => datagram);
  assert.deepEqual(built.map(toHex), expected);
}

contract("build() gives the vectors' plain block, twice", (open) => {
  const stream = open(audioSpec(null));
  checkBlock(stream, vectors.plain);
  checkBlock(stream, vectors.plain);
});

contract("build() gives the vectors' encrypted block", (open) => {
  checkBlock(open(audioSpec(Uint8Array.fromHex(vectors.rikey))), vectors.encrypted);
});

contract("build() sends no parity for a group of uneven payloads, and goes on", (open) => {
  const stream = open(audioSpec(null));
  const options = { header: new Uint8Array(12), iv: null, parityHeaders: PARITY_HEADERS };
  const counts = [8, 8, 9, 8, 8, 8, 8, 8].map((sizeBytes) =>
    stream.build(new Uint8Array(sizeBytes), options).length
  );
  assert.deepEqual(counts, [1, 1, 1, 1, 1, 1, 1, 3]);
});

contract(
  "build() refuses packets and specs outside the limits, and does not count them",
  (open) => {
    const isInvalid = (error: unknown) =>
      error instanceof OperationError && error.code === "invalid";
    assert.throws(() => open({ ...audioSpec(null), dataCount: 33 }), isInvalid);
    assert.throws(() => open({ ...audioSpec(null), parityMatrix: new Uint8Array(7) }), isInvalid);
    assert.throws(() => open(audioSpec(new Uint8Array(15))), isInvalid);

    const stream = open(audioSpec(new Uint8Array(16)));
    const options = {
      header: new Uint8Array(12),
      iv: new Uint8Array(16),
      parityHeaders: PARITY_HEADERS,
    };
    for (let count = 0; count < 3; count++) stream.build(new Uint8Array(9), options);
    assert.throws(() => stream.build(new Uint8Array(0), options), isInvalid);
    assert.throws(() => stream.build(new Uint8Array(9152), options), isInvalid);
    assert.throws(() => stream.build(new Uint8Array(9), { ...options, iv: null }), isInvalid);
    const header = new Uint8Array(65);
    assert.throws(() => stream.build(new Uint8Array(9), { ...options, header }), isInvalid);
    const parityHeaders = new Uint8Array(47);
    assert.throws(() => stream.build(new Uint8Array(9), { ...options, parityHeaders }), isInvalid);
    assert.equal(stream.build(new Uint8Array(9), options).length, 3);
    assert.equal(stream.build(new Uint8Array(9151), options).length, 1);
  },
);

Deno.test("native and reference packet stream build the same from arbitrary packets", () => {
  const payloads = fc.array(fc.uint8Array({ minLength: 1, maxLength: 200 }), {
    minLength: 4,
    maxLength: 12,
  });
  const key = fc.option(fc.uint8Array({ minLength: 16, maxLength: 16 }));
  fc.assert(
    fc.property(payloads, key, fc.boolean(), (packets, cbcKey, areEqual) => {
      const reference = createReferencePacketStream(audioSpec(cbcKey));
      using native = openNativePacketStream(audioSpec(cbcKey));
      packets.forEach((packet, index) => {
        const payload = areEqual ? Uint8Array.from({ length: 77 }, (_, n) => n * index) : packet;
        const iv = new Uint8Array(16).fill(index);
        const options = {
          header: new Uint8Array(12).fill(index),
          iv,
          parityHeaders: PARITY_HEADERS,
        };
        const expected = reference.build(payload, options).map(toHex);
        assert.deepEqual(native.build(payload, options).map(toHex), expected);
      });
    }),
    { numRuns: 30 },
  );
});

Deno.test("NativePacketStream.send() sends what build() gives", async () => {
  await using from = UdpSocket.open({ address: "127.0.0.1", port: 0 });
  await using to = UdpSocket.open({ address: "127.0.0.1", port: 0 });
  const destination = { address: "127.0.0.1", port: to.port };
  using sending = openNativePacketStream(audioSpec(null));
  const building = createReferencePacketStream(audioSpec(null));
  for (let index = 0; index < 4; index++) {
    const payload = new Uint8Array(40).fill(index);
    const options = { header: new Uint8Array(12), iv: null, parityHeaders: PARITY_HEADERS };
    const result = sending.send(payload, { ...options, socket: from.handle, destination });
    const expected = building.build(payload, options);
    const bytes = expected.reduce((sum, datagram) => sum + datagram.byteLength, 0);
    assert.deepEqual(result, { packetCount: expected.length, bytes, refusedPackets: 0 });
    for (const datagram of expected) {
      const received = await to.receive(5_000);
      assert.equal(received && toHex(received.bytes), toHex(datagram));
    }
  }
});

Deno.test("NativePacketStream.close() twice is legal, and later calls fail", () => {
  const stream = openNativePacketStream(audioSpec(null));
  stream.close();
  stream.close();
  const options = { header: new Uint8Array(12), iv: null, parityHeaders: PARITY_HEADERS };
  assert.throws(() => stream.build(new Uint8Array(9), options), OperationError);
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { Loopback, seededRandom } from "../../../src/cli/loopback.ts";
import { reassembleFrame } from "../../../src/cli/video_reassembly.ts";
import { ProtocolError } from "../../../src/lib/errors.ts";
import { createReferenceKernel } from "../../../src/media/wire/reference_kernel.ts";
import { createVideoPacketiser } from "../../../src/protocol/gamestream/video_packetiser.ts";

const PACKET_SIZE_BYTES = 208;
const DATAGRAM_SIZE_BYTES = PACKET_SIZE_BYTES + 16;
const PAYLOAD_SIZE_BYTES = DATAGRAM_SIZE_BYTES - 32;

function auOf(sizeBytes: number): Uint8Array {
  return Uint8Array.from({ length: sizeBytes }, (_, index) => index * 7 & 0xff);
}

function datagramsOf(au: Uint8Array, fecPercent = 20): Uint8Array[] {
  const packetiser = createVideoPacketiser({
    packetSizeBytes: PACKET_SIZE_BYTES,
    fecPercent,
    minParityPackets: fecPercent === 0 ? 0 : 2,
    key: null,
  });
  const job = packetiser.plan({ sizeBytes: au.byteLength, kind: "idr", capturedAtUs: 0, nowUs: 0 });
  const bytes = createReferenceKernel().build(job, au);
  return Array.from(
    { length: bytes.byteLength / DATAGRAM_SIZE_BYTES },
    (_, index) => bytes.subarray(index * DATAGRAM_SIZE_BYTES, (index + 1) * DATAGRAM_SIZE_BYTES),
  );
}

Deno.test("reassembleFrame() undoes the packetiser for every size around a packet's end", () => {
  for (const packets of [1, 2, 5]) {
    for (const surplus of [-1, 0, 1]) {
      const au = auOf(packets * PAYLOAD_SIZE_BYTES - 8 + surplus);
      assert.deepEqual(reassembleFrame(datagramsOf(au)), au, `${packets} packets ${surplus}`);
    }
  }
  const large = auOf(400 * PAYLOAD_SIZE_BYTES);
  assert.deepEqual(reassembleFrame(datagramsOf(large)), large);
  assert.deepEqual(reassembleFrame(datagramsOf(large, 0)), large);
});

Deno.test("reassembleFrame() repairs any loss up to the parity, and in any order of arrival", () => {
  const au = auOf(10 * PAYLOAD_SIZE_BYTES - 8);
  const datagrams = datagramsOf(au);
  assert.equal(datagrams.length, 12);
  for (let first = 0; first < datagrams.length; first++) {
    for (let second = first + 1; second < datagrams.length; second++) {
      const arrived = datagrams.filter((_, index) => index !== first && index !== second);
      assert.deepEqual(reassembleFrame(arrived.toReversed()), au, `${first} ${second}`);
    }
  }
  assert.throws(() => reassembleFrame(datagrams.slice(3)), {
    name: "ProtocolError",
    code: "short",
  });
});

Deno.test("reassembleFrame() tells a lost block and a loss without parity", () => {
  const au = auOf(400 * PAYLOAD_SIZE_BYTES);
  const datagrams = datagramsOf(au);
  const ofBlock = (index: number) => datagrams.filter((one) => ((one[27] ?? 0) >> 4 & 3) !== index);
  assert.throws(() => reassembleFrame(ofBlock(0)), { name: "ProtocolError", code: "short" });
  const bare = datagramsOf(au, 0);
  assert.throws(() => reassembleFrame(bare.slice(1)), { name: "ProtocolError", code: "short" });
  assert.throws(() => reassembleFrame([]), { name: "ProtocolError", code: "short" });
});

Deno.test("reassembleFrame() throws only ProtocolError on arbitrary datagrams", () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ minLength: 0, maxLength: 80 }), { maxLength: 6 }),
      (datagrams) => {
        try {
          reassembleFrame(datagrams);
        } catch (error) {
          assert.ok(error instanceof ProtocolError, `${error}`);
        }
      },
    ),
  );
});

function pass(lossPercent: number, tamper?: (bytes: Uint8Array<ArrayBuffer>) => void) {
  const reference = createReferenceKernel();
  const loopback = new Loopback({
    kernel: {
      build(job, au) {
        const bytes = reference.build(job, au);
        tamper?.(bytes);
        return bytes;
      },
    },
    packetSizeBytes: PACKET_SIZE_BYTES,
    lossPercent,
    random: seededRandom(1),
  });
  for (let frame = 0; frame < 20; frame++) {
    loopback.pass(auOf(2000 + frame), frame === 0 ? "idr" : "p", frame * 16_667);
  }
  return loopback.counts;
}

Deno.test("Loopback counts packets, repairs and losses, and finds no difference", () => {
  assert.deepEqual(pass(0), {
    packets: 20 * 14,
    droppedPackets: 0,
    repairedFrames: 0,
    lostFrames: 0,
    wrongFrames: 0,
  });
  const lossy = pass(10);
  assert.ok(lossy.droppedPackets > 0 && lossy.repairedFrames > 0);
  assert.equal(lossy.wrongFrames, 0);
  assert.deepEqual(pass(10), lossy);
  assert.equal(pass(100).lostFrames, 20);
});

Deno.test("Loopback calls a frame wrong when a byte of it changes on the way", () => {
  const counts = pass(0, (bytes) => {
    bytes[40] = (bytes[40] ?? 0) ^ 1;
  });
  assert.equal(counts.wrongFrames, 20);
});

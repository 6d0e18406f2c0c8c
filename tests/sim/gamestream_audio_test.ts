/**
 * Sound from the packetiser through the reference packet stream and a network that loses, to the packets a client decodes.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { createReferencePacketStream } from "../../src/media/wire/reference_kernel.ts";
import {
  AUDIO_BLOCK_DATA_PACKETS,
  AUDIO_BLOCK_PARITY_PACKETS,
  AUDIO_PARITY_MATRIX,
  AudioPacketiser,
} from "../../src/protocol/gamestream/audio_packetiser.ts";
import { AudioAssembler, type ReceivedAudioPacket } from "../client/audio_assembler.ts";

const KEY = Uint8Array.from({ length: 16 }, (_, index) => index);

function openStream(
  options: { readonly isEncrypted: boolean; readonly packetDurationMs?: 5 | 10 },
) {
  const { isEncrypted, packetDurationMs = 5 } = options;
  const rikeyId = -3;
  const packetiser = new AudioPacketiser({
    packetDurationMs,
    rikeyId: isEncrypted ? rikeyId : null,
  });
  const stream = createReferencePacketStream({
    dataCount: AUDIO_BLOCK_DATA_PACKETS,
    parityCount: AUDIO_BLOCK_PARITY_PACKETS,
    parityMatrix: AUDIO_PARITY_MATRIX,
    cbcKey: isEncrypted ? KEY : null,
  });
  const packets: ReceivedAudioPacket[] = [];
  const assembler = new AudioAssembler({
    packetDurationMs,
    key: isEncrypted ? KEY : null,
    rikeyId,
    onPacket: (packet) => packets.push(packet),
  });
  const sent: Uint8Array[] = [];
  /** Datagrams of the next `count` packets. */
  const packetise = (count: number): Uint8Array[] =>
    Array.from({ length: count }, () => {
      const opus = Uint8Array.from({ length: 40 }, (_, at) => (sent.length * 31 + at) & 0xff);
      sent.push(opus);
      return stream.build(opus, packetiser.next());
    }).flat();
  /** Number packets that nobody makes. */
  const skip = (count: number) => {
    for (let skipped = 0; skipped < count; skipped++) packetiser.next();
  };
  return { assembler, packets, sent, packetise, skip };
}

for (const isEncrypted of [false, true]) {
  const name = isEncrypted ? "encrypted" : "plain";
  Deno.test(`a client gets every ${name} packet of sound back from an orderly network`, () => {
    const { assembler, packets, sent, packetise } = openStream({ isEncrypted });
    for (const bytes of packetise(40)) assembler.accept(bytes);
    assert.deepEqual(packets.map(({ data }) => [...data]), sent.map((data) => [...data]));
    assert.deepEqual(packets.slice(0, 3).map(({ timestampMs }) => timestampMs), [0, 5, 10]);
    assert.deepEqual(assembler.violations, []);
    assert.equal(assembler.stats.parityChecks, 10);
    assert.equal(assembler.stats.parityMismatches, 0);
  });
}

Deno.test("a client goes on over the wrap of the sequence", () => {
  const { assembler, packets, sent, packetise, skip } = openStream({
    isEncrypted: true,
    packetDurationMs: 10,
  });
  // A packet now and then tells where the count stands.
  for (const count of [30_000, 30_000, 5_520]) {
    skip(count);
    for (const bytes of packetise(4)) assembler.accept(bytes);
  }
  packetise(16).forEach((bytes) => assembler.accept(bytes));
  assert.deepEqual(packets.map(({ data }) => [...data]), sent.map((data) => [...data]));
  assert.equal(packets.at(-1)?.number, 65_536 + 11);
  assert.deepEqual(assembler.violations, []);
});

Deno.test("a client rebuilds any two lost packets of a block and keeps their order", () => {
  fc.assert(fc.property(
    fc.array(fc.tuple(fc.nat(5), fc.nat(5)), { minLength: 1, maxLength: 10 }),
    fc.boolean(),
    (losses, isEncrypted) => {
      const { assembler, packets, sent, packetise } = openStream({ isEncrypted });
      for (const lost of losses) {
        packetise(AUDIO_BLOCK_DATA_PACKETS).forEach((bytes, at) =>
          lost.includes(at) || assembler.accept(bytes)
        );
      }
      assert.deepEqual(packets.map(({ data }) => [...data]), sent.map((data) => [...data]));
      assert.equal(assembler.stats.lostPackets, 0);
      assert.deepEqual(assembler.violations, []);
    },
  ));
});

Deno.test("a client hands out what is left of a block that lost three", () => {
  const { assembler, packets, packetise } = openStream({ isEncrypted: true });
  packetise(4).forEach((bytes, at) => [0, 2, 4].includes(at) || assembler.accept(bytes));
  assert.equal(packets.length, 0);
  for (const bytes of packetise(4)) assembler.accept(bytes);
  assert.deepEqual(packets.map(({ number }) => number), [1, 3, 4, 5, 6, 7]);
  assert.equal(assembler.stats.lostPackets, 2);
  packetise(8);
  for (const bytes of packetise(4)) assembler.accept(bytes);
  assert.equal(assembler.stats.lostPackets, 10);
});

Deno.test("a client sees what a host does wrong with sound", () => {
  const deliverChanged = (at: number, offset: number, value: number) => {
    const { assembler, packetise } = openStream({ isEncrypted: false });
    const datagrams = packetise(4);
    const bytes = datagrams[at];
    if (bytes !== undefined) bytes[offset] = value;
    for (const datagram of datagrams) assembler.accept(datagram);
    return assembler;
  };
  assert.match(deliverChanged(1, 7, 6).violations[0] ?? "", /timestamp 6/);
  assert.match(deliverChanged(1, 11, 1).violations[0] ?? "", /another SSRC/);
  assert.match(deliverChanged(4, 15, 1).violations[0] ?? "", /parity packet/);
  assert.match(deliverChanged(5, 12, 2).violations[0] ?? "", /parity packet/);
  assert.equal(deliverChanged(5, 30, 1).stats.parityMismatches, 1);
  assert.equal(deliverChanged(0, 0, 0).stats.noise, 1);
});

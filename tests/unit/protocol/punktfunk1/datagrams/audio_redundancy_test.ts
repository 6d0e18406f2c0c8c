import assert from "node:assert/strict";
import { toHex } from "../../../../../src/lib/bytes.ts";
import {
  type AudioPacket,
  decodeRedundantAudio,
  encodeRedundantAudio,
  type RedundantAudioPacket,
} from "../../../../../src/protocol/punktfunk1/datagrams/audio.ts";
import {
  AudioGapFiller,
  AudioRedundancy,
} from "../../../../../src/protocol/punktfunk1/datagrams/audio_redundancy.ts";
import { decodeDatagram } from "../../../../../src/protocol/punktfunk1/datagrams/datagram.ts";

const NONE = new Uint8Array(0);

function packet(sequence: number, sizeBytes = 4): AudioPacket {
  const payload = new Uint8Array(sizeBytes).fill(sequence & 0xff);
  return { sequence, ptsNs: 1_000_000_000n + BigInt(sequence) * 5_000_000n, payload };
}

function redundant(sequence: number): RedundantAudioPacket {
  return { ...packet(sequence), previous: packet(sequence - 1 >>> 0).payload };
}

Deno.test("AudioRedundancy adds the packet before, and none to the first or after a gap", () => {
  const redundancy = new AudioRedundancy();
  const previousOf = (sequence: number) =>
    decodeRedundantAudio(redundancy.encode(packet(sequence), 1_200))?.previous;
  assert.deepEqual(previousOf(5), NONE);
  assert.deepEqual(previousOf(6), packet(5).payload);
  assert.deepEqual(previousOf(8), NONE);
  assert.deepEqual(previousOf(0xffff_ffff), NONE);
  assert.deepEqual(previousOf(0), packet(0xffff_ffff).payload);
});

Deno.test("AudioRedundancy keeps its copy when the encoder writes over the packet", () => {
  const redundancy = new AudioRedundancy();
  const first = packet(1);
  redundancy.encode(first, 1_200);
  first.payload.fill(0xee);
  const second = decodeRedundantAudio(redundancy.encode(packet(2), 1_200));
  assert.equal(toHex(second?.previous ?? NONE), "01010101");
});

Deno.test("AudioRedundancy sends a packet alone when two do not fit", () => {
  const redundancy = new AudioRedundancy();
  redundancy.encode(packet(1, 100), 1_200);
  const sizeBytes = 15 + 100 + 100;
  assert.equal(redundancy.encode(packet(2, 100), sizeBytes).byteLength, sizeBytes);
  const alone = redundancy.encode(packet(3, 100), sizeBytes - 1);
  assert.deepEqual(decodeDatagram(alone), { type: "audio", body: packet(3, 100) });
});

Deno.test("AudioGapFiller fills a gap of one and counts what stays lost", () => {
  const filler = new AudioGapFiller();
  const played = (one: AudioPacket) => filler.receive(one).map(({ sequence }) => sequence);
  assert.deepEqual(played(redundant(10)), [10]);
  assert.deepEqual(played(redundant(11)), [11]);
  assert.deepEqual(filler.receive(redundant(13)), [packet(12), redundant(13)]);
  assert.equal(filler.missingCount, 0);
  assert.deepEqual(played(redundant(17)), [16, 17]);
  assert.equal(filler.missingCount, 2);
  assert.deepEqual(played(packet(19)), [19]);
  assert.deepEqual(played({ ...redundant(21), previous: NONE } as AudioPacket), [21]);
  assert.equal(filler.missingCount, 4);
});

Deno.test("AudioGapFiller plays nothing twice and nothing late", () => {
  const filler = new AudioGapFiller();
  filler.receive(redundant(1));
  filler.receive(redundant(3));
  for (const sequence of [3, 2, 1, 0xffff_ffff]) {
    assert.deepEqual(filler.receive(redundant(sequence)), [], `${sequence}`);
  }
});

Deno.test("AudioGapFiller goes on where the sequence begins anew", () => {
  const filler = new AudioGapFiller();
  filler.receive(packet(0xffff_fffe));
  const played = filler.receive(redundant(0)).map(({ sequence }) => sequence);
  assert.deepEqual(played, [0xffff_ffff, 0]);
});

Deno.test("encodeRedundantAudio() refuses a packet longer than its size field can say", () => {
  const one = (sizeBytes: number) =>
    encodeRedundantAudio({ ...packet(1, sizeBytes), previous: NONE });
  assert.equal(one(0xffff).byteLength, 15 + 0xffff);
  assert.throws(() => one(0x1_0000), RangeError);
});

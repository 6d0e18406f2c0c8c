import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { concatBytes, toHex } from "../../../../src/lib/bytes.ts";
import { ProtocolError } from "../../../../src/lib/errors.ts";
import { AUDIO_FEC_CODE } from "../../../../src/protocol/fec/audio.ts";
import {
  cauchyCode,
  encodeParity,
  invertGf256,
  multiplyGf256,
  reconstruct,
} from "../../../../src/protocol/fec/gf256.ts";
import audioVectors from "../../../vectors/gamestream-audio.json" with { type: "json" };
import videoVectors from "../../../vectors/gamestream-video.json" with { type: "json" };

/** Byte j of shard i, as the vectors' dataRule has it. */
function ruleShards(count: number, sizeBytes: number): Uint8Array[] {
  return Array.from(
    { length: count },
    (_, i) => Uint8Array.from({ length: sizeBytes }, (_, j) => (31 * i + 7 * j + 1) % 256),
  );
}

Deno.test("multiplyGf256() is a field of polynomial 0x11d with invertGf256()", () => {
  assert.equal(multiplyGf256(0x80, 2), 0x1d);
  assert.equal(multiplyGf256(7, 0), 0);
  for (let value = 1; value < 256; value++) {
    assert.equal(multiplyGf256(value, invertGf256(value)), 1);
    assert.equal(
      multiplyGf256(value, 0x53 ^ 0xca),
      multiplyGf256(value, 0x53) ^ multiplyGf256(value, 0xca),
    );
  }
  assert.throws(() => invertGf256(0), RangeError);
});

Deno.test("cauchyCode() and encodeParity() give the vectors' small cases", () => {
  for (const vector of videoVectors.rsCases) {
    const code = cauchyCode(vector.data, vector.parity);
    assert.equal(toHex(code.matrix), vector.matrix.join(""));
    const data = vector.dataShards.map((shard) => Uint8Array.fromHex(shard));
    assert.deepEqual(encodeParity(data, code).map(toHex), vector.parityShards);
  }
});

Deno.test("encodeParity() gives the vectors' large cases", () => {
  for (const vector of videoVectors.rsLarge) {
    const parity = encodeParity(
      ruleShards(vector.data, 32),
      cauchyCode(vector.data, vector.parity),
    );
    assert.equal(toHex(parity[0] ?? new Uint8Array()), vector.firstParityShard);
    assert.equal(toHex(parity.at(-1) ?? new Uint8Array()), vector.lastParityShard);
    const digest = createHash("sha256").update(concatBytes(...parity)).digest("hex");
    assert.equal(digest, vector.paritySha256);
  }
});

Deno.test("cauchyCode() takes 255 shards and refuses 256", () => {
  assert.equal(cauchyCode(212, 43).matrix.byteLength, 212 * 43);
  assert.throws(() => cauchyCode(213, 43), RangeError);
  assert.throws(() => cauchyCode(0, 1), RangeError);
});

Deno.test("encodeParity() refuses too few shards and shards of different sizes", () => {
  const code = cauchyCode(2, 1);
  assert.throws(() => encodeParity([new Uint8Array(4)], code), RangeError);
  assert.throws(() => encodeParity([new Uint8Array(4), new Uint8Array(5)], code), RangeError);
});

Deno.test("reconstruct() gives back the data whatever shards are lost, up to the parity", () => {
  const shape = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 12 }));
  fc.assert(
    fc.property(shape, fc.infiniteStream(fc.nat()), ([dataCount, parityCount], random) => {
      const code = cauchyCode(dataCount, parityCount);
      const data = ruleShards(dataCount, 9);
      const shards: (Uint8Array | undefined)[] = [...data, ...encodeParity(data, code)];
      for (let lost = 0; lost < parityCount; lost++) {
        shards[Number(random.next().value) % shards.length] = undefined;
      }
      assert.deepEqual(reconstruct(shards, code).map(toHex), data.map(toHex));
    }),
    { numRuns: 60 },
  );
});

Deno.test("reconstruct() rebuilds the frame of the vectors' recovery exercise", () => {
  const frame = videoVectors.packetiser.frames[0];
  assert.ok(frame);
  // What FEC saw: bytes 0…15 and 28…31 of the data datagrams are zero, and so are the parity's own there.
  const stored = (hex: string) => {
    const bytes = Uint8Array.fromHex(hex);
    bytes.fill(0, 0, 16);
    bytes.fill(0, 28, 32);
    return bytes;
  };
  const data = frame.datagrams.slice(0, 4).map(stored);
  const parity = encodeParity(data, cauchyCode(4, 2));
  frame.datagrams.slice(4).forEach((hex, index) => {
    assert.equal(toHex(parity[index]?.subarray(32) ?? new Uint8Array()), hex.slice(64));
  });
  const shards = [...data, ...parity].map((shard, index) =>
    videoVectors.packetiser.recoveryExercise.lost.includes(index) ? undefined : shard
  );
  assert.deepEqual(reconstruct(shards, cauchyCode(4, 2)), data);
});

Deno.test("reconstruct() refuses one shard too few and shards of different sizes", () => {
  const code = cauchyCode(3, 2);
  const data = ruleShards(3, 4);
  const parity = encodeParity(data, code);
  assert.throws(
    () => reconstruct([undefined, undefined, data[2], parity[0], undefined], code),
    (error) => error instanceof ProtocolError && error.code === "short",
  );
  assert.throws(
    () => reconstruct([undefined, data[1], data[2], new Uint8Array(5)], code),
    (error) => error instanceof ProtocolError && error.code === "malformed",
  );
});

Deno.test("AUDIO_FEC_CODE gives the vectors' parity, and any four of six shards the data", () => {
  const data = audioVectors.plain.data.map(({ opus }) => Uint8Array.fromHex(opus));
  const parity = encodeParity(data, AUDIO_FEC_CODE);
  assert.deepEqual(
    parity.map(toHex),
    audioVectors.plain.fec.map(({ datagram }) => datagram.slice(48)),
  );
  const shards = [...data, ...parity];
  for (let first = 0; first < 6; first++) {
    for (let second = first + 1; second < 6; second++) {
      const arrived = shards.map((shard, index) =>
        index === first || index === second ? undefined : shard
      );
      assert.deepEqual(reconstruct(arrived, AUDIO_FEC_CODE), data);
    }
  }
});

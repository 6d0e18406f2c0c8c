import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { FrameKernel, WIRE_LEVELS } from "../../../../ffi/wire_frame.ts";
import { concatBytes, toHex } from "../../../../src/lib/bytes.ts";
import { OperationError } from "../../../../src/lib/errors.ts";
import type { NativeBytes } from "../../../../src/media/native_bytes.ts";
import type { WireKernelCore } from "../../../../src/media/wire/kernel.ts";
import { openNativeKernel } from "../../../../src/media/wire/native_kernel.ts";
import { createReferenceKernel } from "../../../../src/media/wire/reference_kernel.ts";
import { cauchyCode, encodeParity } from "../../../../src/protocol/fec/gf256.ts";
import { hostSealRule, sealNonce } from "../../../../src/protocol/punktfunk1/video_seal.ts";
import type { WireJob } from "../../../../src/protocol/wire_job.ts";
import { SEALED_TEXT, SEALED_VECTORS } from "../../../support/punktfunk1_seal.ts";
import vectors from "../../../vectors/gamestream-video.json" with { type: "json" };
import fecVectors from "../../../vectors/punktfunk1-fec.json" with { type: "json" };
import sealVectors from "../../../vectors/punktfunk1-aead.json" with { type: "json" };
import {
  arbitraryJob,
  gamestreamJob,
  gamestreamSeal,
  punktfunkJob,
  punktfunkSeal,
} from "./jobs.ts";

const NOTHING = new Uint8Array(0);

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** One test against each implementation. */
function contract(name: string, check: (kernel: WireKernelCore) => void): void {
  Deno.test(`reference kernel: ${name}`, () => check(createReferenceKernel()));
  Deno.test(`native kernel: ${name}`, () => {
    using kernel = openNativeKernel();
    check(kernel);
  });
}

function vectorFrame(index: number) {
  const frame = vectors.packetiser.frames[index];
  assert.ok(frame);
  const datagrams = frame.datagrams.map((datagram) => Uint8Array.fromHex(datagram));
  const prologue = datagrams[0]?.slice(32, 40) ?? NOTHING;
  const au = Uint8Array.fromHex(frame.encodedFrame);
  return { datagrams, au, job: gamestreamJob(datagrams, { prologue, auSizeBytes: au.byteLength }) };
}

/** 8 bytes of header, `dataCount` + `parityCount` packets of 24 bytes, in one block. */
function smallJob(
  dataCount: number,
  parityCount: number,
): { job: WireJob; au: Uint8Array<ArrayBuffer> } {
  const auSizeBytes = dataCount * 16;
  const packetCount = dataCount + parityCount;
  return {
    au: new Uint8Array(auSizeBytes).fill(7),
    job: {
      shardSizeBytes: 24,
      headerSizeBytes: 8,
      headers: new Uint8Array(packetCount * 8).fill(9),
      packetCount,
      prologue: NOTHING,
      auSizeBytes,
      blocks: [{ dataCount, parityCount }],
      blockCount: 1,
      fieldBits: 8,
      order: "block",
      fecOffsetBytes: 0,
      dataHeaderMask: new Uint8Array(8),
      parityHeaderMask: new Uint8Array(8).fill(0xff),
      seal: null,
      sealCounter: 0n,
      sealPrefix: NOTHING,
    },
  };
}

/** Rates of both sorts; one to twelve layers; blocks that fill a transform, and one row more or less. */
const GF65536_SHAPES: readonly (readonly [number, number])[] = [
  [1, 1],
  [1, 3],
  [9, 1],
  [2, 2],
  [3, 4],
  [4, 3],
  [7, 5],
  [5, 8],
  [16, 16],
  [15, 33],
  [65, 9],
  [100, 10],
  [127, 64],
  [30, 129],
  [500, 257],
  [1000, 100],
  [257, 700],
  [2049, 1025],
];

contract("build() gives the vectors' frames byte for byte", (kernel) => {
  for (const index of [0, 1]) {
    const { job, au, datagrams } = vectorFrame(index);
    assert.equal(toHex(kernel.build(job, au)), toHex(concatBytes(...datagrams)));
  }
});

contract("build() seals the vectors' datagram byte for byte", (kernel) => {
  const { job, au } = vectorFrame(0);
  job.seal = gamestreamSeal(Uint8Array.fromHex(vectors.encryption.rikey));
  job.sealPrefix = new Uint8Array(32);
  job.sealPrefix[12] = vectors.encryption.frameNumber;
  const { wire } = vectors.encryption;
  assert.equal(toHex(kernel.build(job, au)).slice(0, wire.length), wire);
});

contract("build() seals every datagram of the vectors, whichever rule came before", (kernel) => {
  const au = new TextEncoder().encode(SEALED_TEXT);
  for (const { secrets, from, sequence, datagram } of [...SEALED_VECTORS, ...SEALED_VECTORS]) {
    const { job } = smallJob(1, 0);
    const sealed = kernel.build({
      ...job,
      shardSizeBytes: au.byteLength,
      headerSizeBytes: 0,
      headers: NOTHING,
      dataHeaderMask: NOTHING,
      parityHeaderMask: NOTHING,
      auSizeBytes: au.byteLength,
      seal: { ...hostSealRule(secrets), nonceTemplate: sealNonce(secrets.salt, from) },
      sealCounter: sequence,
      sealPrefix: new Uint8Array(8),
    }, au);
    assert.equal(toHex(sealed), toHex(datagram), `${secrets.cipher} ${from} ${sequence}`);
  }
});

contract("build() gives the parity of the vectors' cases", (kernel) => {
  for (const vector of vectors.rsCases) {
    const { job } = smallJob(vector.data, vector.parity);
    const sent = kernel.build(
      { ...job, fecOffsetBytes: 8 },
      Uint8Array.fromHex(vector.dataShards.join("")),
    );
    const shards = Array.from(
      { length: job.packetCount },
      (_, index) => toHex(sent.subarray(index * 24 + 8, (index + 1) * 24)),
    );
    assert.deepEqual(shards, [...vector.dataShards, ...vector.parityShards]);
  }
});

contract("build() takes an empty access unit, with and without a prologue", (kernel) => {
  const { job } = smallJob(1, 1);
  const empty = kernel.build({ ...job, auSizeBytes: 0 }, NOTHING);
  assert.equal(toHex(empty), "09".repeat(8) + "00".repeat(16) + "09".repeat(8) + "00".repeat(16));
  const prologue = Uint8Array.of(1, 2, 3);
  const framed = kernel.build({ ...job, auSizeBytes: 0, prologue }, NOTHING);
  assert.equal(toHex(framed.subarray(8, 24)), "010203" + "00".repeat(13));
});

contract("build() keeps FEC's bytes of a parity header wherever its mask is 0", (kernel) => {
  const { job, au } = smallJob(2, 1);
  job.dataHeaderMask = Uint8Array.of(0xff, 0, 0xff, 0, 0, 0, 0, 0);
  job.parityHeaderMask = Uint8Array.of(0, 0xff, 0, 0, 0, 0, 0, 0);
  job.headers = concatBytes(
    Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
    Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
    Uint8Array.of(9, 9, 9, 9, 9, 9, 9, 9),
  );
  // Row 0 for p = 1: 01, 8e. So the parity of equal bytes v is v ⊕ 8e·v.
  const covered = [Uint8Array.of(1, 3), Uint8Array.of(1, 3)];
  const [expected] = encodeParity(covered, cauchyCode(2, 1));
  const header = kernel.build(job, au).subarray(48, 56);
  assert.deepEqual([...header], [expected?.[0], 9, expected?.[1], 0, 0, 0, 0, 0]);
});

contract("build() seals with a counter that rises by one a datagram in send order", (kernel) => {
  const { job, au } = smallJob(2, 2);
  job.seal = punktfunkSeal(new Uint8Array(16));
  job.sealPrefix = new Uint8Array(8);
  job.sealCounter = 0xfffen;
  const sent = kernel.build(job, au);
  const size = 8 + 24 + 16;
  const counters = [0, 1, 2, 3].map((index) =>
    toHex(sent.subarray(index * size, index * size + 8))
  );
  assert.deepEqual(counters, ["fffe", "ffff", "10000", "10001"].map((n) => n.padStart(16, "0")));
});

const INVALID: readonly (readonly [string, (job: WireJob) => void])[] = [
  ["a header as large as the shard", (job) => job.headerSizeBytes = job.shardSizeBytes],
  ["too large a shard", (job) => job.shardSizeBytes = 9217],
  ["an FEC offset behind the header", (job) => job.fecOffsetBytes = 9],
  ["one header too few", (job) => job.headers = job.headers.subarray(1)],
  ["a mask of another size", (job) => job.dataHeaderMask = new Uint8Array(9)],
  ["another access unit than planned", (job) => job.auSizeBytes++],
  ["no block", (job) => job.blockCount = 0],
  ["more blocks than there are", (job) => job.blockCount = 2],
  ["blocks of another number of packets", (job) => job.packetCount--],
  [
    "more data packets than the stream fills",
    (job) => job.blocks = [{ dataCount: 4, parityCount: 0 }],
  ],
  ["a block without data", (job) => job.blocks = [{ dataCount: 0, parityCount: 4 }]],
];

const INVALID_SEALS: readonly (readonly [string, Partial<WireJob["seal"]>])[] = [
  ["a short key", { key: new Uint8Array(15) }],
  ["a key of the other cipher", { key: new Uint8Array(32) }],
  ["another cipher than the key is of", { cipher: "chacha20-poly1305" }],
  ["a long nonce", { nonceTemplate: new Uint8Array(13) }],
  ["a counter at 5", { nonceCounterOffset: 5 }],
  ["a prefix of another size", { prefixSizeBytes: 31 }],
  ["a nonce beyond its end", { prefixNonceFrom: 1 }],
  ["a tag over the nonce", { tagOffset: 11 }],
  ["a tag beyond the prefix", { tagOffset: 17 }],
  ["a tag that is authenticated", { aadSizeBytes: 17 }],
];

contract("build() refuses every job outside the limits as invalid", (kernel) => {
  const isInvalid = (error: unknown) => error instanceof OperationError && error.code === "invalid";
  for (const [what, change] of INVALID) {
    const { job, au } = smallJob(3, 1);
    change(job);
    assert.throws(() => kernel.build(job, au), isInvalid, what);
  }
  for (const [what, change] of INVALID_SEALS) {
    const { job, au } = smallJob(3, 1);
    job.seal = { ...gamestreamSeal(new Uint8Array(16)), ...change };
    job.sealPrefix = new Uint8Array(32);
    assert.throws(() => kernel.build(job, au), isInvalid, what);
  }
  const { job, au } = smallJob(3, 1);
  job.seal = gamestreamSeal(new Uint8Array(16));
  job.sealPrefix = new Uint8Array(32);
  job.sealCounter = (1n << 64n) - 5n;
  kernel.build(job, au);
  job.sealCounter++;
  assert.throws(() => kernel.build(job, au), isInvalid, "a counter that would repeat");
});

contract("build() takes 255 shards of a GF(2^8) block, and refuses one more", (kernel) => {
  const full = smallJob(212, 43);
  assert.equal(kernel.build(full.job, full.au).byteLength, 255 * 24);
  const over = smallJob(213, 43);
  assert.throws(() => kernel.build(over.job, over.au), OperationError);
});

contract("build() takes what GF(2^16) has points for, and refuses one more", (kernel) => {
  const full = smallJob(61440, 4096);
  full.job.fieldBits = 16;
  assert.equal(kernel.build(full.job, full.au).byteLength, 65536 * 24);
  const over = smallJob(61441, 4096);
  over.job.fieldBits = 16;
  assert.throws(() => kernel.build(over.job, over.au), OperationError);
});

contract(
  "build() takes 65535 packets of a block and 262144 of a frame, and refuses more",
  (kernel) => {
    const block = { dataCount: 65535, parityCount: 0 };
    const full = smallJob(262144, 0);
    full.job.blockCount = 5;
    full.job.blocks = [block, block, block, block, { dataCount: 4, parityCount: 0 }];
    assert.equal(kernel.build(full.job, full.au).byteLength, 262144 * 24);
    const over = smallJob(262145, 0);
    over.job.blockCount = 5;
    over.job.blocks = [block, block, block, block, { dataCount: 5, parityCount: 0 }];
    assert.throws(() => kernel.build(over.job, over.au), OperationError);
    const wide = smallJob(65536, 0);
    assert.throws(() => kernel.build(wide.job, wide.au), OperationError);
  },
);

contract(
  "build() refuses an odd number of bytes in GF(2^16), unless there is no parity",
  (kernel) => {
    const odd = (parityCount: number) => {
      const { job, au } = smallJob(2, parityCount);
      return kernel.build({ ...job, fieldBits: 16, fecOffsetBytes: 7 }, au);
    };
    assert.throws(() => odd(1), OperationError);
    assert.equal(odd(0).byteLength, 2 * 24);
  },
);

contract("build() gives the whole frame of punktfunk/1 byte for byte", (kernel) => {
  const { wholeFrame, aes128Key, salt } = sealVectors;
  const au = Uint8Array.fromHex(wholeFrame.accessUnit);
  const job = punktfunkJob(
    wholeFrame.packets.map(({ header }) => Uint8Array.fromHex(header)),
    {
      shardPayloadBytes: wholeFrame.shardPayload,
      auSizeBytes: au.byteLength,
      parityCount: wholeFrame.parityCount,
    },
  );
  const plain = kernel.build(job, au);
  wholeFrame.packets.forEach(({ header }, index) => {
    const packet = plain.subarray(index * job.shardSizeBytes, (index + 1) * job.shardSizeBytes);
    assert.equal(toHex(packet.subarray(0, 40)), header);
    assert.equal(sha256(packet.subarray(40)), wholeFrame.payloadSha256);
  });

  const nonceTemplate = concatBytes(Uint8Array.fromHex(salt), new Uint8Array(8));
  nonceTemplate[0] = (nonceTemplate[0] ?? 0) & 0x7f;
  job.seal = { ...punktfunkSeal(Uint8Array.fromHex(aes128Key)), nonceTemplate };
  job.sealPrefix = new Uint8Array(8);
  job.sealCounter = BigInt(wholeFrame.sealSequence);
  const sealed = kernel.build(job, au);
  let from = 0;
  for (const { datagramSizeBytes, datagramStart, tag, sha256: digest } of wholeFrame.packets) {
    const datagram = sealed.subarray(from, from += datagramSizeBytes);
    assert.equal(toHex(datagram.subarray(0, 32)), datagramStart);
    assert.equal(toHex(datagram.subarray(-16)), tag);
    assert.equal(sha256(datagram), digest);
  }
  assert.equal(from, sealed.byteLength);
});

contract("build() makes punktfunk/1 frames over GF(2^8), too", (kernel) => {
  const { data, parity } = fecVectors.gf256.smallCase;
  const au = Uint8Array.fromHex(data.join(""));
  const headers = [...data, ...parity].map((_, index) => new Uint8Array(40).fill(index + 1));
  const job = punktfunkJob(headers, {
    shardPayloadBytes: 8,
    auSizeBytes: au.byteLength,
    parityCount: parity.length,
  });
  const built = kernel.build({ ...job, fieldBits: 8 }, au);
  const expected = [...data, ...parity].map((payload, index) =>
    toHex(headers[index] ?? NOTHING) + payload
  );
  assert.equal(toHex(built), expected.join(""));
});

Deno.test("native and reference kernel agree on GF(2^16) blocks of every shape", () => {
  const reference = createReferenceKernel();
  using native = openNativeKernel();
  for (const [dataCount, parityCount] of GF65536_SHAPES) {
    const { job } = smallJob(dataCount, parityCount);
    const payloadSizeBytes = 66 + 2 * (dataCount % 64);
    const wide: WireJob = {
      ...job,
      fieldBits: 16,
      shardSizeBytes: 8 + payloadSizeBytes,
      auSizeBytes: dataCount * payloadSizeBytes - 1,
      fecOffsetBytes: 8,
      seal: punktfunkSeal(new Uint8Array(16)),
      sealPrefix: new Uint8Array(8),
    };
    const au = Uint8Array.from({ length: wide.auSizeBytes }, (_, at) => at * at >> 5);
    const shape = `${dataCount} + ${parityCount}`;
    assert.equal(sha256(native.build(wide, au)), sha256(reference.build(wide, au)), shape);
  }
});

Deno.test("native and reference kernel build the same datagrams from arbitrary jobs", () => {
  const reference = createReferenceKernel();
  using native = openNativeKernel();
  fc.assert(
    fc.property(arbitraryJob, ({ job, au }) => {
      assert.equal(toHex(native.build(job, au)), toHex(reference.build(job, au)));
    }),
    { numRuns: 150 },
  );
});

Deno.test("FrameKernel.build() gives the same at every level of arithmetic the processor has", () => {
  using kernel = new FrameKernel();
  const { job, au } = smallJob(40, 13);
  for (const fieldBits of [8, 16] as const) {
    // 1210 bytes a shard: whole vectors of every width, several strips, and a rest.
    const auSizeBytes = 40 * 1202;
    const wide = { ...job, fieldBits, shardSizeBytes: 1210, auSizeBytes };
    const unit = Uint8Array.from({ length: auSizeBytes }, (_, at) => at * at + au.byteLength);
    const expected = createReferenceKernel().build(wide, unit);
    const found = new Uint8Array(expected.byteLength);
    const tried = WIRE_LEVELS.filter((level) => {
      if (!kernel.setLevel(level)) return false;
      assert.equal(kernel.level, level);
      kernel.build(wide, unit, found.fill(0));
      assert.deepEqual(found, expected, `${level}, ${fieldBits} bits`);
      return true;
    });
    assert.ok(tried.includes("scalar"));
  }
});

Deno.test("NativeKernel.build() reads an access unit in C memory", () => {
  using kernel = openNativeKernel();
  const { job, au } = smallJob(5, 2);
  const pointer = Deno.UnsafePointer.of(au);
  assert.ok(pointer !== null);
  const inC: NativeBytes = { pointer, sizeBytes: au.byteLength };
  assert.deepEqual(kernel.build(job, inC), kernel.build(job, au));
  assert.deepEqual(createReferenceKernel().build(job, inC), kernel.build(job, au));
});

Deno.test("openNativeKernel() names its arithmetic, and close() twice is legal", () => {
  const kernel = openNativeKernel();
  assert.match(
    kernel.description,
    /^native \((scalar|ssse3|avx2|avx512|gfni avx2|gfni avx512|neon)\)$/,
  );
  kernel.close();
  kernel.close();
  const { job, au } = smallJob(1, 0);
  assert.throws(() => kernel.build(job, au), OperationError);
});

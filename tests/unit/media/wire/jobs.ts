/**
 * Jobs for tests of the wire kernel: those of the vectors' frames, and arbitrary ones.
 *
 * @module
 */
import fc from "fast-check";
import { concatBytes } from "../../../../src/lib/bytes.ts";
import type { SealCipher, SealRule, WireJob } from "../../../../src/protocol/wire_job.ts";

const GAMESTREAM_HEADER_SIZE_BYTES = 32;
const PUNKTFUNK_HEADER_SIZE_BYTES = 40;

function mask(sizeBytes: number, ...ranges: readonly (readonly [number, number])[]): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  for (const [from, to] of ranges) bytes.fill(0xff, from, to);
  return bytes;
}

/** GameStream 7.6: nonce and tag in a prefix of 32 bytes. */
export function gamestreamSeal(key: Uint8Array): SealRule {
  return {
    cipher: "aes-128-gcm",
    key,
    nonceTemplate: Uint8Array.fromHex("000000000000000000000056"),
    nonceCounterOffset: 0,
    isNonceCounterBigEndian: false,
    prefixSizeBytes: 32,
    prefixNonceFrom: 0,
    prefixNonceLength: 12,
    tagOffset: 16,
    aadSizeBytes: 0,
  };
}

/** punktfunk/1 4.4: salt ‖ sequence, the sequence in front and authenticated, the tag behind. */
export function punktfunkSeal(key: Uint8Array, cipher: SealCipher = "aes-128-gcm"): SealRule {
  return {
    cipher,
    key,
    nonceTemplate: Uint8Array.fromHex("0a0b0c0d0000000000000000"),
    nonceCounterOffset: 4,
    isNonceCounterBigEndian: true,
    prefixSizeBytes: 8,
    prefixNonceFrom: 4,
    prefixNonceLength: 8,
    tagOffset: -1,
    aadSizeBytes: 8,
  };
}

/** The job of a punktfunk/1 frame in one block: the FEC covers payloads alone, and each header is sent as it is. */
export function punktfunkJob(
  headers: readonly Uint8Array[],
  options: {
    readonly shardPayloadBytes: number;
    readonly auSizeBytes: number;
    readonly parityCount: number;
  },
): WireJob {
  const { shardPayloadBytes, auSizeBytes, parityCount } = options;
  return {
    shardSizeBytes: PUNKTFUNK_HEADER_SIZE_BYTES + shardPayloadBytes,
    headerSizeBytes: PUNKTFUNK_HEADER_SIZE_BYTES,
    headers: concatBytes(...headers),
    packetCount: headers.length,
    prologue: new Uint8Array(0),
    auSizeBytes,
    blocks: [{ dataCount: headers.length - parityCount, parityCount }],
    blockCount: 1,
    fieldBits: 16,
    order: "data-first",
    fecOffsetBytes: PUNKTFUNK_HEADER_SIZE_BYTES,
    dataHeaderMask: new Uint8Array(PUNKTFUNK_HEADER_SIZE_BYTES),
    parityHeaderMask: mask(PUNKTFUNK_HEADER_SIZE_BYTES, [0, PUNKTFUNK_HEADER_SIZE_BYTES]),
    seal: null,
    sealCounter: 0n,
    sealPrefix: new Uint8Array(0),
  };
}

/** The job of a GameStream frame in one block whose finished datagrams give the headers. */
export function gamestreamJob(
  datagrams: readonly Uint8Array[],
  options: { readonly prologue: Uint8Array; readonly auSizeBytes: number },
): WireJob {
  const shardSizeBytes = datagrams[0]?.byteLength ?? 0;
  const payloadSizeBytes = shardSizeBytes - GAMESTREAM_HEADER_SIZE_BYTES;
  const streamSizeBytes = options.prologue.byteLength + options.auSizeBytes;
  const dataCount = Math.ceil(streamSizeBytes / payloadSizeBytes);
  return {
    shardSizeBytes,
    headerSizeBytes: GAMESTREAM_HEADER_SIZE_BYTES,
    headers: concatBytes(
      ...datagrams.map((datagram) => datagram.subarray(0, GAMESTREAM_HEADER_SIZE_BYTES)),
    ),
    packetCount: datagrams.length,
    prologue: options.prologue,
    auSizeBytes: options.auSizeBytes,
    blocks: [{ dataCount, parityCount: datagrams.length - dataCount }],
    blockCount: 1,
    fieldBits: 8,
    order: "block",
    fecOffsetBytes: 0,
    dataHeaderMask: mask(GAMESTREAM_HEADER_SIZE_BYTES, [16, 28]),
    parityHeaderMask: mask(GAMESTREAM_HEADER_SIZE_BYTES, [0, 16], [20, 24], [27, 32]),
    seal: null,
    sealCounter: 0n,
    sealPrefix: new Uint8Array(0),
  };
}

const bytesOf = (sizeBytes: number) =>
  fc.uint8Array({ minLength: sizeBytes, maxLength: sizeBytes });
const maskOf = (sizeBytes: number) =>
  fc.array(fc.constantFrom(0, 0xff), { minLength: sizeBytes, maxLength: sizeBytes })
    .map((bytes) => Uint8Array.from(bytes));

const arbitrarySeal: fc.Arbitrary<SealRule | null> = fc.oneof(
  fc.constant(null),
  bytesOf(16).map(gamestreamSeal),
  bytesOf(16).map((key) => punktfunkSeal(key)),
  bytesOf(32).map((key) => ({ ...gamestreamSeal(key), cipher: "chacha20-poly1305" as const })),
  bytesOf(32).map((key) => punktfunkSeal(key, "chacha20-poly1305")),
);

export interface PlannedUnit {
  readonly job: WireJob;
  readonly au: Uint8Array<ArrayBuffer>;
}

/** Any job the kernel takes, small enough for the reference, with its access unit. */
export const arbitraryJob: fc.Arbitrary<PlannedUnit> = fc.record({
  headerSizeBytes: fc.integer({ min: 0, max: 64 }),
  payloadSizeBytes: fc.integer({ min: 1, max: 300 }),
  blocks: fc.array(
    fc.record(
      { dataCount: fc.integer({ min: 1, max: 9 }), parityCount: fc.integer({ min: 0, max: 14 }) },
      { noNullPrototype: true },
    ),
    { minLength: 1, maxLength: 4 },
  ),
  fieldBits: fc.constantFrom(8 as const, 16 as const),
  order: fc.constantFrom("block" as const, "data-first" as const),
  seal: arbitrarySeal,
  sealCounter: fc.bigInt({ min: 0n, max: (1n << 64n) - 1000n }),
}, { noNullPrototype: true }).chain((shape) => {
  const { headerSizeBytes, payloadSizeBytes, blocks } = shape;
  const dataCount = blocks.reduce((sum, block) => sum + block.dataCount, 0);
  const packetCount = blocks.reduce((sum, block) => sum + block.parityCount, dataCount);
  // The last packet holds at least one byte, and a single one may hold none.
  const streamMin = dataCount === 1 ? 0 : (dataCount - 1) * payloadSizeBytes + 1;
  const stream = fc.integer({ min: streamMin, max: dataCount * payloadSizeBytes })
    .chain((sizeBytes) => fc.tuple(bytesOf(sizeBytes), fc.integer({ min: 0, max: sizeBytes })));
  return fc.tuple(
    stream,
    bytesOf(packetCount * headerSizeBytes),
    maskOf(headerSizeBytes),
    maskOf(headerSizeBytes),
    fc.integer({ min: 0, max: headerSizeBytes }),
    bytesOf(64),
  ).map(([[bytes, split], headers, dataMask, parityMask, fecOffsetBytes, prefix]) => ({
    job: {
      shardSizeBytes: headerSizeBytes + payloadSizeBytes,
      headerSizeBytes,
      headers,
      packetCount,
      prologue: bytes.slice(0, split),
      auSizeBytes: bytes.byteLength - split,
      blocks,
      blockCount: blocks.length,
      // GF(2^16) covers an even number of bytes.
      fieldBits: (headerSizeBytes + payloadSizeBytes - fecOffsetBytes) % 2 === 0
        ? shape.fieldBits
        : 8 as const,
      order: shape.order,
      fecOffsetBytes,
      dataHeaderMask: dataMask,
      parityHeaderMask: parityMask,
      seal: shape.seal,
      sealCounter: shape.sealCounter,
      sealPrefix: prefix.slice(0, shape.seal?.prefixSizeBytes ?? 0),
    },
    au: bytes.slice(split) as Uint8Array<ArrayBuffer>,
  }));
});

/**
 * Cuts access units into GameStream video datagrams (specification 7.2 to 7.6). P is the negotiated packet size.
 *
 *     datagram, P + 16 bytes, the same for every packet          frame header, 8 bytes, in front of the access unit
 *
 *     offset  size  field                                        offset  size  field
 *     0       1     0x90                                         0       1     0x01
 *     1       1     0                                            1       2     LE capture to send, 0.1 ms, 0 unknown
 *     2       2     BE sequence of the datagram                  3       1     1 P, 2 IDR, 5 P after invalidation
 *     4       4     BE timestamp, 90 kHz                         4       2     LE payload bytes of the last packet
 *     8       8     0                                            6       2     0
 *     16      4     LE (24-bit number of the datagram) << 8
 *     20      4     LE frame index, from 1
 *     24      1     0x01 data, 0x02 end, 0x04 start of block     encrypted datagram
 *     25      1     0
 *     26      1     0x10                                         offset  size  field
 *     27      1     block << 4 | last block << 6                 0       12    nonce: LE64 counter, 0 0 0, "V"
 *     28      4     LE data << 22 | shard << 12 | percent << 4   12      4     LE frame index
 *     32      P−16  payload                                      16      16    AES-128-GCM tag
 *                                                                32      P+16  ciphertext of the datagram
 *
 * Parity covers whole datagrams with bytes 0…15 and 28…31 taken as zero. Parity datagrams keep what the code made of bytes
 * 16…19 and 24…26: the client restores a lost packet's fields from them.
 *
 * @module
 */
import { viewOf } from "../../lib/bytes.ts";
import type {
  AccessUnitFacts,
  AccessUnitKind,
  Packetiser,
  SealRule,
  WireJob,
} from "../wire_job.ts";
import {
  type ParitySettings,
  planVideoBlocks,
  VIDEO_BLOCKS_MAX,
  type VideoBlock,
} from "./video_blocks.ts";

export const VIDEO_HEADER_SIZE_BYTES = 32;
export const FRAME_HEADER_SIZE_BYTES = 8;
export const VIDEO_SEAL_PREFIX_SIZE_BYTES = 32;
/** Of a datagram's P + 16 bytes, those in front of P. */
export const RTP_HEADER_SIZE_BYTES = 16;
export const FLAG_PICTURE_DATA = 0x01;
export const FLAG_BLOCK_END = 0x02;
export const FLAG_BLOCK_START = 0x04;

const FRAME_TYPES: Readonly<Record<AccessUnitKind, number>> = {
  "p": 1,
  "idr": 2,
  "p-after-invalidation": 5,
};
const MULTI_FEC_FLAGS = 0x10;
const PACKET_NUMBER_MODULUS = 1 << 24;

export interface VideoPacketiserOptions extends ParitySettings {
  /** P: what ANNOUNCE's packetSize says. */
  readonly packetSizeBytes: number;
  /** rikey when the stream is encrypted, else null. */
  readonly key: Uint8Array | null;
}

export function createVideoPacketiser(options: VideoPacketiserOptions): Packetiser {
  return new VideoPacketiser(options);
}

class VideoPacketiser implements Packetiser {
  readonly #settings: ParitySettings;
  readonly #payloadSizeBytes: number;
  readonly #prologue = viewOf(new Uint8Array(FRAME_HEADER_SIZE_BYTES));
  readonly #sealPrefix: DataView;
  readonly #blocks: VideoBlock[] = Array.from(
    { length: VIDEO_BLOCKS_MAX },
    () => ({ dataCount: 0, parityCount: 0, percent: 0 }),
  );
  readonly #job: WireJob;
  #headers = viewOf(new Uint8Array(0));
  #frameIndex = 1;
  #packetNumber = 0;
  #timestampUs = 0;

  constructor(options: VideoPacketiserOptions) {
    this.#settings = options;
    this.#payloadSizeBytes = options.packetSizeBytes + RTP_HEADER_SIZE_BYTES -
      VIDEO_HEADER_SIZE_BYTES;
    const sealPrefix = new Uint8Array(options.key === null ? 0 : VIDEO_SEAL_PREFIX_SIZE_BYTES);
    this.#sealPrefix = viewOf(sealPrefix);
    this.#job = {
      shardSizeBytes: options.packetSizeBytes + RTP_HEADER_SIZE_BYTES,
      headerSizeBytes: VIDEO_HEADER_SIZE_BYTES,
      headers: new Uint8Array(0),
      packetCount: 0,
      prologue: new Uint8Array(this.#prologue.buffer),
      auSizeBytes: 0,
      blocks: this.#blocks,
      blockCount: 0,
      fieldBits: 8,
      order: "block",
      fecOffsetBytes: 0,
      dataHeaderMask: maskOf([[16, 28]]),
      parityHeaderMask: maskOf([[0, 16], [20, 24], [27, 32]]),
      seal: options.key === null ? null : sealRuleOf(options.key),
      sealCounter: 0n,
      sealPrefix,
    };
  }

  get nextFrameIndex(): number {
    return this.#frameIndex;
  }

  plan(facts: AccessUnitFacts): WireJob {
    const job = this.#job;
    const streamSizeBytes = FRAME_HEADER_SIZE_BYTES + facts.sizeBytes;
    // Throws, if at all, before anything has moved.
    job.blockCount = planVideoBlocks(
      facts.sizeBytes < 1 ? 0 : Math.ceil(streamSizeBytes / this.#payloadSizeBytes),
      this.#blocks,
      this.#settings,
    );
    // The numbers of the job planned before have been used up by now.
    job.sealCounter += BigInt(job.packetCount);
    job.auSizeBytes = facts.sizeBytes;
    this.#writeFrameHeader(facts, streamSizeBytes);
    job.packetCount = this.#writeHeaders(facts);
    if (job.seal !== null) this.#sealPrefix.setUint32(12, this.#frameIndex, true);
    this.#frameIndex++;
    return job;
  }

  #writeFrameHeader(facts: AccessUnitFacts, streamSizeBytes: number): void {
    const latency = Math.round((facts.nowUs - facts.capturedAtUs) / 100);
    this.#prologue.setUint8(0, 0x01);
    this.#prologue.setUint16(1, Math.min(Math.max(latency, 0), 0xffff), true);
    this.#prologue.setUint8(3, FRAME_TYPES[facts.kind]);
    const lastSizeBytes = streamSizeBytes % this.#payloadSizeBytes || this.#payloadSizeBytes;
    this.#prologue.setUint16(4, lastSizeBytes, true);
  }

  /** Headers of every datagram of the planned blocks. Returns how many there are. */
  #writeHeaders(facts: AccessUnitFacts): number {
    const { blockCount } = this.#job;
    let packetCount = 0;
    for (let index = 0; index < blockCount; index++) {
      const block = this.#blocks[index];
      if (block !== undefined) packetCount += block.dataCount + block.parityCount;
    }
    this.#fitHeaders(packetCount);
    // A repeated picture keeps its capture time; the client's clock must not run backwards for one.
    this.#timestampUs = Math.max(this.#timestampUs, facts.capturedAtUs);
    const timestamp = Math.floor(this.#timestampUs * 9 / 100) % 2 ** 32;
    let offset = 0;
    for (let index = 0; index < blockCount; index++) {
      const block = this.#blocks[index];
      if (block === undefined) continue;
      const multiFecBlocks = (index << 4) | ((blockCount - 1) << 6);
      offset = this.#writeBlock(block, { offset, multiFecBlocks, timestamp });
    }
    return packetCount;
  }

  #writeBlock(
    block: VideoBlock,
    options: {
      readonly offset: number;
      readonly multiFecBlocks: number;
      readonly timestamp: number;
    },
  ): number {
    const view = this.#headers;
    const { dataCount, parityCount, percent } = block;
    let { offset } = options;
    for (let shard = 0; shard < dataCount + parityCount; shard++) {
      let flags = shard < dataCount ? FLAG_PICTURE_DATA : 0;
      if (shard === 0) flags |= FLAG_BLOCK_START;
      if (shard === dataCount - 1) flags |= FLAG_BLOCK_END;
      view.setUint16(offset, 0x9000);
      view.setUint16(offset + 2, this.#packetNumber & 0xffff);
      view.setUint32(offset + 4, options.timestamp);
      view.setUint32(offset + 16, this.#packetNumber << 8, true);
      view.setUint32(offset + 20, this.#frameIndex, true);
      view.setUint8(offset + 24, flags);
      view.setUint8(offset + 26, MULTI_FEC_FLAGS);
      view.setUint8(offset + 27, options.multiFecBlocks);
      view.setUint32(offset + 28, (dataCount << 22) | (shard << 12) | (percent << 4), true);
      this.#packetNumber = (this.#packetNumber + 1) % PACKET_NUMBER_MODULUS;
      offset += VIDEO_HEADER_SIZE_BYTES;
    }
    return offset;
  }

  /** Makes `headers` of the job exactly as large as the frame. Bytes that no field covers are zero and never written. */
  #fitHeaders(packetCount: number): void {
    const sizeBytes = packetCount * VIDEO_HEADER_SIZE_BYTES;
    if (this.#job.headers.byteLength === sizeBytes) return;
    if (this.#headers.byteLength < sizeBytes) {
      this.#headers = viewOf(new Uint8Array(sizeBytes * 2));
    }
    this.#job.headers = new Uint8Array(this.#headers.buffer, 0, sizeBytes);
  }
}

function maskOf(ranges: readonly (readonly [from: number, to: number])[]): Uint8Array {
  const mask = new Uint8Array(VIDEO_HEADER_SIZE_BYTES);
  for (const [from, to] of ranges) mask.fill(0xff, from, to);
  return mask;
}

function sealRuleOf(key: Uint8Array): SealRule {
  const nonceTemplate = new Uint8Array(12);
  nonceTemplate[11] = 0x56;
  return {
    cipher: "aes-128-gcm",
    key,
    nonceTemplate,
    nonceCounterOffset: 0,
    isNonceCounterBigEndian: false,
    prefixSizeBytes: VIDEO_SEAL_PREFIX_SIZE_BYTES,
    prefixNonceFrom: 0,
    prefixNonceLength: 12,
    tagOffset: 16,
    aadSizeBytes: 0,
  };
}

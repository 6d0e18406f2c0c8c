/**
 * From video datagrams to access units, as strict as a client and with a record of everything a client would mind
 * (GameStream specification 7.2 to 7.8). Pure.
 *
 *     datagram → opened → order checked → block (any k of k + p) → frame (block after block) → access unit
 *
 * A datagram of a later block or frame makes it give up on what is incomplete.
 *
 * @module
 */
import { cauchyCode, reconstruct } from "../../src/protocol/fec/gf256.ts";
import { type ClientCodec, isKeyAccessUnit, keySliceOffset } from "./access_unit.ts";
import {
  openVideoDatagram,
  payloadOf,
  readVideoDatagram,
  shardOf,
  type VideoDatagram,
} from "./video_datagram.ts";

const FRAME_HEADER_SIZE_BYTES = 8;
const FLAG_DATA = 1;
const FLAG_END = 2;
const FLAG_START = 4;
const VIOLATIONS_MAX = 100;

export type FrameType = "p" | "idr" | "intra-refresh" | "p-after-invalidation" | "unknown";
const FRAME_TYPES: Readonly<Record<number, FrameType>> = {
  1: "p",
  2: "idr",
  4: "intra-refresh",
  5: "p-after-invalidation",
};

export interface ReceivedFrame {
  readonly frameIndex: number;
  /** What the frame header says. */
  readonly type: FrameType;
  /** What the bitstream says: decoding can start here. */
  readonly isKey: boolean;
  /** Everything it depends on has arrived. */
  readonly isDecodable: boolean;
  /** 90 kHz. */
  readonly timestamp: number;
  /** Capture to send, in 0.1 ms; 0 unknown. */
  readonly hostLatencyTenthsMs: number;
  /** The access unit without padding. */
  readonly data: Uint8Array;
  readonly blockCount: number;
  readonly dataPacketCount: number;
  readonly recoveredPacketCount: number;
  /** performance.now() at its last packet, or what `nowMs` gave. */
  readonly receivedAtMs: number;
}

export interface VideoStats {
  datagrams: number;
  bytes: number;
  /** Not opened by the key, or no video. */
  noise: number;
  /** Gaps in the sequence. */
  lostDatagrams: number;
  /** For blocks that are done or given up. */
  lateDatagrams: number;
  frames: number;
  lostFrames: number;
  recoveredPackets: number;
  /** Blocks rebuilt on purpose with one datagram left out, and those that came out different. */
  parityChecks: number;
  parityMismatches: number;
}

export interface VideoAssemblerOptions {
  readonly packetSizeBytes: number;
  /** rikey of an encrypted stream, else null. */
  readonly key: Uint8Array | null;
  readonly codec: ClientCodec;
  readonly onFrame: (frame: ReceivedFrame) => void;
  /** Frames that cannot be completed any more, both ends included. */
  readonly onLost: (range: { readonly first: number; readonly last: number }) => void;
  readonly nowMs?: () => number;
}

interface Block {
  readonly head: VideoDatagram;
  readonly firstSequence: number;
  readonly shards: (Uint8Array | undefined)[];
  arrivedCount: number;
  isDone: boolean;
}

export class VideoAssembler {
  readonly stats: VideoStats = {
    datagrams: 0,
    bytes: 0,
    noise: 0,
    lostDatagrams: 0,
    lateDatagrams: 0,
    frames: 0,
    lostFrames: 0,
    recoveredPackets: 0,
    parityChecks: 0,
    parityMismatches: 0,
  };
  /** What a client would mind, in words. The first hundred. */
  readonly violations: string[] = [];
  readonly #options: VideoAssemblerOptions;
  readonly #nonces = new Set<string>();
  #nextSequence = 0;
  #timestamp = -1;
  /** The frame being assembled, or the next one. */
  #frameIndex = 1;
  #block: Block | undefined;
  #payloads: Uint8Array[] = [];
  #recoveredCount = 0;
  #isReferenceLost = true;

  constructor(options: VideoAssemblerOptions) {
    this.#options = options;
  }

  /** Take one datagram as it came from the socket. */
  accept(bytes: Uint8Array): void {
    this.stats.datagrams++;
    this.stats.bytes += bytes.byteLength;
    const plain = this.#open(bytes);
    const datagram = plain && readVideoDatagram(plain, this.#options.packetSizeBytes);
    if (datagram === undefined) {
      this.stats.noise++;
      return;
    }
    this.#checkSequence(datagram);
    if (!this.#enterBlock(datagram)) {
      this.stats.lateDatagrams++;
      return;
    }
    this.#checkFields(datagram);
    this.#addShard(datagram);
  }

  #violate(text: string): void {
    if (this.violations.length < VIOLATIONS_MAX) this.violations.push(text);
  }

  #open(bytes: Uint8Array): Uint8Array | undefined {
    const { key } = this.#options;
    if (key === null) return bytes;
    const opened = openVideoDatagram(bytes, key);
    if (opened === undefined) return undefined;
    if (this.#nonces.has(opened.nonce)) this.#violate(`nonce ${opened.nonce} is repeated`);
    this.#nonces.add(opened.nonce);
    if (!opened.nonce.endsWith("56")) this.#violate(`nonce ${opened.nonce} is not video's`);
    const inner = new DataView(opened.plain.buffer, opened.plain.byteOffset);
    if (opened.plain.byteLength >= 24 && inner.getUint32(20, true) !== opened.frameIndex) {
      this.#violate(`frame ${opened.frameIndex} outside, another one inside`);
    }
    return opened.plain;
  }

  #checkSequence(datagram: VideoDatagram): void {
    const gap = (datagram.sequence - this.#nextSequence) & 0xffff;
    if (gap >= 0x8000) {
      this.#violate(`sequence ${datagram.sequence} after ${this.#nextSequence - 1}`);
      return;
    }
    this.stats.lostDatagrams += gap;
    this.#nextSequence = (datagram.sequence + 1) & 0xffff;
  }

  /** Whether the datagram belongs to the block being assembled, which may begin with it. */
  #enterBlock(datagram: VideoDatagram): boolean {
    const { frameIndex, blockIndex } = datagram;
    if (frameIndex < this.#frameIndex) {
      return this.#isOfDoneBlock(datagram);
    }
    if (frameIndex > this.#frameIndex) {
      this.#lose(this.#frameIndex, frameIndex - 1);
      this.#startFrame(frameIndex);
    }
    const current = this.#block;
    const currentIndex = current?.head.frameIndex === frameIndex ? current.head.blockIndex : -1;
    if (blockIndex === currentIndex) return true;
    if (blockIndex < currentIndex) return false;
    if (blockIndex > currentIndex + 1 || (current !== undefined && !current.isDone)) {
      this.#lose(frameIndex, frameIndex);
      this.#startFrame(frameIndex + 1);
      return false;
    }
    this.#block = {
      head: datagram,
      firstSequence: (datagram.sequence - datagram.shardIndex) & 0xffff,
      shards: [],
      arrivedCount: 0,
      isDone: false,
    };
    return true;
  }

  /** Parity of the last block comes after its frame is complete, and is still checked. */
  #isOfDoneBlock(datagram: VideoDatagram): boolean {
    const head = this.#block?.head;
    return this.#block?.isDone === true && head?.frameIndex === datagram.frameIndex &&
      head.blockIndex === datagram.blockIndex;
  }

  #startFrame(frameIndex: number): void {
    this.#frameIndex = frameIndex;
    this.#block = undefined;
    this.#payloads = [];
    this.#recoveredCount = 0;
  }

  #lose(first: number, last: number): void {
    this.stats.lostFrames += last - first + 1;
    this.#isReferenceLost = true;
    this.#options.onLost({ first, last });
  }

  #checkFields(datagram: VideoDatagram): void {
    const block = this.#block;
    if (block === undefined) return;
    const { head } = block;
    const name =
      `frame ${datagram.frameIndex} block ${datagram.blockIndex} shard ${datagram.shardIndex}`;
    const isConsistent = datagram.dataCount === head.dataCount &&
      datagram.percent === head.percent && datagram.lastBlockIndex === head.lastBlockIndex &&
      datagram.timestamp === head.timestamp &&
      ((datagram.sequence - datagram.shardIndex) & 0xffff) === block.firstSequence;
    if (!isConsistent) this.#violate(`${name} contradicts its block`);
    if (datagram.timestamp < this.#timestamp) this.#violate(`${name} runs backwards in time`);
    this.#timestamp = datagram.timestamp;
    if (datagram.shardIndex >= head.dataCount) return;
    if ((datagram.packetNumber & 0xffff) !== datagram.sequence) {
      this.#violate(`${name} has packet number ${datagram.packetNumber}`);
    }
    this.#checkFlags(datagram.flags, datagram.shardIndex);
  }

  #checkFlags(flags: number, shardIndex: number): void {
    const dataCount = this.#block?.head.dataCount ?? 0;
    const expected = FLAG_DATA | (shardIndex === 0 ? FLAG_START : 0) |
      (shardIndex === dataCount - 1 ? FLAG_END : 0);
    if (flags !== expected) {
      this.#violate(`frame ${this.#frameIndex} shard ${shardIndex} has flags ${flags}`);
    }
  }

  #addShard(datagram: VideoDatagram): void {
    const block = this.#block;
    if (block === undefined || block.shards[datagram.shardIndex] !== undefined) return;
    block.shards[datagram.shardIndex] = shardOf(datagram.bytes);
    block.arrivedCount++;
    if (!block.isDone && block.arrivedCount >= block.head.dataCount) this.#finishBlock(block);
    else this.#checkParity(block, datagram.shardIndex);
  }

  #finishBlock(block: Block): void {
    const { dataCount, parityCount, blockIndex, lastBlockIndex } = block.head;
    block.isDone = true;
    for (let index = 0; index < dataCount; index++) {
      if (block.shards[index] === undefined) this.#recoveredCount++;
    }
    const isComplete = block.shards.length >= dataCount &&
      Array.from({ length: dataCount }, (_, index) => block.shards[index]).every(Boolean);
    const data = isComplete
      ? block.shards.slice(0, dataCount).filter((shard) => shard !== undefined)
      : reconstruct(block.shards, cauchyCode(dataCount, parityCount));
    data.forEach((shard, index) => {
      this.#checkFlags(shard[24] ?? 0, index);
      this.#payloads.push(payloadOf(shard));
    });
    if (blockIndex === lastBlockIndex) this.#finishFrame(block.head);
  }

  /** Leave one data shard out, rebuild it from one parity shard, compare: one block, one row of its matrix. */
  #checkParity(block: Block, shardIndex: number): void {
    const { dataCount, parityCount, frameIndex } = block.head;
    if (!block.isDone || shardIndex !== dataCount + frameIndex % parityCount) return;
    const lost = frameIndex % dataCount;
    const expected = block.shards[lost];
    const shards = block.shards.slice(0, dataCount);
    if (expected === undefined || shards.filter(Boolean).length < dataCount) return;
    shards[lost] = undefined;
    shards[shardIndex] = block.shards[shardIndex];
    const rebuilt = reconstruct(shards, cauchyCode(dataCount, parityCount))[lost];
    this.stats.parityChecks++;
    const isEqual = rebuilt?.every((byte, at) =>
      // Frame index and block number of a parity datagram are its own, not the code's.
      (at >= 20 && at < 24) || at === 27 || at < 16 || (at >= 28 && at < 32) ||
      byte === expected[at]
    );
    if (isEqual !== true) this.stats.parityMismatches++;
  }

  #finishFrame(head: VideoDatagram): void {
    const payloadSizeBytes = this.#options.packetSizeBytes - 16;
    const stream = new Uint8Array(this.#payloads.length * payloadSizeBytes);
    this.#payloads.forEach((payload, index) => stream.set(payload, index * payloadSizeBytes));
    const view = new DataView(stream.buffer);
    const lastSizeBytes = view.getUint16(4, true);
    const endOffset = stream.length - payloadSizeBytes + lastSizeBytes;
    if (
      view.getUint8(0) !== 1 || view.getUint16(6) !== 0 || lastSizeBytes < 1 ||
      lastSizeBytes > payloadSizeBytes || endOffset <= FRAME_HEADER_SIZE_BYTES
    ) {
      this.#violate(`frame ${head.frameIndex} has no good frame header`);
    }
    if (stream.subarray(endOffset).some((byte) => byte !== 0)) {
      this.#violate(`frame ${head.frameIndex} is padded with other bytes than zeros`);
    }
    const data = stream.slice(FRAME_HEADER_SIZE_BYTES, endOffset);
    const type = FRAME_TYPES[view.getUint8(3)] ?? "unknown";
    const isKey = isKeyAccessUnit(data, this.#options.codec);
    this.#checkKeyFrame(data, { frameIndex: head.frameIndex, type, isKey });
    if (isKey || type === "p-after-invalidation") this.#isReferenceLost = false;
    this.stats.frames++;
    this.stats.recoveredPackets += this.#recoveredCount;
    const frame: ReceivedFrame = {
      frameIndex: head.frameIndex,
      type,
      isKey,
      isDecodable: !this.#isReferenceLost,
      timestamp: head.timestamp,
      hostLatencyTenthsMs: view.getUint16(1, true),
      data,
      blockCount: head.lastBlockIndex + 1,
      dataPacketCount: this.#payloads.length,
      recoveredPacketCount: this.#recoveredCount,
      receivedAtMs: (this.#options.nowMs ?? (() => performance.now()))(),
    };
    this.#frameIndex = head.frameIndex + 1;
    this.#payloads = [];
    this.#recoveredCount = 0;
    this.#options.onFrame(frame);
  }

  #checkKeyFrame(
    data: Uint8Array,
    frame: { readonly frameIndex: number; readonly type: FrameType; readonly isKey: boolean },
  ): void {
    const { codec, packetSizeBytes } = this.#options;
    if (frame.isKey !== (frame.type === "idr")) {
      this.#violate(`frame ${frame.frameIndex} is of type ${frame.type}, key: ${frame.isKey}`);
    }
    if (codec === "av1" || !frame.isKey) return;
    const firstPayloadSizeBytes = packetSizeBytes - 16 - FRAME_HEADER_SIZE_BYTES;
    const offset = keySliceOffset(data, codec);
    if (offset === undefined || offset + 4 > firstPayloadSizeBytes) {
      this.#violate(`frame ${frame.frameIndex}: its first slice is not in the first packet`);
    }
  }
}

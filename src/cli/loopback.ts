/**
 * Sends access units through packets, loss and repair, and compares what comes out with what went in.
 *
 * @module
 */
import { equalBytes } from "../lib/bytes.ts";
import { ProtocolError } from "../lib/errors.ts";
import type { WireKernelCore } from "../media/wire/kernel.ts";
import {
  createVideoPacketiser,
  RTP_HEADER_SIZE_BYTES,
} from "../protocol/gamestream/video_packetiser.ts";
import type { AccessUnitKind, Packetiser } from "../protocol/wire_job.ts";
import { reassembleFrame } from "./video_reassembly.ts";

const FEC_PERCENT = 20;
const PARITY_PACKETS_MIN = 2;

export interface LoopbackOptions {
  readonly kernel: WireKernelCore;
  readonly packetSizeBytes: number;
  /** 0…100. */
  readonly lossPercent: number;
  /** Uniform in 0…1, 1 excluded. */
  readonly random: () => number;
}

export interface LoopbackCounts {
  packets: number;
  droppedPackets: number;
  /** Frames that lost packets and came out whole. */
  repairedFrames: number;
  /** Frames that lost more than the parity could repair. */
  lostFrames: number;
  /** Frames that came out different: always a fault of this program. */
  wrongFrames: number;
}

export class Loopback {
  readonly counts: LoopbackCounts = {
    packets: 0,
    droppedPackets: 0,
    repairedFrames: 0,
    lostFrames: 0,
    wrongFrames: 0,
  };
  readonly #options: LoopbackOptions;
  readonly #packetiser: Packetiser;
  readonly #datagramSizeBytes: number;

  constructor(options: LoopbackOptions) {
    this.#options = options;
    this.#datagramSizeBytes = options.packetSizeBytes + RTP_HEADER_SIZE_BYTES;
    this.#packetiser = createVideoPacketiser({
      packetSizeBytes: options.packetSizeBytes,
      fecPercent: FEC_PERCENT,
      minParityPackets: PARITY_PACKETS_MIN,
      key: null,
    });
  }

  pass(au: Uint8Array, kind: AccessUnitKind, capturedAtUs: number): void {
    const { kernel, lossPercent, random } = this.#options;
    const job = this.#packetiser.plan({
      sizeBytes: au.byteLength,
      kind,
      capturedAtUs,
      nowUs: capturedAtUs,
    });
    const sent = kernel.build(job, au);
    const arrived: Uint8Array[] = [];
    for (let offset = 0; offset < sent.byteLength; offset += this.#datagramSizeBytes) {
      this.counts.packets++;
      if (random() * 100 < lossPercent) this.counts.droppedPackets++;
      else arrived.push(sent.subarray(offset, offset + this.#datagramSizeBytes));
    }
    const hasLoss = arrived.length * this.#datagramSizeBytes < sent.byteLength;
    try {
      if (!equalBytes(reassembleFrame(arrived), au)) this.counts.wrongFrames++;
      else if (hasLoss) this.counts.repairedFrames++;
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      if (hasLoss && error.code === "short") this.counts.lostFrames++;
      else this.counts.wrongFrames++;
    }
  }
}

/** A small generator with a fixed course, so that a run with loss can be repeated (xorshift32). */
export function seededRandom(seed: number): () => number {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/**
 * What the two Workers of `sustained.ts` are told and tell. Plain data only.
 *
 * @module
 */
import type { FecTerms } from "../../src/protocol/punktfunk1/fec_plan.ts";
import type { VideoReceiveStats } from "../../src/protocol/punktfunk1/video_reassembler.ts";

export interface SustainedPlan {
  /** Of access units, without parity and headers. */
  readonly videoKbps: number;
  readonly framesPerSecond: number;
  readonly frames: number;
  /** Packets that are sealed and not sent. */
  readonly dropPercent: number;
}

export const SOCKET_ADDRESS = "127.0.0.1";
export const TERMS: FecTerms = { scheme: "gf65536", percent: 10, blockDataShardsMax: 4096 };
export const SHARD_PAYLOAD_BYTES = 1408;
export const FRAME_BYTES_MAX = 64 * 1024 * 1024;
export const SECRETS = {
  cipher: "aes-128-gcm",
  key: new Uint8Array(16).fill(1),
  salt: new Uint8Array(4).fill(2),
} as const;

export interface SenderReport {
  readonly packets: number;
  /** Datagrams. */
  readonly bytes: number;
  readonly refusedPackets: number;
  /** The longest that a frame began after its time. */
  readonly latestUs: number;
  readonly durationUs: number;
  readonly cpuUs: number;
}

export interface ReceiverReport {
  readonly video: VideoReceiveStats;
  /** Frames that differed from the pattern. */
  readonly wrongFrames: number;
  /** Of delivered access units. */
  readonly bytes: number;
  readonly overflowed: number;
  readonly forged: number;
  readonly bufferBytes: number;
  /** Batches that were fetched. */
  readonly batches: number;
  /** From a frame's capture time to its delivery, sorted. */
  readonly latenciesUs: readonly number[];
}

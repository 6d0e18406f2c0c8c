/**
 * The client's end of a simulated video stream: frames complete or given up by the rules of the real reassembler, the real recovery
 * and loss reports, and the automatic bitrate under test. Its clock may be off and drift.
 *
 * @module
 */
import { LossMeter } from "../../src/protocol/punktfunk1/loss_meter.ts";
import { AutomaticBitrate } from "../../src/protocol/punktfunk1/rate/automatic_bitrate.ts";
import { RecoveryClient } from "../../src/protocol/punktfunk1/recovery_client.ts";
import { USER_FLAG_KEY } from "../../src/protocol/punktfunk1/video_header.ts";
import {
  FRAME_PATIENCE_MS,
  FRAMES_AHEAD_MAX,
} from "../../src/protocol/punktfunk1/video_reassembler.ts";
import { PACKET_BYTES, type SimulatedFrame, type SimulatedPacket } from "./rate_host.ts";

export type ClientMessage =
  | { readonly kind: "set-bitrate"; readonly kbps: number }
  | { readonly kind: "loss-report"; readonly lossPpm: number }
  | { readonly kind: "recover" };

export interface RateClientOptions {
  readonly startKbps: number;
  readonly ceilingKbps: number;
  readonly refreshHz: number;
  readonly roundTripUs: number;
  /** The client's clock: offset, and what it runs fast, in millionths. */
  readonly clockOffsetUs: number;
  readonly driftPpm: number;
  readonly send: (message: ClientMessage, nowUs: number) => void;
}

export class RateClient {
  readonly rate: AutomaticBitrate;
  readonly #options: RateClientOptions;
  readonly #recovery = new RecoveryClient();
  readonly #losses = new LossMeter(0);
  readonly #counters = { packets: 0, recoveredShards: 0, lateRecoveredShards: 0 };
  readonly #frames = new Map<number, SimulatedFrame>();
  #next = 0;
  #newest = -1;
  #newestPtsUs = 0;
  /** Of the last frame that was delivered or given up, as far as known. */
  #passedPtsUs = 0;
  /** When pictures were shown. */
  readonly shownUs: number[] = [];
  lostFrames = 0;

  constructor(options: RateClientOptions) {
    this.#options = options;
    this.rate = new AutomaticBitrate(options);
    this.rate.roundTrip(options.roundTripUs);
  }

  clockUs(nowUs: number): number {
    const { clockOffsetUs, driftPpm } = this.#options;
    return nowUs * (1 + driftPpm / 1e6) + clockOffsetUs;
  }

  arrived({ frame, shardIndex, sequence }: SimulatedPacket, nowUs: number): void {
    this.#counters.packets++;
    frame.received++;
    if (shardIndex < frame.dataCount) frame.dataReceived++;
    if (frame.received === frame.dataCount) {
      this.#counters.recoveredShards += frame.dataCount - frame.dataReceived;
    }
    if (frame.index >= this.#next) this.#frames.set(frame.index, frame);
    if (frame.index > this.#newest) {
      this.#newest = frame.index;
      this.#newestPtsUs = frame.ptsUs;
    }
    this.rate.packet({
      frameIndex: frame.index,
      streamSequence: sequence | 0,
      ptsUs: frame.ptsUs,
      sizeBytes: PACKET_BYTES,
    }, this.clockUs(nowUs));
    this.#settle(nowUs);
    this.poll(nowUs);
  }

  poll(nowUs: number): void {
    const { send } = this.#options;
    const request = this.#recovery.poll(nowUs);
    const reports = this.#losses.poll(this.#counters, nowUs);
    // The rate first: what answers the recovery is to be small already.
    const kbps = this.rate.poll(this.clockUs(nowUs));
    if (kbps !== undefined) send({ kind: "set-bitrate", kbps }, nowUs);
    if (request !== undefined) send({ kind: "recover" }, nowUs);
    if (reports?.lossPpm !== undefined) {
      send({ kind: "loss-report", lossPpm: reports.lossPpm }, nowUs);
    }
  }

  #settle(nowUs: number): void {
    let gapFirst: number | undefined;
    while (this.#next <= this.#newest) {
      const frame = this.#frames.get(this.#next);
      if (frame !== undefined && frame.received >= frame.dataCount) {
        this.#reportGap(gapFirst, nowUs);
        gapFirst = undefined;
        this.#deliver(frame, nowUs);
      } else if (this.#isHopeless(frame)) {
        gapFirst ??= this.#next;
        this.#pass(frame);
      } else break;
    }
    this.#reportGap(gapFirst, nowUs);
  }

  /** Of a frame of which nothing came, undefined, the time is that of the one before it. */
  #isHopeless(frame: SimulatedFrame | undefined): boolean {
    const aheadUs = this.#newestPtsUs - (frame?.ptsUs ?? this.#passedPtsUs);
    const ahead = this.#newest - this.#next;
    return ahead > 0 && (ahead > FRAMES_AHEAD_MAX || aheadUs > FRAME_PATIENCE_MS * 1000);
  }

  #reportGap(first: number | undefined, nowUs: number): void {
    if (first === undefined) return;
    this.lostFrames += this.#next - first;
    this.#recovery.lost({ first, last: this.#next - 1 }, nowUs);
    this.rate.framesLost(this.clockUs(nowUs));
  }

  #pass(frame: SimulatedFrame | undefined): void {
    this.#frames.delete(this.#next++);
    this.#passedPtsUs = frame?.ptsUs ?? this.#passedPtsUs;
  }

  #deliver(frame: SimulatedFrame, nowUs: number): void {
    this.#pass(frame);
    if (this.#recovery.received(frame.isIdr ? USER_FLAG_KEY : 0, nowUs)) this.shownUs.push(nowUs);
  }
}

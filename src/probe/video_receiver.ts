/**
 * Video from opened packets to checked frames, and what the host is told of it (punktfunk/1 specification 4.7, 6.2, 8.3).
 *
 *     packet → VideoReassembler → frame → pattern check, statistics, file
 *                              → gap   → RecoveryClient → RfiRequest, RequestKeyframe
 *            → RateController  → SetBitrate
 *     every 750 ms             → LossReport, DeliveryReport
 *
 * @module
 */
import { isPattern } from "../media/encoders/pattern.ts";
import type { ControlMessage } from "../protocol/punktfunk1/control.ts";
import { frameBytesMaxOf } from "../protocol/punktfunk1/fec_plan.ts";
import type { BlockDecoder } from "../protocol/punktfunk1/frame_assembly.ts";
import { LossMeter } from "../protocol/punktfunk1/loss_meter.ts";
import { RecoveryClient } from "../protocol/punktfunk1/recovery_client.ts";
import {
  type ReceivedVideoFrame,
  type VideoGap,
  VideoReassembler,
  type VideoReceiveStats,
} from "../protocol/punktfunk1/video_reassembler.ts";
import type { BitrateChanged } from "../protocol/punktfunk1/control_video.ts";
import {
  createVideoHeader,
  decodeVideoHeader,
  looksLikeVideo,
  ptsApproximateNsOf,
  USER_FLAG_KEY,
  USER_FLAG_PROBE,
} from "../protocol/punktfunk1/video_header.ts";
import type { Welcome } from "../protocol/punktfunk1/welcome.ts";
import type { RateController } from "./rate_controller.ts";
import { StreamStatistics } from "./statistics.ts";

export interface VideoReceiverOptions {
  readonly welcome: Welcome;
  /** What Hello allowed. */
  readonly shardPayloadBytesMax: number;
  readonly send: (message: ControlMessage) => void;
  /** Microseconds from a frame's capture to its arrival; undefined while the host's clock is not known. */
  readonly latencyUs: (frame: ReceivedVideoFrame) => number | undefined;
  readonly nowUs: number;
  /** Every frame in order; the bytes are valid during the call only. */
  readonly onFrame?: (frame: ReceivedVideoFrame) => void;
  readonly rateController?: RateController;
  /** Instead of the portable decoder. */
  readonly decodeBlock?: BlockDecoder;
}

export class VideoReceiver {
  readonly statistics = new StreamStatistics();
  /** Frames that are not the byte pattern they ought to be. */
  wrongFrames = 0;
  verifiedFrames = 0;
  readonly #options: VideoReceiverOptions;
  readonly #reassembler: VideoReassembler;
  readonly #recovery = new RecoveryClient();
  readonly #loss: LossMeter;
  readonly #header = createVideoHeader();
  #isPattern: boolean | undefined;
  #nowUs: number;

  /** Throws ProtocolError for terms that no receiver takes. */
  constructor(options: VideoReceiverOptions) {
    const { welcome, shardPayloadBytesMax, nowUs } = options;
    this.#options = options;
    this.#nowUs = nowUs;
    this.#loss = new LossMeter(nowUs);
    // A test stream announces itself; one without an end is told by its first frame.
    if (welcome.frameCount > 0) this.#isPattern = true;
    this.#reassembler = new VideoReassembler({
      terms: {
        scheme: welcome.fecScheme,
        percent: welcome.fecPercent,
        blockDataShardsMax: welcome.dataShardsMax,
      },
      shardPayloadCeilingBytes: Math.max(welcome.shardPayloadBytes, shardPayloadBytesMax),
      frameBytesMax: frameBytesMaxOf(welcome.bitrateKbps, welcome.mode.refreshHz),
      ...(options.decodeBlock === undefined ? {} : { decodeBlock: options.decodeBlock }),
      onFrame: (frame) => this.#receive(frame),
      onGap: (gap) => this.#miss(gap),
    });
  }

  get packets(): Readonly<VideoReceiveStats> {
    return this.#reassembler.stats;
  }

  /** Whether every frame is checked against the byte pattern of test streams. */
  get isVerified(): boolean {
    return this.#isPattern === true;
  }

  /** Frames whose fate is known: they came, or will not. */
  get settledFrames(): number {
    return this.statistics.frames + this.statistics.lostFrames;
  }

  accept(packet: Uint8Array, nowUs: number): void {
    this.#nowUs = nowUs;
    this.#sense(packet, nowUs);
    this.#reassembler.accept(packet, nowUs);
  }

  /** The host said that it paused: the window that runs says nothing about the path. */
  paused(nowUs: number): void {
    this.#loss.discard();
    this.#options.rateController?.pipelineGap(nowUs);
  }

  granted(change: BitrateChanged, nowUs: number): void {
    this.#options.rateController?.granted(change, nowUs);
  }

  /** The path's, as the QUIC stack estimates it. */
  roundTrip(roundTripUs: number): void {
    this.#options.rateController?.roundTrip(roundTripUs);
  }

  /** Send what is due. */
  tick(nowUs: number): void {
    const { send, rateController } = this.#options;
    this.#nowUs = nowUs;
    // The rate first: what answers a recovery is to be small already.
    const kbps = rateController?.poll(nowUs);
    if (kbps !== undefined) send({ kind: "set-bitrate", kbps });
    const request = this.#recovery.poll(nowUs);
    if (request !== undefined) send(request);
    const reports = this.#loss.poll(this.packets, nowUs);
    if (reports === undefined) return;
    const { lossPpm, packetsReceived } = reports;
    if (lossPpm !== undefined) send({ kind: "loss-report", lossPpm });
    send({ kind: "delivery-report", packetsReceived });
  }

  #sense(packet: Uint8Array, nowUs: number): void {
    const { rateController } = this.#options;
    if (rateController === undefined || !looksLikeVideo(packet)) return;
    const header = decodeVideoHeader(packet, this.#header);
    if ((header.userFlags & USER_FLAG_PROBE) !== 0) return;
    rateController.packet({
      frameIndex: header.frameIndex,
      streamSequence: header.streamSequence,
      ptsUs: ptsApproximateNsOf(header) / 1000,
      sizeBytes: packet.byteLength,
    }, nowUs);
  }

  #receive(frame: ReceivedVideoFrame): void {
    const { data, frameIndex, userFlags, deliveredAtUs, firstPacketAtUs } = frame;
    const latencyUs = this.#options.latencyUs(frame);
    this.#isPattern ??= isPattern(data, frameIndex);
    if (this.#isPattern) {
      if (isPattern(data, frameIndex)) this.verifiedFrames++;
      else this.wrongFrames++;
    }
    this.#recovery.received(userFlags, deliveredAtUs);
    this.statistics.frame({
      sizeBytes: data.byteLength,
      deliveredAtUs,
      latencyUs,
      assemblyUs: deliveredAtUs - firstPacketAtUs,
      recoveredShards: frame.recoveredCount,
      isKeyFrame: (userFlags & USER_FLAG_KEY) !== 0,
    });
    this.#options.onFrame?.(frame);
  }

  #miss(gap: VideoGap): void {
    const count = ((gap.last - gap.first) >>> 0) + 1;
    this.#recovery.lost(gap, this.#nowUs);
    this.statistics.lost(count, this.#nowUs);
    this.#options.rateController?.framesLost(this.#nowUs);
  }
}

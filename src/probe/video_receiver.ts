/**
 * Video from opened packets to checked frames, and what the host is told of it (punktfunk/1 specification 4.7, 6.2, 8.3).
 *
 *     packet → VideoReassembler → frame → pattern check, statistics, file
 *                              → gap   → RecoveryClient → RfiRequest, RequestKeyframe
 *     every 750 ms             → LossReport, DeliveryReport, perhaps SetBitrate
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
import { USER_FLAG_KEY } from "../protocol/punktfunk1/video_header.ts";
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
  #isPattern: boolean | undefined;
  #grantedKbps: number;
  #window = { frames: 0, lostFrames: 0, latencyMaxUs: undefined as number | undefined };
  #nowUs: number;

  /** Throws ProtocolError for terms that no receiver takes. */
  constructor(options: VideoReceiverOptions) {
    const { welcome, shardPayloadBytesMax, nowUs } = options;
    this.#options = options;
    this.#nowUs = nowUs;
    this.#loss = new LossMeter(nowUs);
    this.#grantedKbps = welcome.bitrateKbps;
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
    this.#reassembler.accept(packet, nowUs);
  }

  /** The host said that it paused: the window that runs says nothing about the path. */
  paused(): void {
    this.#loss.discard();
  }

  granted(kbps: number, nowUs: number): void {
    this.#grantedKbps = kbps;
    this.#options.rateController?.granted(kbps, nowUs);
  }

  /** Send what is due. */
  tick(nowUs: number): void {
    this.#nowUs = nowUs;
    const request = this.#recovery.poll(nowUs);
    if (request !== undefined) this.#options.send(request);
    const reports = this.#loss.poll(this.packets, nowUs);
    if (reports === undefined) return;
    const { send, rateController } = this.#options;
    const { lossPpm, packetsReceived } = reports;
    if (lossPpm !== undefined) send({ kind: "loss-report", lossPpm });
    send({ kind: "delivery-report", packetsReceived });
    const sample = { ...this.#window, lossPpm, grantedKbps: this.#grantedKbps };
    this.#window = { frames: 0, lostFrames: 0, latencyMaxUs: undefined };
    const kbps = rateController?.sample(sample, nowUs);
    if (kbps !== undefined) send({ kind: "set-bitrate", kbps });
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
    this.#window.frames++;
    if (latencyUs !== undefined) {
      this.#window.latencyMaxUs = Math.max(this.#window.latencyMaxUs ?? latencyUs, latencyUs);
    }
    this.#options.onFrame?.(frame);
  }

  #miss(gap: VideoGap): void {
    const count = ((gap.last - gap.first) >>> 0) + 1;
    this.#recovery.lost(gap, this.#nowUs);
    this.statistics.lost(count, this.#nowUs);
    this.#window.lostFrames += count;
  }
}

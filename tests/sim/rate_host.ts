/**
 * The host's end of a simulated video stream: pictures of a size that follows the rate, an IDR when one is asked for, parity of the
 * real adaptive FEC, packets at the real pacing. It obeys SetBitrate from the next picture on.
 *
 * @module
 */
import { IdrGovernor } from "../../src/media/recovery.ts";
import { AdaptiveFec } from "../../src/protocol/punktfunk1/adaptive_fec.ts";
import { wantedParityCount } from "../../src/protocol/punktfunk1/fec_plan.ts";
import { videoBitrateKbps } from "../../src/protocol/punktfunk1/negotiation.ts";
import { type DeliveryProfile, pacingOf } from "../../src/protocol/punktfunk1/pacing_profile.ts";
import type { SeededRandom } from "../fuzz/seeded_random.ts";

export const SHARD_PAYLOAD_BYTES = 1_408;
export const PACKET_BYTES = SHARD_PAYLOAD_BYTES + 64;

/** A frame, as its packets carry it and as the client pieces it together. */
export interface SimulatedFrame {
  readonly index: number;
  /** On the host's clock. */
  readonly ptsUs: number;
  readonly isIdr: boolean;
  readonly dataCount: number;
  readonly packetCount: number;
  dataReceived: number;
  received: number;
}

export interface SimulatedPacket {
  readonly atUs: number;
  readonly frame: SimulatedFrame;
  readonly shardIndex: number;
  readonly sequence: number;
}

export interface RateHostOptions {
  readonly random: SeededRandom;
  readonly startKbps: number;
  readonly refreshHz: number;
  readonly profile: DeliveryProfile;
  readonly roundTripUs: number;
  /** Share of its budget that a picture takes at a time. */
  readonly demand: (nowUs: number) => number;
}

const LINE_KBPS = 1_000_000;
const ENCODE_US_MIN = 3_000;
const ENCODE_US_SPREAD = 4_000;
const SIZE_SPREAD = 0.25;
const PAYBACK_US = 500_000;
const IDR_SHARES = 3;

export class RateHost {
  readonly #options: RateHostOptions;
  readonly #fec = new AdaptiveFec();
  readonly #idr = new IdrGovernor();
  #wireKbps: number;
  #debtBits = 0;
  #frameIndex = 0;
  #sequence = 0;
  #lastSentUs = 0;
  idrs = 0;

  constructor(options: RateHostOptions) {
    this.#options = options;
    this.#wireKbps = options.startKbps;
  }

  get fecPercent(): number {
    return this.#fec.percent;
  }

  setBitrate(kbps: number): void {
    this.#debtBits *= kbps / this.#wireKbps;
    this.#wireKbps = kbps;
  }

  lossReport(lossPpm: number): void {
    this.#fec.report(lossPpm);
  }

  recover(nowUs: number): void {
    this.#fec.noteUnrepaired();
    this.#idr.request(nowUs, this.#options.roundTripUs);
  }

  /** The packets of a picture captured at `capturedUs` and ready to encode now, in order of time; none of a still one. */
  capture(capturedUs: number, nowUs: number): SimulatedPacket[] {
    const { random, demand } = this.#options;
    const isIdr = this.#idr.isDue(nowUs);
    const demanded = demand(nowUs);
    if (demanded === 0 && !isIdr) return [];
    if (isIdr) {
      this.#idr.sent(nowUs);
      this.idrs++;
    }
    const dataCount = Math.max(
      1,
      Math.ceil(this.#pictureBits(isIdr, demanded) / 8 / SHARD_PAYLOAD_BYTES),
    );
    const packetCount = dataCount + wantedParityCount(dataCount, this.#fec.percent);
    const frame: SimulatedFrame = {
      index: this.#frameIndex++,
      ptsUs: capturedUs,
      isIdr,
      dataCount,
      packetCount,
      dataReceived: 0,
      received: 0,
    };
    return this.#pace(frame, nowUs + ENCODE_US_MIN + random.next() * ENCODE_US_SPREAD);
  }

  #pictureBits(isIdr: boolean, demanded: number): number {
    const { random, refreshHz } = this.#options;
    const videoKbps = videoBitrateKbps({
      wireKbps: this.#wireKbps,
      audioKbps: 128,
      shardPayloadBytes: SHARD_PAYLOAD_BYTES,
      fecPercent: this.#fec.percent,
    });
    const share = videoKbps * 1000 / refreshHz;
    const payback = this.#debtBits / share / (PAYBACK_US / 1e6 * refreshHz);
    const chance = 1 + SIZE_SPREAD * (random.next() + random.next() - 1);
    const budget = share * Math.min(Math.max(1 - payback, 0.4), 1.6);
    const bits = isIdr ? share * IDR_SHARES : budget * chance * demanded;
    this.#debtBits = Math.min(Math.max(this.#debtBits + bits - share, -2 * share), share * 30);
    return bits;
  }

  #pace(frame: SimulatedFrame, readyUs: number): SimulatedPacket[] {
    const pacing = pacingOf(this.#options.profile, { wireKbps: this.#wireKbps });
    const burstPackets = Math.max(
      1,
      Math.min(Math.floor(pacing.burstBytesMax / PACKET_BYTES), pacing.burstPacketsMax),
    );
    const burstUs = burstPackets * PACKET_BYTES / pacing.rateBytesPerSecond * 1e6;
    const packetUs = PACKET_BYTES * 8_000 / LINE_KBPS;
    const startUs = Math.max(readyUs, this.#lastSentUs);
    const packets: SimulatedPacket[] = [];
    for (let shardIndex = 0; shardIndex < frame.packetCount; shardIndex++) {
      const burst = Math.floor(shardIndex / burstPackets);
      const atUs = startUs + burst * burstUs + (shardIndex % burstPackets) * packetUs;
      packets.push({ atUs, frame, shardIndex, sequence: this.#sequence++ });
      this.#lastSentUs = atUs;
    }
    return packets;
  }
}

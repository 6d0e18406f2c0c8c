/**
 * What the packets of the video tell about the path, at the cost of a few additions each.
 *
 *     queue, slope     delay_trend.ts, one sample a frame
 *     deliveredKbps    bytes between the first packets of two frames, by the time between their arrivals
 *     sentKbps         the same bytes by the time between their captures: more than was delivered while a queue grows
 *     loss             1 − packets received ÷ packets counted by stream_seq, between the same two; before FEC
 *     burstKbps        bytes by time within frames: what the path carries, where the host sends a frame at once
 *
 * @module
 */
import { DelayTrend } from "./delay_trend.ts";

export interface VideoPacketFacts {
  readonly frameIndex: number;
  readonly streamSequence: number;
  /** Capture time on the host's clock. */
  readonly ptsUs: number;
  /** On the wire. */
  readonly sizeBytes: number;
}

export interface SpanReading {
  readonly deliveredKbps: number;
  readonly sentKbps: number;
  /** 0…1. */
  readonly lossRatio: number;
  /** Received. */
  readonly packets: number;
}

const FRAMES = 256;
/** A larger step is a host that counts otherwise. */
const SEQUENCE_STEP_MAX = 65_535;
/** Two packets and a bit tell a rate. */
const BURST_BYTES_MIN = 3_000;
const BURST_LEARNING = 0.02;
const KBPS_PER_BYTE_US = 8_000;

export class LinkSensor {
  readonly delay = new DelayTrend();
  readonly #arrivalsUs = new Float64Array(FRAMES);
  readonly #capturesUs = new Float64Array(FRAMES);
  /** Of everything before the frame. */
  readonly #bytesBefore = new Float64Array(FRAMES);
  readonly #packetsBefore = new Float64Array(FRAMES);
  readonly #sequencesBefore = new Float64Array(FRAMES);
  #frames = 0;
  /** Frames from here on belong together. */
  #first = 0;
  #newestFrame = 0;
  #bytes = 0;
  #packets = 0;
  /** Packets sent since the first, as far as known; it does not wrap. */
  #sequence = 0;
  #lastSequence = 0;
  #lastArrivalUs = 0;
  /** Of the newest frame, behind its first packet. */
  #burstBytes = 0;
  #burstMeanBytes = 0;
  #burstMeanUs = 0;

  /** Frames seen so far: it changes when there is something new to read. */
  get frames(): number {
    return this.#frames;
  }

  /** 0 while unknown. */
  get burstKbps(): number {
    return this.#burstMeanUs === 0
      ? 0
      : this.#burstMeanBytes / this.#burstMeanUs * KBPS_PER_BYTE_US;
  }

  /** Packets in the order of arrival. */
  packet(facts: VideoPacketFacts, nowUs: number): void {
    this.#count(facts.streamSequence);
    const isFirst = this.#frames === 0 || ((facts.frameIndex - this.#newestFrame) | 0) > 0;
    if (isFirst) this.#openFrame(facts, nowUs);
    else this.#burstBytes += facts.sizeBytes;
    this.#lastArrivalUs = nowUs;
    this.#bytes += facts.sizeBytes;
    this.#packets++;
  }

  /** Start anew: what came so far was no sign of what comes. The delay of an empty path is remembered. */
  restart(): void {
    this.#first = this.#frames;
    this.delay.restart();
  }

  /** From the newest frame back over `spanUs`, or to the restart; undefined without two frames. */
  read(spanUs: number): SpanReading | undefined {
    const newest = this.#frames - 1;
    const newestUs = this.#arrivalsUs[newest % FRAMES] ?? 0;
    const oldest = Math.max(this.#first, this.#frames - FRAMES);
    let start = newest;
    while (start > oldest && newestUs - (this.#arrivalsUs[start % FRAMES] ?? 0) < spanUs) start--;
    if (start >= newest) return undefined;
    const between = (values: Float64Array) =>
      (values[newest % FRAMES] ?? 0) - (values[start % FRAMES] ?? 0);
    const bytes = between(this.#bytesBefore);
    const sent = between(this.#sequencesBefore);
    const packets = between(this.#packetsBefore);
    return {
      deliveredKbps: bytes * KBPS_PER_BYTE_US / Math.max(between(this.#arrivalsUs), 1),
      sentKbps: bytes * KBPS_PER_BYTE_US / Math.max(between(this.#capturesUs), 1),
      lossRatio: sent <= packets ? 0 : 1 - packets / sent,
      packets,
    };
  }

  #count(streamSequence: number): void {
    if (this.#packets === 0) this.#lastSequence = streamSequence;
    const step = (streamSequence - this.#lastSequence) | 0;
    if (step <= 0) return;
    this.#sequence += step > SEQUENCE_STEP_MAX ? 1 : step;
    this.#lastSequence = streamSequence;
  }

  #openFrame({ frameIndex, ptsUs }: VideoPacketFacts, nowUs: number): void {
    this.#closeBurst();
    const slot = this.#frames++ % FRAMES;
    this.#newestFrame = frameIndex;
    this.#arrivalsUs[slot] = nowUs;
    this.#capturesUs[slot] = ptsUs;
    this.#bytesBefore[slot] = this.#bytes;
    this.#packetsBefore[slot] = this.#packets;
    this.#sequencesBefore[slot] = this.#sequence;
    this.delay.sample(nowUs - ptsUs, nowUs);
  }

  /** Bytes and time are averaged apart: packets that a radio hands over in a clump are not infinitely fast. */
  #closeBurst(): void {
    const burstUs = this.#lastArrivalUs - (this.#arrivalsUs[(this.#frames - 1) % FRAMES] ?? 0);
    if (this.#burstBytes >= BURST_BYTES_MIN) {
      this.#burstMeanBytes += (this.#burstBytes - this.#burstMeanBytes) * BURST_LEARNING;
      this.#burstMeanUs += (burstUs - this.#burstMeanUs) * BURST_LEARNING;
    }
    this.#burstBytes = 0;
  }
}

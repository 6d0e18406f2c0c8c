/**
 * Sessions with automatic bitrate on one bottleneck: a discrete-event run of some minutes in a fraction of a second.
 *
 *     host → packets → bottleneck → client            client → SetBitrate, LossReport, RFI → delay → host
 *
 * @module
 */
import type { DeliveryProfile } from "../../src/protocol/punktfunk1/pacing_profile.ts";
import { SeededRandom } from "../fuzz/seeded_random.ts";
import { Bottleneck, type BottleneckOptions } from "./bottleneck.ts";
import { type ClientMessage, RateClient } from "./rate_client.ts";
import { PACKET_BYTES, RateHost, type SimulatedPacket } from "./rate_host.ts";

export interface RateSessionPlan {
  readonly fromMs?: number;
  readonly startKbps: number;
  readonly ceilingKbps?: number;
  readonly refreshHz?: number;
  readonly profile?: DeliveryProfile;
  /** Share of the rate that pictures take: 0 is none at all. */
  readonly demand?: (nowMs: number) => number;
  readonly clockOffsetUs?: number;
  readonly driftPpm?: number;
  /** The host stands still for its rebuild, tells of it, and is slow for a while. */
  readonly pipelineGap?: { readonly atMs: number; readonly gapMs: number };
}

/** Traffic that takes no notice of anything. */
export interface CrossTraffic {
  readonly fromMs: number;
  readonly toMs: number;
  readonly kbps: number;
}

export interface RateTrial extends Omit<BottleneckOptions, "random"> {
  readonly seed: number;
  readonly durationMs: number;
  readonly sessions: readonly RateSessionPlan[];
  readonly cross?: readonly CrossTraffic[];
}

export interface RateAsk {
  readonly atMs: number;
  readonly kbps: number;
}

export interface SessionOutcome {
  readonly asks: readonly RateAsk[];
  readonly shownMs: readonly number[];
  /** Received in each second of the trial. */
  readonly kbpsBySecond: readonly number[];
  readonly lostFrames: number;
  readonly idrs: number;
  readonly fecPercent: number;
}

export interface RateOutcome {
  readonly sessions: readonly SessionOutcome[];
  /** What a packet would wait, each `sampleMs`. */
  readonly queueMs: readonly number[];
  readonly sampleMs: number;
  readonly droppedPackets: number;
}

const SAMPLE_US = 5_000;
const WARM_UP_US = 300_000;
const WARM_UP_LATENESS = 0.8;

interface Timed<T> {
  readonly atUs: number;
  readonly value: T;
}

/** Things that happen in the order in which they were added. */
class Line<T> {
  #items: T[] = [];
  #next = 0;

  get head(): T | undefined {
    return this.#items[this.#next];
  }

  add(...items: readonly T[]): void {
    this.#items.push(...items);
  }

  take(): T | undefined {
    const item = this.#items[this.#next++];
    if (this.#next > 4096) {
      this.#items = this.#items.slice(this.#next);
      this.#next = 0;
    }
    return item;
  }
}

class SimulatedSession {
  readonly #plan: RateSessionPlan;
  readonly #link: Bottleneck;
  readonly #delayUs: number;
  readonly #host: RateHost;
  readonly #client: RateClient;
  readonly #frameUs: number;
  readonly #sending = new Line<SimulatedPacket>();
  readonly #arriving = new Line<Timed<SimulatedPacket>>();
  readonly #toHost = new Line<Timed<ClientMessage>>();
  readonly #toClient = new Line<Timed<() => void>>();
  readonly asks: RateAsk[] = [];
  readonly #bytesBySecond: number[] = [];
  #nextCaptureUs: number;

  constructor(plan: RateSessionPlan, link: Bottleneck, options: {
    readonly random: SeededRandom;
    readonly delayMs: number;
    readonly durationMs: number;
  }) {
    const { startKbps, refreshHz = 60, profile = "burst", demand = () => 1 } = plan;
    this.#plan = plan;
    this.#link = link;
    this.#delayUs = options.delayMs * 1000;
    this.#frameUs = 1e6 / refreshHz;
    this.#nextCaptureUs = (plan.fromMs ?? 0) * 1000 + options.random.next() * this.#frameUs;
    this.#bytesBySecond = new Array(Math.ceil(options.durationMs / 1000)).fill(0);
    const roundTripUs = 2 * this.#delayUs;
    this.#host = new RateHost({
      random: options.random,
      startKbps,
      refreshHz,
      profile,
      roundTripUs,
      demand: (nowUs) => demand(nowUs / 1000),
    });
    this.#client = new RateClient({
      startKbps,
      ceilingKbps: plan.ceilingKbps ?? 8_000_000,
      refreshHz,
      roundTripUs,
      clockOffsetUs: plan.clockOffsetUs ?? 0,
      driftPpm: plan.driftPpm ?? 0,
      send: (value, atUs) => {
        if (value.kind === "set-bitrate") this.asks.push({ atMs: atUs / 1000, kbps: value.kbps });
        this.#toHost.add({ atUs: atUs + this.#delayUs, value });
      },
    });
  }

  /** When something happens next. */
  get nextUs(): number {
    return Math.min(
      this.#nextCaptureUs,
      this.#sending.head?.atUs ?? Number.POSITIVE_INFINITY,
      this.#arriving.head?.atUs ?? Number.POSITIVE_INFINITY,
      this.#toHost.head?.atUs ?? Number.POSITIVE_INFINITY,
      this.#toClient.head?.atUs ?? Number.POSITIVE_INFINITY,
    );
  }

  run(nowUs: number): void {
    if (this.#sending.head?.atUs === nowUs) this.#send(nowUs);
    else if (this.#arriving.head?.atUs === nowUs) this.#arrive(nowUs);
    else if (this.#toHost.head?.atUs === nowUs) this.#handle(this.#toHost.take()?.value, nowUs);
    else if (this.#toClient.head?.atUs === nowUs) this.#toClient.take()?.value();
    else this.#capture(nowUs);
  }

  outcome(): SessionOutcome {
    return {
      asks: this.asks,
      shownMs: this.#client.shownUs.map((us) => us / 1000),
      kbpsBySecond: this.#bytesBySecond.map((bytes) => bytes / 125),
      lostFrames: this.#client.lostFrames,
      idrs: this.#host.idrs,
      fecPercent: this.#host.fecPercent,
    };
  }

  #send(nowUs: number): void {
    const value = this.#sending.take();
    const atUs = this.#link.send(PACKET_BYTES, nowUs);
    if (value !== undefined && atUs !== undefined) this.#arriving.add({ atUs, value });
  }

  #arrive(nowUs: number): void {
    const packet = this.#arriving.take()?.value;
    if (packet === undefined) return;
    const second = Math.floor(nowUs / 1e6);
    this.#bytesBySecond[second] = (this.#bytesBySecond[second] ?? 0) + PACKET_BYTES;
    this.#client.arrived(packet, nowUs);
  }

  #handle(message: ClientMessage | undefined, nowUs: number): void {
    switch (message?.kind) {
      case "set-bitrate": {
        const { kbps } = message;
        this.#host.setBitrate(kbps);
        const atUs = nowUs + this.#link.queueUs(nowUs) + this.#delayUs;
        return this.#tell(
          atUs,
          () => this.#client.rate.granted({ kbps, reason: undefined }, this.#client.clockUs(atUs)),
        );
      }
      case "loss-report":
        return this.#host.lossReport(message.lossPpm);
      case "recover":
        return this.#host.recover(nowUs);
    }
  }

  #tell(atUs: number, value: () => void): void {
    this.#toClient.add({ atUs, value });
  }

  #capture(nowUs: number): void {
    this.#nextCaptureUs = nowUs + this.#frameUs;
    this.#client.poll(nowUs);
    const lateUs = this.#lateUs(nowUs);
    if (lateUs !== undefined) this.#sending.add(...this.#host.capture(nowUs, nowUs + lateUs));
  }

  /** How much later than usual the picture captured now is encoded; undefined while the host stands still. */
  #lateUs(nowUs: number): number | undefined {
    const { pipelineGap } = this.#plan;
    if (pipelineGap === undefined) return 0;
    const sinceUs = nowUs - (pipelineGap.atMs + pipelineGap.gapMs) * 1000;
    if (sinceUs < -pipelineGap.gapMs * 1000 || sinceUs > WARM_UP_US) return 0;
    if (sinceUs < 0) return undefined;
    if (sinceUs < this.#frameUs) {
      this.#host.recover(nowUs);
      const toldUs = nowUs + this.#delayUs;
      this.#tell(toldUs, () => this.#client.rate.pipelineGap(this.#client.clockUs(toldUs)));
    }
    // The new encoder is slow at first, more so with every picture, and then catches up.
    return Math.min(sinceUs, WARM_UP_US - sinceUs) * WARM_UP_LATENESS;
  }
}

export function runRateTrial(trial: RateTrial): RateOutcome {
  const random = new SeededRandom(trial.seed);
  const link = new Bottleneck({ ...trial, random });
  const sessions = trial.sessions.map((plan) =>
    new SimulatedSession(plan, link, {
      random: new SeededRandom(random.below(2 ** 31)),
      delayMs: trial.delayMs,
      durationMs: trial.durationMs,
    })
  );
  const cross = (trial.cross ?? []).map((plan) => ({ ...plan, nextUs: plan.fromMs * 1000 }));
  const queueMs: number[] = [];
  let sampleUs = 0;
  for (;;) {
    const session = sessions.reduce((a, b) => b.nextUs < a.nextUs ? b : a);
    const other = cross.reduce(
      (a, b) => b.nextUs < (a?.nextUs ?? Number.POSITIVE_INFINITY) ? b : a,
      cross[0],
    );
    const nowUs = Math.min(session.nextUs, other?.nextUs ?? Number.POSITIVE_INFINITY, sampleUs);
    if (nowUs >= trial.durationMs * 1000) break;
    if (nowUs === sampleUs) {
      queueMs.push(link.queueUs(nowUs) / 1000);
      sampleUs += SAMPLE_US;
    } else if (other !== undefined && nowUs === other.nextUs) {
      link.send(PACKET_BYTES, nowUs);
      other.nextUs += PACKET_BYTES * 8_000 / other.kbps;
      if (other.nextUs >= other.toMs * 1000) other.nextUs = Number.POSITIVE_INFINITY;
    } else session.run(nowUs);
  }
  return {
    sessions: sessions.map((session) => session.outcome()),
    queueMs,
    sampleMs: SAMPLE_US / 1000,
    droppedPackets: link.droppedPackets,
  };
}

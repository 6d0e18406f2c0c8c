/**
 * The automatic bitrate of a client: which rate to ask the host for, from what the packets of the video tell (punktfunk/1
 * specification 8.2). Pure; times are microseconds of one clock that does not jump.
 *
 *     packet, framesLost, … → poll → SetBitrate              poll after packets
 *
 *     climb   all is well: a step each half second (climb.ts), unless the picture does not fill the rate it has
 *     drain   congested (congestion_signal.ts): down to 90 % of what the path carried then, less what empties the queue in about
 *             300 ms; down again when that was not enough; up to the 90 % once the queue is empty
 *
 *     at most one SetBitrate in 100 ms, 250 ms before a rise; 500 kbit/s … the ceiling
 *
 * A back-off is a trial, too: if queue or loss stay what they were, the rate was not their cause and comes back. A host
 * that answers no SetBitrate within 5 s, or pins its rate, switches the machine off.
 *
 * @module
 */
import { BITRATE_KBPS_MAX, BITRATE_KBPS_MIN } from "../../../lib/limits.ts";
import type { BitrateChanged } from "../control_video.ts";
import { Climb, CLIMB_STEP_US } from "./climb.ts";
import { type Congestion, CongestionSignal, type Trouble } from "./congestion_signal.ts";
import type { LinkOutcome } from "./link_measurement.ts";
import { LinkSensor, type VideoPacketFacts } from "./link_sensor.ts";

export interface AutomaticBitrateOptions {
  /** In force. */
  readonly startKbps: number;
  /** What the user allows; 8 Gbit/s unless said. */
  readonly ceilingKbps?: number;
  readonly refreshHz: number;
}

export const SET_BITRATE_INTERVAL_US = 100_000;
export const SET_BITRATE_ANSWER_US = 5_000_000;

const RAISE_INTERVAL_US = 250_000;
const ROUND_TRIP_US_UNKNOWN = 50_000;
/** Frames on their way before a back-off shows. */
const REACTION_FRAMES = 2;
const TRIAL_US = 500_000;
const DRAIN_US_MAX = 2_000_000;
const LOST_FRAMES_MEMORY_US = 500_000;
/** A host that stood still sends what waited, then an IDR. */
const BLIND_US = 400_000;
/** A host that grants less knows why. */
const GRANT_MEMORY_US = 30_000_000;

const URGENT_SPAN_US = 45_000;
const CALM_SPAN_US = 150_000;
const FILL_SPAN_US = 500_000;
/** Frames differ in size, and an IDR is several. */
const HEADROOM = 0.9;
const DRAIN_FROM_US = 20_000;
const DRAIN_IN_US = 300_000;
const DRAIN_SHARE_MIN = 0.55;
/** A step up after draining that nobody would see is not worth a message. */
const REBOUND_MIN = 1.03;
/** Of a measured rate: a short burst proves little. */
const MEASURED_SHARE = 0.75;
/** A picture that takes less of its rate says nothing about a higher one. */
const FILL_SHARE_MIN = 0.7;
const OVERRUN_RATIO = 0.9;
const OVERHEAD_MAX = 4;
const OVERHEAD_LEARNING = 0.2;
const DECODE_SHARE_MAX = 0.9;
const DECODE_LEARNING = 0.05;
const DECODE_BACK_OFF = 0.85;
const DECODE_HOLD_US = 5_000_000;

/** A back-off under way. */
interface Trial extends Trouble {
  readonly showsAtUs: number;
}

export class AutomaticBitrate {
  readonly #sensor = new LinkSensor();
  readonly #signal: CongestionSignal;
  readonly #climb = new Climb();
  readonly #ceilingKbps: number;
  readonly #frameUs: number;
  #rateKbps: number;
  #framesRead = 0;
  #roundTripUs = ROUND_TRIP_US_UNKNOWN;
  #trial: Trial | undefined;
  #isDraining = false;
  #isMeasuring = false;
  #blindUntilUs = Number.NEGATIVE_INFINITY;
  #lostFramesUntilUs = Number.NEGATIVE_INFINITY;
  #nextStepUs = Number.NEGATIVE_INFINITY;
  #lastAskUs = Number.NEGATIVE_INFINITY;
  #unanswered = 0;
  #unansweredSinceUs = 0;
  #grantKbpsMax = Number.POSITIVE_INFINITY;
  #grantUntilUs = Number.NEGATIVE_INFINITY;
  #decodeUs = 0;
  /** What the wire carries for each kbit/s asked for: hosts differ in what their rate includes. */
  #overhead = 1;
  #isOff = false;

  constructor({ startKbps, ceilingKbps, refreshHz }: AutomaticBitrateOptions) {
    this.#ceilingKbps = Math.min(ceilingKbps ?? BITRATE_KBPS_MAX, BITRATE_KBPS_MAX);
    this.#frameUs = 1e6 / refreshHz;
    this.#rateKbps = startKbps;
    this.#signal = new CongestionSignal(this.#sensor, this.#frameUs);
  }

  /** Asked for, or granted since. */
  get rateKbps(): number {
    return this.#rateKbps;
  }

  /** The host does not play along. */
  get isOff(): boolean {
    return this.#isOff;
  }

  /** Any packet of the video, in the order of arrival. No probe filler. */
  packet(facts: VideoPacketFacts, nowUs: number): void {
    this.#sensor.packet(facts, nowUs);
  }

  /** Frames could not be repaired. */
  framesLost(nowUs: number): void {
    this.#lostFramesUntilUs = nowUs + LOST_FRAMES_MEMORY_US;
  }

  /** The decoder took so long over a frame. */
  decoded(decodeUs: number): void {
    this.#decodeUs += (decodeUs - this.#decodeUs) * DECODE_LEARNING;
  }

  /** The latest estimate; 50 ms until there is one. */
  roundTrip(roundTripUs: number): void {
    this.#roundTripUs = roundTripUs;
  }

  /** PipelineGap: the host stood still. What came just before and after is no sign of the path. */
  pipelineGap(nowUs: number): void {
    this.#goBlind(nowUs);
  }

  /** A measurement fills the path on purpose from now on. */
  measuring(): void {
    this.#isMeasuring = true;
  }

  /** The measurement is over. Returns the rate to ask for, if another one. */
  measured({ provenKbps, isLimit }: LinkOutcome, nowUs: number): number | undefined {
    this.#isMeasuring = false;
    this.#goBlind(nowUs);
    if (provenKbps === 0) return undefined;
    if (isLimit) this.#climb.failed(provenKbps, nowUs);
    return this.#ask(provenKbps * MEASURED_SHARE, nowUs);
  }

  /** BitrateChanged, asked for or not. */
  granted({ kbps, reason }: BitrateChanged, nowUs: number): void {
    if (reason === "pinned") this.#isOff = true;
    this.#unanswered = Math.max(0, this.#unanswered - 1);
    this.#unansweredSinceUs = nowUs;
    // What it answers is history.
    if (this.#unanswered > 0) return;
    if (kbps < this.#rateKbps) {
      this.#grantKbpsMax = kbps;
      this.#grantUntilUs = nowUs + GRANT_MEMORY_US;
    }
    this.#rateKbps = kbps;
  }

  /** The rate to ask for now, if another one. */
  poll(nowUs: number): number | undefined {
    const isWaiting = this.#unanswered > 0;
    if (isWaiting && nowUs > this.#unansweredSinceUs + SET_BITRATE_ANSWER_US) this.#isOff = true;
    if (this.#isOff || this.#framesRead === this.#sensor.frames) return undefined;
    this.#framesRead = this.#sensor.frames;
    if (this.#isMeasuring || nowUs < this.#blindUntilUs) {
      this.#sensor.restart();
      return undefined;
    }
    if (nowUs < this.#lastAskUs + SET_BITRATE_INTERVAL_US) return undefined;
    return this.#decide(nowUs);
  }

  #decide(nowUs: number): number | undefined {
    const trial = this.#trial;
    if (trial !== undefined && nowUs >= trial.showsAtUs + TRIAL_US) {
      this.#trial = undefined;
      if (this.#signal.hasStayed(trial)) {
        this.#isDraining = false;
        return this.#ask(trial.rateKbps, nowUs);
      }
    }
    const congestion = this.#signal.judge(this.#rateKbps, nowUs < this.#lostFramesUntilUs);
    if (congestion === undefined) this.#signal.learn(this.#rateKbps);
    else if (this.#isNews(congestion, nowUs)) return this.#backOff(congestion, nowUs);
    return this.#isDraining ? this.#drain(nowUs) : this.#step(nowUs);
  }

  /** A back-off under way may still help; and whether less rate means less loss is seen in its trial. */
  #isNews(congestion: Congestion, nowUs: number): boolean {
    return this.#trial === undefined || (congestion !== "loss" && nowUs >= this.#trial.showsAtUs);
  }

  #backOff(congestion: Congestion, nowUs: number): number | undefined {
    const reactionUs = this.#roundTripUs + REACTION_FRAMES * this.#frameUs;
    const queueUs = congestion === "urgent"
      ? this.#signal.queueAheadUs(reactionUs)
      : this.#signal.queueUs ?? 0;
    const carriedKbps = this.#carriedKbps(congestion);
    this.#trial = {
      ...(this.#trial ?? this.#signal.troubleOf(congestion, this.#rateKbps)),
      showsAtUs: nowUs + reactionUs + queueUs + CALM_SPAN_US,
    };
    this.#climb.failed(carriedKbps, nowUs);
    this.#isDraining = true;
    const drainUs = Math.max(0, queueUs - DRAIN_FROM_US);
    const share = Math.max(HEADROOM - drainUs / DRAIN_IN_US, DRAIN_SHARE_MIN);
    return this.#ask(Math.min(carriedKbps, this.#rateKbps) * share, nowUs);
  }

  /** What the path carries of this stream, now that it carries no more. */
  #carriedKbps(congestion: Congestion): number {
    const reading = this.#sensor.read(congestion === "urgent" ? URGENT_SPAN_US : CALM_SPAN_US);
    if (reading === undefined) return this.#rateKbps;
    const deliveredKbps = reading.deliveredKbps / this.#overhead;
    const isFilled = deliveredKbps >= this.#rateKbps * FILL_SHARE_MIN;
    const isOverrun = congestion === "loss" ||
      reading.deliveredKbps < reading.sentKbps * OVERRUN_RATIO;
    // A picture that needs little meets somebody else's queue: what came is no measure of the path.
    if (!isFilled && !isOverrun) return this.#rateKbps;
    return Math.min(deliveredKbps, this.#trial?.rateKbps ?? this.#rateKbps);
  }

  #drain(nowUs: number): number | undefined {
    const showsAtUs = this.#trial?.showsAtUs ?? nowUs;
    const isOver = this.#signal.isRelaxed(this.#rateKbps) || nowUs > showsAtUs + DRAIN_US_MAX;
    if (nowUs < showsAtUs || !isOver) return undefined;
    this.#isDraining = false;
    this.#nextStepUs = nowUs + CLIMB_STEP_US;
    const settledKbps = (this.#climb.failedKbps ?? this.#rateKbps) * HEADROOM;
    return settledKbps > this.#rateKbps * REBOUND_MIN ? this.#ask(settledKbps, nowUs) : undefined;
  }

  #step(nowUs: number): number | undefined {
    if (nowUs < Math.max(this.#nextStepUs, this.#lastAskUs + RAISE_INTERVAL_US)) return undefined;
    this.#nextStepUs = nowUs + CLIMB_STEP_US;
    if (this.#decodeUs > this.#frameUs) {
      this.#climb.hold(nowUs + DECODE_HOLD_US);
      return this.#ask(this.#rateKbps * DECODE_BACK_OFF, nowUs);
    }
    this.#learnOverhead(nowUs);
    if (!this.#isRoomLikely()) return undefined;
    const pathKbps = this.#sensor.burstKbps / this.#overhead;
    return this.#ask(this.#climb.next(this.#rateKbps, pathKbps, nowUs), nowUs);
  }

  #learnOverhead(nowUs: number): void {
    const reading = this.#sensor.read(FILL_SPAN_US);
    if (reading === undefined || nowUs < this.#lastAskUs + FILL_SPAN_US + this.#roundTripUs) return;
    const ratio = reading.sentKbps / (1 - reading.lossRatio) / this.#rateKbps;
    const bounded = Math.min(Math.max(ratio, 1), OVERHEAD_MAX);
    this.#overhead += (bounded - this.#overhead) * OVERHEAD_LEARNING;
  }

  #isRoomLikely(): boolean {
    const reading = this.#sensor.read(FILL_SPAN_US);
    if (reading === undefined || !this.#signal.isRelaxed(this.#rateKbps)) return false;
    const filledKbps = reading.sentKbps / (1 - reading.lossRatio);
    return filledKbps >= this.#rateKbps * FILL_SHARE_MIN &&
      this.#decodeUs < this.#frameUs * DECODE_SHARE_MAX &&
      this.#unanswered === 0;
  }

  /** Within the limits; undefined when that is what is in force. */
  #ask(wishKbps: number, nowUs: number): number | undefined {
    const grantKbpsMax = nowUs < this.#grantUntilUs ? this.#grantKbpsMax : Number.POSITIVE_INFINITY;
    const kbpsMax = Math.min(this.#ceilingKbps, grantKbpsMax);
    const kbps = Math.round(Math.max(Math.min(wishKbps, kbpsMax), BITRATE_KBPS_MIN));
    if (kbps === this.#rateKbps) return undefined;
    this.#rateKbps = kbps;
    this.#lastAskUs = nowUs;
    if (this.#unanswered++ === 0) this.#unansweredSinceUs = nowUs;
    return kbps;
  }

  #goBlind(nowUs: number): void {
    this.#blindUntilUs = nowUs + BLIND_US;
  }
}

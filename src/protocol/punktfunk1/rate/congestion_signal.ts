/**
 * Whether the path is asked for more than it carries, judged from a `LinkSensor`.
 *
 *     urgent   queue of 2 frames   > 1.5 × limit, and rising
 *     queue    queue of 150 ms     > limit, and not on the way to half of it within 400 ms
 *     loss     of 250 ms and 100 packets, > 10 % beyond the path's own
 *              > 4 %, when frames could not be repaired or the queue stands at half the limit
 *
 *     limit    (8 ms or 0.6 frames, + 20 ms × √(5 Mbit/s ÷ rate), at most 50 ms) × (1.6 − 0.6 × rate ÷ what the path carries):
 *              of the sessions in one queue, the one that takes most yields first, which is what makes them equal. Not
 *              below twice the jitter
 *
 * Two things are learned. Loss while no queue stands is the path's own, as of a bad radio, and no rate mends it. A queue
 * that a back-off does not shorten is somebody else's, and is tolerated while it lasts.
 *
 * @module
 */
import type { FrameSpan } from "./delay_trend.ts";
import type { LinkSensor } from "./link_sensor.ts";

export type Congestion = "urgent" | "queue" | "loss";

const NEWEST: FrameSpan = { us: 0, framesMin: 2 };
const CALM: FrameSpan = { us: 150_000, framesMin: 3 };
/** A radio that stalls hands over late frames at once, each less late than the one before; a full link does not. */
const URGENT_SLOPE = 0.2;
const URGENT_FACTOR = 1.5;
const OUTLOOK_US = 400_000;

const LIMIT_US_MIN = 8_000;
const LIMIT_FRAMES_MIN = 0.6;
const LIMIT_US_AT_REFERENCE = 20_000;
const LIMIT_REFERENCE_KBPS = 5_000;
const LIMIT_US_MAX = 50_000;
const LIMIT_JITTER_FACTOR = 2;
const LIMIT_SHARE_BONUS = 0.6;

const LOSS_SPAN_US = 250_000;
const LOSS_PACKETS_MIN = 100;
const LOSS_EXCESS = 0.1;
const LOSS_EXCESS_WITH_SIGNS = 0.04;
/** A frame. */
const LEARNING = 0.02;
/** A higher loss is learned only from a back-off that changed nothing. */
const OWN_LOSS_LEARNED_MAX = 0.05;
const OWN_LOSS_SPREAD = 1.5;
const TOLERANCE_FACTOR = 1.5;
/** A trial failed when this much of the trouble stayed. */
const STAYED_SHARE = 0.7;

/** The queue that a session lets stand which takes `pathShare`, 0…1, of what the path carries. */
export function queueLimitUs(rateKbps: number, pathShare: number, frameUs: number): number {
  const leastUs = Math.max(frameUs * LIMIT_FRAMES_MIN, LIMIT_US_MIN);
  const rateUs = LIMIT_US_AT_REFERENCE * Math.sqrt(LIMIT_REFERENCE_KBPS / rateKbps);
  return Math.min(leastUs + rateUs, LIMIT_US_MAX) * (1 + LIMIT_SHARE_BONUS * (1 - pathShare));
}

/** How bad it was when a rate was given up. */
export interface Trouble {
  readonly congestion: Congestion;
  readonly rateKbps: number;
  readonly queueUs: number;
  readonly lossRatio: number;
}

export class CongestionSignal {
  readonly #sensor: LinkSensor;
  readonly #frameUs: number;
  #toleratedUs = 0;
  #ownLoss = 0;

  constructor(sensor: LinkSensor, frameUs: number) {
    this.#sensor = sensor;
    this.#frameUs = frameUs;
  }

  /** What waits; undefined while too few frames come to tell. */
  get queueUs(): number | undefined {
    return this.#sensor.delay.queueUs(CALM);
  }

  /** What will wait in `aheadUs`, if it grows as it did between the last two frames. */
  queueAheadUs(aheadUs: number): number {
    const { delay } = this.#sensor;
    const slope = Math.min(Math.max(delay.slope(NEWEST), 0), 1);
    return (delay.queueUs(NEWEST) ?? 0) + slope * aheadUs;
  }

  /** Whether the queue leaves room for more. */
  isRelaxed(rateKbps: number): boolean {
    const queueUs = this.queueUs;
    return queueUs !== undefined && queueUs < this.#limitUs(rateKbps) / 2;
  }

  /** `hasLostFrames`: some of the last half second could not be repaired. */
  judge(rateKbps: number, hasLostFrames: boolean): Congestion | undefined {
    const { delay } = this.#sensor;
    const limitUs = this.#limitUs(rateKbps);
    const isRising = delay.slope(NEWEST) > URGENT_SLOPE;
    if (isRising && (delay.queueUs(NEWEST) ?? 0) > limitUs * URGENT_FACTOR) return "urgent";
    const queueUs = this.queueUs ?? 0;
    const outlookUs = queueUs + delay.slope(CALM) * OUTLOOK_US;
    if (queueUs > limitUs && outlookUs > limitUs / 2) return "queue";
    const hasSigns = hasLostFrames || queueUs > limitUs / 2;
    return this.#excessLoss > (hasSigns ? LOSS_EXCESS_WITH_SIGNS : LOSS_EXCESS)
      ? "loss"
      : undefined;
  }

  /** Once a frame while `judge` finds nothing. */
  learn(rateKbps: number): void {
    const queueUs = this.queueUs;
    if (queueUs === undefined) return;
    if (queueUs < this.#toleratedUs / 2) this.#toleratedUs *= 1 - LEARNING;
    const lossRatio = this.#lossRatio;
    if (lossRatio === undefined || queueUs > this.#ownLimitUs(rateKbps) / 2) return;
    if (lossRatio > Math.max(this.#ownLoss * OWN_LOSS_SPREAD, OWN_LOSS_LEARNED_MAX)) return;
    this.#ownLoss += (lossRatio - this.#ownLoss) * LEARNING;
  }

  troubleOf(congestion: Congestion, rateKbps: number): Trouble {
    return {
      congestion,
      rateKbps,
      queueUs: this.queueUs ?? 0,
      lossRatio: this.#lossRatio ?? 0,
    };
  }

  /** After a back-off: whether that changed nothing. From then on it is tolerated. */
  hasStayed({ congestion, rateKbps, queueUs, lossRatio }: Trouble): boolean {
    if (congestion === "loss") {
      const nowRatio = this.#lossRatio ?? 0;
      if (nowRatio <= lossRatio * STAYED_SHARE) return false;
      this.#ownLoss = nowRatio;
      return true;
    }
    const nowUs = this.queueUs ?? 0;
    if (nowUs <= this.#limitUs(rateKbps) || nowUs <= queueUs * STAYED_SHARE) return false;
    this.#toleratedUs = nowUs * TOLERANCE_FACTOR;
    return true;
  }

  #limitUs(rateKbps: number): number {
    const jitterUs = this.#sensor.delay.jitterUs * LIMIT_JITTER_FACTOR;
    return Math.max(this.#ownLimitUs(rateKbps), jitterUs, this.#toleratedUs);
  }

  #ownLimitUs(rateKbps: number): number {
    const pathKbps = this.#sensor.burstKbps;
    return queueLimitUs(rateKbps, pathKbps > rateKbps ? rateKbps / pathKbps : 1, this.#frameUs);
  }

  /** Undefined while too few packets come to tell. */
  get #lossRatio(): number | undefined {
    const reading = this.#sensor.read(LOSS_SPAN_US);
    return reading === undefined || reading.packets < LOSS_PACKETS_MIN
      ? undefined
      : reading.lossRatio;
  }

  get #excessLoss(): number {
    return Math.max(0, (this.#lossRatio ?? 0) - this.#ownLoss);
  }
}

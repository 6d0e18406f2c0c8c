/**
 * How a client learns the host's clock (punktfunk/1 specification 8.1). Times are nanoseconds since 1970.
 *
 *     client  t1 ──ClockProbe──→ t2  host                 rtt    = (t4 − t1) − (t3 − t2)
 *             t4 ←─ClockEcho──── t3                       offset = ((t2 − t1) + (t3 − t4)) / 2, host − client
 *
 *     at connect    8 rounds, one after another; 2 s without an answer end it
 *     later         8 rounds, 7 ms apart
 *
 * Of a batch the round with the least rtt counts. A later batch is taken when that is at most 2 ms, or 1.5 × the least ever
 * seen; after three that were not, the best of those.
 *
 * @module
 */

export const CLOCK_ROUNDS = 8;
export const CLOCK_RESYNC_INTERVAL_MS = 60_000;

const ANSWER_TIMEOUT_US = 2_000_000;
const RESYNC_SPACING_US = 7_000;
const RTT_ALWAYS_GOOD_NS = 2_000_000n;
const REJECTED_BATCHES_MAX = 3;

/** t1 and t4 on the client's clock, t2 and t3 on the host's. */
export interface ClockRound {
  readonly t1: bigint;
  readonly t2: bigint;
  readonly t3: bigint;
  readonly t4: bigint;
}

export interface ClockSample {
  /** Host less client. */
  readonly offsetNs: bigint;
  readonly rttNs: bigint;
}

export function clockSampleOf({ t1, t2, t3, t4 }: ClockRound): ClockSample {
  return { rttNs: (t4 - t1) - (t3 - t2), offsetNs: ((t2 - t1) + (t3 - t4)) / 2n };
}

/** The estimate over the whole session. Equal clocks until a batch was taken. */
export class ClockEstimate {
  #sample: ClockSample | undefined;
  #leastRttNs: bigint | undefined;
  #bestRejected: ClockSample | undefined;
  #rejectedCount = 0;

  get offsetNs(): bigint {
    return this.#sample?.offsetNs ?? 0n;
  }

  /** Of the sample that the offset is from; undefined while nothing is known. */
  get rttNs(): bigint | undefined {
    return this.#sample?.rttNs;
  }

  /** Take a finished batch. Returns whether the offset now comes from it, or from one that was put aside. */
  take(batch: ClockBatch): boolean {
    const best = batch.best;
    if (best === undefined) return false;
    this.#leastRttNs = lesser(this.#leastRttNs, best.rttNs);
    const goodRttNs = this.#leastRttNs * 3n / 2n;
    const isGood = this.#sample === undefined || best.rttNs <= RTT_ALWAYS_GOOD_NS ||
      best.rttNs <= goodRttNs;
    if (!isGood) {
      this.#rejectedCount++;
      if (this.#bestRejected === undefined || best.rttNs < this.#bestRejected.rttNs) {
        this.#bestRejected = best;
      }
      if (this.#rejectedCount < REJECTED_BATCHES_MAX) return false;
    }
    this.#sample = isGood ? best : this.#bestRejected;
    this.#bestRejected = undefined;
    this.#rejectedCount = 0;
    return true;
  }
}

function lesser(a: bigint | undefined, b: bigint): bigint {
  return a === undefined || b < a ? b : a;
}

/** One batch: when to send its probes, and which answer was the quickest. */
export class ClockBatch {
  readonly #isSequential: boolean;
  /** t1 of probes without an answer. */
  readonly #waiting = new Set<bigint>();
  #sentCount = 0;
  #lastSentAtUs = Number.NEGATIVE_INFINITY;
  #best: ClockSample | undefined;
  #isEnded = false;

  constructor(moment: "connect" | "later") {
    this.#isSequential = moment === "connect";
  }

  get best(): ClockSample | undefined {
    return this.#best;
  }

  /** What to do at `nowUs`, on any clock that does not jump. After "send" comes `sent`. */
  poll(nowUs: number): "send" | "wait" | "done" {
    if (this.#isEnded) return "done";
    const isAllSent = this.#sentCount === CLOCK_ROUNDS;
    const isAnswerDue = this.#waiting.size > 0 && (this.#isSequential || isAllSent);
    if (isAnswerDue && nowUs < this.#lastSentAtUs + ANSWER_TIMEOUT_US) return "wait";
    if (isAnswerDue || isAllSent) {
      this.#isEnded = true;
      return "done";
    }
    if (!this.#isSequential && nowUs < this.#lastSentAtUs + RESYNC_SPACING_US) return "wait";
    return "send";
  }

  /** A probe with `t1` left. */
  sent(t1: bigint, nowUs: number): void {
    this.#waiting.add(t1);
    this.#sentCount++;
    this.#lastSentAtUs = nowUs;
  }

  /** An echo came. False for one that answers no probe of this batch, or answers twice. */
  answered(round: ClockRound): boolean {
    if (this.#isEnded || !this.#waiting.delete(round.t1)) return false;
    const sample = clockSampleOf(round);
    if (this.#best === undefined || sample.rttNs < this.#best.rttNs) this.#best = sample;
    return true;
  }
}

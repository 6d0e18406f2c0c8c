/**
 * How long packets wait in the queue of the path, from when each frame was captured and when its first packet came.
 *
 *     delay    arrival − capture, on two clocks that need not agree
 *     base     least delay of the last 27 to 30 s: path, encoder and the clocks' offset, with nothing waiting
 *     queue    least delay of the newest frames − base
 *     slope    how fast the delay grows: microseconds a microsecond, least squares over the newest frames
 *     jitter   mean difference between the delays of neighbours
 *
 * The first packet of a frame waits behind earlier frames only, so the frame's own size does not count. The least of
 * some frames takes no notice of jitter, which only ever adds. Clocks that drift by 100 ppm tilt the base by 3 ms at most.
 *
 * @module
 */

/** Which of the newest frames to look at: those of a span, and a number of them at least. */
export interface FrameSpan {
  readonly us: number;
  readonly framesMin: number;
}

/** About a second at 240 frames a second. */
const SAMPLES = 256;
const BASE_BUCKET_US = 3_000_000;
const BASE_BUCKETS = 10;
const JITTER_LEARNING = 1 / 32;
/** The queue of so long ago is not the queue of now. */
const SAMPLE_AGE_US_MAX = 400_000;

export class DelayTrend {
  readonly #delaysUs = new Float64Array(SAMPLES);
  readonly #timesUs = new Float64Array(SAMPLES);
  #count = 0;
  /** Samples from here on belong together. */
  #first = 0;
  readonly #baseBuckets = new Float64Array(BASE_BUCKETS).fill(Number.POSITIVE_INFINITY);
  #bucket = 0;
  #bucketEndUs = Number.NEGATIVE_INFINITY;
  #jitterUs = 0;

  get jitterUs(): number {
    return this.#jitterUs;
  }

  /** A frame captured `delayUs` ago, plus whatever is between the clocks. Times do not decrease. */
  sample(delayUs: number, atUs: number): void {
    if (this.#count > 0) {
      const differenceUs = Math.abs(delayUs - this.#delayAt(this.#count - 1));
      this.#jitterUs += (differenceUs - this.#jitterUs) * JITTER_LEARNING;
    }
    const slot = this.#count++ % SAMPLES;
    this.#delaysUs[slot] = delayUs;
    this.#timesUs[slot] = atUs;
    this.#moveBuckets(atUs);
    this.#baseBuckets[this.#bucket] = Math.min(this.#baseBuckets[this.#bucket] ?? delayUs, delayUs);
  }

  /** Undefined while there are too few frames, or those are older than 400 ms and the span. */
  queueUs(span: FrameSpan): number | undefined {
    const from = this.#startOf(span);
    if (from === undefined) return undefined;
    let leastUs = Number.POSITIVE_INFINITY;
    for (let index = from; index < this.#count; index++) {
      leastUs = Math.min(leastUs, this.#delayAt(index));
    }
    return leastUs - Math.min(...this.#baseBuckets);
  }

  /** 0 where `queueUs` is undefined. */
  slope(span: FrameSpan): number {
    const from = this.#startOf(span);
    if (from === undefined) return 0;
    const count = this.#count - from;
    let timeSumUs = 0;
    let delaySumUs = 0;
    for (let index = from; index < this.#count; index++) {
      timeSumUs += this.#timeAt(index) - this.#timeAt(from);
      delaySumUs += this.#delayAt(index) - this.#delayAt(from);
    }
    const timeMeanUs = this.#timeAt(from) + timeSumUs / count;
    const delayMeanUs = this.#delayAt(from) + delaySumUs / count;
    let products = 0;
    let squares = 0;
    for (let index = from; index < this.#count; index++) {
      const timeUs = this.#timeAt(index) - timeMeanUs;
      products += timeUs * (this.#delayAt(index) - delayMeanUs);
      squares += timeUs * timeUs;
    }
    return squares === 0 ? 0 : products / squares;
  }

  /** What was is no sign of what comes: queue and slope start anew. The base stays. */
  restart(): void {
    this.#first = this.#count;
  }

  #delayAt(index: number): number {
    return this.#delaysUs[index % SAMPLES] ?? 0;
  }

  #timeAt(index: number): number {
    return this.#timesUs[index % SAMPLES] ?? 0;
  }

  /** Number of the span's first sample. */
  #startOf({ us, framesMin }: FrameSpan): number | undefined {
    const newestUs = this.#timeAt(this.#count - 1);
    const oldest = Math.max(this.#first, this.#count - SAMPLES);
    let from = this.#count;
    while (from > oldest) {
      const ageUs = newestUs - this.#timeAt(from - 1);
      const isWanted = ageUs <= us || this.#count - from < framesMin;
      if (!isWanted || ageUs > Math.max(us, SAMPLE_AGE_US_MAX)) break;
      from--;
    }
    return this.#count - from < framesMin ? undefined : from;
  }

  #moveBuckets(atUs: number): void {
    if (this.#bucketEndUs === Number.NEGATIVE_INFINITY) this.#bucketEndUs = atUs + BASE_BUCKET_US;
    if (atUs < this.#bucketEndUs) return;
    // One bucket a call, however long nothing came: the values before a silence still are the best known.
    this.#bucket = (this.#bucket + 1) % BASE_BUCKETS;
    this.#baseBuckets[this.#bucket] = Number.POSITIVE_INFINITY;
    this.#bucketEndUs = atUs + BASE_BUCKET_US;
  }
}

/**
 * What a stream was like: counts, distributions, and how it went over time. Pure; times in microseconds go in,
 * milliseconds come out.
 *
 * @module
 */

/** Values kept for percentiles. Past this many only the count, mean, least and greatest go on. */
export const SAMPLES_MAX = 1_000_000;
/** A run of an hour. Later buckets are not kept. */
export const TIMELINE_BUCKETS_MAX = 14_400;
export const TIMELINE_BUCKET_MS = 250;

export interface Distribution {
  readonly count: number;
  readonly min: number;
  readonly mean: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

export interface HistogramBin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

export class Samples {
  readonly #kept: number[] = [];
  #count = 0;
  #sum = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;
  #last: number | undefined;

  get last(): number | undefined {
    return this.#last;
  }

  add(value: number): void {
    this.#count++;
    this.#last = value;
    this.#sum += value;
    this.#min = Math.min(this.#min, value);
    this.#max = Math.max(this.#max, value);
    if (this.#kept.length < SAMPLES_MAX) this.#kept.push(value);
  }

  /** Null without a value. A percentile is the least value that at least so many of a hundred do not exceed. */
  distribution(): Distribution | null {
    if (this.#count === 0) return null;
    const sorted = this.#sorted();
    return {
      count: this.#count,
      min: this.#min,
      mean: this.#sum / this.#count,
      p50: percentileOf(sorted, 50),
      p95: percentileOf(sorted, 95),
      p99: percentileOf(sorted, 99),
      max: this.#max,
    };
  }

  /**
   * `binCount` bins of equal width from the least value to the 99.5th percentile; the last takes everything above. Equal
   * values are one bin.
   */
  histogram(binCount: number): readonly HistogramBin[] {
    const sorted = this.#sorted();
    const from = sorted[0];
    if (from === undefined) return [];
    const width = (percentileOf(sorted, 99.5) - from) / binCount;
    if (width === 0) return [{ from, to: this.#max, count: sorted.length }];
    const counts = new Array<number>(binCount).fill(0);
    for (const value of sorted) {
      const bin = Math.min(Math.floor((value - from) / width), binCount - 1);
      counts[bin] = (counts[bin] ?? 0) + 1;
    }
    return counts.map((count, index) => ({
      from: from + index * width,
      to: index === binCount - 1 ? this.#max : from + (index + 1) * width,
      count,
    }));
  }

  #sorted(): Float64Array {
    return Float64Array.from(this.#kept).sort();
  }
}

function percentileOf(sorted: Float64Array, percent: number): number {
  const rank = Math.max(Math.ceil(sorted.length * percent / 100), 1);
  return sorted[rank - 1] ?? Number.NaN;
}

/** One stretch of TIMELINE_BUCKET_MS. */
export interface TimelineBucket {
  frames: number;
  bytes: number;
  lost: number;
  recovered: number;
  /** Milliseconds; the greatest of the stretch, 0 when none is known. */
  latencyMax: number;
}

export interface FrameFacts {
  readonly sizeBytes: number;
  readonly deliveredAtUs: number;
  /** From capture to here; undefined while the host's clock is not known. */
  readonly latencyUs: number | undefined;
  /** From its first packet to here. */
  readonly assemblyUs: number;
  readonly recoveredShards: number;
  readonly isKeyFrame: boolean;
}

export class StreamStatistics {
  readonly gaps = new Samples();
  readonly latency = new Samples();
  readonly assembly = new Samples();
  readonly timeline: TimelineBucket[] = [];
  frames = 0;
  keyFrames = 0;
  bytes = 0;
  lostFrames = 0;
  recoveredFrames = 0;
  #firstAtUs: number | undefined;
  #lastAtUs = 0;

  /** From the first frame to the last. */
  get durationMs(): number {
    return this.#firstAtUs === undefined ? 0 : (this.#lastAtUs - this.#firstAtUs) / 1000;
  }

  /** When the last frame came; undefined before the first. */
  get lastFrameAtUs(): number | undefined {
    return this.#firstAtUs === undefined ? undefined : this.#lastAtUs;
  }

  frame(facts: FrameFacts): void {
    const { deliveredAtUs, latencyUs, sizeBytes, recoveredShards } = facts;
    if (this.#firstAtUs === undefined) this.#firstAtUs = deliveredAtUs;
    else this.gaps.add((deliveredAtUs - this.#lastAtUs) / 1000);
    this.#lastAtUs = deliveredAtUs;
    this.frames++;
    this.bytes += sizeBytes;
    if (facts.isKeyFrame) this.keyFrames++;
    if (recoveredShards > 0) this.recoveredFrames++;
    this.assembly.add(facts.assemblyUs / 1000);
    if (latencyUs !== undefined) this.latency.add(latencyUs / 1000);
    const bucket = this.#bucketAt(deliveredAtUs);
    if (bucket === undefined) return;
    bucket.frames++;
    bucket.bytes += sizeBytes;
    if (recoveredShards > 0) bucket.recovered++;
    bucket.latencyMax = Math.max(bucket.latencyMax, (latencyUs ?? 0) / 1000);
  }

  lost(count: number, nowUs: number): void {
    this.lostFrames += count;
    const bucket = this.#bucketAt(nowUs);
    if (bucket !== undefined) bucket.lost += count;
  }

  /** Rate of the access units between the first and the last. */
  videoKbps(): number {
    return this.durationMs === 0 ? 0 : this.bytes * 8 / this.durationMs;
  }

  #bucketAt(nowUs: number): TimelineBucket | undefined {
    const sinceMs = (nowUs - (this.#firstAtUs ?? nowUs)) / 1000;
    const index = Math.floor(sinceMs / TIMELINE_BUCKET_MS);
    if (index >= TIMELINE_BUCKETS_MAX) return undefined;
    while (this.timeline.length <= index) {
      this.timeline.push({ frames: 0, bytes: 0, lost: 0, recovered: 0, latencyMax: 0 });
    }
    return this.timeline[index];
  }
}

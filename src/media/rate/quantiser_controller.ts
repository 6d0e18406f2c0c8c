/**
 * Holds an encoder's rate by choosing one quantiser for each picture, before it is coded. Pure: no clock.
 *
 *     plan(facts) → quantiser → (encode) → update(size)       once a picture, in this order
 *
 * Two parts. A *budget* says how many bits the picture may take: its share of the rate, less a part of what earlier ones
 * overdrew, within bounds that keep each picture's sending time near one interval. A *model* says which quantiser gives
 * so many bits: bits ≈ cost × complexity ÷ step^SLOPE, with the cost learned from what came out, for IDRs and the rest
 * apart. What is new against the picture before is charged at the cost of unpredictable content, since a picture that
 * came out too large cannot be taken back.
 *
 * @module
 */

/** What is known of a picture before it is coded. Complexities are mean differences of luma, 0…255. */
export interface PictureFacts {
  readonly isIdr: boolean;
  /** Between neighbours within the picture. */
  readonly intra: number;
  /** To the picture coded last, or between neighbours where that is less. */
  readonly inter: number;
  /** The lowest quantiser the encoder takes for this picture. */
  readonly qpMin: number;
  /** Since the picture before, microseconds. */
  readonly elapsedUs: number;
}

export interface QuantiserControllerOptions {
  readonly bitrateKbps: number;
  readonly refreshMilliHz: number;
  readonly pixels: number;
}

export const QUANTISER_MAX = 51;
/** Below this nobody sees a difference, and easy content would take the whole rate for nothing. */
const QUANTISER_MIN = 14;
/**
 * Sharpening in small steps: what a coarser picture left out is made up for when the quantiser falls, and a large step
 * would cost a picture of its own.
 */
const STEP_DOWN_MAX = 2;
/** Pictures that take less of their budget than this allow the large step. */
const EASY_SHARE = 0.3;

const SLOPE = 1.2;
/** Bits per pixel at step 1 and complexity 1 of content that nothing predicts: the upper end of what was measured. */
const COST_UNKNOWN = 6;
/** Less change than this is a still screen with a pointer on it. */
const STILL_COMPLEXITY = 0.05;
/** Growth of complexity that is taken for more of the same; and beyond which nothing is the same. */
const SAME_CONTENT_GROWTH = 1.25;
const NEW_CONTENT_GROWTH = 2;
/** How fast a lower complexity makes the higher one before it forgotten, a picture. */
const FORGETTING = 0.9;
/** How far the cost moves to what was observed last, a picture. */
const LEARNING = 0.15;

/** Over how long a debt is paid back, and the bounds of debt and credit. */
const PAYBACK_US = 500_000;
const DEBT_US_MAX = 500_000;
const CREDIT_US_MAX = 100_000;
/** A picture's budget in shares of the rate. */
const SHARE_MIN = 0.4;
const SHARE_MAX = 1.6;
const IDR_SHARES = 4;
const IDR_SHARES_MIN = 2;
const INTERVAL_GROWTH_MAX = 4;

export class QuantiserController {
  readonly #nominalIntervalUs: number;
  readonly #pixels: number;
  #bitsPerUs: number;
  /** What was produced beyond the rate, in bits; negative is credit. */
  #debtBits = 0;
  #intervalUs: number;
  #costIdr = COST_UNKNOWN;
  #costInter = COST_UNKNOWN;
  #recentInter = 0;
  #lastQuantiser: number | null = null;
  #lastBits = 0;
  #typicalBits = 0;
  #planned: { readonly facts: PictureFacts; readonly quantiser: number } | null = null;

  constructor(options: QuantiserControllerOptions) {
    this.#nominalIntervalUs = 1e9 / options.refreshMilliHz;
    this.#intervalUs = this.#nominalIntervalUs;
    this.#pixels = options.pixels;
    this.#bitsPerUs = options.bitrateKbps / 1000;
  }

  /** From the next picture on. Debts at the old rate are kept as time, not as bits. */
  setBitrate(kbps: number): void {
    const bitsPerUs = kbps / 1000;
    this.#debtBits *= bitsPerUs / this.#bitsPerUs;
    this.#bitsPerUs = bitsPerUs;
  }

  /** The quantiser to code the picture with, qpMin…51. */
  plan(facts: PictureFacts): number {
    this.#passTime(facts.elapsedUs);
    const budgetBits = this.#budgetBits(facts.isIdr);
    const wanted = this.#isStill(facts)
      ? this.#sharpen(budgetBits)
      : quantiserOf(this.#expectedCost(facts) * this.#pixels / budgetBits);
    const floor = Math.max(facts.qpMin, QUANTISER_MIN, this.#lowestStep(facts.isIdr, budgetBits));
    // Rounded up: between two steps the coarser one keeps the budget.
    const quantiser = Math.min(QUANTISER_MAX, Math.max(floor, Math.ceil(wanted)));
    this.#planned = { facts, quantiser };
    return quantiser;
  }

  /** The planned picture took `sizeBytes`. */
  update(sizeBytes: number): void {
    if (this.#planned === null) return;
    const { facts, quantiser } = this.#planned;
    this.#planned = null;
    const bits = sizeBytes * 8;
    this.#debtBits = Math.min(this.#debtBits + bits, DEBT_US_MAX * this.#bitsPerUs);
    this.#learn(facts, bits * stepOf(quantiser) ** SLOPE / this.#pixels);
    this.#lastQuantiser = quantiser;
    if (facts.isIdr) return;
    this.#lastBits = bits;
    this.#typicalBits = (this.#typicalBits + bits) / 2;
    this.#recentInter = Math.max(facts.inter, this.#recentInter * FORGETTING);
  }

  #passTime(elapsedUs: number): void {
    const nominalUs = this.#nominalIntervalUs;
    const intervalUs = Math.min(Math.max(elapsedUs, nominalUs), nominalUs * INTERVAL_GROWTH_MAX);
    this.#intervalUs += (intervalUs - this.#intervalUs) / 8;
    this.#debtBits = Math.max(
      this.#debtBits - elapsedUs * this.#bitsPerUs,
      -CREDIT_US_MAX * this.#bitsPerUs,
    );
  }

  #budgetBits(isIdr: boolean): number {
    const shareBits = this.#intervalUs * this.#bitsPerUs;
    // Time has passed for this picture already: a debt of minus one share is neither debt nor credit.
    const debtShares = (this.#debtBits + shareBits) / shareBits;
    const payback = debtShares * this.#intervalUs / PAYBACK_US;
    if (isIdr) return shareBits * Math.max(IDR_SHARES_MIN, IDR_SHARES * (1 - Math.max(0, payback)));
    return shareBits * Math.min(SHARE_MAX, Math.max(SHARE_MIN, 1 - payback));
  }

  #isStill(facts: PictureFacts): boolean {
    return !facts.isIdr && this.#lastQuantiser !== null && facts.inter < STILL_COMPLEXITY;
  }

  /** Nothing moves: code the same picture ever finer, as long as that stays within the budget. */
  #sharpen(budgetBits: number): number {
    const last = this.#lastQuantiser ?? QUANTISER_MAX;
    if (this.#lastBits < budgetBits / 2) return last - 1;
    return this.#lastBits <= budgetBits ? last : last + 2;
  }

  /** Bits per pixel at step 1. */
  #expectedCost(facts: PictureFacts): number {
    if (facts.isIdr) return this.#costIdr * Math.max(facts.intra, STILL_COMPLEXITY);
    if (facts.inter > this.#recentInter * NEW_CONTENT_GROWTH) return COST_UNKNOWN * facts.inter;
    const same = Math.min(facts.inter, this.#recentInter * SAME_CONTENT_GROWTH);
    return this.#costInter * same + COST_UNKNOWN * (facts.inter - same);
  }

  #learn(facts: PictureFacts, cost: number): void {
    if (facts.isIdr) {
      this.#costIdr = average(this.#costIdr, cost / Math.max(facts.intra, STILL_COMPLEXITY), 0.5);
      return;
    }
    if (facts.inter < STILL_COMPLEXITY) return;
    // After a change of content the next picture is like this one. Otherwise much of what came out is sharpening.
    const isNew = facts.inter > this.#recentInter * SAME_CONTENT_GROWTH;
    this.#costInter = average(this.#costInter, cost / facts.inter, isNew ? 1 : LEARNING);
  }

  #lowestStep(isIdr: boolean, budgetBits: number): number {
    if (isIdr || this.#lastQuantiser === null) return 0;
    return this.#lastQuantiser - (this.#typicalBits < budgetBits * EASY_SHARE ? STEP_DOWN_MAX : 1);
  }
}

/** Part-way from `old` to `observed`, in the logarithm. */
function average(old: number, observed: number, weight: number): number {
  return old * (Math.max(observed, 1e-6) / old) ** weight;
}

/** Quantiser 4 has step 1, and six more double it. */
function stepOf(quantiser: number): number {
  return 2 ** ((quantiser - 4) / 6);
}

/** The quantiser whose step, to the power of SLOPE, is `ratio`. */
function quantiserOf(ratio: number): number {
  return 4 + 6 / SLOPE * Math.log2(Math.max(ratio, 1e-6));
}

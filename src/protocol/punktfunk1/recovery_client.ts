/**
 * When a client asks for recovery, and when it shows pictures again (punktfunk/1 specification 8.3).
 *
 *     gap of up to 256 frames      RfiRequest, at most one per 100 ms; gaps in between are joined
 *     larger gap, decoder error    RequestKeyframe, at most one per 100 ms
 *     3 units without output       RequestKeyframe
 *     not recovered in 500 ms      RequestKeyframe, again and again; each wave mark extends that to 1.5 s
 *
 *     shown again from             a key frame; an anchor; the end of a wave that began after the loss, which is a mark with
 *                                  the close bit, or of hosts that never set that bit the second mark
 *
 * @module
 */
import {
  USER_FLAG_KEY,
  USER_FLAG_RECOVERY_ANCHOR,
  USER_FLAG_RECOVERY_MARK,
  USER_FLAG_WAVE_CLOSE,
} from "./video_header.ts";
import type { VideoGap } from "./video_reassembler.ts";

export const RFI_FRAMES_MAX = 256;

const REQUEST_INTERVAL_US = 100_000;
const PATIENCE_US = 500_000;
const WAVE_PATIENCE_US = 1_500_000;
const SILENT_UNITS_MAX = 3;

/** A control message to send. */
export type RecoveryRequest =
  | { readonly kind: "rfi-request"; readonly firstFrame: number; readonly lastFrame: number }
  | { readonly kind: "request-keyframe" };

export class RecoveryClient {
  #gap: VideoGap | undefined;
  #isKeyFrameWanted = false;
  #lastRfiAtUs = Number.NEGATIVE_INFINITY;
  #lastKeyRequestAtUs = Number.NEGATIVE_INFINITY;
  /** When patience ends; undefined while the picture is whole. */
  #deadlineUs: number | undefined;
  #wavesBegun = 0;
  #doesHostCloseWaves = false;
  #silentUnits = 0;

  /** The last good picture stays: what comes predicts from something lost. */
  get isHolding(): boolean {
    return this.#deadlineUs !== undefined;
  }

  /** Frames will not come. Told in order, before the frames after them. */
  lost(gap: VideoGap, nowUs: number): void {
    const first = this.#gap?.first ?? gap.first;
    this.#gap = { first, last: gap.last };
    if (((gap.last - first) >>> 0) >= RFI_FRAMES_MAX) this.#isKeyFrameWanted = true;
    this.#hold(nowUs);
  }

  /** The decoder refused a unit. */
  decoderFailed(nowUs: number): void {
    this.#isKeyFrameWanted = true;
    this.#hold(nowUs);
  }

  /** The decoder took a unit and gave a picture, or none. */
  decoderTook({ hasOutput }: { readonly hasOutput: boolean }): void {
    this.#silentUnits = hasOutput ? 0 : this.#silentUnits + 1;
    if (this.#silentUnits < SILENT_UNITS_MAX) return;
    this.#silentUnits = 0;
    this.#isKeyFrameWanted = true;
  }

  /** A frame came. Returns whether its picture may be shown. */
  received(userFlags: number, nowUs: number): boolean {
    const isMark = (userFlags & USER_FLAG_RECOVERY_MARK) !== 0;
    const isClose = isMark && (userFlags & USER_FLAG_WAVE_CLOSE) !== 0;
    if (isClose) this.#doesHostCloseWaves = true;
    if ((userFlags & USER_FLAG_KEY) !== 0) this.#isKeyFrameWanted = false;
    if (this.#deadlineUs === undefined) return true;
    if ((userFlags & (USER_FLAG_KEY | USER_FLAG_RECOVERY_ANCHOR)) !== 0) return this.#resume();
    if (!isMark) return false;
    this.#deadlineUs = Math.max(this.#deadlineUs, nowUs + WAVE_PATIENCE_US);
    if (isClose && this.#wavesBegun > 0) return this.#resume();
    if (!isClose) this.#wavesBegun++;
    return this.#wavesBegun >= 2 && !this.#doesHostCloseWaves ? this.#resume() : false;
  }

  /** The request to send now, if any. Ask after each event, and every few milliseconds while holding. */
  poll(nowUs: number): RecoveryRequest | undefined {
    const isOverdue = this.#deadlineUs !== undefined && nowUs >= this.#deadlineUs;
    if (this.#isKeyFrameWanted || isOverdue) return this.#requestKeyFrame(nowUs);
    const gap = this.#gap;
    if (gap === undefined || nowUs < this.#lastRfiAtUs + REQUEST_INTERVAL_US) return undefined;
    this.#gap = undefined;
    this.#lastRfiAtUs = nowUs;
    return { kind: "rfi-request", firstFrame: gap.first, lastFrame: gap.last };
  }

  #requestKeyFrame(nowUs: number): RecoveryRequest | undefined {
    if (nowUs < this.#lastKeyRequestAtUs + REQUEST_INTERVAL_US) return undefined;
    this.#lastKeyRequestAtUs = nowUs;
    this.#isKeyFrameWanted = false;
    // A key frame mends every gap.
    this.#gap = undefined;
    if (this.#deadlineUs !== undefined) this.#deadlineUs = nowUs + PATIENCE_US;
    return { kind: "request-keyframe" };
  }

  #hold(nowUs: number): void {
    this.#deadlineUs ??= nowUs + PATIENCE_US;
    this.#wavesBegun = 0;
  }

  #resume(): true {
    this.#deadlineUs = undefined;
    this.#wavesBegun = 0;
    this.#gap = undefined;
    return true;
  }
}

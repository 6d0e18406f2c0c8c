/**
 * The picture of one output of a wlroots compositor.
 *
 * @module
 */
import { WlrootsCapture, type WlrootsPicture } from "../../../ffi/wlroots_capture.ts";
import type { VideoFrame, VideoSource, VideoSourceSpec } from "../ports.ts";

export type WlrootsSourceSpec = Extract<VideoSourceSpec, { kind: "wlroots" }>;

/**
 * Tells which pictures are more than a refresh rate allows. A headless output ticks in whole milliseconds, so its
 * "60 Hz" are 62.5. Of each 26 such pictures one is left out whole; holding each back a little would add latency to all.
 */
export class SurplusGate {
  #dueUs = Number.NEGATIVE_INFINITY;

  /** Whether a picture of this time is surplus: one whole period ahead of the rate. */
  isSurplus(capturedAtUs: number, periodUs: number): boolean {
    return capturedAtUs < this.#dueUs - periodUs;
  }

  /** Count a picture that was passed on. */
  pass(capturedAtUs: number, periodUs: number): void {
    this.#dueUs = Math.max(this.#dueUs, capturedAtUs) + periodUs;
  }
}

/** Open the source. Throws OperationError: "missing-library", "missing-compositor", "not-found" or "unavailable". */
export async function openWlrootsSource(spec: WlrootsSourceSpec): Promise<VideoSource> {
  return new WlrootsSource(await WlrootsCapture.open(spec, { hasCursor: spec.hasCursor }), spec);
}

class WlrootsSource implements VideoSource {
  readonly description: string;
  readonly #capture: WlrootsCapture;
  readonly #gate = new SurplusGate();

  constructor(capture: WlrootsCapture, spec: WlrootsSourceSpec) {
    this.#capture = capture;
    this.description = `${capture.protocol} ${spec.outputName}`;
  }

  async next(timeoutMs: number): Promise<VideoFrame | null> {
    const picture = await this.#capture.next(timeoutMs);
    if (picture === null || picture.refreshMilliHz === 0) return picture;
    const periodUs = 1e9 / picture.refreshMilliHz;
    const chosen = this.#gate.isSurplus(picture.capturedAtUs, periodUs)
      ? await this.#successorOf(picture, periodUs)
      : picture;
    this.#gate.pass(chosen.capturedAtUs, periodUs);
    return chosen;
  }

  close(): void {
    this.#capture.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** The picture after `picture`, or itself when it turns out to be the last for now. */
  async #successorOf(picture: WlrootsPicture, periodUs: number): Promise<WlrootsPicture> {
    return await this.#capture.next(Math.ceil(periodUs / 1000)) ?? picture;
  }
}

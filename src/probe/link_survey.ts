/**
 * The measurement of the link that automatic bitrate begins with, and what the controller makes of it (punktfunk/1
 * specification 6.2): a ramp of filler before the video, of hosts that offer it, else one burst beside the video.
 *
 *     ramp    first punch      ┐
 *     burst   first frame, 2 s ┴→ ProbeRequest → filler, counted here → ProbeResult → controller.measured → LinkReport
 *
 * @module
 */
import { viewOf } from "../lib/bytes.ts";
import type { ControlMessage, ControlMessageOf } from "../protocol/punktfunk1/control.ts";
import { LinkMeasurement } from "../protocol/punktfunk1/rate/link_measurement.ts";
import { looksLikeVideo, USER_FLAG_PROBE } from "../protocol/punktfunk1/video_header.ts";
import type { RateController } from "./rate_controller.ts";

const USER_FLAGS_OFFSET = 20;
/** A burst of this many times the stream's rate tells whether there is room to climb, and hurts nobody for long. */
const BURST_FACTOR = 3;

export interface LinkSurveyOptions {
  readonly controller: Pick<RateController, "measuring" | "measured">;
  readonly send: (message: ControlMessage) => void;
  /** Whether the host offers the ramp. */
  readonly hasRamp: boolean;
  /** Granted by Welcome; 0 is unknown, and measures nothing. */
  readonly grantedKbps: number;
  /** The user wants no more: where a ramp ends. */
  readonly ceilingKbps: number;
  /** Of the first punch before a ramp, of the first frame before a burst. */
  readonly startUs: number;
}

export class LinkSurvey {
  readonly #options: LinkSurveyOptions;
  readonly #measurement: LinkMeasurement;
  #isReported: boolean;

  constructor(options: LinkSurveyOptions) {
    const { hasRamp, grantedKbps, ceilingKbps, startUs } = options;
    this.#options = options;
    this.#isReported = grantedKbps === 0;
    const burstKbps = BURST_FACTOR * grantedKbps;
    this.#measurement = new LinkMeasurement(
      hasRamp
        ? { kind: "ramp", startUs, ceilingKbps }
        : { kind: "burst", startUs, ceilingKbps: burstKbps, burstKbps },
    );
  }

  /** A packet came, of video or of filler. */
  packet(packet: Uint8Array, nowUs: number): void {
    if (!this.#measurement.isFilling || !looksLikeVideo(packet)) return;
    const userFlags = viewOf(packet).getUint32(USER_FLAGS_OFFSET, true);
    if ((userFlags & USER_FLAG_PROBE) !== 0) this.#measurement.filler(packet.byteLength, nowUs);
    else this.#measurement.video(packet.byteLength);
  }

  answered(message: ControlMessageOf<"probe-result">, nowUs: number): void {
    this.#measurement.result(message, nowUs);
  }

  /** Call it every few milliseconds. */
  tick(nowUs: number): void {
    if (this.#isReported) return;
    const { controller, send } = this.#options;
    const wish = this.#measurement.poll(nowUs);
    if (wish !== undefined) {
      controller.measuring();
      send({ kind: "probe-request", ...wish });
    }
    const { outcome } = this.#measurement;
    if (outcome === undefined) return;
    this.#isReported = true;
    // The rate first: a host that waits for the report begins video with it.
    const kbps = controller.measured(outcome, nowUs);
    if (kbps !== undefined) send({ kind: "set-bitrate", kbps });
    if (outcome.provenKbps > 0) send({ kind: "link-report", provenKbps: outcome.provenKbps });
  }
}

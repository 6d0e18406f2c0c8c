/**
 * The seam of automatic bitrate (punktfunk/1 specification 8.2), which `AutomaticBitrate` fills.
 *
 * @module
 */
import type { BitrateChanged } from "../protocol/punktfunk1/control_video.ts";
import type { LinkOutcome } from "../protocol/punktfunk1/rate/link_measurement.ts";
import type { VideoPacketFacts } from "../protocol/punktfunk1/rate/link_sensor.ts";

export interface RateController {
  /** A packet of video came. */
  packet(facts: VideoPacketFacts, nowUs: number): void;
  /** Frames could not be repaired. */
  framesLost(nowUs: number): void;
  /** The host stood still. */
  pipelineGap(nowUs: number): void;
  roundTrip(roundTripUs: number): void;
  /** The host's answer. */
  granted(change: BitrateChanged, nowUs: number): void;
  /** Filler fills the link from now until `measured`, which gives the rate to ask for as `poll` does. */
  measuring(): void;
  measured(outcome: LinkOutcome, nowUs: number): number | undefined;
  /** The rate to ask for from now on, or undefined to leave it. */
  poll(nowUs: number): number | undefined;
}

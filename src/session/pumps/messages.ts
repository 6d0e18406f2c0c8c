/**
 * What the main isolate and a pump Worker say to each other. Plain data only.
 *
 *     main → pump   start, destination, idr, invalidate, bitrate, stop
 *     pump → main   ready, first-packet, stats, ended
 *
 * @module
 */
import type {
  AudioEncoderSpec,
  AudioSourceSpec,
  VideoEncoderSpec,
  VideoSourceSpec,
} from "../../media/ports.ts";
import type { Pacing, SocketAddress, UdpSocketHandle } from "../../media/wire/kernel.ts";
import type { AudioPacketiserSpec, VideoPacketiserSpec } from "./packetisers.ts";

export interface VideoPumpSpec {
  readonly source: VideoSourceSpec;
  readonly encoder: VideoEncoderSpec;
  readonly packetiser: VideoPacketiserSpec;
  readonly pacing: Pacing;
  readonly socket: UdpSocketHandle;
}

export interface AudioPumpSpec {
  readonly source: AudioSourceSpec;
  readonly encoder: AudioEncoderSpec;
  readonly packetiser: AudioPacketiserSpec;
  readonly socket: UdpSocketHandle;
}

export type PumpCommand<Spec> =
  | { readonly kind: "start"; readonly spec: Spec }
  /** Where packets go from now on; the first one starts the flow. */
  | { readonly kind: "destination"; readonly destination: SocketAddress }
  | { readonly kind: "idr"; readonly roundTripUs: number }
  | {
    readonly kind: "invalidate";
    readonly firstFrameIndex: number;
    readonly lastFrameIndex: number;
    readonly roundTripUs: number;
  }
  | { readonly kind: "bitrate"; readonly kbps: number }
  | { readonly kind: "stop" };

/** Counters since the start. */
export interface PumpStats {
  readonly units: number;
  readonly idrs: number;
  readonly repeats: number;
  readonly packets: number;
  readonly bytes: number;
  readonly refusedPackets: number;
  /** Units that could not be sent at all. */
  readonly droppedUnits: number;
  readonly encodeUs: number;
  readonly sendUs: number;
}

export type PumpReport =
  | { readonly kind: "ready"; readonly description: string }
  | { readonly kind: "first-packet" }
  | { readonly kind: "stats"; readonly stats: PumpStats }
  /** `code` and `message` are an OperationError's; absent after a stop. */
  | {
    readonly kind: "ended";
    readonly stats: PumpStats;
    readonly error?: { readonly code: string; readonly message: string };
  };

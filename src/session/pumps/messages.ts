/**
 * What the main isolate and a pump Worker say to each other. Plain data only.
 *
 *     main → pump   start, destination, flow, idr, invalidate, bitrate, fec, shard-payload, pacing, probe,
 *                   stop
 *     pump → main   ready, first-packet, unit, sound, probed, stats, ended
 *
 * @module
 */
import type {
  AudioEncoderSpec,
  AudioSourceSpec,
  PatternEncoderSpec,
  VideoEncoderSpec,
  VideoSourceSpec,
} from "../../media/ports.ts";
import type { Pacing, SocketAddress, UdpSocketHandle } from "../../media/wire/kernel.ts";
import type { ProbePlan, ProbeTotals } from "../../protocol/punktfunk1/probe_train.ts";
import type { AudioPacketiserSpec, VideoPacketiserSpec } from "./packetisers.ts";

export interface VideoPumpSpec {
  readonly source: VideoSourceSpec;
  readonly encoder: VideoEncoderSpec | PatternEncoderSpec;
  readonly packetiser: VideoPacketiserSpec;
  readonly pacing: Pacing;
  readonly socket: UdpSocketHandle;
  /** Ends by itself after this many units; absent: never. */
  readonly unitsMax?: number;
  /** Test loss: share of packets, filler of probes included, that are made and not sent, 0…90. Absent: none. */
  readonly dropPercent?: number;
  /** The picture waits for "flow" once the destination is known; probes are answered meanwhile. Absent: it does not wait. */
  readonly isHeldBack?: boolean;
  /** Test delay: how long a request for an IDR waits for its answer at least. Absent: it does not. */
  readonly recoveryMs?: number;
  /** Whether each sent unit is reported. */
  readonly isReportingUnits?: boolean;
}

/** One access unit that has left, for planes that tell their client how long it took. */
export interface SentUnit {
  readonly frameIndex: number;
  /** As the packetiser was told, CLOCK_MONOTONIC in microseconds. */
  readonly capturedAtUs: number;
  /** Capture to the encoder's start, encoding, and sending, microseconds. */
  readonly waitedUs: number;
  readonly encodeUs: number;
  readonly sendUs: number;
}

export interface AudioPumpSpec {
  readonly source: AudioSourceSpec;
  readonly encoder: AudioEncoderSpec;
  readonly output: AudioOutputSpec;
}

export type AudioOutputSpec =
  | {
    readonly kind: "socket";
    readonly packetiser: AudioPacketiserSpec;
    readonly socket: UdpSocketHandle;
  }
  /** Packets come back as reports; whoever started the pump sends them. */
  | { readonly kind: "report" };

export interface SoundPacket {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** CLOCK_MONOTONIC in microseconds. */
  readonly capturedAtUs: number;
}

export type PumpCommand<Spec> =
  | { readonly kind: "start"; readonly spec: Spec }
  /** Where packets go from now on; the first one starts the flow of what is not held back. */
  | { readonly kind: "destination"; readonly destination: SocketAddress }
  /** Starts the flow of an output without destination, and of a picture that is held back. */
  | { readonly kind: "flow" }
  | { readonly kind: "idr"; readonly roundTripUs: number }
  | {
    readonly kind: "invalidate";
    readonly firstFrameIndex: number;
    readonly lastFrameIndex: number;
    readonly roundTripUs: number;
  }
  | { readonly kind: "bitrate"; readonly kbps: number }
  | { readonly kind: "fec"; readonly percent: number }
  | { readonly kind: "shard-payload"; readonly sizeBytes: number }
  | { readonly kind: "pacing"; readonly pacing: Pacing }
  /** Send filler beside the video; one train at a time. */
  | { readonly kind: "probe"; readonly plan: ProbePlan }
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
  | { readonly kind: "sound"; readonly packet: SoundPacket }
  | { readonly kind: "unit"; readonly unit: SentUnit }
  | { readonly kind: "probed"; readonly totals: ProbeTotals }
  /** `code` and `message` are an OperationError's; absent after a stop. */
  | {
    readonly kind: "ended";
    readonly stats: PumpStats;
    readonly error?: { readonly code: string; readonly message: string };
  };

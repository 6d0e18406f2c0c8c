/**
 * From a packetiser's spec to the packetiser: the one place that knows which plane speaks which.
 *
 * @module
 */
import type { PacketStreamSpec, SendResult } from "../../media/wire/kernel.ts";
import type { FecTerms } from "../../protocol/punktfunk1/fec_plan.ts";
import type { ProbePlan, ProbeTotals } from "../../protocol/punktfunk1/probe_train.ts";
import type { SealSecrets } from "../../protocol/punktfunk1/video_seal.ts";
import type { Packetiser, WireJob } from "../../protocol/wire_job.ts";

export type VideoPacketiserSpec = GameStreamVideoSpec | NativeVideoSpec;

export interface GameStreamVideoSpec {
  readonly plane: "gamestream";
  readonly packetSizeBytes: number;
  readonly fecPercent: number;
  readonly minParityPackets: number;
  /** AES-128 key, or null for plain datagrams. */
  readonly key: Uint8Array | null;
}

export interface NativeVideoSpec {
  readonly plane: "native";
  readonly terms: FecTerms;
  readonly shardPayloadBytes: number;
  readonly shardPayloadCeilingBytes: number;
  readonly frameBytesMax: number;
  /** null sends plain datagrams, for tests on loopback. */
  readonly secrets: SealSecrets | null;
  /** Wall clock less monotonic clock. */
  readonly wallOffsetNs: bigint;
}

/** What may change about a stream while it runs. */
export interface StreamTuning {
  setFecPercent(percent: number): void;
  setShardPayload(sizeBytes: number): void;
}

/** Filler that measures the link, sent between frames. */
export interface Filler {
  isDone(nowUs: number): boolean;
  /** What is due now, or null. Valid until the next call. */
  next(nowUs: number): { readonly job: WireJob; readonly unit: Uint8Array } | null;
  sent(result: SendResult, nowUs: number): void;
  readonly totals: ProbeTotals;
}

export interface OpenedPacketiser {
  readonly packetiser: Packetiser;
  /** Undefined where nothing may change. */
  readonly tuning: StreamTuning | undefined;
  /** Undefined where the protocol has no probes. */
  readonly startProbe: ((plan: ProbePlan, startUs: number) => Filler) | undefined;
}

export interface AudioPacketiserSpec {
  readonly plane: "gamestream";
  readonly frameDurationMs: 5 | 10;
  readonly key: Uint8Array | null;
  /** Signed 32-bit base of the IVs. */
  readonly keyId: number;
}

/** What goes around the next packet of sound. Its arrays are reused by the following call. */
export interface AudioPacketiser {
  readonly streamSpec: PacketStreamSpec;
  next(): {
    readonly header: Uint8Array;
    readonly iv: Uint8Array | null;
    readonly parityHeaders: Uint8Array;
  };
}

export async function openVideoPacketiser(spec: VideoPacketiserSpec): Promise<OpenedPacketiser> {
  if (spec.plane === "gamestream") {
    const { createVideoPacketiser } = await import(
      "../../protocol/gamestream/video_packetiser.ts"
    );
    return { packetiser: createVideoPacketiser(spec), tuning: undefined, startProbe: undefined };
  }
  return await openNativeVideo(spec);
}

async function openNativeVideo(spec: NativeVideoSpec): Promise<OpenedPacketiser> {
  const { VideoPacketiser } = await import("../../protocol/punktfunk1/video_packetiser.ts");
  const { SealCounter } = await import("../../protocol/punktfunk1/video_seal.ts");
  const { ProbeTrain } = await import("../../protocol/punktfunk1/probe_train.ts");
  const { secrets, ...options } = spec;
  const seal = secrets === null ? null : { secrets, counter: new SealCounter() };
  const packetiser = new VideoPacketiser({ ...options, seal });
  let lastTrain: { readonly nextFrameIndex: number } = { nextFrameIndex: 0 };
  return {
    packetiser,
    tuning: packetiser,
    startProbe(plan, startUs) {
      const train = new ProbeTrain(plan, {
        scheme: spec.terms.scheme,
        blockDataShardsMax: spec.terms.blockDataShardsMax,
        shardPayloadBytes: packetiser.shardPayloadBytes,
        seal,
        wallOffsetNs: spec.wallOffsetNs,
        startUs,
        firstFrameIndex: lastTrain.nextFrameIndex,
      });
      lastTrain = train;
      return train;
    },
  };
}

export async function openAudioPacketiser(spec: AudioPacketiserSpec): Promise<AudioPacketiser> {
  const gamestream = await import("../../protocol/gamestream/audio_packetiser.ts");
  const packetiser = new gamestream.AudioPacketiser({
    packetDurationMs: spec.frameDurationMs,
    rikeyId: spec.key === null ? null : spec.keyId,
  });
  return {
    streamSpec: {
      dataCount: gamestream.AUDIO_BLOCK_DATA_PACKETS,
      parityCount: gamestream.AUDIO_BLOCK_PARITY_PACKETS,
      parityMatrix: gamestream.AUDIO_PARITY_MATRIX,
      cbcKey: spec.key,
    },
    next: () => packetiser.next(),
  };
}

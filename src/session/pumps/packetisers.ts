/**
 * From a packetiser's spec to the packetiser: the one place that knows which plane speaks which.
 *
 * @module
 */
import type { PacketStreamSpec } from "../../media/wire/kernel.ts";
import type { Packetiser } from "../../protocol/wire_job.ts";

export interface VideoPacketiserSpec {
  readonly plane: "gamestream";
  readonly packetSizeBytes: number;
  readonly fecPercent: number;
  readonly minParityPackets: number;
  /** AES-128 key, or null for plain datagrams. */
  readonly key: Uint8Array | null;
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

export async function openVideoPacketiser(spec: VideoPacketiserSpec): Promise<Packetiser> {
  const { createVideoPacketiser } = await import(
    "../../protocol/gamestream/video_packetiser.ts"
  );
  return createVideoPacketiser(spec);
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

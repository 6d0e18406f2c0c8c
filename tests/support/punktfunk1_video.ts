/**
 * Video packets of punktfunk/1 as a host makes them, for tests of what receives them.
 *
 * @module
 */
import { createReferenceKernel } from "../../src/media/wire/reference_kernel.ts";
import type { FecTerms } from "../../src/protocol/punktfunk1/fec_plan.ts";
import {
  VideoPacketiser,
  type VideoPacketiserOptions,
} from "../../src/protocol/punktfunk1/video_packetiser.ts";
import type { AccessUnitFacts, WireJob } from "../../src/protocol/wire_job.ts";

export const TERMS: FecTerms = { scheme: "gf65536", percent: 10, blockDataShardsMax: 4096 };
export const SHARD_PAYLOAD_BYTES = 512;
export const FRAME_BYTES_MAX = 8 * 1024 * 1024;
export const FRAME_INTERVAL_US = 16_667;

export const STREAM_OPTIONS: VideoPacketiserOptions = {
  terms: TERMS,
  shardPayloadBytes: SHARD_PAYLOAD_BYTES,
  shardPayloadCeilingBytes: SHARD_PAYLOAD_BYTES,
  frameBytesMax: FRAME_BYTES_MAX,
  seal: null,
  wallOffsetNs: 1_751_500_000_000_000_000n,
};

/** An access unit like those of the reference's test stream: its index, then a ramp. */
export function testAccessUnit(index: number, sizeBytes: number): Uint8Array<ArrayBuffer> {
  const unit = Uint8Array.from({ length: sizeBytes }, (_, at) => (index + at) & 0xff);
  if (sizeBytes >= 4) new DataView(unit.buffer).setUint32(0, index, true);
  return unit;
}

/** A host's end of the stream: every frame is FRAME_INTERVAL_US after the one before. */
export class TestVideoStream {
  readonly packetiser: VideoPacketiser;
  readonly #kernel = createReferenceKernel();
  #frames = 0;

  constructor(changes: Partial<VideoPacketiserOptions> = {}) {
    this.packetiser = new VideoPacketiser({ ...STREAM_OPTIONS, ...changes });
  }

  /** Datagrams of the next frame, whose unit is `testAccessUnit(its index, sizeBytes)`. */
  next(sizeBytes: number, changes: Partial<AccessUnitFacts> = {}): Uint8Array<ArrayBuffer>[] {
    const unit = testAccessUnit(this.packetiser.nextFrameIndex, sizeBytes);
    const job = this.packetiser.plan({ ...this.#facts(), sizeBytes, ...changes });
    return this.#build(job, unit);
  }

  /** The same in parts: datagrams of each part. The last part's size is what is left. */
  nextStreamed(
    sizeBytes: number,
    { partSizes, isSliced }: { readonly partSizes: readonly number[]; readonly isSliced: boolean },
  ): Uint8Array<ArrayBuffer>[][] {
    const unit = testAccessUnit(this.packetiser.nextFrameIndex, sizeBytes);
    this.packetiser.beginStreamed(this.#facts(), { isSliced });
    let sentBytes = 0;
    return partSizes.map((partBytes, index) => {
      const isLast = index === partSizes.length - 1;
      const job = this.packetiser.planPart(partBytes, { isLast });
      const part = unit.slice(sentBytes, sentBytes + partBytes);
      sentBytes += partBytes;
      return this.#build(job, part);
    });
  }

  #facts(): AccessUnitFacts {
    const capturedAtUs = this.#frames++ * FRAME_INTERVAL_US;
    return { sizeBytes: 0, kind: "p", capturedAtUs, nowUs: capturedAtUs + 2_000 };
  }

  #build(job: WireJob, unit: Uint8Array): Uint8Array<ArrayBuffer>[] {
    const bytes = this.#kernel.build(job, unit);
    const size = bytes.byteLength / job.packetCount;
    return Array.from(
      { length: job.packetCount },
      (_, index) => bytes.slice(index * size, (index + 1) * size),
    );
  }
}

/**
 * How long the host took for one frame, datagram cf (specification 7.8). Little-endian.
 *
 *     offset  size  field
 *     0       1     tag cf
 *     1       8     timestamp of the access unit, nanoseconds since 1970
 *     9       4     microseconds from capture to sent
 *     13      12    microseconds queued, encoded, paced; perhaps absent
 *     25      4     phase, signed nanoseconds; perhaps absent
 *
 * A torn tail reads as the next shorter form.
 *
 * @module
 */
import { openDatagram, startDatagram } from "./tags.ts";

const SHORT_BYTES = 13;
const STAGES_BYTES = 25;
const PHASE_BYTES = 29;

export interface HostTiming {
  readonly ptsNs: bigint;
  readonly totalUs: number;
  readonly stages: HostTimingStages | undefined;
}

export interface HostTimingStages {
  readonly queueUs: number;
  readonly encodeUs: number;
  readonly paceUs: number;
  readonly phaseNs: number | undefined;
}

/** Undefined when `bytes` are shorter than the shortest form. */
export function decodeHostTiming(bytes: Uint8Array): HostTiming | undefined {
  const view = openDatagram(bytes, "host-timing", SHORT_BYTES);
  if (view === undefined) return undefined;
  return {
    ptsNs: view.getBigUint64(1, true),
    totalUs: view.getUint32(9, true),
    stages: bytes.byteLength < STAGES_BYTES ? undefined : {
      queueUs: view.getUint32(13, true),
      encodeUs: view.getUint32(17, true),
      paceUs: view.getUint32(21, true),
      phaseNs: bytes.byteLength < PHASE_BYTES ? undefined : view.getInt32(25, true),
    },
  };
}

export function encodeHostTiming({ ptsNs, totalUs, stages }: HostTiming): Uint8Array<ArrayBuffer> {
  const phaseNs = stages?.phaseNs;
  const sizeBytes = stages === undefined
    ? SHORT_BYTES
    : phaseNs === undefined
    ? STAGES_BYTES
    : PHASE_BYTES;
  const { bytes, view } = startDatagram("host-timing", sizeBytes);
  view.setBigUint64(1, ptsNs, true);
  view.setUint32(9, totalUs, true);
  if (stages !== undefined) {
    view.setUint32(13, stages.queueUs, true);
    view.setUint32(17, stages.encodeUs, true);
    view.setUint32(21, stages.paceUs, true);
  }
  if (phaseNs !== undefined) view.setInt32(25, phaseNs, true);
  return bytes;
}

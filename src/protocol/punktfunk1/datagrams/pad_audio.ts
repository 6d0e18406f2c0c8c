/**
 * Sound for the speaker or the haptic coils of a pad, datagram d1 (specification 7.8). Little-endian.
 *
 *     offset  size  field
 *     0       1     tag d1
 *     1       1     pad
 *     2       1     0 haptics, 5 ms a packet; 1 speaker, 10 ms a packet
 *     3       4     sequence
 *     7       8     nanoseconds since 1970
 *     15      n     Opus packet
 *
 * @module
 */
import type { AudioPacket } from "./audio.ts";
import { openDatagram, PAD_COUNT_MAX, startDatagram } from "./tags.ts";

export const PAD_AUDIO_HEADER_BYTES = 15;
const OUTPUTS = ["haptics", "speaker"] as const;

export interface PadAudioPacket extends AudioPacket {
  readonly pad: number;
  readonly output: typeof OUTPUTS[number];
}

/** Undefined when `bytes` are short, or name no such pad or output. */
export function decodePadAudio(bytes: Uint8Array): PadAudioPacket | undefined {
  const view = openDatagram(bytes, "pad-audio", PAD_AUDIO_HEADER_BYTES);
  if (view === undefined) return undefined;
  const pad = view.getUint8(1);
  const output = OUTPUTS[view.getUint8(2)];
  if (pad >= PAD_COUNT_MAX || output === undefined) return undefined;
  return {
    pad,
    output,
    sequence: view.getUint32(3, true),
    ptsNs: view.getBigUint64(7, true),
    payload: bytes.subarray(PAD_AUDIO_HEADER_BYTES),
  };
}

export function encodePadAudio(packet: PadAudioPacket): Uint8Array<ArrayBuffer> {
  const { bytes, view } = startDatagram(
    "pad-audio",
    PAD_AUDIO_HEADER_BYTES + packet.payload.byteLength,
  );
  view.setUint8(1, packet.pad);
  view.setUint8(2, OUTPUTS.indexOf(packet.output));
  view.setUint32(3, packet.sequence, true);
  view.setBigUint64(7, packet.ptsNs, true);
  bytes.set(packet.payload, PAD_AUDIO_HEADER_BYTES);
  return bytes;
}

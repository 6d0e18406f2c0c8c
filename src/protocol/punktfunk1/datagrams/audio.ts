/**
 * Sound datagrams (specification 7.2 and 7.3). Little-endian.
 *
 *     c9 audio, cb microphone, d3 PCM               d2 audio with redundancy
 *     0   1  tag                                    0     1  tag
 *     1   4  sequence, one a packet                 1     4  sequence of the packet
 *     5   8  nanoseconds since 1970, sender's       5     8  nanoseconds since 1970, sender's
 *     13  n  payload, empty: deliberate silence     13    2  size of the packet
 *                                                   15    p  packet
 *                                                   15+p  n  copy of the packet before it; empty: none
 *
 * c9, d2 and d3 of one session count in one sequence.
 *
 * @module
 */
import { type DatagramType, openDatagram, startDatagram } from "./tags.ts";

export const AUDIO_HEADER_BYTES = 13;
export const REDUNDANT_AUDIO_HEADER_BYTES = 15;

export interface AudioPacket {
  /** 0…2^32 − 1. */
  readonly sequence: number;
  readonly ptsNs: bigint;
  /** Opus, or interleaved samples of d3. A view of what was decoded. */
  readonly payload: Uint8Array;
}

export interface RedundantAudioPacket extends AudioPacket {
  /** The payload of the packet before; empty when there is none. */
  readonly previous: Uint8Array;
}

export type PlainAudioType = Extract<DatagramType, "audio" | "microphone" | "pcm">;

/** Undefined when `bytes` are short or not of this `type`. */
export function decodeAudio(bytes: Uint8Array, type: PlainAudioType): AudioPacket | undefined {
  const view = openDatagram(bytes, type, AUDIO_HEADER_BYTES);
  if (view === undefined) return undefined;
  return {
    sequence: view.getUint32(1, true),
    ptsNs: view.getBigUint64(5, true),
    payload: bytes.subarray(AUDIO_HEADER_BYTES),
  };
}

export function encodeAudio(packet: AudioPacket, type: PlainAudioType): Uint8Array<ArrayBuffer> {
  const { sequence, ptsNs, payload } = packet;
  const { bytes, view } = startDatagram(type, AUDIO_HEADER_BYTES + payload.byteLength);
  view.setUint32(1, sequence, true);
  view.setBigUint64(5, ptsNs, true);
  bytes.set(payload, AUDIO_HEADER_BYTES);
  return bytes;
}

/** Undefined when `bytes` are short of what they announce. */
export function decodeRedundantAudio(bytes: Uint8Array): RedundantAudioPacket | undefined {
  const view = openDatagram(bytes, "redundant-audio", REDUNDANT_AUDIO_HEADER_BYTES);
  if (view === undefined) return undefined;
  const end = REDUNDANT_AUDIO_HEADER_BYTES + view.getUint16(13, true);
  if (bytes.byteLength < end) return undefined;
  return {
    sequence: view.getUint32(1, true),
    ptsNs: view.getBigUint64(5, true),
    payload: bytes.subarray(REDUNDANT_AUDIO_HEADER_BYTES, end),
    previous: bytes.subarray(end),
  };
}

/** Throws RangeError when the payload is longer than 65535 bytes. */
export function encodeRedundantAudio(packet: RedundantAudioPacket): Uint8Array<ArrayBuffer> {
  const { sequence, ptsNs, payload, previous } = packet;
  if (payload.byteLength > 0xffff) {
    throw new RangeError(`Cannot encode audio packet of ${payload.byteLength} bytes`);
  }
  const end = REDUNDANT_AUDIO_HEADER_BYTES + payload.byteLength;
  const { bytes, view } = startDatagram("redundant-audio", end + previous.byteLength);
  view.setUint32(1, sequence, true);
  view.setBigUint64(5, ptsNs, true);
  view.setUint16(13, payload.byteLength, true);
  bytes.set(payload, REDUNDANT_AUDIO_HEADER_BYTES);
  bytes.set(previous, end);
  return bytes;
}

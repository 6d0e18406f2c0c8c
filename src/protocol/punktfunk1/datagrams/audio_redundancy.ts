/**
 * Sound that survives the loss of one packet (specification 7.3). Pure.
 *
 *     host    packet n−1, packet n    → d2: n, and a copy of n−1
 *     client  n−2, [n−1 lost], d2: n  → n−2, n−1, n
 *
 * @module
 */
import {
  type AudioPacket,
  encodeAudio,
  encodeRedundantAudio,
  REDUNDANT_AUDIO_HEADER_BYTES,
  type RedundantAudioPacket,
} from "./audio.ts";
import { isNewerSequence } from "./tags.ts";

/** Opus packets of this protocol are this long (specification 7.4). */
const PACKET_DURATION_NS = 5_000_000n;

const NONE = new Uint8Array(0);

/** Host: adds to each packet a copy of the one before. */
export class AudioRedundancy {
  #previous: AudioPacket | undefined;

  /**
   * The datagram of `packet`: d2, or a plain c9 where two packets do not fit `sizeBytesMax`. The payload is kept by
   * copy.
   */
  encode(packet: AudioPacket, sizeBytesMax: number): Uint8Array<ArrayBuffer> {
    const before = this.#previous;
    this.#previous = { ...packet, payload: packet.payload.slice() };
    const previous = before !== undefined && before.sequence === (packet.sequence - 1 >>> 0)
      ? before.payload
      : NONE;
    const sizeBytes = REDUNDANT_AUDIO_HEADER_BYTES + packet.payload.byteLength +
      previous.byteLength;
    return sizeBytes <= sizeBytesMax
      ? encodeRedundantAudio({ ...packet, previous })
      : encodeAudio(packet, "audio");
  }
}

/** Client: packets in order, each once, with gaps of one filled from the copy. */
export class AudioGapFiller {
  #lastSequence: number | undefined;
  #missingCount = 0;

  /** Packets that never came, neither themselves nor as a copy. */
  get missingCount(): number {
    return this.#missingCount;
  }

  /** What to play now that `packet` came: nothing when it is late, else it, perhaps with the one before in front. */
  receive(packet: AudioPacket | RedundantAudioPacket): readonly AudioPacket[] {
    const last = this.#lastSequence;
    if (last !== undefined && !isNewerSequence(packet.sequence, last, 32)) return [];
    this.#lastSequence = packet.sequence;
    const missing = last === undefined ? 0 : (packet.sequence - last >>> 0) - 1;
    const previous = "previous" in packet ? packet.previous : NONE;
    if (missing === 0 || previous.byteLength === 0) {
      this.#missingCount += missing;
      return [packet];
    }
    this.#missingCount += missing - 1;
    const recovered: AudioPacket = {
      sequence: packet.sequence - 1 >>> 0,
      ptsNs: BigInt.asUintN(64, packet.ptsNs - PACKET_DURATION_NS),
      payload: previous,
    };
    return [recovered, packet];
  }
}

/**
 * Headers of GameStream audio packets (specification 8.2, 8.4, 8.5). Integers are big-endian.
 *
 *     data packet                                     parity packet, two after every fourth data packet
 *
 *     offset  size  field                             offset  size  field
 *     0       1     0x80                              0       1     0x80
 *     1       1     97                                1       1     127
 *     2       2     sequence, from 0                  2       2     last data sequence + 1 + shard
 *     4       4     timestamp, milliseconds           4       8     0
 *     8       4     SSRC, 0                           12      1     shard, 0 or 1
 *     12      n     Opus packet, perhaps encrypted    13      1     97
 *                                                     14      2     sequence of the block's first data packet
 *                                                     16      4     its timestamp
 *                                                     20      4     SSRC, 0
 *                                                     24      n     parity of the four payloads
 *
 * Encryption: AES-128-CBC with PKCS#7, IV = (rikeyid + sequence) mod 2³² ‖ 12 zero bytes. Parity covers ciphertext.
 *
 * @module
 */
import { viewOf } from "../../lib/bytes.ts";
import { AUDIO_FEC_CODE } from "../fec/audio.ts";

export const AUDIO_HEADER_SIZE_BYTES = 12;
export const AUDIO_PARITY_HEADER_SIZE_BYTES = 24;
export const AUDIO_PAYLOAD_TYPE = 97;
export const AUDIO_PARITY_PAYLOAD_TYPE = 127;
export const AUDIO_BLOCK_DATA_PACKETS = AUDIO_FEC_CODE.dataCount;
export const AUDIO_BLOCK_PARITY_PACKETS = AUDIO_FEC_CODE.parityCount;
/** Row by row, over the field of the video code. */
export const AUDIO_PARITY_MATRIX = AUDIO_FEC_CODE.matrix;

export interface AudioPacketHeaders {
  /** In front of the payload. */
  readonly header: Uint8Array;
  /** 16 bytes, or null when the stream is not encrypted. */
  readonly iv: Uint8Array | null;
  /** Two headers back to back; they count only behind the last data packet of a block. */
  readonly parityHeaders: Uint8Array;
}

export interface AudioPacketiserOptions {
  readonly packetDurationMs: 5 | 10;
  /** Signed 32-bit, from the launch; null when the stream is not encrypted. */
  readonly rikeyId: number | null;
}

/** Numbers the packets of one stream. Every call reuses the same buffers. */
export class AudioPacketiser {
  readonly #options: AudioPacketiserOptions;
  readonly #headers: AudioPacketHeaders;
  readonly #header: DataView;
  readonly #parityHeaders: DataView;
  readonly #iv: DataView | null;
  #packetNumber = 0;

  constructor(options: AudioPacketiserOptions) {
    this.#options = options;
    this.#headers = {
      header: new Uint8Array(AUDIO_HEADER_SIZE_BYTES),
      iv: options.rikeyId === null ? null : new Uint8Array(16),
      parityHeaders: new Uint8Array(AUDIO_BLOCK_PARITY_PACKETS * AUDIO_PARITY_HEADER_SIZE_BYTES),
    };
    this.#header = viewOf(this.#headers.header);
    this.#parityHeaders = viewOf(this.#headers.parityHeaders);
    this.#iv = this.#headers.iv === null ? null : viewOf(this.#headers.iv);
    this.#header.setUint8(0, 0x80);
    this.#header.setUint8(1, AUDIO_PAYLOAD_TYPE);
    for (let shard = 0; shard < AUDIO_BLOCK_PARITY_PACKETS; shard++) {
      const offset = shard * AUDIO_PARITY_HEADER_SIZE_BYTES;
      this.#parityHeaders.setUint8(offset, 0x80);
      this.#parityHeaders.setUint8(offset + 1, AUDIO_PARITY_PAYLOAD_TYPE);
      this.#parityHeaders.setUint8(offset + 12, shard);
      this.#parityHeaders.setUint8(offset + 13, AUDIO_PAYLOAD_TYPE);
    }
  }

  /** What goes around the next Opus packet. Valid until the next call. */
  next(): AudioPacketHeaders {
    const number = this.#packetNumber++;
    const sequence = number & 0xffff;
    this.#header.setUint16(2, sequence);
    this.#header.setUint32(4, this.#timestampOf(number));
    this.#iv?.setUint32(0, ((this.#options.rikeyId ?? 0) + sequence) >>> 0);
    if (number % AUDIO_BLOCK_DATA_PACKETS === 0) this.#startBlock(number);
    return this.#headers;
  }

  #startBlock(number: number): void {
    for (let shard = 0; shard < AUDIO_BLOCK_PARITY_PACKETS; shard++) {
      const offset = shard * AUDIO_PARITY_HEADER_SIZE_BYTES;
      this.#parityHeaders.setUint16(
        offset + 2,
        (number + AUDIO_BLOCK_DATA_PACKETS + shard) & 0xffff,
      );
      this.#parityHeaders.setUint16(offset + 14, number & 0xffff);
      this.#parityHeaders.setUint32(offset + 16, this.#timestampOf(number));
    }
  }

  #timestampOf(number: number): number {
    return number * this.#options.packetDurationMs % 2 ** 32;
  }
}

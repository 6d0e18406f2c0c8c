/**
 * From audio datagrams to Opus packets in order, with a record of everything a client would mind (GameStream specification
 * 8.2 to 8.5). Pure.
 *
 * Blocks are four data and two parity packets. A packet is handed out as soon as all before it have been; what is
 * missing is rebuilt once four of the six are there, or given up when a later block begins.
 *
 * @module
 */
import { createDecipheriv } from "node:crypto";
import { AUDIO_FEC_CODE } from "../../src/protocol/fec/audio.ts";
import { encodeParity, reconstruct } from "../../src/protocol/fec/gf256.ts";

const HEADER_SIZE_BYTES = 12;
const PARITY_HEADER_SIZE_BYTES = 24;
const PAYLOAD_TYPE_DATA = 97;
const PAYLOAD_TYPE_PARITY = 127;
const BLOCK_PACKETS = 4;
const DATAGRAM_SIZE_BYTES_MAX = 1400;
const VIOLATIONS_MAX = 100;

export interface ReceivedAudioPacket {
  /** Counted on over the wrap of the 16-bit sequence. */
  readonly number: number;
  readonly timestampMs: number;
  /** One Opus packet. */
  readonly data: Uint8Array;
  readonly isRecovered: boolean;
}

export interface AudioStats {
  datagrams: number;
  noise: number;
  packets: number;
  recoveredPackets: number;
  lostPackets: number;
  lateDatagrams: number;
  /** Blocks whose parity was computed again, and those where it differed. */
  parityChecks: number;
  parityMismatches: number;
}

export interface AudioAssemblerOptions {
  readonly packetDurationMs: number;
  readonly key: Uint8Array | null;
  readonly rikeyId: number;
  readonly onPacket: (packet: ReceivedAudioPacket) => void;
}

interface Block {
  readonly firstNumber: number;
  /** Payloads as sent: four data, two parity. */
  readonly shards: (Uint8Array | undefined)[];
  deliveredCount: number;
}

export class AudioAssembler {
  readonly stats: AudioStats = {
    datagrams: 0,
    noise: 0,
    packets: 0,
    recoveredPackets: 0,
    lostPackets: 0,
    lateDatagrams: 0,
    parityChecks: 0,
    parityMismatches: 0,
  };
  /** What a client would mind, in words. The first hundred. */
  readonly violations: string[] = [];
  readonly #options: AudioAssemblerOptions;
  #block: Block | undefined;
  #nextNumber = 0;
  #payloadSizeBytes: number | undefined;

  constructor(options: AudioAssemblerOptions) {
    this.#options = options;
  }

  /** Take one datagram as it came from the socket. */
  accept(bytes: Uint8Array): void {
    this.stats.datagrams++;
    if (bytes.byteLength > DATAGRAM_SIZE_BYTES_MAX) {
      this.#violate(`a datagram has ${bytes.byteLength} bytes`);
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.byteLength > HEADER_SIZE_BYTES && view.getUint16(0) === 0x8000 + PAYLOAD_TYPE_DATA) {
      this.#acceptData(bytes, view);
    } else if (
      bytes.byteLength > PARITY_HEADER_SIZE_BYTES &&
      view.getUint16(0) === 0x8000 + PAYLOAD_TYPE_PARITY
    ) {
      this.#acceptParity(bytes, view);
    } else {
      this.stats.noise++;
    }
  }

  #violate(text: string): void {
    if (this.violations.length < VIOLATIONS_MAX) this.violations.push(text);
  }

  #acceptData(bytes: Uint8Array, view: DataView): void {
    const number = this.#numberOf(view.getUint16(2));
    if (view.getUint32(4) !== number * this.#options.packetDurationMs % 2 ** 32) {
      this.#violate(`packet ${number} has timestamp ${view.getUint32(4)}`);
    }
    if (view.getUint32(8) !== 0) this.#violate(`packet ${number} has another SSRC`);
    this.#addShard(number - number % BLOCK_PACKETS, number % BLOCK_PACKETS, {
      payload: bytes.slice(HEADER_SIZE_BYTES),
    });
  }

  #acceptParity(bytes: Uint8Array, view: DataView): void {
    const shard = view.getUint8(12);
    const firstNumber = this.#numberOf(view.getUint16(14));
    const isGood = shard < AUDIO_FEC_CODE.parityCount &&
      view.getUint8(13) === PAYLOAD_TYPE_DATA && firstNumber % BLOCK_PACKETS === 0 &&
      view.getUint32(16) === firstNumber * this.#options.packetDurationMs % 2 ** 32 &&
      view.getUint32(20) === 0;
    if (!isGood) {
      this.#violate(`a parity packet of block ${firstNumber} is wrong`);
      return;
    }
    this.#addShard(firstNumber, BLOCK_PACKETS + shard, {
      payload: bytes.slice(PARITY_HEADER_SIZE_BYTES),
    });
  }

  /** The number nearest to the next one that has this sequence. */
  #numberOf(sequence: number): number {
    const distance = ((sequence - this.#nextNumber) << 16) >> 16;
    return this.#nextNumber + distance;
  }

  #addShard(
    firstNumber: number,
    index: number,
    { payload }: { readonly payload: Uint8Array },
  ): void {
    if (this.#block === undefined || firstNumber > this.#block.firstNumber) {
      this.#startBlock(firstNumber);
    }
    const block = this.#block;
    if (block === undefined || firstNumber !== block.firstNumber) {
      this.stats.lateDatagrams++;
      return;
    }
    this.#payloadSizeBytes ??= payload.byteLength;
    if (payload.byteLength !== this.#payloadSizeBytes) {
      this.#violate(`a payload has ${payload.byteLength} bytes, others ${this.#payloadSizeBytes}`);
      return;
    }
    block.shards[index] ??= payload;
    this.#deliver(block);
    if (index === BLOCK_PACKETS + AUDIO_FEC_CODE.parityCount - 1) this.#checkParity(block);
  }

  #startBlock(firstNumber: number): void {
    if (this.#block !== undefined) this.#giveUp(this.#block);
    // Whole blocks before this one never began.
    this.stats.lostPackets += Math.max(0, firstNumber - this.#nextNumber);
    this.#nextNumber = firstNumber;
    this.#block = { firstNumber, shards: [], deliveredCount: 0 };
  }

  #deliver(block: Block): void {
    const arrivedCount = block.shards.filter((shard) => shard !== undefined).length;
    const data = arrivedCount >= BLOCK_PACKETS && block.deliveredCount < BLOCK_PACKETS
      ? reconstruct(block.shards, AUDIO_FEC_CODE)
      : block.shards;
    while (block.deliveredCount < BLOCK_PACKETS) {
      const payload = data[block.deliveredCount];
      if (payload === undefined) return;
      this.#emit(block, block.deliveredCount++, payload);
    }
  }

  /** Hand out what is there, past the gaps. */
  #giveUp(block: Block): void {
    for (; block.deliveredCount < BLOCK_PACKETS; block.deliveredCount++) {
      const payload = block.shards[block.deliveredCount];
      if (payload !== undefined) this.#emit(block, block.deliveredCount, payload);
      else this.stats.lostPackets++;
    }
    this.#nextNumber = block.firstNumber + BLOCK_PACKETS;
  }

  #emit(block: Block, index: number, payload: Uint8Array): void {
    const number = block.firstNumber + index;
    const isRecovered = block.shards[index] === undefined;
    this.#nextNumber = number + 1;
    const data = this.#decrypt(payload, number);
    if (data === undefined) {
      this.#violate(`packet ${number} cannot be decrypted`);
      return;
    }
    this.stats.packets++;
    if (isRecovered) this.stats.recoveredPackets++;
    this.#options.onPacket({
      number,
      timestampMs: number * this.#options.packetDurationMs,
      data,
      isRecovered,
    });
  }

  #decrypt(payload: Uint8Array, number: number): Uint8Array | undefined {
    const { key, rikeyId } = this.#options;
    if (key === null) return payload;
    const iv = new Uint8Array(16);
    new DataView(iv.buffer).setUint32(0, (rikeyId + (number & 0xffff)) >>> 0);
    const decipher = createDecipheriv("aes-128-cbc", key, iv);
    const first = decipher.update(payload);
    try {
      return new Uint8Array([...first, ...decipher.final()]);
    } catch {
      return undefined;
    }
  }

  #checkParity(block: Block): void {
    const data = block.shards.slice(0, BLOCK_PACKETS).filter((shard) => shard !== undefined);
    if (data.length < BLOCK_PACKETS) return;
    this.stats.parityChecks++;
    const isEqual = encodeParity(data, AUDIO_FEC_CODE).every((parity, index) => {
      const arrived = block.shards[BLOCK_PACKETS + index];
      return arrived === undefined || parity.toHex() === arrived.toHex();
    });
    if (!isEqual) this.stats.parityMismatches++;
  }
}

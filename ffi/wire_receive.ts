/**
 * Binding of native/wire: receiving and opening sealed datagrams in batches.
 *
 *     socket → one call on a thread of Deno's: everything that waits, opened → SealedBatch → the next call
 *
 * @module
 */
import { OperationError } from "../src/lib/errors.ts";
import type { UdpSocketHandle } from "./wire.ts";
import { type FrameSeal, writeSeal } from "./wire_seal.ts";
import { checkWire, handleIn, openWireLibrary } from "./wire_symbols.ts";

export interface SealedReceiverOptions {
  /** Borrowed until `close`. Meanwhile nobody else receives from it: the system joins datagrams. */
  readonly socket: UdpSocketHandle;
  /** The sender's rule, or null for datagrams that are not sealed. */
  readonly seal: FrameSeal | null;
  /** Larger datagrams are skipped, 1…65535. */
  readonly datagramSizeBytesMax: number;
  /** How many sequence numbers are told apart: a power of two from 64 to 2^20, or 0 for none. */
  readonly replayWindowSize: number;
}

/** Datagrams since the start. */
export interface SealedReceiverStats {
  /** UDP payload of all of them. */
  readonly bytes: number;
  readonly opened: number;
  /** Shorter than a seal, or too large. */
  readonly misshapen: number;
  readonly forged: number;
  readonly replayed: number;
  /**
   * What the system dropped because this program was too slow for the socket's buffer. Datagrams that it had joined count
   * once, so more may be missing.
   */
  readonly overflowed: number;
  /** The socket's buffer as the system grants it. */
  readonly bufferBytes: number;
}

/** A batch has room for these. */
const PACKETS_MAX = 1024;
const BYTES_MAX = 2 * 1024 * 1024;

const OPENING_SIZE_BYTES = 64;
const OPENING_SEAL_OFFSET = 9;
/** struct pf_wire_packet in words of 32 bits; its numbers are in the machine's own order. */
const PACKET_WORDS = 6;
const PACKET_ARRIVAL_WORD = 2;
const PACKET_OFFSET_WORD = 4;
const PACKET_SIZE_WORD = 5;
const ARRIVALS_SIZE_BYTES = 64;

/** Packets of one call. Everything in it is valid until the next `receive`. */
export class SealedBatch {
  readonly records = new Uint32Array(PACKETS_MAX * PACKET_WORDS);
  readonly bytes = new Uint8Array(BYTES_MAX);
  readonly #numbers = new BigUint64Array(this.records.buffer);
  /** Most packets of a stream have one size, so they lie where those of the last batch lay. */
  readonly #views: Uint8Array<ArrayBuffer>[] = [];
  #count = 0;
  #fetchedAtUs = 0;

  get count(): number {
    return this.#count;
  }

  /** When the socket was last asked, CLOCK_MONOTONIC. */
  get fetchedAtUs(): number {
    return this.#fetchedAtUs;
  }

  /** What was sealed. */
  packet(index: number): Uint8Array<ArrayBuffer> {
    const offset = this.#word(index, PACKET_OFFSET_WORD);
    const sizeBytes = this.#word(index, PACKET_SIZE_WORD);
    const kept = this.#views[index];
    if (kept?.byteOffset === offset && kept.byteLength === sizeBytes) return kept;
    return this.#views[index] = this.bytes.subarray(offset, offset + sizeBytes);
  }

  /** The number it was sealed with; 0 of plain ones. */
  sequence(index: number): bigint {
    return this.#numbers[index * PACKET_WORDS / 2] ?? 0n;
  }

  /** When it reached this machine, CLOCK_MONOTONIC; the same for datagrams that the system joined. */
  arrivedAtUs(index: number): number {
    return this.#word(index, PACKET_ARRIVAL_WORD) +
      this.#word(index, PACKET_ARRIVAL_WORD + 1) * 2 ** 32;
  }

  /** For the receiver that owns the batch. */
  reset(count: number, fetchedAtUs: number): void {
    this.#count = count;
    this.#fetchedAtUs = fetchedAtUs;
  }

  #word(index: number, word: number): number {
    if (index >= this.#count) {
      throw new RangeError(`Cannot read packet ${index}: the batch has ${this.#count}`);
    }
    return this.records[index * PACKET_WORDS + word] ?? 0;
  }
}

/**
 * Receives from a borrowed socket. Datagrams that are not authentic, were seen before or have a size that none has are
 * counted and skipped. Belongs to one isolate; one `receive` may wait at a time.
 */
export class SealedReceiver implements AsyncDisposable {
  readonly #library = openWireLibrary();
  readonly #receiver: Deno.PointerObject;
  readonly #batch = new SealedBatch();
  readonly #arrivals = new BigUint64Array(ARRIVALS_SIZE_BYTES / 8);
  readonly #arrivalBytes = new Uint8Array(this.#arrivals.buffer);
  #pending: Promise<number> | null = null;
  #closing: Promise<void> | null = null;

  /** Throws NativeError when the handle is no UDP socket or an option is outside its limits. */
  constructor(options: SealedReceiverOptions) {
    try {
      const opening = new Uint8Array(OPENING_SIZE_BYTES);
      const view = new DataView(opening.buffer);
      view.setUint32(0, options.datagramSizeBytesMax, true);
      view.setUint32(4, options.replayWindowSize, true);
      view.setUint8(8, options.seal === null ? 0 : 1);
      if (options.seal !== null) writeSeal(options.seal, opening, OPENING_SEAL_OFFSET);
      const slot = new BigUint64Array(1);
      const size = BigInt(OPENING_SIZE_BYTES);
      const { symbols } = this.#library;
      const status = symbols.pf_wire_receiver_open(options.socket, opening, size, slot);
      checkWire(status, "open receiver");
      this.#receiver = handleIn(slot);
    } catch (error) {
      this.#library.close();
      throw error;
    }
  }

  get stats(): SealedReceiverStats {
    const [, bytes, opened, misshapen, replayed, forged, overflowed, bufferBytes] = Array.from(
      this.#arrivals,
      Number,
    );
    return {
      bytes: bytes ?? 0,
      opened: opened ?? 0,
      misshapen: misshapen ?? 0,
      forged: forged ?? 0,
      replayed: replayed ?? 0,
      overflowed: overflowed ?? 0,
      bufferBytes: bufferBytes ?? 0,
    };
  }

  /**
   * What waits, or has come within `timeoutMs`; below 0 there is no such limit. Null when that is nothing worth handing
   * over, on `wake` and after `close`.
   */
  async receive(timeoutMs: number): Promise<SealedBatch | null> {
    if (this.#closing !== null) return null;
    if (this.#pending !== null) {
      throw new OperationError("failed", "Cannot receive packets: another receive waits");
    }
    const batch = this.#batch;
    this.#pending = this.#library.symbols.pf_wire_receiver_receive(
      this.#receiver,
      timeoutMs,
      batch.records,
      BigInt(batch.records.byteLength),
      batch.bytes,
      BigInt(batch.bytes.byteLength),
      this.#arrivalBytes,
      BigInt(ARRIVALS_SIZE_BYTES),
    );
    try {
      const count = checkWire(await this.#pending, "receive packets");
      batch.reset(count, Number(this.#arrivals[0]));
      return count === 0 || this.#closing !== null ? null : batch;
    } finally {
      this.#pending = null;
    }
  }

  /** Let the `receive` that waits, or else the next one that would wait, return null at once. */
  wake(): void {
    if (this.#closing !== null) {
      throw new OperationError("failed", "Cannot wake receiver: it is closed");
    }
    checkWire(this.#library.symbols.pf_wire_receiver_wake(this.#receiver), "wake receiver");
  }

  /** Ends a waiting `receive` with null first, then gives the socket back. */
  close(): Promise<void> {
    if (this.#closing === null) {
      if (this.#pending !== null) this.wake();
      this.#closing = this.#closeAfter(this.#pending);
    }
    return this.#closing;
  }

  async #closeAfter(pending: Promise<unknown> | null): Promise<void> {
    await pending?.catch(() => {});
    this.#library.symbols.pf_wire_receiver_close(this.#receiver);
    this.#library.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

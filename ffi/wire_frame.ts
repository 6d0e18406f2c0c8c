/**
 * Binding of native/wire: frames and packet streams. The structs of native/wire/wire.h are written here, little-endian.
 *
 * @module
 */
import { OperationError } from "../src/lib/errors.ts";
import { AddressStruct, type SocketAddress, type UdpSocketHandle } from "./wire.ts";
import { type FrameSeal, writeSeal } from "./wire_seal.ts";
import { checkWire, handleIn, openWireLibrary, type WireLibrary } from "./wire_symbols.ts";

/** Bytes in C memory. */
export interface ForeignBytes {
  readonly pointer: Deno.PointerObject;
  readonly sizeBytes: number;
}

/** Structurally `WireJob` of src/protocol/wire_job.ts, which says what each member means. */
export interface FrameJob {
  readonly shardSizeBytes: number;
  readonly headerSizeBytes: number;
  readonly headers: Uint8Array;
  readonly packetCount: number;
  readonly prologue: Uint8Array;
  readonly blocks: readonly { readonly dataCount: number; readonly parityCount: number }[];
  readonly blockCount: number;
  readonly fieldBits: 8 | 16;
  readonly order: "block" | "data-first";
  readonly fecOffsetBytes: number;
  readonly dataHeaderMask: Uint8Array;
  readonly parityHeaderMask: Uint8Array;
  readonly seal: FrameSeal | null;
  readonly sealCounter: bigint;
  readonly sealPrefix: Uint8Array;
}

/** `rateBytesPerSecond` 0 sends without waiting. */
export interface FramePacing {
  readonly burstBytesMax: number;
  readonly burstPacketsMax: number;
  readonly rateBytesPerSecond: number;
}

/** Arithmetic by its number in native/wire/wire.h, slowest first. */
export const WIRE_LEVELS = [
  "scalar",
  "ssse3",
  "avx2",
  "avx512",
  "gfni avx2",
  "gfni avx512",
  "neon",
] as const;
export type WireLevel = (typeof WIRE_LEVELS)[number];

/** How datagrams leave, by number, best first. */
export const WIRE_SEND_MODES = ["gso", "batch", "single"] as const;
export type WireSendMode = (typeof WIRE_SEND_MODES)[number];

const SEAL_OFFSET = 31;
const BLOCKS_OFFSET = 280;
const BLOCK_SIZE_BYTES = 4;
const ROUTE_SIZE_BYTES = 40;
const ROUTE_ADDRESS_OFFSET = 16;

/** struct pf_wire_job with its blocks; it grows with their number. */
class JobStruct {
  bytes = new Uint8Array(BLOCKS_OFFSET + 16 * BLOCK_SIZE_BYTES);
  #view = new DataView(this.bytes.buffer);
  /** Of the job last written. */
  sizeBytes = 0;

  write(job: FrameJob): void {
    this.sizeBytes = BLOCKS_OFFSET + BLOCK_SIZE_BYTES * job.blockCount;
    if (this.sizeBytes > this.bytes.byteLength) {
      this.bytes = new Uint8Array(2 * this.sizeBytes);
      this.#view = new DataView(this.bytes.buffer);
    }
    const { bytes } = this;
    const view = this.#view;
    view.setBigUint64(0, job.sealCounter, true);
    view.setUint32(8, job.shardSizeBytes, true);
    view.setUint32(12, job.headerSizeBytes, true);
    view.setUint32(16, job.packetCount, true);
    view.setUint32(20, job.blockCount, true);
    view.setUint32(24, job.fecOffsetBytes, true);
    view.setUint8(28, job.fieldBits);
    view.setUint8(29, job.order === "data-first" ? 1 : 0);
    view.setUint8(30, job.seal === null ? 0 : 1);
    if (job.seal !== null) {
      writeSeal(job.seal, bytes, SEAL_OFFSET);
      bytes.set(job.sealPrefix, 88);
    }
    bytes.set(job.dataHeaderMask, 152);
    bytes.set(job.parityHeaderMask, 216);
    for (let index = 0; index < job.blockCount; index++) {
      const block = job.blocks[index];
      if (block === undefined) throw new RangeError("Cannot write job: blocks are missing");
      const at = BLOCKS_OFFSET + BLOCK_SIZE_BYTES * index;
      view.setUint16(at, block.dataCount, true);
      view.setUint16(at + 2, block.parityCount, true);
    }
  }
}

/** struct pf_wire_route. */
class RouteStruct {
  readonly bytes = new Uint8Array(ROUTE_SIZE_BYTES);
  readonly #view = new DataView(this.bytes.buffer);
  readonly #to: AddressStruct;

  constructor(library: WireLibrary) {
    this.#to = new AddressStruct(library, this.bytes.buffer, ROUTE_ADDRESS_OFFSET);
  }

  write(socket: UdpSocketHandle, destination: SocketAddress, pacing: FramePacing): void {
    this.#view.setBigUint64(0, BigInt(Math.floor(pacing.rateBytesPerSecond)), true);
    this.#view.setUint32(8, pacing.burstBytesMax, true);
    this.#view.setUint32(12, pacing.burstPacketsMax, true);
    this.#view.setInt32(36, socket, true);
    this.#to.set(destination);
  }
}

/** The frame functions over one kernel handle. Belongs to one isolate. */
export class FrameKernel implements Disposable {
  readonly #library = openWireLibrary();
  readonly #kernel: Deno.PointerObject;
  readonly #job = new JobStruct();
  readonly #route = new RouteStruct(this.#library);
  #isClosed = false;

  constructor() {
    const slot = new BigUint64Array(1);
    try {
      checkWire(this.#library.symbols.pf_wire_kernel_open(slot), "open wire kernel");
      this.#kernel = handleIn(slot);
    } catch (error) {
      this.#library.close();
      throw error;
    }
  }

  get level(): WireLevel {
    this.#assertOpen();
    return WIRE_LEVELS[this.#library.symbols.pf_wire_level(this.#kernel)] ?? "scalar";
  }

  /** False when this processor does not have it; nothing changes then. */
  setLevel(level: WireLevel): boolean {
    this.#assertOpen();
    const number = WIRE_LEVELS.indexOf(level);
    return this.#library.symbols.pf_wire_set_level(this.#kernel, number) === 0;
  }

  get sendMode(): WireSendMode {
    this.#assertOpen();
    return WIRE_SEND_MODES[this.#library.symbols.pf_wire_send_mode(this.#kernel)] ?? "single";
  }

  setSendMode(mode: WireSendMode): void {
    this.#assertOpen();
    const number = WIRE_SEND_MODES.indexOf(mode);
    checkWire(this.#library.symbols.pf_wire_set_send_mode(this.#kernel, number), "set send mode");
  }

  /**
   * Lose about `percent` in a hundred of the datagrams that `send` has sealed, 0…90, for tests. They count as sent, like
   * those that are lost on their way; equal seeds lose alike.
   */
  setDrop({ percent, seed }: { readonly percent: number; readonly seed: bigint }): void {
    this.#assertOpen();
    const status = this.#library.symbols.pf_wire_set_drop(this.#kernel, percent, seed);
    checkWire(status, `drop ${percent} % of packets`);
  }

  /** Fill `parity` from `code.data` shards; shards of either sort lie back to back. */
  parity(
    data: Uint8Array<ArrayBuffer>,
    parity: Uint8Array<ArrayBuffer>,
    code: { readonly fieldBits: 8 | 16; readonly data: number; readonly parity: number },
  ): void {
    this.#assertOpen();
    const status = this.#library.symbols.pf_wire_parity(
      this.#kernel,
      code.fieldBits,
      code.data,
      code.parity,
      data,
      BigInt(data.byteLength),
      parity,
      BigInt(parity.byteLength),
    );
    checkWire(status, "compute parity");
  }

  /** Fill `out`, which has exactly the size of the frame's datagrams. */
  build(job: FrameJob, au: ForeignBytes | Uint8Array, out: Uint8Array<ArrayBuffer>): void {
    checkWire(this.#call("build", { job, au, out }), "build frame");
  }

  /** The number of datagrams that the system refused. */
  send(
    job: FrameJob,
    au: ForeignBytes | Uint8Array,
    options: {
      readonly socket: UdpSocketHandle;
      readonly destination: SocketAddress;
      readonly pacing: FramePacing;
    },
  ): number {
    this.#route.write(options.socket, options.destination, options.pacing);
    return checkWire(this.#call("send", { job, au, out: this.#route.bytes }), "send frame");
  }

  #call(
    verb: "build" | "send",
    { job, au, out }: {
      readonly job: FrameJob;
      readonly au: ForeignBytes | Uint8Array;
      readonly out: Uint8Array<ArrayBuffer>;
    },
  ): number {
    this.#assertOpen();
    const headersSize = job.packetCount * job.headerSizeBytes;
    if (job.headers.byteLength < headersSize) {
      throw new RangeError(`Cannot ${verb} frame: headers are missing`);
    }
    this.#job.write(job);
    const { symbols } = this.#library;
    const fixed = [
      this.#kernel,
      this.#job.bytes,
      BigInt(this.#job.sizeBytes),
      asBuffer(job.headers),
      BigInt(headersSize),
      asBuffer(job.prologue),
      BigInt(job.prologue.byteLength),
    ] as const;
    const outSize = BigInt(out.byteLength);
    if (au instanceof Uint8Array) {
      const auSize = BigInt(au.byteLength);
      return symbols[`pf_wire_frame_${verb}`](...fixed, asBuffer(au), auSize, out, outSize);
    }
    const auSize = BigInt(au.sizeBytes);
    return symbols[`pf_wire_frame_${verb}_native`](...fixed, au.pointer, auSize, out, outSize);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#library.symbols.pf_wire_kernel_close(this.#kernel);
    this.#library.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #assertOpen(): void {
    if (this.#isClosed) {
      throw new OperationError("failed", "Cannot use wire kernel: it is closed");
    }
  }
}

/** The caller has seen to it that no shared memory comes here. */
function asBuffer(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>;
}

export interface PacketParts {
  readonly header: Uint8Array;
  readonly iv: Uint8Array | null;
  readonly parityHeaders: Uint8Array;
}

/** The packet stream functions over one handle. Belongs to one isolate. */
export class PacketStreamHandle implements Disposable {
  readonly #library = openWireLibrary();
  readonly #stream: Deno.PointerObject;
  readonly #route = new RouteStruct(this.#library);
  #isClosed = false;

  /** `parityMatrix`: parityCount rows of dataCount coefficients. `cbcKey`: 16 bytes, or null for plain payloads. */
  constructor(spec: {
    readonly dataCount: number;
    readonly parityCount: number;
    readonly parityMatrix: Uint8Array;
    readonly cbcKey: Uint8Array | null;
  }) {
    const slot = new BigUint64Array(1);
    try {
      const status = this.#library.symbols.pf_wire_stream_open(
        spec.dataCount,
        spec.parityCount,
        asBuffer(spec.parityMatrix),
        BigInt(spec.parityMatrix.byteLength),
        spec.cbcKey === null ? null : asBuffer(spec.cbcKey),
        BigInt(spec.cbcKey?.byteLength ?? 0),
        slot,
      );
      checkWire(status, "open packet stream");
      this.#stream = handleIn(slot);
    } catch (error) {
      this.#library.close();
      throw error;
    }
  }

  /** Datagrams back to back in `out`, which has room for all that may come; their number. */
  build(
    payload: ForeignBytes | Uint8Array,
    parts: PacketParts,
    out: Uint8Array<ArrayBuffer>,
  ): number {
    return checkWire(this.#call("build", { payload, parts, out }), "build packet");
  }

  send(
    payload: ForeignBytes | Uint8Array,
    options: PacketParts & {
      readonly socket: UdpSocketHandle;
      readonly destination: SocketAddress;
    },
  ): { readonly packetCount: number; readonly refusedPackets: number } {
    this.#route.write(options.socket, options.destination, AT_ONCE);
    const call = { payload, parts: options, out: this.#route.bytes };
    const counts = checkWire(this.#call("send", call), "send packet");
    return { packetCount: counts >> 8, refusedPackets: counts & 0xff };
  }

  #call(
    verb: "build" | "send",
    { payload, parts, out }: {
      readonly payload: ForeignBytes | Uint8Array;
      readonly parts: PacketParts;
      readonly out: Uint8Array<ArrayBuffer>;
    },
  ): number {
    if (this.#isClosed) {
      throw new OperationError("failed", "Cannot use packet stream: it is closed");
    }
    const { symbols } = this.#library;
    const fixed = [
      asBuffer(parts.header),
      BigInt(parts.header.byteLength),
      parts.iv === null ? null : asBuffer(parts.iv),
      BigInt(parts.iv?.byteLength ?? 0),
      asBuffer(parts.parityHeaders),
      BigInt(parts.parityHeaders.byteLength),
      out,
      BigInt(out.byteLength),
    ] as const;
    if (payload instanceof Uint8Array) {
      const size = BigInt(payload.byteLength);
      return symbols[`pf_wire_stream_${verb}`](this.#stream, asBuffer(payload), size, ...fixed);
    }
    const size = BigInt(payload.sizeBytes);
    return symbols[`pf_wire_stream_${verb}_native`](this.#stream, payload.pointer, size, ...fixed);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#library.symbols.pf_wire_stream_close(this.#stream);
    this.#library.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

const AT_ONCE: FramePacing = { burstBytesMax: 65536, burstPacketsMax: 64, rateBytesPerSecond: 0 };

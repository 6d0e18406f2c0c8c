/**
 * Binding of native/wire: the UDP socket. Frames and packet streams are bound in `wire_frame.ts`.
 *
 * @module
 */
import { OperationError, type OperationErrorCode } from "../src/lib/errors.ts";
import {
  checkWire,
  handleIn,
  openWireLibrary,
  STATUS_TEXTS,
  type WireLibrary,
} from "./wire_symbols.ts";

/** IPv4 or IPv6 literal, no zone, and a UDP port. */
export interface SocketAddress {
  readonly address: string;
  readonly port: number;
}

/** A socket's descriptor, lent to another isolate by number; its owner closes it after every borrower is done. */
export type UdpSocketHandle = number & { readonly __brand: "UdpSocketHandle" };

const ADDRESS_SIZE_BYTES = 20;

/** struct pf_wire_address, rewritten only when the address is another one than last time. */
export class AddressStruct {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #library: WireLibrary;
  #text = "";

  /** The struct lies in `memory` at `offset`, by default in memory of its own. */
  constructor(library: WireLibrary, memory = new ArrayBuffer(ADDRESS_SIZE_BYTES), offset = 0) {
    this.#library = library;
    this.bytes = new Uint8Array(memory, offset, ADDRESS_SIZE_BYTES);
  }

  /** Throws OperationError "invalid" when it is no literal, or the port is not 1…65535. */
  set({ address, port }: SocketAddress): void {
    if (!Number.isInteger(port) || port < 1 || port > 65535) {
      throw new OperationError("invalid", `Cannot address datagram: port is ${port}`);
    }
    if (address !== this.#text) {
      const text = new TextEncoder().encode(address);
      const status = this.#library.symbols.pf_wire_address_parse(
        text,
        BigInt(text.byteLength),
        this.bytes,
      );
      if (status < 0) {
        throw new OperationError("invalid", "Cannot address datagram: no IPv4 or IPv6 literal");
      }
      this.#text = address;
    }
    new DataView(this.bytes.buffer, this.bytes.byteOffset).setUint16(16, port, true);
  }
}

/** `bytes` belong to the socket and are valid until its next `receive`. */
export interface Datagram extends SocketAddress {
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** EINVAL, EADDRINUSE, EACCES and EADDRNOTAVAIL of native/wire/wire.h. */
const OPEN_FAILURES: Readonly<Record<number, OperationErrorCode>> = {
  [-1]: "invalid",
  [-6]: "port-in-use",
  [-7]: "refused",
  [-8]: "invalid",
};

const RECEIVE_ROOM_BYTES = 64 + 65536;
/** Room for the largest datagram behind half a burst of ordinary ones. */
const RECEIVE_SIZE_BYTES = RECEIVE_ROOM_BYTES + 128 * 1024;
const RECORD_SIZE_BYTES = 56;
const RECORD_ADDRESS_OFFSET = 8;

/**
 * A UDP socket. "::" takes IPv4 as well, and addresses of IPv4 peers read as such. What arrives is fetched in batches
 * by one call on a thread of Deno's, so one `receive` may wait at a time.
 */
export class UdpSocket implements AsyncDisposable {
  readonly #library: WireLibrary;
  readonly #socket: Deno.PointerObject;
  readonly #to: AddressStruct;
  readonly #buffer = new Uint8Array(RECEIVE_SIZE_BYTES);
  readonly #view = new DataView(this.#buffer.buffer);
  readonly #decoder = new TextDecoder();
  #fetched = 0;
  #offset = 0;
  #pending: Promise<number> | null = null;
  #closing: Promise<void> | null = null;

  private constructor(library: WireLibrary, socket: Deno.PointerObject) {
    this.#library = library;
    this.#socket = socket;
    this.#to = new AddressStruct(library);
  }

  /**
   * Bind to an address literal and a port, 0 for any. Throws OperationError "port-in-use", "refused" when the system
   * forbids the port, "invalid" when the address is no literal or none of this machine's.
   */
  static open({ address, port }: SocketAddress): UdpSocket {
    const library = openWireLibrary();
    try {
      const text = new TextEncoder().encode(address);
      const slot = new BigUint64Array(1);
      const size = BigInt(text.byteLength);
      const status = library.symbols.pf_wire_udp_open(text, size, port, slot);
      const what = `open UDP socket on ${address} port ${port}`;
      const code = OPEN_FAILURES[status];
      if (code !== undefined) {
        throw new OperationError(code, `Cannot ${what}: ${STATUS_TEXTS[status]}`);
      }
      checkWire(status, what);
      return new UdpSocket(library, handleIn(slot));
    } catch (error) {
      library.close();
      throw error;
    }
  }

  get port(): number {
    this.#assertOpen();
    return checkWire(this.#library.symbols.pf_wire_udp_port(this.#socket), "read UDP port");
  }

  get handle(): UdpSocketHandle {
    this.#assertOpen();
    return this.#library.symbols.pf_wire_udp_descriptor(this.#socket) as UdpSocketHandle;
  }

  /** The next datagram, or null when none came in `timeoutMs`, on `wake` and after `close`. */
  async receive(timeoutMs: number): Promise<Datagram | null> {
    if (this.#closing !== null) return null;
    if (this.#pending !== null) {
      throw new OperationError("failed", "Cannot receive datagram: another receive waits");
    }
    if (this.#fetched === 0) {
      this.#pending = this.#library.symbols.pf_wire_udp_receive(
        this.#socket,
        timeoutMs,
        this.#buffer,
        BigInt(RECEIVE_SIZE_BYTES),
      );
      try {
        this.#fetched = checkWire(await this.#pending, "receive datagram");
        this.#offset = 0;
      } finally {
        this.#pending = null;
      }
      if (this.#fetched === 0 || this.#closing !== null) return null;
    }
    this.#fetched--;
    return this.#nextRecord();
  }

  #nextRecord(): Datagram {
    const sizeBytes = this.#view.getUint32(this.#offset, true);
    const port = this.#view.getUint16(this.#offset + 4, true);
    const addressAt = this.#offset + RECORD_ADDRESS_OFFSET;
    const addressEnd = addressAt + this.#view.getUint16(this.#offset + 6, true);
    const address = this.#decoder.decode(this.#buffer.subarray(addressAt, addressEnd));
    const from = this.#offset + RECORD_SIZE_BYTES;
    this.#offset = Math.ceil((from + sizeBytes) / 8) * 8;
    return { bytes: this.#buffer.subarray(from, from + sizeBytes), address, port };
  }

  /** False when the system refused the datagram, which is then lost. */
  send(bytes: Uint8Array<ArrayBuffer>, destination: SocketAddress): boolean {
    this.#assertOpen();
    this.#to.set(destination);
    const size = BigInt(bytes.byteLength);
    const to = this.#to.bytes;
    return checkWire(
      this.#library.symbols.pf_wire_udp_send(this.#socket, bytes, size, to),
      "send datagram",
    ) === 1;
  }

  /** Differentiated services code point of everything sent, 0…63. */
  setDscp(codePoint: number): void {
    this.#assertOpen();
    checkWire(
      this.#library.symbols.pf_wire_udp_set_dscp(this.#socket, codePoint),
      `set DSCP ${codePoint}`,
    );
  }

  /** Let the `receive` that waits, or else the next one that would wait, return null at once. */
  wake(): void {
    this.#assertOpen();
    checkWire(this.#library.symbols.pf_wire_udp_wake(this.#socket), "wake receiver");
  }

  /** Ends a waiting `receive` with null first. Borrowers of the handle must be done. */
  close(): Promise<void> {
    if (this.#closing === null) {
      if (this.#pending !== null) this.wake();
      this.#closing = this.#closeAfter(this.#pending);
    }
    return this.#closing;
  }

  async #closeAfter(pending: Promise<unknown> | null): Promise<void> {
    await pending?.catch(() => {});
    this.#library.symbols.pf_wire_udp_close(this.#socket);
    this.#library.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #assertOpen(): void {
    if (this.#closing !== null) {
      throw new OperationError("failed", "Cannot use UDP socket: it is closed");
    }
  }
}

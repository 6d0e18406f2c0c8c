/**
 * Binding of native/wire: lost shards of the Leopard code.
 *
 * @module
 */
import { OperationError } from "../src/lib/errors.ts";
import { checkWire, handleIn, openWireLibrary } from "./wire_symbols.ts";

/** Structurally `LossyBlock` of src/protocol/punktfunk1/frame_assembly.ts. */
export interface ShardBlock {
  readonly dataCount: number;
  readonly parityCount: number;
  /** Shards of either sort lie back to back. */
  readonly data: Uint8Array<ArrayBuffer>;
  readonly parity: Uint8Array<ArrayBuffer>;
  /** A byte for each data and then each parity shard, 0 where it is lost. */
  readonly present: Uint8Array<ArrayBuffer>;
}

/** Belongs to one isolate. */
export class BlockRebuilder implements Disposable {
  readonly #library = openWireLibrary();
  readonly #rebuilder: Deno.PointerObject;
  #isClosed = false;

  constructor() {
    const slot = new BigUint64Array(1);
    try {
      checkWire(this.#library.symbols.pf_wire_rebuilder_open(slot), "open rebuilder");
      this.#rebuilder = handleIn(slot);
    } catch (error) {
      this.#library.close();
      throw error;
    }
  }

  /**
   * Write the lost data shards to their places. Throws NativeError when fewer than dataCount shards are there, or sizes do
   * not agree.
   */
  rebuild({ dataCount, parityCount, data, parity, present }: ShardBlock): void {
    if (this.#isClosed) {
      throw new OperationError("failed", "Cannot rebuild block: the rebuilder is closed");
    }
    const status = this.#library.symbols.pf_wire_rebuild(
      this.#rebuilder,
      dataCount,
      parityCount,
      data,
      BigInt(data.byteLength),
      parity,
      BigInt(parity.byteLength),
      present,
      BigInt(present.byteLength),
    );
    checkWire(status, `rebuild block of ${dataCount} + ${parityCount} shards`);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#library.symbols.pf_wire_rebuilder_close(this.#rebuilder);
    this.#library.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * One message put together from its fragments, and the account of what a peer may have buffered
 * (GameStream specification 5.4).
 *
 * @module
 */
import { ProtocolError } from "../../lib/errors.ts";
import type { FragmentCommand } from "./datagram.ts";
import {
  FRAGMENT_COUNT_MAX,
  MESSAGE_BYTES_MAX,
  REORDER_BYTES_MAX,
  REORDER_ENTRY_BYTES,
} from "./limits.ts";

/** Bytes that one peer has buffered ahead of their turn. */
export class ReorderBudget {
  #usedBytes = 0;

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Throws ProtocolError "limit" when `dataBytes` and their overhead do not fit. */
  take(dataBytes: number): void {
    const costBytes = dataBytes + REORDER_ENTRY_BYTES;
    if (this.#usedBytes + costBytes > REORDER_BYTES_MAX) {
      throw new ProtocolError("limit", `Cannot buffer more than ${REORDER_BYTES_MAX} bytes`);
    }
    this.#usedBytes += costBytes;
  }

  give(dataBytes: number): void {
    this.#usedBytes -= dataBytes + REORDER_ENTRY_BYTES;
  }
}

/** Fragments of one message, in any order. */
export class Reassembly {
  readonly bytes: Uint8Array;
  readonly fragmentCount: number;
  readonly #isPresent: Uint8Array;
  #missingCount: number;

  /** Throws ProtocolError when `first` describes an impossible or too large message. */
  constructor(first: FragmentCommand) {
    requireFragment(first);
    this.bytes = new Uint8Array(first.totalBytes);
    this.fragmentCount = first.fragmentCount;
    this.#isPresent = new Uint8Array(first.fragmentCount);
    this.#missingCount = first.fragmentCount;
  }

  get isComplete(): boolean {
    return this.#missingCount === 0;
  }

  /** Throws ProtocolError when `fragment` contradicts the first one. A repeated fragment changes nothing. */
  add(fragment: FragmentCommand): void {
    requireFragment(fragment);
    if (
      fragment.fragmentCount !== this.fragmentCount ||
      fragment.totalBytes !== this.bytes.byteLength
    ) {
      throw new ProtocolError("malformed", "Cannot join fragment: it belongs to another message");
    }
    if (this.#isPresent[fragment.fragmentNumber] === 1) return;
    this.#isPresent[fragment.fragmentNumber] = 1;
    this.#missingCount--;
    this.bytes.set(fragment.data, fragment.offsetBytes);
  }
}

/** Throws ProtocolError when `fragment` is impossible by itself, or past the limits. */
function requireFragment(fragment: FragmentCommand): void {
  if (fragment.totalBytes > MESSAGE_BYTES_MAX || fragment.fragmentCount > FRAGMENT_COUNT_MAX) {
    throw new ProtocolError(
      "limit",
      `Cannot join ${fragment.fragmentCount} fragments to ${fragment.totalBytes} bytes`,
    );
  }
  if (
    fragment.data.byteLength === 0 || fragment.fragmentNumber >= fragment.fragmentCount ||
    fragment.totalBytes < fragment.fragmentCount ||
    fragment.offsetBytes + fragment.data.byteLength > fragment.totalBytes
  ) {
    throw new ProtocolError(
      "malformed",
      "Cannot join fragment: its place lies outside the message",
    );
  }
}

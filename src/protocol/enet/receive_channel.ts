/**
 * The receiving half of one ENet channel (GameStream specification 5.4): reliable messages strictly in order and once,
 * unreliable ones in increasing order after the reliable one they follow.
 *
 * @module
 */
import type { EnetCommand, FragmentCommand } from "./datagram.ts";
import { Reassembly, type ReorderBudget } from "./reassembly.ts";
import { isWithinWindows, nextSequence, sequenceDistance } from "./sequence.ts";

/** Takes a message. `bytes` may be a view into the datagram being read. */
export type Deliver = (bytes: Uint8Array, isReliable: boolean) => void;

/** Unreliable messages in pieces at one time; the oldest makes room. */
const UNRELIABLE_REASSEMBLIES_MAX = 4;

/** A reliable message ahead of its turn: whole, or in pieces. */
type Ahead = Uint8Array | Reassembly;

interface WaitingUnreliable {
  /** The reliable number after which it may be delivered. */
  readonly sequence: number;
  readonly unreliableSequence: number;
  readonly bytes: Uint8Array;
}

interface UnreliableReassembly {
  readonly sequence: number;
  readonly unreliableSequence: number;
  readonly message: Reassembly;
}

export class ReceiveChannel {
  /** Reliable number last delivered. */
  #delivered = 0;
  /** Unreliable number last delivered since then. */
  #unreliableDelivered = 0;
  readonly #ahead = new Map<number, Ahead>();
  #waiting: WaitingUnreliable[] = [];
  #reassemblies: UnreliableReassembly[] = [];
  readonly #budget: ReorderBudget;
  readonly #deliver: Deliver;

  constructor(budget: ReorderBudget, deliver: Deliver) {
    this.#budget = budget;
    this.#deliver = deliver;
  }

  /**
   * Take a reliable message. A duplicate or one out of window changes nothing. Throws ProtocolError when it can
   * be neither delivered nor kept; the sender then repeats it.
   */
  acceptReliable(command: Extract<EnetCommand, { kind: "reliable" }>): void {
    const { sequence, data } = command;
    if (!this.#isNew(sequence) || this.#ahead.has(sequence)) return;
    if (sequence === nextSequence(this.#delivered)) {
      this.#advance(data, 1);
      this.#deliverAhead();
      return;
    }
    this.#budget.take(data.byteLength);
    this.#ahead.set(sequence, data.slice());
  }

  /** Take a piece of a reliable message, on the terms of {@link acceptReliable}. */
  acceptFragment(command: FragmentCommand): void {
    const { startSequence } = command;
    if (!this.#isNew(startSequence)) return;
    const present = this.#ahead.get(startSequence);
    // A whole message under this number came first; the piece is a peer's contradiction.
    if (present instanceof Uint8Array) return;
    const message = present ?? new Reassembly(command);
    if (present === undefined) {
      this.#budget.take(message.bytes.byteLength);
      this.#ahead.set(startSequence, message);
    }
    message.add(command);
    this.#deliverAhead();
  }

  /** Take an unreliable message: delivered, kept for its turn, or dropped. */
  acceptUnreliable(command: Extract<EnetCommand, { kind: "unreliable" }>): void {
    this.#takeUnreliable(command.sequence, command.unreliableSequence, command.data);
  }

  /** Take a piece of an unreliable message. Throws ProtocolError when the piece is impossible. */
  acceptUnreliableFragment(command: FragmentCommand): void {
    const { sequence, startSequence } = command;
    if (!this.#isUnreliableWanted(sequence, startSequence)) return;
    let entry = this.#reassemblies.find((one) =>
      one.sequence === sequence && one.unreliableSequence === startSequence
    );
    if (entry === undefined) {
      entry = { sequence, unreliableSequence: startSequence, message: new Reassembly(command) };
      if (this.#reassemblies.length === UNRELIABLE_REASSEMBLIES_MAX) {
        this.#giveBack(this.#reassemblies.shift());
      }
      this.#budget.take(entry.message.bytes.byteLength);
      this.#reassemblies.push(entry);
    }
    entry.message.add(command);
    if (!entry.message.isComplete) return;
    this.#reassemblies = this.#reassemblies.filter((one) => one !== entry);
    this.#giveBack(entry);
    this.#takeUnreliable(sequence, startSequence, entry.message.bytes);
  }

  #isNew(sequence: number): boolean {
    return sequence !== this.#delivered && isWithinWindows(this.#delivered, sequence);
  }

  #isUnreliableWanted(sequence: number, unreliableSequence: number): boolean {
    if (sequence === this.#delivered) return unreliableSequence > this.#unreliableDelivered;
    return isWithinWindows(this.#delivered, sequence);
  }

  /** Deliver a reliable message that takes `span` numbers. */
  #advance(bytes: Uint8Array, span: number): void {
    this.#delivered = (this.#delivered + span) & 0xffff;
    this.#unreliableDelivered = 0;
    this.#deliver(bytes, true);
    this.#deliverWaiting();
  }

  #deliverAhead(): void {
    for (;;) {
      const sequence = nextSequence(this.#delivered);
      const next = this.#ahead.get(sequence);
      if (next === undefined || (next instanceof Reassembly && !next.isComplete)) break;
      const span = next instanceof Reassembly ? next.fragmentCount : 1;
      // Whatever a peer put under the numbers of this message's later fragments goes with it.
      for (let step = 0; step < span; step++) this.#forgetAhead((sequence + step) & 0xffff);
      this.#advance(next instanceof Reassembly ? next.bytes : next, span);
    }
  }

  #forgetAhead(sequence: number): void {
    const entry = this.#ahead.get(sequence);
    if (entry === undefined) return;
    this.#ahead.delete(sequence);
    this.#budget.give(entry instanceof Reassembly ? entry.bytes.byteLength : entry.byteLength);
  }

  #takeUnreliable(sequence: number, unreliableSequence: number, bytes: Uint8Array): void {
    if (!this.#isUnreliableWanted(sequence, unreliableSequence)) return;
    if (sequence === this.#delivered) {
      this.#unreliableDelivered = unreliableSequence;
      this.#deliver(bytes, false);
      return;
    }
    const isKnown = this.#waiting.some((one) =>
      one.sequence === sequence && one.unreliableSequence === unreliableSequence
    );
    if (isKnown) return;
    this.#budget.take(bytes.byteLength);
    this.#waiting.push({ sequence, unreliableSequence, bytes: bytes.slice() });
  }

  /** Deliver the unreliable messages whose turn has come; drop those whose turn has passed. */
  #deliverWaiting(): void {
    this.#reassemblies = this.#reassemblies.filter((one) => {
      const isWanted = this.#isUnreliableWanted(one.sequence, one.unreliableSequence);
      if (!isWanted) this.#giveBack(one);
      return isWanted;
    });
    if (this.#waiting.length === 0) return;
    const due: WaitingUnreliable[] = [];
    this.#waiting = this.#waiting.filter((one) => {
      if (sequenceDistance(this.#delivered, one.sequence) > 0) return true;
      this.#budget.give(one.bytes.byteLength);
      due.push(one);
      return false;
    });
    due.sort((a, b) => a.unreliableSequence - b.unreliableSequence);
    for (const one of due) {
      this.#takeUnreliable(one.sequence, one.unreliableSequence, one.bytes);
    }
  }

  #giveBack(entry: UnreliableReassembly | undefined): void {
    if (entry !== undefined) this.#budget.give(entry.message.bytes.byteLength);
  }
}

/**
 * The sending half of an ENet peer (GameStream specification 5.5): numbering, fragments, flow control and
 * retransmission.
 *
 * A command is numbered when it is queued, waits until the window has room, and a reliable one is then in flight until
 * its acknowledgement arrives.
 *
 * @module
 */
import {
  commandSizeBytes,
  type EnetCommand,
  FRAGMENT_OVERHEAD_BYTES,
  HEADER_BYTES_MAX,
  PEER_CHANNEL,
} from "./datagram.ts";
import {
  FRAGMENT_COUNT_MAX,
  IN_FLIGHT_COMMANDS_MAX,
  IN_FLIGHT_SPAN_MAX,
  MESSAGE_BYTES_MAX,
  SEND_QUEUE_BYTES_MAX,
} from "./limits.ts";
import type { RoundTrip } from "./round_trip.ts";
import { nextSequence, sequenceDistance } from "./sequence.ts";

export type Delivery = "reliable" | "unreliable" | "unsequenced";

/** A command of the peer itself that is repeated until acknowledged. */
type PeerCommandBody =
  | Pick<Extract<EnetCommand, { kind: "connect" }>, "kind" | "fields" | "data">
  | Pick<Extract<EnetCommand, { kind: "verify-connect" }>, "kind" | "fields">
  | Pick<Extract<EnetCommand, { kind: "disconnect" }>, "kind" | "data">
  | Pick<Extract<EnetCommand, { kind: "ping" }>, "kind">;

interface InFlight {
  readonly command: EnetCommand;
  readonly sizeBytes: number;
  readonly firstSentMs: number;
  dueMs: number;
  attempts: number;
}

export class SendQueue {
  /** Last reliable number by channel. */
  readonly #reliable = new Map<number, number>();
  /** Last unreliable number since the channel's last reliable one. */
  readonly #unreliable = new Map<number, number>();
  #group = 0;
  #waiting: EnetCommand[] = [];
  #waitingBytes = 0;
  /** By channel and number, oldest first. */
  readonly #inFlight = new Map<number, InFlight>();
  #inFlightBytes = 0;
  readonly #roundTrip: RoundTrip;

  constructor(roundTrip: RoundTrip) {
    this.#roundTrip = roundTrip;
  }

  /** Nothing waits and nothing is unacknowledged. */
  get isEmpty(): boolean {
    return this.#waiting.length === 0 && this.#inFlight.size === 0;
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** When the oldest unacknowledged command was first sent, or undefined. */
  get oldestSentMs(): number | undefined {
    let oldestMs: number | undefined;
    for (const { firstSentMs } of this.#inFlight.values()) {
      if (oldestMs === undefined || firstSentMs < oldestMs) oldestMs = firstSentMs;
    }
    return oldestMs;
  }

  /** When the next retransmission is due, or undefined. */
  get nextDueMs(): number | undefined {
    let dueMs: number | undefined;
    for (const one of this.#inFlight.values()) {
      if (dueMs === undefined || one.dueMs < dueMs) dueMs = one.dueMs;
    }
    return dueMs;
  }

  /** The number the next command of the peer itself would take. */
  get nextPeerSequence(): number {
    return nextSequence(this.#reliable.get(PEER_CHANNEL) ?? 0);
  }

  /** Queue a command of the peer itself; it goes before all data. */
  queuePeerCommand(body: PeerCommandBody): void {
    const command: EnetCommand = {
      ...body,
      channel: PEER_CHANNEL,
      sequence: this.#takeReliable(PEER_CHANNEL),
      isReliable: true,
      isUnsequenced: false,
    };
    this.#waiting.unshift(command);
    this.#waitingBytes += commandSizeBytes(command);
  }

  /**
   * Queue a message of up to 32 768 bytes; it is copied. A reliable one larger than `mtuBytes` allows goes in
   * fragments. False, and nothing queued, when too much waits already. Throws RangeError when it is too large.
   */
  queueMessage(
    bytes: Uint8Array,
    options: { readonly channel: number; readonly delivery: Delivery; readonly mtuBytes: number },
  ): boolean {
    const { channel, mtuBytes } = options;
    // An unreliable number never wraps: receivers compare it plainly.
    const isExhausted = options.delivery === "unreliable" &&
      (this.#unreliable.get(channel) ?? 0) >= 0xffff;
    const delivery = isExhausted ? "reliable" : options.delivery;
    const fragmentBytes = mtuBytes - HEADER_BYTES_MAX - FRAGMENT_OVERHEAD_BYTES;
    const isInPieces = bytes.byteLength > fragmentBytes;
    const fragmentCount = Math.ceil(bytes.byteLength / fragmentBytes);
    if (
      bytes.byteLength > MESSAGE_BYTES_MAX || fragmentCount > FRAGMENT_COUNT_MAX ||
      (isInPieces && delivery !== "reliable")
    ) {
      throw new RangeError(`Cannot send ${bytes.byteLength} bytes as one ${delivery} message`);
    }
    const costBytes = bytes.byteLength + FRAGMENT_OVERHEAD_BYTES * Math.max(1, fragmentCount);
    if (this.#waitingBytes + costBytes > SEND_QUEUE_BYTES_MAX) return false;
    const commands = isInPieces
      ? this.#fragments(bytes, channel, fragmentBytes)
      : [this.#whole(bytes.slice(), channel, delivery)];
    for (const command of commands) {
      this.#waiting.push(command);
      this.#waitingBytes += commandSizeBytes(command);
    }
    return true;
  }

  /** Take away the command that was acknowledged. Undefined when none such is in flight. */
  acknowledge(channel: number, sequence: number): EnetCommand | undefined {
    const key = keyOf(channel, sequence);
    const acknowledged = this.#inFlight.get(key);
    if (acknowledged === undefined) return undefined;
    this.#inFlight.delete(key);
    this.#inFlightBytes -= acknowledged.sizeBytes;
    return acknowledged.command;
  }

  /** Commands to send at `nowMs`: what was lost, then what waits, as far as `windowBytes` allows. */
  collect(nowMs: number, windowBytes: number): EnetCommand[] {
    const commands: EnetCommand[] = [];
    for (const one of this.#inFlight.values()) {
      if (one.dueMs > nowMs) continue;
      one.attempts++;
      one.dueMs = nowMs + this.#roundTrip.timeoutMs(one.attempts);
      commands.push(one.command);
    }
    let taken = 0;
    for (const command of this.#waiting) {
      const sizeBytes = commandSizeBytes(command);
      if (command.isReliable && !this.#hasRoom(command, sizeBytes, windowBytes)) break;
      taken++;
      this.#waitingBytes -= sizeBytes;
      commands.push(command);
      if (command.isReliable) {
        this.#inFlight.set(keyOf(command.channel, command.sequence), {
          command,
          sizeBytes,
          firstSentMs: nowMs,
          dueMs: nowMs + this.#roundTrip.timeoutMs(1),
          attempts: 1,
        });
        this.#inFlightBytes += sizeBytes;
      }
    }
    if (taken > 0) this.#waiting = this.#waiting.slice(taken);
    return commands;
  }

  #hasRoom(command: EnetCommand, sizeBytes: number, windowBytes: number): boolean {
    if (command.channel === PEER_CHANNEL || this.#inFlight.size === 0) return true;
    if (
      this.#inFlightBytes + sizeBytes > windowBytes || this.#inFlight.size >= IN_FLIGHT_COMMANDS_MAX
    ) {
      return false;
    }
    for (const { command: oldest } of this.#inFlight.values()) {
      if (oldest.channel !== command.channel) continue;
      return sequenceDistance(oldest.sequence, command.sequence) < IN_FLIGHT_SPAN_MAX;
    }
    return true;
  }

  #takeReliable(channel: number): number {
    const sequence = nextSequence(this.#reliable.get(channel) ?? 0);
    this.#reliable.set(channel, sequence);
    this.#unreliable.set(channel, 0);
    return sequence;
  }

  #whole(data: Uint8Array, channel: number, delivery: Delivery): EnetCommand {
    switch (delivery) {
      case "reliable":
        return {
          kind: "reliable",
          channel,
          sequence: this.#takeReliable(channel),
          isReliable: true,
          isUnsequenced: false,
          data,
        };
      case "unreliable": {
        const unreliableSequence = (this.#unreliable.get(channel) ?? 0) + 1;
        this.#unreliable.set(channel, unreliableSequence);
        return {
          kind: "unreliable",
          channel,
          sequence: this.#reliable.get(channel) ?? 0,
          isReliable: false,
          isUnsequenced: false,
          unreliableSequence,
          data,
        };
      }
      case "unsequenced":
        this.#group = nextSequence(this.#group);
        return {
          kind: "unsequenced",
          channel,
          sequence: 0,
          isReliable: false,
          isUnsequenced: true,
          group: this.#group,
          data,
        };
    }
  }

  #fragments(bytes: Uint8Array, channel: number, fragmentBytes: number): EnetCommand[] {
    const copy = bytes.slice();
    const fragmentCount = Math.ceil(copy.byteLength / fragmentBytes);
    const startSequence = nextSequence(this.#reliable.get(channel) ?? 0);
    return Array.from({ length: fragmentCount }, (_, fragmentNumber) => ({
      kind: "fragment",
      channel,
      sequence: this.#takeReliable(channel),
      isReliable: true,
      isUnsequenced: false,
      startSequence,
      fragmentCount,
      fragmentNumber,
      totalBytes: copy.byteLength,
      offsetBytes: fragmentNumber * fragmentBytes,
      data: copy.subarray(fragmentNumber * fragmentBytes, (fragmentNumber + 1) * fragmentBytes),
    }));
  }
}

function keyOf(channel: number, sequence: number): number {
  return channel << 16 | sequence;
}

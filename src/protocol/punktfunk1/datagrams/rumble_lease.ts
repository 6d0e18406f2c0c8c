/**
 * Rumble over datagrams that get lost (specification 7.5): levels are leases, renewed by the host and let run out by
 * the client.
 *
 *     host    game sets levels   → sent at once, then every 120 ms while any motor runs
 *             game sets zeros    → sent at once, and again with the next two renewals
 *     client  a newer sequence   → applied for as long as its lease lasts
 *             no sequence        → applied for 1000 ms
 *
 * @module
 */
import type { Clock, Timer } from "../../../lib/clock.ts";
import { isSameRumble, type Rumble, RUMBLE_STOP, type RumbleLevels } from "./rumble.ts";
import { isNewerSequence, PAD_COUNT_MAX } from "./tags.ts";

export const RUMBLE_TTL_MS = 400;
export const RUMBLE_RENEWAL_MS = 120;
const STOP_REPEATS = 2;

/** Longest that a client lets motors run on one datagram. */
export const RUMBLE_TTL_MS_MAX = 5_000;
/** How long it does when the datagram has no lease. */
export const RUMBLE_UNLEASED_MS = 1_000;

export interface RumbleLeaseOptions {
  readonly pad: number;
  readonly clock: Clock;
  readonly send: (rumble: Rumble) => void;
}

/** Host: the motors of one pad number, kept for the whole session so that its sequence never starts anew. */
export class RumbleLease {
  readonly #options: RumbleLeaseOptions;
  #levels = RUMBLE_STOP;
  #sequence = 0;
  #stopsLeft = 0;
  #renewal: Timer | undefined;

  constructor(options: RumbleLeaseOptions) {
    this.#options = options;
  }

  /** Motors that `change` does not name go on as they are. */
  set(change: Partial<RumbleLevels>): void {
    const levels = { ...this.#levels, ...change };
    if (isSameRumble(levels, this.#levels)) return;
    this.#levels = levels;
    this.#stopsLeft = STOP_REPEATS;
    this.#send();
  }

  /** Stops the motors and, unlike `set`, does not wait to say so again. */
  close(): void {
    this.set(RUMBLE_STOP);
    this.#renewal?.cancel();
    this.#renewal = undefined;
  }

  get #isRunning(): boolean {
    return !isSameRumble(this.#levels, RUMBLE_STOP);
  }

  #send(): void {
    const { pad, clock, send } = this.#options;
    this.#renewal?.cancel();
    this.#renewal = this.#isRunning || this.#stopsLeft > 0
      ? clock.after(RUMBLE_RENEWAL_MS, () => this.#renew())
      : undefined;
    send({ pad, levels: this.#levels, lease: { sequence: this.#sequence, ttlMs: RUMBLE_TTL_MS } });
    this.#sequence = this.#sequence + 1 & 0xff;
  }

  #renew(): void {
    if (!this.#isRunning) this.#stopsLeft--;
    this.#send();
  }
}

export interface RumbleReceiverOptions {
  readonly clock: Clock;
  /** Called when the motors of a pad change. */
  readonly apply: (pad: number, levels: RumbleLevels) => void;
}

interface ReceivedRumble {
  levels: RumbleLevels;
  sequence: number | undefined;
  expiry: Timer | undefined;
}

/** Client: what the motors of all pads do. */
export class RumbleReceiver {
  readonly #options: RumbleReceiverOptions;
  readonly #pads = Array.from({ length: PAD_COUNT_MAX }, (): ReceivedRumble => ({
    levels: RUMBLE_STOP,
    sequence: undefined,
    expiry: undefined,
  }));

  constructor(options: RumbleReceiverOptions) {
    this.#options = options;
  }

  receive({ pad, levels, lease }: Rumble): void {
    const state = this.#pads[pad];
    if (state === undefined) return;
    if (lease !== undefined) {
      if (state.sequence !== undefined && !isNewerSequence(lease.sequence, state.sequence, 8)) {
        return;
      }
      state.sequence = lease.sequence;
    }
    state.expiry?.cancel();
    state.expiry = undefined;
    if (!isSameRumble(levels, RUMBLE_STOP)) {
      const ttlMs = lease === undefined
        ? RUMBLE_UNLEASED_MS
        : Math.min(lease.ttlMs, RUMBLE_TTL_MS_MAX);
      state.expiry = this.#options.clock.after(ttlMs, () => this.#change(pad, state, RUMBLE_STOP));
    }
    this.#change(pad, state, levels);
  }

  /** Stops all motors. */
  close(): void {
    for (const [pad, state] of this.#pads.entries()) {
      state.expiry?.cancel();
      state.expiry = undefined;
      this.#change(pad, state, RUMBLE_STOP);
    }
  }

  #change(pad: number, state: ReceivedRumble, levels: RumbleLevels): void {
    if (isSameRumble(levels, state.levels)) return;
    state.levels = levels;
    this.#options.apply(pad, levels);
  }
}

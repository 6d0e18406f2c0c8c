/**
 * One direction of a bad network between two pure machines, on a clock that tests move: datagrams are lost, doubled, and
 * delayed each by its own time, so that they overtake one another. The same seed makes the same weather.
 *
 * @module
 */
import type { Clock } from "../../src/lib/clock.ts";
import type { SeededRandom } from "../fuzz/seeded_random.ts";

export interface Weather {
  /** Shares of 0…1. */
  readonly lossRatio: number;
  readonly duplicateRatio: number;
  readonly delayMsMin: number;
  readonly delayMsMax: number;
  /** Losses come in runs of this many on average; absent or 1, each by itself. The share stays lossRatio. */
  readonly burstLength?: number;
}

export const CLEAR_WEATHER: Weather = {
  lossRatio: 0,
  duplicateRatio: 0,
  delayMsMin: 1,
  delayMsMax: 1,
};

export interface LossyLinkOptions {
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly weather: Weather;
  readonly deliver: (bytes: Uint8Array) => void;
}

export class LossyLink {
  readonly #options: LossyLinkOptions;
  /** May change on the way; 1 as loss is a cut cable. */
  weather: Weather;
  /** Bytes and datagrams given to the link, lost ones included. */
  sentBytes = 0;
  sentCount = 0;
  #isInBurst = false;

  constructor(options: LossyLinkOptions) {
    this.#options = options;
    this.weather = options.weather;
  }

  send(bytes: Uint8Array): void {
    this.sentBytes += bytes.byteLength;
    this.sentCount++;
    const { random } = this.#options;
    const copies = random.next() < this.weather.duplicateRatio ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      if (!this.#isLost()) this.#carry(bytes.slice());
    }
  }

  /** In bursts: two states, of which one loses everything, left with the odds that make its mean length. */
  #isLost(): boolean {
    const { lossRatio, burstLength = 1 } = this.weather;
    const odds = this.#options.random.next();
    if (burstLength <= 1) return odds < lossRatio;
    const leaveRatio = 1 / burstLength;
    this.#isInBurst = this.#isInBurst
      ? odds >= leaveRatio
      : odds < leaveRatio * lossRatio / (1 - lossRatio);
    return this.#isInBurst;
  }

  #carry(bytes: Uint8Array): void {
    const { clock, random, deliver } = this.#options;
    const { delayMsMin, delayMsMax } = this.weather;
    clock.after(delayMsMin + random.next() * (delayMsMax - delayMsMin), () => deliver(bytes));
  }
}

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
      if (random.next() >= this.weather.lossRatio) this.#carry(bytes.slice());
    }
  }

  #carry(bytes: Uint8Array): void {
    const { clock, random, deliver } = this.#options;
    const { delayMsMin, delayMsMax } = this.weather;
    clock.after(delayMsMin + random.next() * (delayMsMax - delayMsMin), () => deliver(bytes));
  }
}

/**
 * How many sessions run at once. Whoever comes when all slots are taken waits its turn, first come first served.
 *
 * @module
 */

/** Held by one session; letting go twice is legal. */
export interface Slot extends Disposable {
  release(): void;
}

export class Slots {
  readonly #count: number;
  #taken = 0;
  readonly #waiting: { readonly admit: (slot: Slot | undefined) => void }[] = [];

  /** `count` 0 sets no limit. */
  constructor(count: number) {
    this.#count = count === 0 ? Number.POSITIVE_INFINITY : count;
  }

  get isFull(): boolean {
    return this.#taken >= this.#count;
  }

  get taken(): number {
    return this.#taken;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** A slot; undefined when `signal` aborts first. */
  take(signal: AbortSignal): Promise<Slot | undefined> {
    if (signal.aborted) return Promise.resolve(undefined);
    if (!this.isFull) return Promise.resolve(this.#hand());
    return new Promise((resolve) => {
      const entry = { admit: resolve };
      this.#waiting.push(entry);
      signal.addEventListener("abort", () => {
        const index = this.#waiting.indexOf(entry);
        if (index < 0) return;
        this.#waiting.splice(index, 1);
        resolve(undefined);
      }, { once: true });
    });
  }

  #hand(): Slot {
    this.#taken++;
    let isHeld = true;
    const release = () => {
      if (!isHeld) return;
      isHeld = false;
      this.#taken--;
      const next = this.#waiting.shift();
      next?.admit(this.#hand());
    };
    return { release, [Symbol.dispose]: release };
  }
}

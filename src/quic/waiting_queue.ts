/**
 * A queue with one reader who waits: what both adapters hand connections, streams and datagrams out of.
 *
 * @module
 */

export class WaitingQueue<T> {
  readonly #items: T[] = [];
  readonly #itemsMax: number;
  #reader: ((item: T | undefined) => void) | undefined;
  #hasEnded = false;

  /** Past `itemsMax` the oldest are dropped. */
  constructor(itemsMax = Infinity) {
    this.#itemsMax = itemsMax;
  }

  /** Ignored after the end. */
  push(item: T): void {
    if (this.#hasEnded) return;
    const reader = this.#reader;
    if (reader !== undefined) {
      this.#reader = undefined;
      reader(item);
      return;
    }
    if (this.#items.length >= this.#itemsMax) this.#items.shift();
    this.#items.push(item);
  }

  /** The next item; undefined once there are none left and the queue has ended. One call at a time. */
  take(): Promise<T | undefined> {
    if (this.#items.length > 0) return Promise.resolve(this.#items.shift());
    if (this.#hasEnded) return Promise.resolve(undefined);
    if (this.#reader !== undefined) throw new TypeError("Cannot wait: another call waits already");
    return new Promise((resolve) => this.#reader = resolve);
  }

  /** Items already there can still be taken. */
  end(): void {
    this.#hasEnded = true;
    this.#reader?.(undefined);
    this.#reader = undefined;
  }

  /** Take all that is there, and end. */
  drain(): T[] {
    this.end();
    return this.#items.splice(0);
  }
}

/**
 * Waiting for a state that datagrams bring about, without polling.
 *
 * @module
 */

/** Wakes those who wait whenever something has changed. */
export class Changes {
  readonly #waiting = new Set<() => void>();
  #failure: Error | undefined;

  notify(): void {
    for (const check of [...this.#waiting]) check();
  }

  /** Nothing will change any more: everybody who waits, now or later, in vain, gets `reason`. */
  fail(reason: Error): void {
    this.#failure ??= reason;
    this.notify();
  }

  /** Resolve with what `find` returns once that is neither undefined nor false. `what` names it in the error. */
  until<T>(
    what: string,
    find: () => T | undefined | false,
    options: { readonly timeoutMs: number },
  ): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const check = () => {
      const found = find();
      if (found !== undefined && found !== false) settle(() => resolve(found));
      else if (this.#failure !== undefined) settle(() => reject(this.#failure));
    };
    const timer = setTimeout(
      () => settle(() => reject(new Error(`No ${what} within ${options.timeoutMs} ms`))),
      options.timeoutMs,
    );
    const settle = (finish: () => void) => {
      clearTimeout(timer);
      this.#waiting.delete(check);
      finish();
    };
    this.#waiting.add(check);
    check();
    return promise;
  }
}

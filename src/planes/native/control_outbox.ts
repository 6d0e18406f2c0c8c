/**
 * What the host says on the control stream of a session, held back while its client may not hear it (native
 * specification 2.1).
 *
 *     before Start                         everything is held: the next message that a client reads is Welcome
 *     the client's clock rounds            echoes leave at once, the rest is held: older clients lose what comes between
 *     eighth echo, or a second after Start all that was held leaves in its order, and nothing is held any more
 *
 * @module
 */
import type { Clock, Timer } from "../../lib/clock.ts";
import type { ControlMessage } from "../../protocol/punktfunk1/control.ts";

/** Rounds of the clock exchange at connect. */
const ECHOES_AWAITED = 8;
const QUIET_MS = 1_000;
/** A client that has asked for so much meanwhile reads the answers. */
const HELD_MAX = 64;

export interface ControlOutboxOptions {
  readonly clock: Clock;
  readonly send: (message: ControlMessage) => void;
}

export class ControlOutbox implements Disposable {
  readonly #options: ControlOutboxOptions;
  #held: ControlMessage[] | undefined = [];
  #echoes = 0;
  #quiet: Timer | undefined;

  constructor(options: ControlOutboxOptions) {
    this.#options = options;
  }

  /** Start came. */
  begin(): void {
    this.#quiet = this.#options.clock.after(QUIET_MS, () => this.#release());
  }

  send(message: ControlMessage): void {
    if (this.#held === undefined) return this.#options.send(message);
    if (message.kind !== "clock-echo") {
      this.#held.push(message);
      if (this.#quiet !== undefined && this.#held.length > HELD_MAX) this.#release();
      return;
    }
    this.#options.send(message);
    this.#echoes++;
    if (this.#echoes === ECHOES_AWAITED) this.#release();
  }

  /** What is still held is not sent any more. Twice is legal. */
  [Symbol.dispose](): void {
    this.#quiet?.cancel();
  }

  #release(): void {
    this.#quiet?.cancel();
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const message of held) this.#options.send(message);
  }
}

/**
 * What one session may do: what its device may, less what the operator took from this session alone.
 *
 *     the device's access, followed while it changes ┐
 *                                                    ├→ grants: only what both allow
 *     the operator's limit on the session            ┘
 *
 * @module
 */
import type { Clock } from "../../lib/clock.ts";
import { GRANTS_ALL } from "../../protocol/punktfunk1/caps.ts";
import type { SessionAccess } from "../../trust/access_watch.ts";

const SECONDS_MAX = 0xffff_ffff;

export class StreamAccess {
  readonly #clock: Clock;
  #deviceGrants = 0;
  #limit = GRANTS_ALL;
  /** Time of day, milliseconds; undefined for good. */
  #endsAtMs: number | undefined;

  constructor(clock: Clock, access: SessionAccess) {
    this.#clock = clock;
    this.follow(access);
  }

  get grants(): number {
    return this.#deviceGrants & this.#limit;
  }

  /** As Welcome and AccessUpdate tell it: 1 and up, 0 for good. */
  get remainingSeconds(): number {
    if (this.#endsAtMs === undefined) return 0;
    const seconds = Math.ceil((this.#endsAtMs - this.#clock.wallMs()) / 1000);
    return Math.min(Math.max(seconds, 1), SECONDS_MAX);
  }

  /** What the device may do from now on. */
  follow({ grants, secondsLeft }: SessionAccess): void {
    this.#deviceGrants = grants;
    this.#endsAtMs = secondsLeft === undefined
      ? undefined
      : this.#clock.wallMs() + 1000 * secondsLeft;
  }

  /** What the session may do at most from now on; in place of an earlier limit. */
  limit(grants: number): void {
    this.#limit = grants;
  }
}

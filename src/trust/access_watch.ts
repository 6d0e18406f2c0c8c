/**
 * Keeps live sessions in step with the access of their devices (native specification 2.10; product specification 3.5).
 *
 *     the operator edits the access              → onAccess, or onEnd when it is over by that
 *     300 s and 60 s before it expires           → onAccess
 *     it expires, or the device is unpaired      → onEnd
 *     60 s after the last session of a guest     → the device is forgotten
 *
 * Expiry is a time of day, so that time is asked again at least every minute: clocks of machines are set, and sleep.
 *
 * @module
 */
import type { Clock, Timer } from "../lib/clock.ts";
import { secondsLeft } from "./access.ts";
import type { NativeClients } from "./native_clients.ts";

const WARNINGS_S = [300, 60];
const REVIEW_INTERVAL_S_MAX = 60;
export const GUEST_LINGER_MS = 60_000;

/** What AccessUpdate carries. */
export interface SessionAccess {
  readonly grants: number;
  /** 1 and up; undefined for good. */
  readonly secondsLeft: number | undefined;
}

export interface WatchedSession {
  /** Apply from now on, and tell the client. */
  onAccess(access: SessionAccess): void;
  /** Close with "access-expired". Nothing follows. */
  onEnd(): void;
}

export interface SessionWatch extends Disposable {
  /** At its beginning. */
  readonly access: SessionAccess;
}

interface Entry {
  readonly session: WatchedSession;
  /** Warnings that need not be given any more. */
  warningsPassed: number;
}

interface Watched {
  readonly entries: Set<Entry>;
  /** Until the next review; or, without entries, until a guest is forgotten. */
  timer: Timer | undefined;
}

export interface AccessWatchOptions {
  readonly clients: Pick<NativeClients, "get" | "observe" | "remove">;
  readonly clock: Clock;
  /** A guest could not be forgotten; the next start of the host tries again. */
  readonly onFault?: (error: unknown) => void;
}

export class AccessWatch implements Disposable {
  readonly #options: AccessWatchOptions;
  readonly #observer: Disposable;
  readonly #devices = new Map<string, Watched>();

  constructor(options: AccessWatchOptions) {
    this.#options = options;
    this.#observer = options.clients.observe((change) => {
      if (change.kind === "removed") this.#end(change.fingerprint);
      else this.#review(change.client.fingerprint, { isEdit: true });
    });
  }

  /** Watch for a session until disposed. Undefined when the device has no access any more: close as `onEnd` says. */
  begin(fingerprint: string, session: WatchedSession): SessionWatch | undefined {
    const access = this.#accessOf(fingerprint);
    if (access === undefined) return undefined;
    const watched = this.#devices.get(fingerprint) ?? { entries: new Set(), timer: undefined };
    this.#devices.set(fingerprint, watched);
    const entry = { session, warningsPassed: warningsPassed(access) };
    watched.entries.add(entry);
    this.#review(fingerprint, { isEdit: false });
    return {
      access,
      [Symbol.dispose]: () => {
        if (watched.entries.delete(entry) && watched.entries.size === 0) this.#leave(fingerprint);
      },
    };
  }

  /** Watches nothing any more and tells nobody. Twice is legal. */
  [Symbol.dispose](): void {
    this.#observer[Symbol.dispose]();
    for (const { timer } of this.#devices.values()) timer?.cancel();
    this.#devices.clear();
  }

  /** Tell the sessions of a device what is new, and look again when there may be more. */
  #review(fingerprint: string, { isEdit }: { readonly isEdit: boolean }): void {
    const watched = this.#devices.get(fingerprint);
    if (watched === undefined || watched.entries.size === 0) return;
    watched.timer?.cancel();
    watched.timer = undefined;
    const access = this.#accessOf(fingerprint);
    if (access === undefined) return this.#end(fingerprint);
    if (access.secondsLeft !== undefined) {
      watched.timer = this.#options.clock.after(
        1000 * secondsToReview(access.secondsLeft),
        () => this.#review(fingerprint, { isEdit: false }),
      );
    }
    const passed = warningsPassed(access);
    for (const entry of [...watched.entries]) {
      const isTold = !isEdit && passed <= entry.warningsPassed;
      entry.warningsPassed = passed;
      if (!isTold) entry.session.onAccess(access);
    }
  }

  #end(fingerprint: string): void {
    const watched = this.#devices.get(fingerprint);
    if (watched === undefined) return;
    const entries = [...watched.entries];
    watched.entries.clear();
    this.#leave(fingerprint);
    for (const { session } of entries) session.onEnd();
  }

  /** The last session of a device is over. */
  #leave(fingerprint: string): void {
    const watched = this.#devices.get(fingerprint);
    if (watched === undefined) return;
    watched.timer?.cancel();
    if (this.#options.clients.get(fingerprint)?.isUntilDisconnect !== true) {
      this.#devices.delete(fingerprint);
      return;
    }
    watched.timer = this.#options.clock.after(GUEST_LINGER_MS, () => {
      this.#devices.delete(fingerprint);
      this.#forgetGuest(fingerprint);
    });
  }

  #forgetGuest(fingerprint: string): void {
    // It may have been given lasting access meanwhile.
    if (this.#options.clients.get(fingerprint)?.isUntilDisconnect !== true) return;
    this.#options.clients.remove(fingerprint).catch((error) => this.#options.onFault?.(error));
  }

  #accessOf(fingerprint: string): SessionAccess | undefined {
    const client = this.#options.clients.get(fingerprint);
    if (client === undefined) return undefined;
    const left = secondsLeft(client, this.#options.clock.wallMs());
    return left === 0 ? undefined : { grants: client.grants, secondsLeft: left };
  }
}

function warningsPassed({ secondsLeft }: SessionAccess): number {
  return WARNINGS_S.filter((warning) => (secondsLeft ?? Infinity) <= warning).length;
}

/** Until the next warning or the end, but no longer than a minute. */
function secondsToReview(left: number): number {
  const next = [...WARNINGS_S, 0].map((moment) => left - moment).filter((seconds) => seconds > 0);
  return Math.min(REVIEW_INTERVAL_S_MAX, ...next);
}

/**
 * When a device may try the PIN (product specification 3.2; native specification 3.2).
 *
 *     closed ──arm──▶ open ──a challenge is sent, disarm, time──▶ closed
 *
 * One window is one guess: with four digits a stranger pairs with a chance of one in ten thousand for each window that an
 * operator opens. Attempts of all peers together are two seconds apart, which is judged before whether a window is open,
 * so that nobody can watch for one cheaply.
 *
 * @module
 */
import { randomInt } from "node:crypto";
import type { Clock } from "../lib/clock.ts";
import { OperationError } from "../lib/errors.ts";
import type { PairingAdmission } from "../protocol/punktfunk1/pairing_ceremony.ts";
import type { AccessOffer } from "./access.ts";
import type { PeerSource } from "./peer_source.ts";

export const PAIRING_TTL_S_DEFAULT = 120;
export const PAIRING_TTL_S_MIN = 15;
export const PAIRING_TTL_S_MAX = 600;
export const PAIRING_COOL_DOWN_MS = 2_000;
export const PAIRING_PIN_CHARACTERS_MAX = 64;
const PIN_DIGITS = 4;

export interface ArmRequest {
  /** How long the window stays open, clamped to 15…600; null: until it is used. 120 when absent. */
  readonly ttlS?: number | null | undefined;
  /** The only device that may try; any near one when absent. */
  readonly fingerprint?: string | undefined;
  /** What a new device gets: all, for good, when absent. */
  readonly offer?: AccessOffer | undefined;
  /** Four random digits when absent. */
  readonly pin?: string | undefined;
}

export interface ArmedWindow {
  readonly pin: string;
  /** Rounded up; undefined for a window without end. */
  readonly secondsLeft: number | undefined;
  readonly fingerprint: string | undefined;
}

interface Window {
  readonly pin: string;
  readonly endsAtUs: number;
  readonly fingerprint: string | undefined;
  readonly offer: AccessOffer;
}

export class PairingWindow {
  readonly #clock: Clock;
  readonly #randomInt: (below: number) => number;
  #window: Window | undefined;
  #coolUntilUs = 0;

  constructor(options: {
    readonly clock: Clock;
    /** Uniform in 0…below−1. */
    readonly randomInt?: (below: number) => number;
  }) {
    this.#clock = options.clock;
    this.#randomInt = options.randomInt ?? randomInt;
  }

  /** Open a window in place of one that may be open. Throws OperationError "invalid" for a PIN that is blank or too long. */
  arm(request: ArmRequest = {}): ArmedWindow {
    const { ttlS = PAIRING_TTL_S_DEFAULT, fingerprint, offer = {} } = request;
    const pin = request.pin ?? this.#randomPin();
    if (pin.trim() === "" || pin.length > PAIRING_PIN_CHARACTERS_MAX) {
      throw new OperationError(
        "invalid",
        `Cannot arm pairing: a PIN has 1 to ${PAIRING_PIN_CHARACTERS_MAX} characters`,
      );
    }
    const lifetimeS = ttlS === null
      ? Infinity
      : Math.min(Math.max(ttlS, PAIRING_TTL_S_MIN), PAIRING_TTL_S_MAX);
    const endsAtUs = this.#clock.monotonicUs() + lifetimeS * 1e6;
    const window = { pin, endsAtUs, fingerprint: fingerprint?.toLowerCase(), offer };
    this.#window = window;
    return this.#describe(window);
  }

  /** Whether a window was open. */
  disarm(): boolean {
    const wasArmed = this.#open() !== undefined;
    this.#window = undefined;
    return wasArmed;
  }

  /** The open window, or undefined. */
  armed(): ArmedWindow | undefined {
    const window = this.#open();
    return window === undefined ? undefined : this.#describe(window);
  }

  /**
   * Whether the device may try now. A window that names no device answers near ones alone: towards the internet it looks
   * like none. The guess must be used, consumed or dropped before anything is awaited.
   */
  admit(fingerprint: string, source: PeerSource): PairingAdmission<AccessOffer> {
    const nowUs = this.#clock.monotonicUs();
    if (nowUs < this.#coolUntilUs) return { kind: "refused", reason: "rate-limited" };
    this.#coolUntilUs = nowUs + PAIRING_COOL_DOWN_MS * 1000;
    const window = this.#open();
    if (window === undefined || (window.fingerprint === undefined && source === "wan")) {
      return { kind: "refused", reason: "not-armed" };
    }
    if (window.fingerprint !== undefined && window.fingerprint !== fingerprint.toLowerCase()) {
      return { kind: "refused", reason: "bound-other" };
    }
    return {
      kind: "guess",
      guess: {
        pin: window.pin,
        grant: window.offer,
        consume: () => {
          if (this.#window === window) this.#window = undefined;
        },
      },
    };
  }

  #open(): Window | undefined {
    if (this.#window !== undefined && this.#clock.monotonicUs() >= this.#window.endsAtUs) {
      this.#window = undefined;
    }
    return this.#window;
  }

  #describe({ pin, endsAtUs, fingerprint }: Window): ArmedWindow {
    const leftUs = endsAtUs - this.#clock.monotonicUs();
    const secondsLeft = leftUs === Infinity ? undefined : Math.ceil(leftUs / 1e6);
    return { pin, secondsLeft, fingerprint };
  }

  #randomPin(): string {
    return String(this.#randomInt(10 ** PIN_DIGITS)).padStart(PIN_DIGITS, "0");
  }
}

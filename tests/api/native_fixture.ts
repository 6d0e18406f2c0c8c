/**
 * The native part of the recording host.
 *
 * @module
 */
import type { NativeFacade } from "../../api/native_facade.ts";
import type { NativeClient, NativePairStatus, PendingDevice } from "../../api/native_schemas.ts";
import { OperationError } from "../../src/lib/errors.ts";

export const DEVICE: NativeClient = {
  name: "Deck",
  fingerprint: "cd".repeat(32),
  kind: "certificate",
  grants: 255,
  access_level: "full",
  granted_unix: 1_700_000_000,
  until_disconnect: false,
};

export const PENDING_DEVICE: PendingDevice = {
  id: 7,
  name: "TV",
  fingerprint: "ef".repeat(32),
  age_secs: 12,
  source: "lan",
  until_disconnect: false,
};

/** Knows {@link DEVICE} and {@link PENDING_DEVICE}; `calls` lists every method that changes something. */
export class FakeNativeFacade implements NativeFacade {
  readonly #calls: unknown[][];
  isArmed = false;

  constructor(calls: unknown[][]) {
    this.#calls = calls;
  }

  pairStatus(): NativePairStatus {
    return {
      enabled: true,
      armed: this.isArmed,
      ...(this.isArmed ? { pin: "0042", expires_in_secs: 120 } : {}),
      paired_clients: 1,
    };
  }
  arm(request: unknown) {
    this.#calls.push(["arm", request]);
    this.isArmed = true;
    return this.pairStatus();
  }
  disarm() {
    this.#calls.push(["disarm"]);
    this.isArmed = false;
  }
  clients() {
    return [DEVICE];
  }
  changeClient(fingerprint: string, change: unknown) {
    this.#calls.push(["changeClient", fingerprint, change]);
    return known(fingerprint === DEVICE.fingerprint, DEVICE);
  }
  unpair(fingerprint: string) {
    this.#calls.push(["unpair", fingerprint]);
    return known(fingerprint === DEVICE.fingerprint, undefined);
  }
  unpairAll() {
    this.#calls.push(["unpairAll"]);
    return Promise.resolve(2);
  }
  pending() {
    return [PENDING_DEVICE];
  }
  approve(id: number, decision: unknown) {
    this.#calls.push(["approve", id, decision]);
    return known(id === PENDING_DEVICE.id, { ...DEVICE, name: PENDING_DEVICE.name });
  }
  deny(id: number) {
    this.#calls.push(["deny", id]);
    if (id !== PENDING_DEVICE.id) throw notFound();
  }
}

function known<T>(isKnown: boolean, answer: T): Promise<T> {
  return isKnown ? Promise.resolve(answer) : Promise.reject(notFound());
}

function notFound(): OperationError {
  return new OperationError("not-found", "Cannot find device: there is none");
}

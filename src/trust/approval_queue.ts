/**
 * Devices that knocked and wait for an operator (native specification 1.5; product specification 3.3).
 *
 *     knock ─▶ parked ──approve, or trusted in another way──▶ admitted: the connection goes on
 *                │ ├─────deny──────────────────────────────▶ refused, forgotten
 *                │ ├─────180 s─────────────────────────────▶ refused  ┐
 *                │ ├─────a newer knock of the same device──▶ refused  ├ listed for ten minutes after its last knock
 *                │ └─────the connection is gone────────────▶          ┘
 *
 * One device is one row, whatever number of connections it makes, and one approval admits one of them. What strangers can
 * fill is bounded: 32 rows, 4 an address; the row that was silent longest makes room unless its connection still waits.
 *
 * @module
 */
import { plainAddress } from "../lib/address.ts";
import type { Clock, Timer } from "../lib/clock.ts";
import { OperationError } from "../lib/errors.ts";
import { type AccessOffer, isExpired } from "./access.ts";
import { cleanDeviceName } from "./device_name.ts";
import type { NativeClient, NativeClients, NewDevice } from "./native_clients.ts";
import type { PeerSource } from "./peer_source.ts";

export const PARKED_TIMEOUT_MS = 180_000;
export const PENDING_LIFETIME_MS = 10 * 60_000;
export const PENDING_MAX = 32;
export const PENDING_PER_ADDRESS_MAX = 4;

/** A device at the door: its identity is proved, its name is a stranger's text. */
export interface Knock extends NewDevice {
  readonly address: string;
  readonly source: PeerSource;
}

export type KnockDecision =
  | { readonly kind: "admitted"; readonly client: NativeClient }
  /** Close the connection with the code of this name. "busy": too many devices wait. */
  | {
    readonly kind: "refused";
    readonly reason: "denied" | "approval-timeout" | "superseded" | "busy";
  }
  /** Nobody is there any more. */
  | { readonly kind: "gone" };

export interface ParkedKnock {
  readonly decision: Promise<KnockDecision>;
  /** The connection ended. After a decision it does nothing. */
  leave(): void;
}

export interface PendingDevice {
  /** 1 and up; not used again while the host runs. */
  readonly id: number;
  readonly fingerprint: string;
  readonly name: string;
  readonly source: PeerSource;
  /** Since its last knock. */
  readonly ageS: number;
  /** Its record when it is known and its access has expired. */
  readonly known: NativeClient | undefined;
}

interface Waiter {
  readonly resolve: (decision: KnockDecision) => void;
  readonly timer: Timer;
}

interface Row {
  readonly id: number;
  readonly knock: Knock;
  readonly knockedAtUs: number;
  waiter: Waiter | undefined;
  /** An approval is being written. */
  isDeciding: boolean;
}

export interface ApprovalQueueOptions {
  readonly clients: Pick<NativeClients, "approve" | "get" | "observe">;
  readonly clock: Clock;
  /** A device knocks that was not in the list. */
  readonly onPending?: (device: PendingDevice) => void;
}

export class ApprovalQueue implements Disposable {
  readonly #options: ApprovalQueueOptions;
  readonly #observer: Disposable;
  /** By fingerprint, the longest silent first. */
  readonly #rows = new Map<string, Row>();
  #lastId = 0;

  constructor(options: ApprovalQueueOptions) {
    this.#options = options;
    this.#observer = options.clients.observe((change) => {
      if (change.kind === "saved") this.#admit(change.client);
    });
  }

  /** Park a device that `decideAdmission` would have asked about. */
  knock(knock: Knock): ParkedKnock {
    const { promise: decision, resolve } = Promise.withResolvers<KnockDecision>();
    const { fingerprint } = knock;
    const older = this.#rows.get(fingerprint);
    if (older === undefined && !this.#makeRoom(plainAddress(knock.address))) {
      resolve({ kind: "refused", reason: "busy" });
      return { decision, leave() {} };
    }
    if (older !== undefined) this.#release(older, { kind: "refused", reason: "superseded" });
    const { clock, onPending } = this.#options;
    const row: Row = {
      id: older?.id ?? ++this.#lastId,
      knock,
      knockedAtUs: clock.monotonicUs(),
      waiter: undefined,
      isDeciding: older?.isDeciding ?? false,
    };
    const timer = clock.after(
      PARKED_TIMEOUT_MS,
      () => this.#release(row, { kind: "refused", reason: "approval-timeout" }),
    );
    row.waiter = { resolve, timer };
    this.#rows.delete(fingerprint);
    this.#rows.set(fingerprint, row);
    if (older === undefined) onPending?.(this.#describe(row));
    return { decision, leave: () => this.#release(row, { kind: "gone" }) };
  }

  /** The longest silent first. */
  list(): PendingDevice[] {
    this.#forgetOld();
    return [...this.#rows.values()].map((row) => this.#describe(row));
  }

  /**
   * Let a device in; it keeps what the offer leaves open of the access it had. Throws OperationError "not-found",
   * "refused" when it knocked from the internet or is being decided already, "invalid" or "storage"; it then waits on.
   */
  async approve(
    id: number,
    decision: { readonly name?: string | undefined; readonly offer: AccessOffer },
  ): Promise<NativeClient> {
    const row = this.#require(id);
    if (row.knock.source === "wan") {
      throw new OperationError(
        "refused",
        "Cannot approve: the device knocks from the internet and needs a PIN bound to its fingerprint",
      );
    }
    const { fingerprint, kind, name } = row.knock;
    row.isDeciding = true;
    try {
      // The store tells this queue, which then lets the connection through.
      return await this.#options.clients.approve(
        { fingerprint, kind, name: decision.name ?? name },
        decision.offer,
      );
    } finally {
      const current = this.#rows.get(fingerprint);
      if (current?.id === id) current.isDeciding = false;
    }
  }

  /** Refuse a device this once. Throws OperationError "not-found" or "refused". */
  deny(id: number): void {
    const row = this.#require(id);
    this.#rows.delete(row.knock.fingerprint);
    this.#release(row, { kind: "refused", reason: "denied" });
  }

  /** Nobody will decide any more: all that wait are told that they are gone. Twice is legal. */
  [Symbol.dispose](): void {
    this.#observer[Symbol.dispose]();
    for (const row of this.#rows.values()) this.#release(row, { kind: "gone" });
    this.#rows.clear();
  }

  #admit(client: NativeClient): void {
    const row = this.#rows.get(client.fingerprint);
    if (row === undefined || isExpired(client, this.#options.clock.wallMs())) return;
    this.#rows.delete(client.fingerprint);
    this.#release(row, { kind: "admitted", client });
  }

  #release(row: Row, decision: KnockDecision): void {
    row.waiter?.timer.cancel();
    row.waiter?.resolve(decision);
    row.waiter = undefined;
  }

  #require(id: number): Row {
    this.#forgetOld();
    const row = [...this.#rows.values()].find((one) => one.id === id);
    if (row === undefined) {
      throw new OperationError("not-found", "Cannot decide: no such device waits");
    }
    if (row.isDeciding) {
      throw new OperationError("refused", "Cannot decide: the device is being approved");
    }
    return row;
  }

  /** Whether there is room for a new row of `address`, made by dropping a silent one where that is needed. */
  #makeRoom(address: string): boolean {
    this.#forgetOld();
    const isOfAddress = (row: Row) => plainAddress(row.knock.address) === address;
    const rows = [...this.#rows.values()];
    const crowd = rows.filter(isOfAddress).length >= PENDING_PER_ADDRESS_MAX
      ? rows.filter(isOfAddress)
      : rows.length >= PENDING_MAX
      ? rows
      : undefined;
    if (crowd === undefined) return true;
    const silent = crowd.find((row) => row.waiter === undefined && !row.isDeciding);
    return silent !== undefined && this.#rows.delete(silent.knock.fingerprint);
  }

  #forgetOld(): void {
    const oldestUs = this.#options.clock.monotonicUs() - PENDING_LIFETIME_MS * 1000;
    for (const [fingerprint, row] of this.#rows) {
      if (row.knockedAtUs <= oldestUs && !row.isDeciding) this.#rows.delete(fingerprint);
    }
  }

  #describe({ id, knock, knockedAtUs }: Row): PendingDevice {
    const { fingerprint, name, source } = knock;
    return {
      id,
      fingerprint,
      name: cleanDeviceName(name, fingerprint),
      source,
      ageS: Math.floor((this.#options.clock.monotonicUs() - knockedAtUs) / 1e6),
      known: this.#options.clients.get(fingerprint),
    };
  }
}

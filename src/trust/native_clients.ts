/**
 * Devices that may use the native plane (product specification 2.2, 3.5): `punktfunk1-paired.json`.
 *
 *     {"clients": [{
 *       "name":                text, shown to people
 *       "fingerprint":         64 hexadecimal digits
 *       "kind"?:               "certificate" or "device-key"; absent in files of other hosts
 *       "grants"?:             bits; absent means all
 *       "expires_unix"?:       seconds; absent means never
 *       "granted_unix"?:       seconds: when the device was let in
 *       "last_seen_unix"?:     seconds: when its last session began or ended
 *       "until_disconnect"?:   true: forgotten after its last session
 *       "preferred_pad_slot"?: kept for hosts that use it
 *     }]}
 *
 * Absent and null are the same. A damaged file is an error: an empty list would turn every device away and let the next
 * write destroy what could have been repaired.
 *
 * @module
 */
import type { Clock } from "../lib/clock.ts";
import { OperationError } from "../lib/errors.ts";
import type { DeviceKind } from "../protocol/punktfunk1/pairing_ceremony.ts";
import type { writeFileAtomic } from "../store/file.ts";
import { JsonStore } from "../store/json_store.ts";
import { type Access, type AccessOffer, beginAccess, requireGrants } from "./access.ts";
import { cleanDeviceName } from "./device_name.ts";
import { CLIENT_LABEL_CHARACTERS_MAX, isClientLabel } from "./gamestream_clients.ts";
import {
  type ClientMap,
  NATIVE_CLIENTS_MAX,
  type NativeClient,
  parseNativeClients,
  serialiseNativeClients,
} from "./native_clients_file.ts";

export type { NativeClient } from "./native_clients_file.ts";

/** Who is let in. `name` may be a stranger's text. */
export interface NewDevice {
  readonly fingerprint: string;
  readonly kind: DeviceKind;
  readonly name: string;
}

/** What an operator edits; absent fields stay as they are. */
export interface NativeClientChange {
  readonly name?: string | undefined;
  readonly grants?: number | undefined;
  /** null: for good. */
  readonly expiresUnix?: number | null | undefined;
  readonly isUntilDisconnect?: boolean | undefined;
}

/** Told once the change is on disk. */
export type ClientsObserver = (
  change:
    | { readonly kind: "saved"; readonly client: NativeClient }
    | { readonly kind: "removed"; readonly fingerprint: string },
) => void;

export class NativeClients {
  readonly #store: JsonStore<ClientMap>;
  readonly #clock: Clock;
  readonly #observers = new Set<ClientsObserver>();

  private constructor(store: JsonStore<ClientMap>, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /**
   * Read the file in `directory`, and forget the devices that were admitted until they disconnect: no session outlives
   * the host. Throws OperationError "storage" when the file is damaged or cannot be read or written.
   */
  static async open(directory: string, options: {
    readonly clock: Clock;
    readonly write?: typeof writeFileAtomic;
  }): Promise<NativeClients> {
    const path = `${directory}/punktfunk1-paired.json`;
    const store = await JsonStore.open<ClientMap>(path, {
      parse: parseNativeClients,
      serialise: serialiseNativeClients,
      empty: new Map(),
      nowMs: () => options.clock.wallMs(),
      remedyWhenDamaged:
        `Restore ${path} from a backup; or move it away, after which every device must pair again`,
      ...(options.write === undefined ? {} : { write: options.write }),
    });
    const isGuest = (client: NativeClient) => client.isUntilDisconnect;
    if ([...store.value.values()].some(isGuest)) {
      await store.update((map) => new Map([...map].filter(([_, client]) => !isGuest(client))));
    }
    return new NativeClients(store, options.clock);
  }

  get size(): number {
    return this.#store.value.size;
  }

  /** By fingerprint, either case. Expired devices are listed too. */
  get(fingerprint: string): NativeClient | undefined {
    return this.#store.value.get(fingerprint.toLowerCase());
  }

  list(): NativeClient[] {
    return [...this.#store.value.values()];
  }

  /** Hear of every change until disposed. */
  observe(observer: ClientsObserver): Disposable {
    this.#observers.add(observer);
    return { [Symbol.dispose]: () => void this.#observers.delete(observer) };
  }

  /**
   * Store a device that knew the PIN. Of a known device only the name changes: a guest that pairs again must not widen
   * its access. Throws OperationError "refused" when the list is full, or "storage"; nothing is stored then.
   */
  pair(device: NewDevice, offer: AccessOffer): Promise<NativeClient> {
    return this.#admit(
      device,
      (known) => known ?? beginAccess(offer, { nowMs: this.#clock.wallMs() }),
    );
  }

  /** Let a device in by an operator's word, which replaces the access it may have had. Throws as `pair` does. */
  approve(device: NewDevice, offer: AccessOffer): Promise<NativeClient> {
    return this.#admit(
      device,
      (known) => beginAccess(offer, { nowMs: this.#clock.wallMs(), known }),
    );
  }

  /** Throws OperationError "not-found", "invalid" or "storage". */
  async change(fingerprint: string, change: NativeClientChange): Promise<NativeClient> {
    const { name, grants, expiresUnix, isUntilDisconnect } = change;
    if (name !== undefined && !isClientLabel(name)) {
      throw new OperationError(
        "invalid",
        `Cannot name device: a name has 1 to ${CLIENT_LABEL_CHARACTERS_MAX} characters on one line`,
      );
    }
    const granted = grants === undefined ? undefined : requireGrants(grants);
    return await this.#put(fingerprint, (known) => {
      const client = requireKnown(known);
      return {
        ...client,
        name: name ?? client.name,
        grants: granted ?? client.grants,
        expiresUnix: expiresUnix === undefined ? client.expiresUnix : expiresUnix ?? undefined,
        isUntilDisconnect: isUntilDisconnect ?? client.isUntilDisconnect,
      };
    });
  }

  /** A session of the device begins or ends. An unknown device is none of the store's business. Throws "storage". */
  async markSeen(fingerprint: string): Promise<void> {
    await this.#store.update((map) => {
      const client = map.get(fingerprint.toLowerCase());
      if (client === undefined) return map;
      return new Map(map).set(client.fingerprint, { ...client, lastSeenUnix: this.#nowUnix() });
    });
  }

  /** Throws OperationError "not-found" or "storage". */
  async remove(fingerprint: string): Promise<void> {
    const key = fingerprint.toLowerCase();
    await this.#store.update((map) => {
      requireKnown(map.get(key));
      return new Map([...map].filter(([other]) => other !== key));
    });
    this.#tell({ kind: "removed", fingerprint: key });
  }

  /** How many there were. Throws OperationError "storage". */
  async removeAll(): Promise<number> {
    let removed: string[] = [];
    await this.#store.update((map) => {
      removed = [...map.keys()];
      return new Map();
    });
    for (const fingerprint of removed) this.#tell({ kind: "removed", fingerprint });
    return removed.length;
  }

  #admit(
    device: NewDevice,
    accessOf: (known: NativeClient | undefined) => Access,
  ): Promise<NativeClient> {
    const fingerprint = device.fingerprint.toLowerCase();
    return this.#put(fingerprint, (known) => {
      const { grants, expiresUnix, isUntilDisconnect } = accessOf(known);
      return {
        fingerprint,
        name: cleanDeviceName(device.name, fingerprint),
        kind: device.kind,
        grants,
        expiresUnix,
        isUntilDisconnect,
        grantedUnix: known?.grantedUnix ?? this.#nowUnix(),
        lastSeenUnix: known?.lastSeenUnix,
        preferredPadSlot: known?.preferredPadSlot,
      };
    });
  }

  /** Store what `make` makes of the device as it is known. */
  async #put(
    fingerprint: string,
    make: (known: NativeClient | undefined) => NativeClient,
  ): Promise<NativeClient> {
    const key = fingerprint.toLowerCase();
    let saved: NativeClient | undefined;
    await this.#store.update((map) => {
      const known = map.get(key);
      saved = make(known);
      if (known === undefined && map.size >= NATIVE_CLIENTS_MAX) {
        throw new OperationError(
          "refused",
          `Cannot pair: ${NATIVE_CLIENTS_MAX} devices are paired`,
          {
            remedy: "Unpair devices that are no longer used",
          },
        );
      }
      return new Map(map).set(key, saved);
    });
    const client = requireKnown(saved);
    this.#tell({ kind: "saved", client });
    return client;
  }

  #nowUnix(): number {
    return Math.floor(this.#clock.wallMs() / 1000);
  }

  #tell(change: Parameters<ClientsObserver>[0]): void {
    for (const observer of [...this.#observers]) observer(change);
  }
}

function requireKnown(client: NativeClient | undefined): NativeClient {
  if (client !== undefined) return client;
  throw new OperationError("not-found", "Cannot find device: no such fingerprint is paired");
}

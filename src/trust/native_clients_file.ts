/**
 * The records of `punktfunk1-paired.json` as values; `native_clients.ts` draws the file.
 *
 * @module
 */
import { GRANTS_ALL } from "../protocol/punktfunk1/caps.ts";
import type { DeviceKind } from "../protocol/punktfunk1/pairing_ceremony.ts";
import { type Access, readGrants } from "./access.ts";

/** More than any household; keeps a flood of pairings out of memory and disk. */
export const NATIVE_CLIENTS_MAX = 1024;

export interface NativeClient extends Access {
  /** 64 lower-case hexadecimal digits: the one name of the device. */
  readonly fingerprint: string;
  /** For showing: one short line. */
  readonly name: string;
  /** Undefined in records of other hosts. */
  readonly kind: DeviceKind | undefined;
  readonly grantedUnix: number | undefined;
  readonly lastSeenUnix: number | undefined;
  readonly preferredPadSlot: number | undefined;
}

/** By fingerprint, in the order in which they were let in. */
export type ClientMap = ReadonlyMap<string, NativeClient>;

/** What the file holds. Throws TypeError for anything else. */
export function parseNativeClients(json: unknown): ClientMap {
  const list = fieldsOf(json).clients;
  if (!Array.isArray(list) || list.length > NATIVE_CLIENTS_MAX) throw new TypeError("no list");
  return new Map(list.map((item) => {
    const client = parseClient(fieldsOf(item));
    return [client.fingerprint, client];
  }));
}

/** What the file is to hold. */
export function serialiseNativeClients(clients: ClientMap): unknown {
  return { clients: [...clients.values()].map(serialiseClient) };
}

function serialiseClient(client: NativeClient) {
  return {
    name: client.name,
    fingerprint: client.fingerprint,
    kind: client.kind,
    grants: client.grants,
    expires_unix: client.expiresUnix,
    granted_unix: client.grantedUnix,
    last_seen_unix: client.lastSeenUnix,
    until_disconnect: client.isUntilDisconnect ? true : undefined,
    preferred_pad_slot: client.preferredPadSlot,
  };
}

function parseClient(fields: Readonly<Record<string, unknown>>): NativeClient {
  const { name, fingerprint, kind, until_disconnect } = fields;
  if (typeof name !== "string") throw new TypeError("no name");
  if (typeof fingerprint !== "string" || !/^[0-9a-f]{64}$/i.test(fingerprint)) {
    throw new TypeError("no fingerprint");
  }
  if (typeof (until_disconnect ?? false) !== "boolean") throw new TypeError("no truth value");
  return {
    fingerprint: fingerprint.toLowerCase(),
    name,
    kind: kind === "certificate" || kind === "device-key" ? kind : undefined,
    grants: readGrants(optionalNumber(fields.grants) ?? GRANTS_ALL),
    expiresUnix: optionalNumber(fields.expires_unix),
    isUntilDisconnect: until_disconnect === true,
    grantedUnix: optionalNumber(fields.granted_unix),
    lastSeenUnix: optionalNumber(fields.last_seen_unix),
    preferredPadSlot: optionalNumber(fields.preferred_pad_slot),
  };
}

function fieldsOf(json: unknown): Readonly<Record<string, unknown>> {
  if (typeof json !== "object" || json === null) throw new TypeError("not an object");
  return json as Readonly<Record<string, unknown>>;
}

function optionalNumber(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw new TypeError("no whole number");
  return value as number;
}

/**
 * Whether a device that says Hello gets a session (native specification 1.2).
 *
 *     presents        in the store          pairing required        open
 *     nothing         -                     close 0x63              session, all grants
 *     certificate     yes, valid            session, its grants     session, its grants
 *     or device key   yes, expired          park                    park
 *                     no                    park                    session, all grants
 *
 * An expired device is asked about even by an open host: its operator has said until when it may come.
 *
 * @module
 */
import { GRANTS_ALL } from "../protocol/punktfunk1/caps.ts";
import { isExpired } from "./access.ts";
import type { NativeClient } from "./native_clients.ts";

/** "required": only devices an operator has let in. "open": everybody, advertised as such. */
export type PairingPolicy = "required" | "open";

export interface AdmissionRequest {
  readonly policy: PairingPolicy;
  /** 64 lower-case hexadecimal digits, proved; undefined when the device proved nothing. */
  readonly fingerprint: string | undefined;
  readonly clients: { get(fingerprint: string): NativeClient | undefined };
  readonly nowMs: number;
}

export type Admission =
  | {
    readonly kind: "session";
    readonly grants: number;
    /** The device's record: follow it with AccessWatch. Undefined for a device nobody knows. */
    readonly client: NativeClient | undefined;
  }
  | { readonly kind: "park"; readonly fingerprint: string }
  | { readonly kind: "refused"; readonly reason: "identity-required" };

export function decideAdmission(request: AdmissionRequest): Admission {
  const { policy, fingerprint, clients, nowMs } = request;
  const client = fingerprint === undefined ? undefined : clients.get(fingerprint);
  if (client !== undefined) {
    return isExpired(client, nowMs)
      ? { kind: "park", fingerprint: client.fingerprint }
      : { kind: "session", grants: client.grants, client };
  }
  if (policy === "open") return { kind: "session", grants: GRANTS_ALL, client: undefined };
  return fingerprint === undefined
    ? { kind: "refused", reason: "identity-required" }
    : { kind: "park", fingerprint };
}

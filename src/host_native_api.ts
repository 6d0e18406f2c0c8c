/**
 * The native devices as the management API sees them.
 *
 * @module
 */
import type { NativeFacade } from "../api/native_facade.ts";
import type {
  ApproveDevice,
  ArmNativePairing,
  ChangeNativeClient,
  NativeClient,
  NativePairStatus,
  PendingDevice,
} from "../api/native_schemas.ts";
import type { Clock } from "./lib/clock.ts";
import { OperationError } from "./lib/errors.ts";
import { accessLevelOf, type AccessOffer, requireGrants } from "./trust/access.ts";
import type { NativeClient as Client } from "./trust/native_clients.ts";
import type { NativeTrust } from "./trust/native_trust.ts";

export class HostNativeApi implements NativeFacade {
  readonly #trust: NativeTrust;
  readonly #clock: Clock;

  constructor(options: { readonly trust: NativeTrust; readonly clock: Clock }) {
    this.#trust = options.trust;
    this.#clock = options.clock;
  }

  pairStatus(): NativePairStatus {
    const { window, clients } = this.#trust;
    const armed = window.armed();
    return {
      enabled: true,
      armed: armed !== undefined,
      ...definedOnly({
        pin: armed?.pin,
        expires_in_secs: armed?.secondsLeft,
        fingerprint: armed?.fingerprint,
      }),
      paired_clients: clients.size,
    };
  }

  arm(request: ArmNativePairing): NativePairStatus {
    const { ttl_secs, fingerprint } = request;
    this.#trust.window.arm({ ttlS: ttl_secs, fingerprint, offer: offerOf(request) });
    return this.pairStatus();
  }

  disarm(): void {
    this.#trust.window.disarm();
  }

  clients(): NativeClient[] {
    return this.#trust.clients.list().map(describeClient);
  }

  async changeClient(fingerprint: string, change: ChangeNativeClient): Promise<NativeClient> {
    requireLevelForGuest(change);
    const { name, grants, expires_in_secs, clear_expiry = false, until_disconnect } = change;
    if (clear_expiry && expires_in_secs !== undefined) {
      throw new OperationError(
        "invalid",
        "Cannot change access: expires_in_secs and clear_expiry exclude each other",
      );
    }
    const nowUnix = Math.floor(this.#clock.wallMs() / 1000);
    const expiresUnix = expires_in_secs === undefined ? undefined : nowUnix + expires_in_secs;
    return describeClient(
      await this.#trust.clients.change(fingerprint, {
        name,
        grants,
        expiresUnix: clear_expiry ? null : expiresUnix,
        isUntilDisconnect: until_disconnect,
      }),
    );
  }

  unpair(fingerprint: string): Promise<void> {
    return this.#trust.clients.remove(fingerprint);
  }

  unpairAll(): Promise<number> {
    return this.#trust.clients.removeAll();
  }

  pending(): PendingDevice[] {
    return this.#trust.approvals.list().map(({ id, name, fingerprint, ageS, source, known }) => ({
      id,
      name,
      fingerprint,
      age_secs: ageS,
      source,
      until_disconnect: known?.isUntilDisconnect ?? false,
      ...definedOnly({
        grants: known?.grants,
        access_level: known === undefined ? undefined : accessLevelOf(known.grants),
        expires_unix: known?.expiresUnix,
        granted_unix: known?.grantedUnix,
      }),
    }));
  }

  async approve(id: number, decision: ApproveDevice): Promise<NativeClient> {
    const { name } = decision;
    const offer = offerOf(decision);
    return describeClient(await this.#trust.approvals.approve(id, { name, offer }));
  }

  deny(id: number): void {
    this.#trust.approvals.deny(id);
  }
}

interface OfferFields {
  readonly grants?: number | undefined;
  readonly expires_in_secs?: number | undefined;
  readonly until_disconnect?: boolean | undefined;
}

function offerOf(fields: OfferFields): AccessOffer {
  requireLevelForGuest(fields);
  return {
    // Refused now rather than when the device is there.
    grants: fields.grants === undefined ? undefined : requireGrants(fields.grants),
    lifetimeS: fields.expires_in_secs,
    isUntilDisconnect: fields.until_disconnect,
  };
}

/** Whoever lets a guest in says what the guest may do. */
function requireLevelForGuest({ grants, until_disconnect }: OfferFields): void {
  if (until_disconnect === true && grants === undefined) {
    throw new OperationError("invalid", "Cannot give access: until_disconnect needs grants");
  }
}

function describeClient(client: Client): NativeClient {
  return {
    name: client.name,
    fingerprint: client.fingerprint,
    grants: client.grants,
    access_level: accessLevelOf(client.grants),
    until_disconnect: client.isUntilDisconnect,
    ...definedOnly({
      kind: client.kind,
      expires_unix: client.expiresUnix,
      granted_unix: client.grantedUnix,
      last_seen_unix: client.lastSeenUnix,
      preferred_pad_slot: client.preferredPadSlot,
    }),
  };
}

/** `fields` without those that are undefined: the API leaves out what there is not. */
function definedOnly<T extends object>(
  fields: T,
): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(
    Object.entries(fields).filter(([_, value]) => value !== undefined),
  ) as { [Key in keyof T]?: Exclude<T[Key], undefined> };
}

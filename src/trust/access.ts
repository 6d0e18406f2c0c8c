/**
 * What a native device may do and until when (product specification 3.5, native specification 2.7, 2.10).
 *
 * @module
 */
import { OperationError } from "../lib/errors.ts";
import { GRANTS, GRANTS_ALL } from "../protocol/punktfunk1/caps.ts";

export interface Access {
  /** Bits of `GRANTS`. */
  readonly grants: number;
  /** Seconds since 1970, UTC; undefined for good. */
  readonly expiresUnix: number | undefined;
  /** Forgotten once its last session is over. */
  readonly isUntilDisconnect: boolean;
}

/** Access as an operator gives it, before it is known when it begins. */
export interface AccessOffer {
  /** Undefined: all, or what a known device had. */
  readonly grants?: number | undefined;
  /** Undefined: for good. */
  readonly lifetimeS?: number | undefined;
  readonly isUntilDisconnect?: boolean | undefined;
}

const LEVELS = { full: GRANTS_ALL, controller: GRANTS.gamepad, view: 0 } as const;
/** "All" as it was written before the last bits had a meaning. */
const GRANTS_ALL_OLDER: readonly number[] = [0x3f, 0x7f];

export type AccessPreset = keyof typeof LEVELS;
export type AccessLevel = AccessPreset | "custom";
export const ACCESS_PRESETS = Object.keys(LEVELS) as AccessPreset[];

export function grantsOfPreset(preset: AccessPreset): number {
  return LEVELS[preset];
}

export function accessLevelOf(grants: number): AccessLevel {
  return ACCESS_PRESETS.find((preset) => LEVELS[preset] === grants) ?? "custom";
}

/** Grants as a file or an older peer wrote them: bits nobody knows are dropped, older values for "all" mean all. */
export function readGrants(grants: number): number {
  return GRANTS_ALL_OLDER.includes(grants) ? GRANTS_ALL : grants & GRANTS_ALL;
}

/** Grants as an operator gives them. Throws OperationError "invalid" for bits nobody knows. */
export function requireGrants(grants: number): number {
  if (!Number.isInteger(grants) || grants < 0 || grants > GRANTS_ALL) {
    throw new OperationError("invalid", `Cannot grant: only bits of ${GRANTS_ALL} have a meaning`);
  }
  return readGrants(grants);
}

/** The access of `offer` when it begins now, for a device that has `known` or none. */
export function beginAccess(
  offer: AccessOffer,
  { nowMs, known }: { readonly nowMs: number; readonly known?: Access | undefined },
): Access {
  return {
    grants: offer.grants === undefined ? known?.grants ?? GRANTS_ALL : requireGrants(offer.grants),
    expiresUnix: offer.lifetimeS === undefined
      ? undefined
      : Math.floor(nowMs / 1000) + offer.lifetimeS,
    isUntilDisconnect: offer.isUntilDisconnect ?? false,
  };
}

/** Seconds until `access` ends, rounded up; 0 once it has, undefined when it does not. */
export function secondsLeft(access: Access, nowMs: number): number | undefined {
  if (access.expiresUnix === undefined) return undefined;
  return Math.max(0, Math.ceil(access.expiresUnix - nowMs / 1000));
}

export function isExpired(access: Access, nowMs: number): boolean {
  return secondsLeft(access, nowMs) === 0;
}

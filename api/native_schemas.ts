/**
 * Shapes of the routes about native devices (product specification 4.2, 4.3).
 *
 * Values that are well formed and make no sense, like grants with bits nobody knows, pass here and answer 400.
 *
 * @module
 */
import { z } from "@hono/zod-openapi";
import { Fingerprint, Label } from "./schemas.ts";

const ACCESS_LIFETIME_S_MAX = 10 * 365 * 86_400;

const uint = z.int().min(0);
const grants = z.int().min(0).max(0xffff_ffff);
const lifetime = z.int().min(1).max(ACCESS_LIFETIME_S_MAX);
const accessLevel = z.enum(["full", "controller", "view", "custom"]);

/** What a device gets; all of it for good when nothing is said. `until_disconnect` comes with `grants`. */
const offer = {
  grants: grants.optional(),
  expires_in_secs: lifetime.optional(),
  until_disconnect: z.boolean().optional(),
};

export const NativePairStatus = z.object({
  enabled: z.boolean(),
  armed: z.boolean(),
  pin: z.string().optional(),
  expires_in_secs: uint.optional(),
  fingerprint: z.string().optional().openapi({ description: "The only device that may pair" }),
  paired_clients: uint,
}).openapi("NativePairStatus");

/** `ttl_secs` is clamped to 15…600. */
export const ArmNativePairing = z.strictObject({
  ttl_secs: uint.optional(),
  fingerprint: Fingerprint.optional(),
  ...offer,
}).openapi("ArmNativePairing");

export const NativeClient = z.object({
  name: z.string(),
  fingerprint: z.string(),
  kind: z.enum(["certificate", "device-key"]).optional(),
  grants,
  access_level: accessLevel,
  expires_unix: uint.optional(),
  granted_unix: uint.optional(),
  last_seen_unix: uint.optional(),
  until_disconnect: z.boolean(),
  preferred_pad_slot: uint.optional(),
}).openapi("NativeClient");

/** Absent fields stay as they are; 0 seconds end the access now, `clear_expiry` makes it last. */
export const ChangeNativeClient = z.strictObject({
  name: Label.optional(),
  grants: grants.optional(),
  expires_in_secs: z.int().min(0).max(ACCESS_LIFETIME_S_MAX).optional(),
  clear_expiry: z.boolean().optional(),
  until_disconnect: z.boolean().optional(),
}).openapi("ChangeNativeClient");

/** The fields of access are those an expired device had. */
export const PendingDevice = z.object({
  id: z.int().min(1),
  name: z.string(),
  fingerprint: z.string(),
  age_secs: uint,
  source: z.enum(["lan", "wan"]),
  grants: grants.optional(),
  access_level: accessLevel.optional(),
  expires_unix: uint.optional(),
  granted_unix: uint.optional(),
  until_disconnect: z.boolean(),
}).openapi("PendingDevice");

export const PendingId = z.string().regex(/^[1-9][0-9]{0,8}$/, "must be a number from 1")
  .transform(Number)
  .openapi({ type: "integer", minimum: 1 });

export const ApproveDevice = z.strictObject({ name: Label.optional(), ...offer })
  .openapi("ApproveDevice");

export type NativePairStatus = z.infer<typeof NativePairStatus>;
export type ArmNativePairing = z.infer<typeof ArmNativePairing>;
export type NativeClient = z.infer<typeof NativeClient>;
export type ChangeNativeClient = z.infer<typeof ChangeNativeClient>;
export type PendingDevice = z.infer<typeof PendingDevice>;
export type ApproveDevice = z.infer<typeof ApproveDevice>;

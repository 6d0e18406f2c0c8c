/**
 * Which encryption a client has to use. Pure.
 *
 * @module
 */
import { isLocalAddress } from "../../lib/address.ts";
import {
  ENCRYPT_AUDIO,
  ENCRYPT_CONTROL,
  ENCRYPT_VIDEO,
} from "../../protocol/gamestream/describe.ts";

export const ENCRYPTION_SUPPORTED = ENCRYPT_CONTROL | ENCRYPT_VIDEO | ENCRYPT_AUDIO;

/** ENCRYPT_* bits that DESCRIBE asks for: control from everybody, everything from a client elsewhere. */
export function encryptionRequested(address: string): number {
  return isLocalAddress(address) ? ENCRYPT_CONTROL : ENCRYPTION_SUPPORTED;
}

/** ENCRYPT_* bits without which ANNOUNCE is refused. On the local network an old client may do without. */
export function encryptionDemanded(address: string): number {
  return isLocalAddress(address) ? 0 : ENCRYPTION_SUPPORTED;
}

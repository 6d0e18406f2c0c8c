/**
 * Which encryption a client has to use, and whose address is near. Pure.
 *
 * @module
 */
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

/** Loopback, RFC 1918, link-local and IPv6 unique-local addresses. */
export function isLocalAddress(address: string): boolean {
  const plain = plainAddress(address);
  const octets = /^(\d{1,3})\.(\d{1,3})\.\d{1,3}\.\d{1,3}$/.exec(plain);
  if (octets !== null) {
    const first = Number(octets[1]);
    const second = Number(octets[2]);
    return first === 127 || first === 10 || (first === 172 && second >= 16 && second <= 31) ||
      (first === 192 && second === 168) || (first === 169 && second === 254);
  }
  return plain === "::1" || /^f[cd][0-9a-f]{2}:/i.test(plain) || /^fe[89ab][0-9a-f]:/i.test(plain);
}

/** Whether two literals name the same host, IPv4-mapped or not. */
export function isSameHost(a: string, b: string): boolean {
  return plainAddress(a) === plainAddress(b);
}

/** `::ffff:a.b.c.d` as `a.b.c.d`. */
function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, "");
}

/**
 * What the text of an IP address says. Pure; no names are looked up.
 *
 * @module
 */

/** The literal without a zone, an IPv4 address as such also where a socket of both families shows it mapped. */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, "").replace(/%.*$/, "");
}

/** Whether two literals name the same host. */
export function isSameHost(a: string, b: string): boolean {
  return plainAddress(a) === plainAddress(b);
}

/** True for 127.0.0.0/8 and ::1. */
export function isLoopback(address: string): boolean {
  const plain = plainAddress(address);
  return plain === "::1" || /^127(\.[0-9]{1,3}){3}$/.test(plain);
}

/** Loopback, RFC 1918, link-local and IPv6 unique-local addresses. */
export function isLocalAddress(address: string): boolean {
  if (isLoopback(address)) return true;
  const plain = plainAddress(address);
  const octets = /^(\d{1,3})\.(\d{1,3})\.\d{1,3}\.\d{1,3}$/.exec(plain);
  if (octets !== null) {
    const first = Number(octets[1]);
    const second = Number(octets[2]);
    return first === 10 || (first === 172 && second >= 16 && second <= 31) ||
      (first === 192 && second === 168) || (first === 169 && second === 254);
  }
  return /^f[cd][0-9a-f]{2}:/i.test(plain) || /^fe[89ab][0-9a-f]:/i.test(plain);
}

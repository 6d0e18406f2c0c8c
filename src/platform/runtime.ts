/**
 * What depends on the release of Deno this program runs on.
 *
 * @module
 */

/** The first release whose `node:https` hands over client certificates, without which no paired Moonlight is known. */
export const RUNTIME_WITH_CLIENT_CERTIFICATES = "2.9";

/** `version` as in `Deno.version.deno`. */
export function hasClientCertificates(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 2 || (major === 2 && minor >= 9);
}

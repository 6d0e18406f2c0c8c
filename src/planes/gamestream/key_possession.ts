/**
 * Whether TLS has proved that a client holds the key of the certificate it showed.
 *
 * The runtime checks the client's signature in the handshake for certificates of X.509 version 3 only: it lets the
 * handshake of any other version pass unchecked. Such a certificate travels in clear text at pairing, so whoever saw it
 * could present it. It therefore counts as no certificate at all; no known client makes one.
 *
 * @module
 */
import { ProtocolError } from "../../lib/errors.ts";
import { decodeCertificate } from "../../protocol/x509_certificate.ts";

export const CERTIFICATE_VERSION_PROVED = 3;

/** True when a finished handshake with this certificate means that the peer holds its key. */
export function isPossessionProved(certificateDer: Uint8Array): boolean {
  try {
    return decodeCertificate(certificateDer).version === CERTIFICATE_VERSION_PROVED;
  } catch (error) {
    if (error instanceof ProtocolError) return false;
    throw error;
  }
}

/**
 * GameStream pairing, host side: the arithmetic of phases 1 to 4 (GameStream specification 3.3, 3.4).
 *
 *     phase  request parameter                 reply element
 *     1      salt        16 bytes              plaincert          the host's PEM
 *            clientcert  the client's PEM
 *     2      clientchallenge       16 bytes    challengeresponse  48 bytes
 *     3      serverchallengeresp   32 bytes    pairingsecret      16 + 256 bytes
 *     4      clientpairingsecret   16 + n      (paired alone)
 *     5      phrase=pairchallenge              (paired alone)
 *
 * All values are hexadecimal text, either case. H is SHA-256; E and D are AES-128-ECB without padding under
 * K = H(salt ‖ PIN)[0..16); n is the size of the client's RSA modulus in bytes, 256 with every stock client.
 *
 *     C = D(clientchallenge)
 *     challengeresponse = E( H(C ‖ sigS ‖ Ss) ‖ Sc )
 *     hc = D(serverchallengeresp), to equal H(Sc ‖ sigC ‖ Cs)
 *     pairingsecret = Ss ‖ RSA-PKCS#1-v1.5-SHA-256(Ss);  clientpairingsecret = Cs ‖ the same over Cs
 *
 * @module
 */
import { Buffer } from "node:buffer";
import {
  constants,
  createCipheriv,
  createDecipheriv,
  createHash,
  createPublicKey,
  type KeyObject,
  sign,
  timingSafeEqual,
  verify,
} from "node:crypto";
import { concatBytes, parseHex } from "../../lib/bytes.ts";
import { ProtocolError } from "../../lib/errors.ts";
import {
  type Certificate,
  CERTIFICATE_SIZE_BYTES_MAX,
  decodeCertificate,
} from "../x509_certificate.ts";

export const PAIRING_SALT_SIZE_BYTES = 16;
export const PAIRING_SECRET_SIZE_BYTES = 16;
const CHALLENGE_SIZE_BYTES = 16;
const HASH_SIZE_BYTES = 32;
const RSA_MODULUS_BITS_MIN = 2048;
const RSA_MODULUS_BITS_MAX = 4096;
/** Base64 with line ends is 1.37 times the DER; the marker lines are short. */
const PEM_SIZE_BYTES_MAX = CERTIFICATE_SIZE_BYTES_MAX * 3 / 2;
const PIN_PATTERN = /^[0-9]{4}$/;

export type PairRequest =
  | { readonly phase: 1; readonly salt: Uint8Array; readonly client: PairingClient }
  | { readonly phase: 2; readonly clientChallenge: Uint8Array }
  | { readonly phase: 3; readonly serverChallengeResponse: Uint8Array }
  | { readonly phase: 4; readonly clientPairingSecret: Uint8Array }
  | { readonly phase: 5 };

/** What phase 1 shows of a client. */
export interface PairingClient {
  readonly certificateDer: Uint8Array<ArrayBuffer>;
  readonly certificate: Certificate;
  /** RSA, 2048 to 4096 bits. */
  readonly publicKey: KeyObject;
}

/** Tell the phase by the parameter that is present and decode it. Throws ProtocolError. */
export function parsePairRequest(query: URLSearchParams): PairRequest {
  const phrase = query.get("phrase");
  if (phrase === "getservercert") {
    return {
      phase: 1,
      salt: hexParameter(query, "salt", { sizeMin: PAIRING_SALT_SIZE_BYTES }),
      client: decodePairingClient(
        hexParameter(query, "clientcert", { sizeMin: 1, sizeMax: PEM_SIZE_BYTES_MAX }),
      ),
    };
  }
  if (phrase === "pairchallenge") return { phase: 5 };
  if (query.has("clientchallenge")) {
    const clientChallenge = hexParameter(query, "clientchallenge", {
      sizeMin: CHALLENGE_SIZE_BYTES,
    });
    return { phase: 2, clientChallenge };
  }
  if (query.has("serverchallengeresp")) {
    const serverChallengeResponse = hexParameter(query, "serverchallengeresp", {
      sizeMin: HASH_SIZE_BYTES,
    });
    return { phase: 3, serverChallengeResponse };
  }
  const clientPairingSecret = hexParameter(query, "clientpairingsecret", {
    sizeMin: PAIRING_SECRET_SIZE_BYTES + RSA_MODULUS_BITS_MIN / 8,
    sizeMax: PAIRING_SECRET_SIZE_BYTES + RSA_MODULUS_BITS_MAX / 8,
  });
  return { phase: 4, clientPairingSecret };
}

/** True for the only PINs clients show: four decimal digits. */
export function isPairingPin(text: string): boolean {
  return PIN_PATTERN.test(text);
}

/** K of 3.3, 16 bytes. */
export function derivePairingKey(salt: Uint8Array, pin: string): Uint8Array {
  return sha256(concatBytes(salt, new TextEncoder().encode(pin))).subarray(0, 16);
}

/** Phase 2: 48 bytes of `challengeresponse`. */
export function answerClientChallenge(key: Uint8Array, parts: {
  readonly clientChallenge: Uint8Array;
  /** `signatureValue` of the host's certificate. */
  readonly hostSignature: Uint8Array;
  /** Ss and Sc, 16 random bytes each, never used for a second pairing. */
  readonly serverSecret: Uint8Array;
  readonly serverChallenge: Uint8Array;
}): Uint8Array {
  const challenge = decryptBlocks(key, parts.clientChallenge);
  const hash = sha256(concatBytes(challenge, parts.hostSignature, parts.serverSecret));
  const cipher = createCipheriv("aes-128-ecb", key, null).setAutoPadding(false);
  return concatBytes(cipher.update(concatBytes(hash, parts.serverChallenge)), cipher.final());
}

/** Phase 3: hc, the 32 bytes that phase 4 must match. */
export function openClientHash(key: Uint8Array, serverChallengeResponse: Uint8Array): Uint8Array {
  return decryptBlocks(key, serverChallengeResponse);
}

/** Phase 3: 272 bytes of `pairingsecret`. */
export function signServerSecret(hostKey: KeyObject, serverSecret: Uint8Array): Uint8Array {
  const signature = sign("sha256", serverSecret, {
    key: hostKey,
    padding: constants.RSA_PKCS1_PADDING,
  });
  return concatBytes(serverSecret, signature);
}

/** Phase 4: whether the client knew the PIN and holds the key of the certificate it showed. */
export function verifyClientSecret(client: PairingClient, parts: {
  readonly clientPairingSecret: Uint8Array;
  readonly serverChallenge: Uint8Array;
  /** hc of phase 3. */
  readonly clientHash: Uint8Array;
}): boolean {
  const secret = parts.clientPairingSecret.subarray(0, PAIRING_SECRET_SIZE_BYTES);
  const signature = parts.clientPairingSecret.subarray(PAIRING_SECRET_SIZE_BYTES);
  const expected = sha256(
    concatBytes(parts.serverChallenge, client.certificate.signatureValue, secret),
  );
  const isPinKnown = timingSafeEqual(expected, parts.clientHash);
  const isKeyHeld = verify("sha256", secret, {
    key: client.publicKey,
    padding: constants.RSA_PKCS1_PADDING,
  }, signature);
  return isPinKnown && isKeyHeld;
}

/** The certificate of phase 1 from its PEM bytes, with LF or CRLF. Throws ProtocolError. */
export function decodePairingClient(pem: Uint8Array): PairingClient {
  const text = new TextDecoder("latin1").decode(pem);
  const match = /^\s*-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*$/
    .exec(text.replace(/\0+$/, ""));
  const base64 = match?.[1]?.replace(/\s+/g, "");
  if (
    base64 === undefined ||
    !/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(base64)
  ) {
    throw new ProtocolError("malformed", "Cannot pair: the client's certificate is not PEM");
  }
  const certificateDer = Uint8Array.from(Buffer.from(base64, "base64"));
  const certificate = decodeCertificate(certificateDer);
  return { certificateDer, certificate, publicKey: readRsaKey(certificate.publicKeyInfo) };
}

function readRsaKey(publicKeyInfo: Uint8Array): KeyObject {
  let key: KeyObject;
  try {
    key = createPublicKey({ key: Buffer.from(publicKeyInfo), format: "der", type: "spki" });
  } catch {
    throw new ProtocolError("malformed", "Cannot pair: the client's public key is unreadable");
  }
  const bits = key.asymmetricKeyType === "rsa"
    ? key.asymmetricKeyDetails?.modulusLength
    : undefined;
  if (bits === undefined || bits < RSA_MODULUS_BITS_MIN || bits > RSA_MODULUS_BITS_MAX) {
    throw new ProtocolError(
      "unsupported",
      `Cannot pair: the client's key is not RSA of ${RSA_MODULUS_BITS_MIN} to ${RSA_MODULUS_BITS_MAX} bits`,
    );
  }
  return key;
}

function hexParameter(query: URLSearchParams, name: string, size: {
  readonly sizeMin: number;
  /** `sizeMin` when absent. */
  readonly sizeMax?: number;
}): Uint8Array<ArrayBuffer> {
  const text = query.get(name);
  if (text === null) throw new ProtocolError("short", `Cannot pair: parameter ${name} is missing`);
  if (text.length < size.sizeMin * 2) {
    throw new ProtocolError("short", `Cannot pair: parameter ${name} is too short`);
  }
  if (text.length > (size.sizeMax ?? size.sizeMin) * 2) {
    throw new ProtocolError("trailing", `Cannot pair: parameter ${name} is too long`);
  }
  const bytes = parseHex(text);
  if (bytes === undefined) {
    throw new ProtocolError("malformed", `Cannot pair: parameter ${name} is not hexadecimal`);
  }
  return bytes;
}

function decryptBlocks(key: Uint8Array, bytes: Uint8Array): Uint8Array {
  const decipher = createDecipheriv("aes-128-ecb", key, null).setAutoPadding(false);
  return concatBytes(decipher.update(bytes), decipher.final());
}

function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}

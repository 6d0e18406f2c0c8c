/**
 * How a device proves itself by its key alone, where TLS does not show who it is (native specification 5, 10.9).
 *
 *     device key    SubjectPublicKeyInfo of a P-256 key, DER, uncompressed: prefix[26] ‖ 04 ‖ X[32] ‖ Y[32] = 91 bytes
 *     fingerprint   SHA-256(device key)
 *     signature     ECDSA P-256 with SHA-256, ASN.1 DER, over
 *
 *     offset  size  field
 *     0       25    "punktfunk-device-auth-v1:"
 *     25      32    SHA-256 of the certificate that the host shows on this connection
 *     57      32    nonce of AuthChallenge
 *
 * The certificate binds the proof to this connection: somebody between the two shows another one.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { concatBytes, equalBytes, parseHex } from "../../lib/bytes.ts";
import { ProtocolError } from "../../lib/errors.ts";

export const DEVICE_KEY_SIZE_BYTES = 91;
export const AUTH_NONCE_SIZE_BYTES = 32;
export const AUTH_INPUT_SIZE_BYTES = 89;
const CERTIFICATE_HASH_SIZE_BYTES = 32;
/** SEQUENCE of two INTEGERs of at most 33 bytes. */
const SIGNATURE_SIZE_BYTES_MAX = 72;
const CONTEXT = new TextEncoder().encode("punktfunk-device-auth-v1:");
const KEY_PREFIX = parseHex("3059301306072a8648ce3d020106082a8648ce3d030107034200") ??
  new Uint8Array();
const POINT_UNCOMPRESSED = 0x04;

export interface DeviceKey {
  /** SHA-256 of the key as sent, 32 bytes. */
  readonly fingerprint: Uint8Array<ArrayBuffer>;
  readonly publicKey: KeyObject;
}

/** Both 32 bytes. */
export interface AuthBinding {
  readonly certificateHash: Uint8Array;
  readonly nonce: Uint8Array;
}

/** Decode a device key. Throws ProtocolError for anything but a point on P-256 in the one form above. */
export function decodeDeviceKey(bytes: Uint8Array): DeviceKey {
  if (bytes.byteLength !== DEVICE_KEY_SIZE_BYTES) {
    throw new ProtocolError(
      bytes.byteLength < DEVICE_KEY_SIZE_BYTES ? "short" : "trailing",
      `Cannot decode device key: expected ${DEVICE_KEY_SIZE_BYTES} bytes, got ${bytes.byteLength}`,
    );
  }
  const prefix = bytes.subarray(0, KEY_PREFIX.byteLength);
  if (!equalBytes(prefix, KEY_PREFIX) || bytes[KEY_PREFIX.byteLength] !== POINT_UNCOMPRESSED) {
    throw new ProtocolError("unsupported", "Cannot decode device key: it is no P-256 key");
  }
  try {
    const publicKey = createPublicKey({ key: Buffer.from(bytes), format: "der", type: "spki" });
    return { fingerprint: sha256(bytes), publicKey };
  } catch {
    throw new ProtocolError("malformed", "Cannot decode device key: it is no point of P-256");
  }
}

/** The public half of `key` as a device key. */
export function encodeDeviceKey(key: KeyObject): Uint8Array<ArrayBuffer> {
  const publicKey = key.type === "private" ? createPublicKey(key) : key;
  return new Uint8Array(publicKey.export({ format: "der", type: "spki" }));
}

/** What is signed, 89 bytes. */
export function deviceAuthInput({ certificateHash, nonce }: AuthBinding): Uint8Array<ArrayBuffer> {
  if (
    certificateHash.byteLength !== CERTIFICATE_HASH_SIZE_BYTES ||
    nonce.byteLength !== AUTH_NONCE_SIZE_BYTES
  ) {
    throw new RangeError("Cannot bind a proof: hash and nonce have 32 bytes each");
  }
  return concatBytes(CONTEXT, certificateHash, nonce);
}

/** The client's side: the signature of an AuthResponse. `key` is a private key on P-256. */
export function signDeviceAuth(key: KeyObject, binding: AuthBinding): Uint8Array<ArrayBuffer> {
  return new Uint8Array(sign("sha256", deviceAuthInput(binding), key));
}

/**
 * The device that an AuthResponse proves. Throws ProtocolError: "authentication" when the signature is not the key's
 * over this binding, others when the key is none. Close code of all: 0x68.
 */
export function verifyDeviceAuth(
  response: { readonly deviceKey: Uint8Array; readonly signature: Uint8Array },
  binding: AuthBinding,
): DeviceKey {
  const device = decodeDeviceKey(response.deviceKey);
  const { signature } = response;
  const isRight = signature.byteLength <= SIGNATURE_SIZE_BYTES_MAX &&
    isSignedBy(device.publicKey, { input: deviceAuthInput(binding), signature });
  if (!isRight) {
    throw new ProtocolError("authentication", "Cannot accept device: its signature is wrong");
  }
  return device;
}

function isSignedBy(
  publicKey: KeyObject,
  { input, signature }: { readonly input: Uint8Array; readonly signature: Uint8Array },
): boolean {
  try {
    return verify("sha256", input, publicKey, signature);
  } catch {
    // Some runtimes throw for a signature that is no DER, others say that it is wrong.
    return false;
  }
}

function sha256(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}

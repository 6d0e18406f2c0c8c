/**
 * SPAKE2 over edwards25519: two sides who know the same password agree on a key, and whoever does not know it learns
 * whether one guess was right and nothing else (native specification 3.3).
 *
 *     message   side byte 0x41 'A' or 0x42 'B' ‖ compressed point [32]
 *     A         X = x·B + pw·M
 *     B         Y = y·B + pw·N
 *     shared    K = x·(Y − pw·N) = y·(X − pw·M), no cofactor
 *     key       SHA-256( SHA-256(password) ‖ SHA-256(idA) ‖ SHA-256(idB) ‖ X ‖ Y ‖ K )
 *     pw        HKDF-SHA256(password, no salt, "SPAKE2 pw", 48 bytes) as a big-endian number mod L
 *
 * The arithmetic runs on BigInt and is not constant in time. What that could leak is bounded by its use: a password
 * serves one run.
 *
 * @module
 */
import { createHash, hkdfSync } from "node:crypto";
import { ed25519 } from "@noble/curves/ed25519.js";
import { concatBytes } from "../lib/bytes.ts";
import { ProtocolError } from "../lib/errors.ts";

export const SPAKE2_MESSAGE_SIZE_BYTES = 33;
/** Bytes of randomness a run takes: twice the scalar, so that its remainder mod L is uniform. */
export const SPAKE2_RANDOM_SIZE_BYTES = 64;

const PASSWORD_SCALAR_SIZE_BYTES = 48;
const PASSWORD_INFO = "SPAKE2 pw";
const BLIND_A = "15cfd18e385952982b6a8f8c7854963b58e34388c8e6dae891db756481a02312";
const BLIND_B = "f04f2e7eb734b2a8f8b472eaf9c3c632576ac64aea650b496a8a20ff00e583c3";

type Point = InstanceType<typeof ed25519.Point>;

export type Spake2Side = "A" | "B";

export interface Spake2Options {
  readonly password: Uint8Array;
  readonly idA: Uint8Array;
  readonly idB: Uint8Array;
  /** Called once, for {@link SPAKE2_RANDOM_SIZE_BYTES} bytes. */
  readonly randomBytes: (sizeBytes: number) => Uint8Array;
}

/** One run of one side. */
export interface Spake2Run {
  /** For the other side, 33 bytes. */
  readonly message: Uint8Array<ArrayBuffer>;
  /** The key of 32 bytes. Throws ProtocolError when `peerMessage` is not the other side's. */
  finish(peerMessage: Uint8Array): Uint8Array<ArrayBuffer>;
}

export type StartSpake2 = typeof startSpake2;

/** Begin as `side`. */
export function startSpake2(side: Spake2Side, options: Spake2Options): Spake2Run {
  const { password, idA, idB } = options;
  const isA = side === "A";
  const [ownBlind, peerBlind] = isA ? [BLIND_A, BLIND_B] : [BLIND_B, BLIND_A];
  const passwordScalar = spake2PasswordScalar(password);
  const secret = scalarOf(options.randomBytes(SPAKE2_RANDOM_SIZE_BYTES));
  const own = ed25519.Point.BASE.multiply(secret)
    .add(ed25519.Point.fromHex(ownBlind).multiply(passwordScalar)).toBytes();
  return {
    message: concatBytes(Uint8Array.of(sideByte(side)), own),
    finish(peerMessage) {
      const peer = decodeSpake2Message(peerMessage, isA ? "B" : "A");
      const shared = peer.point
        .subtract(ed25519.Point.fromHex(peerBlind).multiply(passwordScalar))
        .multiply(secret).toBytes();
      const [x, y] = isA ? [own, peer.encoded] : [peer.encoded, own];
      return sha256(
        concatBytes(sha256(password), sha256(idA), sha256(idB), x, y, shared),
      );
    },
  };
}

/** What a message of `side` holds. Throws ProtocolError. */
export function decodeSpake2Message(
  message: Uint8Array,
  side: Spake2Side,
): { readonly encoded: Uint8Array; readonly point: Point } {
  if (message.byteLength !== SPAKE2_MESSAGE_SIZE_BYTES) {
    const expected = SPAKE2_MESSAGE_SIZE_BYTES;
    throw new ProtocolError(
      message.byteLength < expected ? "short" : "trailing",
      `Cannot decode SPAKE2 message: expected ${expected} bytes, got ${message.byteLength}`,
    );
  }
  if (message[0] !== sideByte(side)) {
    throw new ProtocolError("malformed", `Cannot decode SPAKE2 message: it is not of side ${side}`);
  }
  // The library refuses some subclasses of Uint8Array.
  const encoded = new Uint8Array(message.subarray(1));
  try {
    return { encoded, point: ed25519.Point.fromBytes(encoded) };
  } catch {
    throw new ProtocolError("malformed", "Cannot decode SPAKE2 message: it holds no point");
  }
}

/** The password as a number mod L. */
export function spake2PasswordScalar(password: Uint8Array): bigint {
  const noSalt = new Uint8Array(0);
  return scalarOf(
    new Uint8Array(
      hkdfSync("sha256", password, noSalt, PASSWORD_INFO, PASSWORD_SCALAR_SIZE_BYTES),
    ),
  );
}

function sideByte(side: Spake2Side): number {
  return side.charCodeAt(0);
}

/** Big-endian bytes mod L. Zero, of a chance of 2^-252, would make the point of a run tell its password. */
function scalarOf(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  const scalar = value % ed25519.Point.Fn.ORDER;
  if (scalar === 0n) throw new RangeError("Cannot run SPAKE2: a scalar is zero");
  return scalar;
}

function sha256(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}

/**
 * Messages that make a device known or turn it away (punktfunk/1 specification 3.1, 5). Little-endian; the magic and the
 * type stand in front, and nothing may follow.
 *
 *     10  pair-request     u8 n, name[n]; u16 n, share[n] = 33; maybe u16 n, device key[n]
 *     11  pair-challenge   u16 n, share[n] = 33; MAC[32]
 *     12  pair-proof       MAC[32]
 *     13  pair-result      u8 ok
 *     14  auth-challenge   nonce[32]
 *     15  auth-response    u16 n, device key[n]; u16 n, signature[n]
 *     16  refused          u32 close code; u16 n, reason[n]
 *
 * @module
 */
import { concatBytes, viewOf } from "../../lib/bytes.ts";
import { ProtocolError } from "../../lib/errors.ts";
import { bytesOf, type Field, flag, u16, u32 } from "./fields.ts";
import { FieldReader } from "./growing_message.ts";
import { newTypedMessage, TYPED_HEAD_BYTES, typeOfMessage } from "./magic.ts";
import type { PairChallenge, PairProof, PairRequest } from "./pairing_ceremony.ts";
import { decodeUtf8Leniently, encodeShortBytes, encodeUtf8, takeShortBytes } from "./text.ts";

export const PAIR_NAME_BYTES_MAX = 64;
export const REFUSED_REASON_BYTES_MAX = 256;
const SHARE_BYTES = 33;
const confirm = bytesOf(32);
const nonce = bytesOf(32);

/** Byte fields that are decoded without a fixed size are views of the payload. */
export type PairingMessage =
  | { readonly kind: "pair-request" } & PairRequest
  | { readonly kind: "pair-challenge" } & PairChallenge
  | { readonly kind: "pair-proof" } & PairProof
  | { readonly kind: "pair-result"; readonly isPaired: boolean }
  | { readonly kind: "auth-challenge"; readonly nonce: Uint8Array }
  | {
    readonly kind: "auth-response";
    readonly deviceKey: Uint8Array;
    readonly signature: Uint8Array;
  }
  | {
    readonly kind: "refused";
    /** As in CLOSE_CODES. */
    readonly code: number;
    /** Untrusted text, written in at most 256 bytes. */
    readonly reason: string;
  };

export type PairRequestMessage = Extract<PairingMessage, { kind: "pair-request" }>;

const TYPES = {
  "pair-request": 0x10,
  "pair-challenge": 0x11,
  "pair-proof": 0x12,
  "pair-result": 0x13,
  "auth-challenge": 0x14,
  "auth-response": 0x15,
  "refused": 0x16,
} as const;
const KIND_OF_TYPE = new Map(
  Object.entries(TYPES).map(([kind, type]) => [type as number, kind as PairingMessage["kind"]]),
);

/** Decode one message; throws ProtocolError for anything else, "unknown-type" when it is another message. */
export function decodePairing(payload: Uint8Array): PairingMessage {
  const type = typeOfMessage(payload);
  const kind = type === undefined ? undefined : KIND_OF_TYPE.get(type);
  if (kind === undefined) {
    throw new ProtocolError("unknown-type", "Cannot decode a pairing message: it is none");
  }
  const reader = new PairingReader(payload, kind);
  const message = decodeBody(kind, reader);
  reader.requireEnd();
  return message;
}

/** Encode one message. Names and reasons are cut to their limits; throws RangeError for bytes of a wrong size. */
export function encodePairing(message: PairingMessage): Uint8Array<ArrayBuffer> {
  const body = concatBytes(...encodeBody(message));
  const payload = newTypedMessage(TYPES[message.kind], body.byteLength);
  payload.set(body, TYPED_HEAD_BYTES);
  return payload;
}

function decodeBody(kind: PairingMessage["kind"], reader: PairingReader): PairingMessage {
  switch (kind) {
    case "pair-request":
      return {
        kind,
        name: decodeUtf8Leniently(reader.takeName()),
        spakeA: reader.takeShare(),
        deviceKey: reader.isAtEnd ? undefined : reader.takeBytes(),
      };
    case "pair-challenge":
      return { kind, spakeB: reader.takeShare(), confirm: reader.take(confirm) };
    case "pair-proof":
      return { kind, confirm: reader.take(confirm) };
    case "pair-result":
      return { kind, isPaired: reader.take(flag) };
    case "auth-challenge":
      return { kind, nonce: reader.take(nonce) };
    case "auth-response":
      return { kind, deviceKey: reader.takeBytes(), signature: reader.takeBytes() };
    case "refused":
      return {
        kind,
        code: reader.take(u32),
        reason: decodeUtf8Leniently(reader.takeBytes(REFUSED_REASON_BYTES_MAX)),
      };
  }
}

function encodeBody(message: PairingMessage): Uint8Array[] {
  switch (message.kind) {
    case "pair-request":
      return [
        encodeShortBytes(encodeUtf8(message.name, PAIR_NAME_BYTES_MAX)),
        encodeShare(message.spakeA),
        message.deviceKey === undefined ? new Uint8Array(0) : encodeBytes(message.deviceKey),
      ];
    case "pair-challenge":
      return [encodeShare(message.spakeB), encodeField(confirm, message.confirm)];
    case "pair-proof":
      return [encodeField(confirm, message.confirm)];
    case "pair-result":
      return [encodeField(flag, message.isPaired)];
    case "auth-challenge":
      return [encodeField(nonce, message.nonce)];
    case "auth-response":
      return [encodeBytes(message.deviceKey), encodeBytes(message.signature)];
    case "refused":
      return [
        encodeField(u32, message.code),
        encodeBytes(encodeUtf8(message.reason, REFUSED_REASON_BYTES_MAX)),
      ];
  }
}

/** A reader for which every missing and every surplus byte is an error. */
class PairingReader {
  readonly #reader: FieldReader;
  readonly #kind: string;

  constructor(payload: Uint8Array, kind: string) {
    this.#reader = new FieldReader(payload, TYPED_HEAD_BYTES);
    this.#kind = kind;
  }

  get isAtEnd(): boolean {
    return this.#reader.remainingBytes === 0;
  }

  requireEnd(): void {
    if (!this.isAtEnd) this.#fail("trailing", "more bytes follow");
  }

  take<Value>(field: Field<Value>): Value {
    return this.#whole(this.#reader.take(field));
  }

  /** Bytes behind a two-byte count of them. */
  takeBytes(sizeBytesMax = 0xffff): Uint8Array {
    const sizeBytes = this.take(u16);
    if (sizeBytes > sizeBytesMax) this.#fail("limit", `${sizeBytes} bytes are too many`);
    return this.#whole(this.#reader.takeBytes(sizeBytes));
  }

  takeName(): Uint8Array {
    const name = this.#whole(takeShortBytes(this.#reader));
    if (name.byteLength > PAIR_NAME_BYTES_MAX) this.#fail("limit", "the name is too long");
    return name;
  }

  takeShare(): Uint8Array {
    const share = this.takeBytes();
    if (share.byteLength !== SHARE_BYTES) {
      this.#fail("malformed", `a share of ${share.byteLength} bytes`);
    }
    return share;
  }

  #whole<Value>(value: Value | undefined): Value {
    return value ?? this.#fail("short", "it is cut");
  }

  #fail(code: "short" | "trailing" | "limit" | "malformed", reason: string): never {
    throw new ProtocolError(code, `Cannot decode ${this.#kind}: ${reason}`);
  }
}

function encodeField<Value>(field: Field<Value>, value: Value): Uint8Array {
  const bytes = new Uint8Array(field.sizeBytes);
  field.write(viewOf(bytes), 0, value);
  return bytes;
}

function encodeBytes(bytes: Uint8Array): Uint8Array {
  return concatBytes(encodeField(u16, bytes.byteLength), bytes);
}

function encodeShare(share: Uint8Array): Uint8Array {
  if (share.byteLength !== SHARE_BYTES) {
    throw new RangeError(`Cannot encode a share of ${share.byteLength} bytes`);
  }
  return encodeBytes(share);
}

/**
 * Pings by which a client says where it wants video or audio (GameStream specification 7.1, 8.1).
 *
 *     with payload, 20 bytes                      old form, 4 bytes
 *
 *     offset  size  field                         offset  size  field
 *     0       16    X-SS-Ping-Payload             0       4     "PING"
 *     16      4     counter, big-endian, from 1
 *
 * @module
 */
import { timingSafeEqual } from "node:crypto";
import { viewOf } from "../../lib/bytes.ts";
import { ProtocolError } from "../../lib/errors.ts";

export const PING_SIZE_BYTES = 20;
export const LEGACY_PING_SIZE_BYTES = 4;
const PAYLOAD_SIZE_BYTES = 16;
const LEGACY_PING = new TextEncoder().encode("PING");

export type Ping =
  | { readonly kind: "session"; readonly payload: Uint8Array; readonly counter: number }
  | { readonly kind: "legacy" };

/** Decode one datagram. Throws ProtocolError "malformed" for anything that is no ping. */
export function decodePing(bytes: Uint8Array): Ping {
  if (bytes.byteLength === PING_SIZE_BYTES) {
    return {
      kind: "session",
      payload: bytes.subarray(0, PAYLOAD_SIZE_BYTES),
      counter: viewOf(bytes).getUint32(PAYLOAD_SIZE_BYTES),
    };
  }
  if (
    bytes.byteLength === LEGACY_PING_SIZE_BYTES &&
    bytes.every((byte, index) => byte === LEGACY_PING[index])
  ) {
    return { kind: "legacy" };
  }
  throw new ProtocolError("malformed", `Cannot decode ping: ${bytes.byteLength} bytes are none`);
}

/** A ping with `payload`, 16 bytes, as the client sends it. */
export function encodePing(payload: Uint8Array, counter: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(PING_SIZE_BYTES);
  bytes.set(payload.subarray(0, PAYLOAD_SIZE_BYTES));
  viewOf(bytes).setUint32(PAYLOAD_SIZE_BYTES, counter);
  return bytes;
}

export interface PingSource {
  readonly address: string;
  readonly port: number;
}

/** How the pings of a stream are told from noise. */
export type PingRule =
  /** The client sends payloads: whoever knows it may be anywhere. */
  | { readonly kind: "payload"; readonly payload: string }
  /** A client without session pings: the address is all there is. */
  | { readonly kind: "address"; readonly address: string };

/** Follows where one stream is to be sent. */
export class PingTracker {
  readonly #rule: PingRule;
  readonly #payload: Uint8Array;
  #destination: PingSource | undefined;
  #counter = 0;

  constructor(rule: PingRule) {
    this.#rule = rule;
    this.#payload = new TextEncoder().encode(rule.kind === "payload" ? rule.payload : "");
    if (rule.kind === "payload" && this.#payload.byteLength !== PAYLOAD_SIZE_BYTES) {
      throw new RangeError(`Cannot follow pings: the payload is not ${PAYLOAD_SIZE_BYTES} bytes`);
    }
  }

  /** Source of the latest valid ping, or undefined before the first. */
  get destination(): PingSource | undefined {
    return this.#destination;
  }

  /** Take one datagram. True when it changed the destination; noise never does. */
  accept(bytes: Uint8Array, source: PingSource): boolean {
    let ping: Ping;
    try {
      ping = decodePing(bytes);
    } catch (error) {
      if (error instanceof ProtocolError) return false;
      throw error;
    }
    if (!this.#isValid(ping, source)) return false;
    const earlier = this.#destination;
    if (earlier?.address === source.address && earlier.port === source.port) return false;
    this.#destination = { address: source.address, port: source.port };
    return true;
  }

  /** The counter stops a recorded ping from moving the stream. */
  #isValid(ping: Ping, source: PingSource): boolean {
    if (this.#rule.kind === "address") return source.address === this.#rule.address;
    if (ping.kind !== "session" || ping.counter <= this.#counter) return false;
    if (!timingSafeEqual(ping.payload, this.#payload)) return false;
    this.#counter = ping.counter;
    return true;
  }
}

/**
 * From Hello to Welcome (punktfunk/1 specification 2.1), with the proof by device key that a host may ask for in between.
 *
 *     Hello → [AuthChallenge → AuthResponse] → Welcome, judged as every client judges it
 *
 * @module
 */
import type { KeyObject } from "node:crypto";
import { ProtocolError } from "../lib/errors.ts";
import { CLIENT_CAPS, VIDEO_CAPS } from "../protocol/punktfunk1/caps.ts";
import { signDeviceAuth } from "../protocol/punktfunk1/device_auth.ts";
import {
  type AudioChannels,
  CODECS,
  type StreamMode,
  type WireCodec,
} from "../protocol/punktfunk1/enums.ts";
import { SHARD_PAYLOAD_BYTES_MAX } from "../protocol/punktfunk1/fec_plan.ts";
import { encodeHello, type Hello, HELLO_DEFAULTS } from "../protocol/punktfunk1/hello.ts";
import { typeOfMessage } from "../protocol/punktfunk1/magic.ts";
import { decodePairing, encodePairing } from "../protocol/punktfunk1/pairing_messages.ts";
import { decodeWelcome, type Welcome } from "../protocol/punktfunk1/welcome.ts";
import { validateWelcome } from "../protocol/punktfunk1/welcome_rules.ts";
import { streamEnded } from "./close.ts";
import type { Dialed } from "./dial.ts";

/** What a person may ask of the stream. */
export interface StreamWish {
  readonly mode: StreamMode;
  /** 0 leaves it to the host. */
  readonly bitrateKbps: number;
  /** Undefined: any that pictures are usually sent in. */
  readonly codec: Exclude<WireCodec, "pyrowave"> | undefined;
  readonly channels: AudioChannels;
  /** Ask for ChaCha20-Poly1305 in place of AES-128-GCM. */
  readonly isChaChaWanted: boolean;
  readonly name: string;
  /** Library id of a game. */
  readonly launch: string | undefined;
}

/** A Hello that says about its sender what today's clients say. */
export function helloOf(wish: StreamWish): Hello {
  return {
    ...HELLO_DEFAULTS,
    mode: wish.mode,
    bitrateKbps: wish.bitrateKbps,
    name: wish.name,
    launch: wish.launch,
    videoCaps: VIDEO_CAPS.hostTiming | VIDEO_CAPS.probeSequence | VIDEO_CAPS.streamedAccessUnits |
      (wish.isChaChaWanted ? VIDEO_CAPS.chaCha20 : 0),
    audioChannels: wish.channels,
    videoCodecs: wish.codec === undefined
      ? CODECS.h264 | CODECS.hevc | CODECS.av1
      : CODECS[wish.codec],
    clientCaps: CLIENT_CAPS.audioRed,
    shardPayloadBytesMax: SHARD_PAYLOAD_BYTES_MAX,
  };
}

export interface HandshakeOptions {
  readonly hello: Hello;
  /** Signs what the host asks to be signed. */
  readonly key: KeyObject;
  /** The public half, as the host knows it. */
  readonly deviceKey: Uint8Array;
  /** For the whole of it; a host may wait for an operator. */
  readonly timeoutMs: number;
}

/**
 * Say hello and be welcomed. Throws OperationError "refused" with the host's reason, "unreachable" when it stays silent,
 * and ProtocolError for a Welcome that no client would accept.
 */
export async function shakeHands(dialed: Dialed, options: HandshakeOptions): Promise<Welcome> {
  const { control, hostFingerprint } = dialed;
  control.send(encodeHello(options.hello));
  let payload = await receive(dialed, options.timeoutMs);
  if (typeOfMessage(payload) !== undefined) {
    const message = decodePairing(payload);
    if (message.kind !== "auth-challenge") {
      throw new ProtocolError("out-of-order", `Cannot begin a session: ${message.kind} came`);
    }
    const { key, deviceKey } = options;
    const binding = { certificateHash: hostFingerprint, nonce: message.nonce };
    const signature = signDeviceAuth(key, binding);
    control.send(encodePairing({ kind: "auth-response", deviceKey, signature }));
    payload = await receive(dialed, options.timeoutMs);
  }
  const welcome = decodeWelcome(payload);
  validateWelcome(welcome);
  return welcome;
}

async function receive(dialed: Dialed, timeoutMs: number): Promise<Uint8Array> {
  const payload = await dialed.control.next(timeoutMs);
  if (payload === undefined) throw await streamEnded(dialed, "begin a session");
  return payload;
}

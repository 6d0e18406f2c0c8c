/**
 * Control messages about what a session may do and does (punktfunk/1 specification 6). Behind the type, little-endian:
 *
 *     58  access-update    u32 grants, u32 seconds left
 *     59  audio-state      u8 muted
 *     5A  launch-outcome   u8 kind, u8 n, message[n] UTF-8
 *     5B  pad-slots        u16 mask
 *     5C  input-edge       an input event of 18 bytes (7.1)
 *
 * @module
 */
import { concatBytes } from "../../lib/bytes.ts";
import { bytesOf, choice, flag, u16, u32 } from "./fields.ts";
import { FieldReader } from "./growing_message.ts";
import { fixedMessage, variableMessage } from "./message_codec.ts";
import { decodeUtf8Leniently, encodeShortBytes, encodeUtf8, takeShortBytes } from "./text.ts";

export const LAUNCH_MESSAGE_BYTES_MAX = 200;
/** Of an input event, the tag of its datagram included. */
export const INPUT_EDGE_EVENT_BYTES = 18;

/** From 2 on the user is shown it. */
export const LAUNCH_OUTCOMES = {
  "spawned": 0,
  /** The game ran already. */
  "adopted": 1,
  "adopted-unseen": 2,
  "refused": 3,
  "failed": 4,
  "sign-in-needed": 5,
} as const;
const outcome = choice(LAUNCH_OUTCOMES, "spawned");
export type LaunchResult = keyof typeof LAUNCH_OUTCOMES;

export interface LaunchOutcome {
  readonly outcome: LaunchResult;
  /** For the user, written in at most 200 bytes; the host keeps control characters out. */
  readonly message: string;
}

export const ACCESS_MESSAGES = {
  "access-update": fixedMessage(0x58, {
    /** GRANTS. */
    grants: u32,
    /** 0 is for ever. */
    remainingSeconds: u32,
  }),
  "audio-state": fixedMessage(0x59, { isMuted: flag }),
  "launch-outcome": variableMessage<LaunchOutcome>(0x5a, {
    decode: decodeLaunchOutcome,
    encode: encodeLaunchOutcome,
  }),
  "pad-slots": fixedMessage(0x5b, {
    /** Bit n is set while this session holds the system's pad n. */
    mask: u16,
  }),
  "input-edge": fixedMessage(0x5c, {
    /** As in a datagram. */
    event: bytesOf(INPUT_EDGE_EVENT_BYTES),
  }),
};

function decodeLaunchOutcome(bytes: Uint8Array): LaunchOutcome | undefined {
  const reader = new FieldReader(bytes);
  const result = reader.take(outcome);
  const message = takeShortBytes(reader);
  if (result === undefined || message === undefined || reader.remainingBytes > 0) return undefined;
  if (message.byteLength > LAUNCH_MESSAGE_BYTES_MAX) return undefined;
  return { outcome: result, message: decodeUtf8Leniently(message) };
}

function encodeLaunchOutcome(body: LaunchOutcome): Uint8Array {
  return concatBytes(
    Uint8Array.of(LAUNCH_OUTCOMES[body.outcome]),
    encodeShortBytes(encodeUtf8(body.message, LAUNCH_MESSAGE_BYTES_MAX)),
  );
}

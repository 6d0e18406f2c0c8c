/**
 * What a stranger can send on the native plane's control stream, and what a host can answer a client.
 *
 * @module
 */
import { concatBytes, equalBytes } from "../../../src/lib/bytes.ts";
import { ProtocolError } from "../../../src/lib/errors.ts";
import { decodeControl, encodeControl } from "../../../src/protocol/punktfunk1/control.ts";
import { decodeFirstMessage } from "../../../src/protocol/punktfunk1/first_message.ts";
import { encodeFrame, FrameReader } from "../../../src/protocol/punktfunk1/framing.ts";
import { decodeHello, encodeHello } from "../../../src/protocol/punktfunk1/hello.ts";
import { decodePairing, encodePairing } from "../../../src/protocol/punktfunk1/pairing_messages.ts";
import { decodeStart, encodeStart } from "../../../src/protocol/punktfunk1/start.ts";
import { decodeWelcome, encodeWelcome } from "../../../src/protocol/punktfunk1/welcome.ts";
import { validateWelcome } from "../../../src/protocol/punktfunk1/welcome_rules.ts";
import control from "../../vectors/punktfunk1-control.json" with { type: "json" };
import handshake from "../../vectors/punktfunk1-handshake.json" with { type: "json" };
import pairing from "../../vectors/punktfunk1-pairing.json" with { type: "json" };
import type { FuzzTarget } from "../target.ts";

const payloadsOf = (vectors: readonly { readonly hex: string }[]) =>
  vectors.map(({ hex }) => Uint8Array.fromHex(hex));

const CONTROL = payloadsOf(control.control);
const HELLOS = payloadsOf(handshake.hello);
const WELCOMES = payloadsOf(handshake.welcome);
const STARTS = payloadsOf(handshake.start);
const PAIRING = payloadsOf([...control.pairing, ...pairing.ceremony.messages]);

/** What decodes must encode to something that decodes alike. */
function requireStable<Message>(
  message: Message,
  { decode, encode }: {
    readonly decode: (bytes: Uint8Array) => Message | undefined;
    readonly encode: (message: Message) => Uint8Array;
  },
): void {
  const written = encode(message);
  const again = decode(written);
  if (again === undefined || !equalBytes(encode(again), written)) {
    throw new Error("Cannot read what was written");
  }
}

function runControl(bytes: Uint8Array): void {
  const message = decodeControl(bytes);
  if (message === undefined) throw new ProtocolError("malformed", "Cannot use message: ignored");
  requireStable(message, { decode: decodeControl, encode: encodeControl });
}

function runWelcome(bytes: Uint8Array): void {
  const welcome = decodeWelcome(bytes);
  requireStable(welcome, { decode: decodeWelcome, encode: encodeWelcome });
  validateWelcome(welcome);
}

/** Frames that were read must be those written, and each of them any message. */
function runFrames(bytes: Uint8Array): void {
  const reader = new FrameReader();
  reader.push(bytes);
  let read = new Uint8Array(0);
  for (let message; (message = reader.next()) !== undefined;) {
    decodeControl(message);
    read = concatBytes(read, encodeFrame(message));
  }
  if (!equalBytes(read, bytes.subarray(0, read.byteLength))) {
    throw new Error("Cannot frame what was read");
  }
}

const decodeStartWithExt = (bytes: Uint8Array) => decodeStart(bytes, { hasExt: true });

export const TARGETS: readonly FuzzTarget[] = [
  { name: "punktfunk1-control", seeds: CONTROL, run: runControl },
  {
    name: "punktfunk1-first-message",
    seeds: [...HELLOS, ...PAIRING],
    run: (bytes) => void decodeFirstMessage(bytes),
  },
  {
    name: "punktfunk1-frames",
    seeds: [concatBytes(...[...HELLOS, ...STARTS, ...CONTROL].map(encodeFrame))],
    run: runFrames,
  },
  {
    name: "punktfunk1-hello",
    seeds: HELLOS,
    run: (bytes) => requireStable(decodeHello(bytes), { decode: decodeHello, encode: encodeHello }),
  },
  {
    name: "punktfunk1-pairing",
    seeds: PAIRING,
    run: (bytes) =>
      requireStable(decodePairing(bytes), { decode: decodePairing, encode: encodePairing }),
  },
  {
    name: "punktfunk1-start",
    seeds: STARTS,
    run: (bytes) =>
      requireStable(decodeStartWithExt(bytes), { decode: decodeStartWithExt, encode: encodeStart }),
  },
  { name: "punktfunk1-welcome", seeds: WELCOMES, run: runWelcome },
];

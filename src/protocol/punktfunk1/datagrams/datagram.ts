/**
 * One door for all QUIC datagrams of punktfunk/1 (specification 7), told apart by their first byte. tags.ts lists them.
 *
 * @module
 */
import type { HdrMeta } from "../hdr_meta.ts";
import {
  type AudioPacket,
  decodeAudio,
  decodeRedundantAudio,
  encodeAudio,
  encodeRedundantAudio,
  type RedundantAudioPacket,
} from "./audio.ts";
import { type CursorState, decodeCursor, encodeCursor } from "./cursor.ts";
import { decodeHdrMetadata, encodeHdrMetadata } from "./hdr_metadata.ts";
import { decodeHidFeedback, encodeHidFeedback, type HidFeedback } from "./hid_feedback.ts";
import { decodeHostTiming, encodeHostTiming, type HostTiming } from "./host_timing.ts";
import { decodeInput, encodeInput, type WireInput } from "./input.ts";
import { decodePadAudio, encodePadAudio, type PadAudioPacket } from "./pad_audio.ts";
import { decodeRichInput, encodeRichInput, type RichInput } from "./rich_input.ts";
import { decodeRumble, encodeRumble, type Rumble } from "./rumble.ts";
import { DATAGRAM_TAGS, type DatagramType } from "./tags.ts";

export interface DatagramBodies {
  readonly "input": WireInput;
  readonly "audio": AudioPacket;
  readonly "rumble": Rumble;
  readonly "microphone": AudioPacket;
  readonly "rich-input": RichInput;
  readonly "hid-feedback": HidFeedback;
  readonly "hdr-metadata": HdrMeta;
  readonly "host-timing": HostTiming;
  readonly "cursor": CursorState;
  readonly "pad-audio": PadAudioPacket;
  readonly "redundant-audio": RedundantAudioPacket;
  readonly "pcm": AudioPacket;
}

/** A datagram that was read. Its byte arrays are views of what it was read from. */
export type Datagram = {
  [Type in DatagramType]: { readonly type: Type; readonly body: DatagramBodies[Type] };
}[DatagramType];

interface DatagramCodec<Body> {
  decode(bytes: Uint8Array): Body | undefined;
  encode(body: Body): Uint8Array<ArrayBuffer>;
}

const CODECS: { readonly [Type in DatagramType]: DatagramCodec<DatagramBodies[Type]> } = {
  "input": { decode: decodeInput, encode: (input) => encodeInput(input) },
  "audio": audioCodec("audio"),
  "rumble": { decode: decodeRumble, encode: encodeRumble },
  "microphone": audioCodec("microphone"),
  "rich-input": { decode: decodeRichInput, encode: encodeRichInput },
  "hid-feedback": { decode: decodeHidFeedback, encode: encodeHidFeedback },
  "hdr-metadata": { decode: decodeHdrMetadata, encode: encodeHdrMetadata },
  "host-timing": { decode: decodeHostTiming, encode: encodeHostTiming },
  "cursor": { decode: decodeCursor, encode: encodeCursor },
  "pad-audio": { decode: decodePadAudio, encode: encodePadAudio },
  "redundant-audio": { decode: decodeRedundantAudio, encode: encodeRedundantAudio },
  "pcm": audioCodec("pcm"),
};

const TYPE_OF_TAG: ReadonlyMap<number | undefined, DatagramType> = new Map(
  Object.entries(DATAGRAM_TAGS).map(([type, tag]) => [tag, type as DatagramType]),
);

/** What `bytes` say. Undefined, and never an error, for an unknown tag, a short body or a broken rule. */
export function decodeDatagram(bytes: Uint8Array): Datagram | undefined {
  const type = TYPE_OF_TAG.get(bytes[0]);
  return type && decodeAs(type, bytes);
}

/** The bytes of `body`. Throws RangeError for what no datagram can hold. */
export function encodeDatagram<Type extends DatagramType>(
  type: Type,
  body: DatagramBodies[Type],
): Uint8Array<ArrayBuffer> {
  return CODECS[type].encode(body);
}

function decodeAs<Type extends DatagramType>(type: Type, bytes: Uint8Array): Datagram | undefined {
  const body = CODECS[type].decode(bytes);
  // Type and body belong together by the table above.
  return body && { type, body } as Datagram;
}

function audioCodec(type: "audio" | "microphone" | "pcm"): DatagramCodec<AudioPacket> {
  return {
    decode: (bytes) => decodeAudio(bytes, type),
    encode: (packet) => encodeAudio(packet, type),
  };
}

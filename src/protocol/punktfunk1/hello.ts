/**
 * Hello, what a client is and wants (punktfunk/1 specification 2.2). Little-endian; grows at its tail.
 *
 *     offset  size  field                              offset  size  field
 *     0       4     "PKF1"                             T+0     1     video capabilities
 *     4       4     abi version                        T+1     1     audio channels
 *     8       12    width, height, refresh rate        T+2     1     codec set, 0 = HEVC only
 *     20      1     compositor                         T+3     1     preferred codec
 *     21      1     pad kind                           T+4     28    HdrMeta, when 28 bytes are left
 *     22      4     bitrate                            P+0     1     client capabilities
 *     26      1     n                                  P+1     2     shard payload at most
 *     27      n     name                               P+3     4     audio rate
 *     27+n    1     l                                  P+7     1     audio bits
 *     28+n    l     launch id                          P+8     1     audio layout
 *     T = 28+n+l    P = T+4 or T+32                    P+9     1     video fit
 *
 * @module
 */
import { viewOf } from "../../lib/bytes.ts";
import {
  type AudioBits,
  audioBits,
  type AudioChannels,
  audioChannels,
  type Compositor,
  compositor,
  type PadKind,
  padKind,
  type StreamMode,
  streamMode,
  type VideoFit,
  videoFit,
} from "./enums.ts";
import { type Field, u16, u32, u8 } from "./fields.ts";
import { FieldReader, TailWriter } from "./growing_message.ts";
import { type HdrMeta, hdrMeta } from "./hdr_meta.ts";
import { HANDSHAKE_MAGIC, requireHandshake } from "./magic.ts";
import { decodeLabel, encodeUtf8, takeShortBytes } from "./text.ts";

/** The only version that was ever released; a host compares for equality. */
export const ABI_VERSION = 2;
export const HELLO_SIZE_BYTES_MIN = 20;
export const HELLO_NAME_BYTES_MAX = 64;
export const HELLO_LAUNCH_BYTES_MAX = 128;

/** Known clients write this much whatever it says. */
const WRITTEN_SIZE_BYTES_MIN = 26;
const WRITTEN_SIZE_BYTES_MAX = 28 + HELLO_NAME_BYTES_MAX + HELLO_LAUNCH_BYTES_MAX + 42;

export interface Hello {
  readonly kind: "hello";
  readonly abiVersion: number;
  readonly mode: StreamMode;
  readonly compositor: Compositor;
  readonly gamepad: PadKind;
  /** 0 leaves it to the host. */
  readonly bitrateKbps: number;
  /** Label of the device, written in at most 64 bytes. Untrusted text. */
  readonly name: string | undefined;
  /** Library id of a game to start, e.g. "steam:570", written in at most 128 bytes. Untrusted text. */
  readonly launch: string | undefined;
  /** VIDEO_CAPS. */
  readonly videoCaps: number;
  readonly audioChannels: AudioChannels;
  /** Bits of CODECS; 0 is HEVC alone. */
  readonly videoCodecs: number;
  /** One bit of CODECS as a wish, or 0. */
  readonly preferredCodec: number;
  /** The client's display, when it tells. */
  readonly display: HdrMeta | undefined;
  /** CLIENT_CAPS. */
  readonly clientCaps: number;
  /** Largest shard the client takes after a change within the session; 0 forbids changes. */
  readonly shardPayloadBytesMax: number;
  readonly audioRateHz: number;
  readonly audioBits: AudioBits;
  /** 0 legacy, 1 standard, 2 uncoupled (7.4), or one that is not known here. */
  readonly audioLayout: number;
  readonly videoFit: VideoFit;
}

/** What a field means that a Hello does not carry. */
export const HELLO_DEFAULTS: Omit<Hello, "mode"> = {
  kind: "hello",
  abiVersion: ABI_VERSION,
  compositor: "auto",
  gamepad: "auto",
  bitrateKbps: 0,
  name: undefined,
  launch: undefined,
  videoCaps: 0,
  audioChannels: 2,
  videoCodecs: 0,
  preferredCodec: 0,
  display: undefined,
  clientCaps: 0,
  shardPayloadBytesMax: 0,
  audioRateHz: 48_000,
  audioBits: 16,
  audioLayout: 0,
  videoFit: "fit",
};

/** Any rate may be asked for; none is 48 000. */
const requestedRateHz: Field<number> = {
  sizeBytes: u32.sizeBytes,
  read: (view, offset) => u32.read(view, offset) || HELLO_DEFAULTS.audioRateHz,
  write: (view, offset, value) => u32.write(view, offset, value),
};

const BEFORE_LABELS = { compositor, gamepad: padKind, bitrateKbps: u32 };
const BEFORE_DISPLAY = { videoCaps: u8, audioChannels, videoCodecs: u8, preferredCodec: u8 };
const AFTER_DISPLAY = {
  clientCaps: u8,
  shardPayloadBytesMax: u16,
  audioRateHz: requestedRateHz,
  audioBits,
  audioLayout: u8,
  videoFit,
};

/**
 * Decode a Hello. Beyond its first 20 bytes nothing is malformed: what is not there has its default, a label that is
 * empty, too long, cut or not UTF-8 is none, and bytes past the last field are ignored. The version is not judged.
 */
export function decodeHello(payload: Uint8Array): Hello {
  requireHandshake(payload, HELLO_SIZE_BYTES_MIN, "Hello");
  const view = viewOf(payload);
  const reader = new FieldReader(payload, HELLO_SIZE_BYTES_MIN);
  const beforeLabels = reader.takeEach(BEFORE_LABELS, HELLO_DEFAULTS);
  const name = takeLabel(reader, HELLO_NAME_BYTES_MAX);
  const launch = takeLabel(reader, HELLO_LAUNCH_BYTES_MAX);
  const beforeDisplay = reader.takeEach(BEFORE_DISPLAY, HELLO_DEFAULTS);
  const hasDisplay = reader.remainingBytes >= hdrMeta.sizeBytes;
  const display = hasDisplay ? reader.take(hdrMeta) : undefined;
  const afterDisplay = reader.takeEach(AFTER_DISPLAY, HELLO_DEFAULTS);
  return {
    kind: "hello",
    abiVersion: view.getUint32(4, true),
    mode: streamMode.read(view, 8),
    ...beforeLabels,
    name,
    launch,
    ...beforeDisplay,
    display,
    ...afterDisplay,
  };
}

/** Encode a Hello without the defaults at its end, byte for byte as known clients do. */
export function encodeHello(hello: Hello): Uint8Array<ArrayBuffer> {
  const writer = new TailWriter(WRITTEN_SIZE_BYTES_MAX);
  writer.put(u32, HANDSHAKE_MAGIC);
  writer.put(u32, hello.abiVersion);
  writer.put(streamMode, hello.mode);
  writer.putEach(BEFORE_LABELS, hello, HELLO_DEFAULTS);
  putLabel(writer, hello.name, HELLO_NAME_BYTES_MAX);
  putLabel(writer, hello.launch, HELLO_LAUNCH_BYTES_MAX);
  writer.putEach(BEFORE_DISPLAY, hello, HELLO_DEFAULTS);
  if (hello.display !== undefined) writer.put(hdrMeta, hello.display);
  writer.putEach(AFTER_DISPLAY, hello, HELLO_DEFAULTS);
  return writer.finish(WRITTEN_SIZE_BYTES_MIN);
}

function takeLabel(reader: FieldReader, bytesMax: number): string | undefined {
  const bytes = takeShortBytes(reader);
  return bytes === undefined ? undefined : decodeLabel(bytes, bytesMax);
}

function putLabel(writer: TailWriter, label: string | undefined, bytesMax: number): void {
  const bytes = encodeUtf8(label ?? "", bytesMax);
  writer.put(u8, bytes.byteLength, bytes.byteLength === 0);
  writer.putBytes(bytes);
}

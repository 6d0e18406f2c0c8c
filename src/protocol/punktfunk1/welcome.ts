/**
 * Welcome, everything a client needs for the session (punktfunk/1 specification 2.3). Little-endian; grows at its tail.
 *
 *     offset  size  field                              offset  size  field
 *     0       4     "PKF1"                             60      1     colour primaries
 *     4       4     abi version                        61      1     colour transfer
 *     8       2     UDP port                           62      1     colour matrix
 *     10      12    width, height, refresh rate        63      1     full range
 *     22      1     FEC scheme                         64      1     chroma
 *     23      1     FEC percentage                     65      1     audio channels
 *     24      2     data shards of a block             66      1     codec
 *     26      2     shard payload                      67      1     host capabilities
 *     28      1     is encrypted                       68      1     cipher, 1 = ChaCha20-Poly1305
 *     29      16    key                                69      32    its key, only then
 *     45      4     salt                               M+0     2     management port
 *     49      4     frames, 0 = no end                 M+2     4+4   grants, their seconds left
 *     53      1     compositor                         M+10    1     audio codec
 *     54      1     pad kind                           M+11    4     audio rate
 *     55      4     bitrate                            M+15    1+2   audio bits, microseconds a frame
 *     59      1     bit depth                          M+18    1     more host capabilities
 *     M = 69 or 101                                    M+19    1     audio layout
 *
 * What may follow is for clients of a later kind; hosts of this one send nothing there.
 *
 * @module
 */
import { viewOf } from "../../lib/bytes.ts";
import { ProtocolError } from "../../lib/errors.ts";
import { SEAL_KEY_SIZE_BYTES } from "../wire_job.ts";
import { GRANTS_ALL } from "./caps.ts";
import {
  audioBits,
  audioChannels,
  audioCodec,
  audioRateHz,
  bitDepth,
  chroma,
  codec,
  type Colour,
  COLOUR_LAYOUT,
  COLOUR_SDR,
  compositor,
  fecScheme,
  padKind,
  streamMode,
} from "./enums.ts";
import { bytesOf, type Field, type Fields, flag, structOf, u16, u32, u8 } from "./fields.ts";
import { FieldReader, TailWriter } from "./growing_message.ts";
import { ABI_VERSION } from "./hello.ts";
import { HANDSHAKE_MAGIC, requireHandshake } from "./magic.ts";

export const WELCOME_SIZE_BYTES_MIN = 53;
export const SALT_SIZE_BYTES = 4;

/** Known hosts write this much whatever it says. */
const WRITTEN_SIZE_BYTES_MIN = 68;
const WRITTEN_SIZE_BYTES_MAX = 121;
const CIPHER_AES = 0;
const CIPHER_CHACHA = 1;
const AUDIO_FRAME_US_MIN = 1000;

const FIXED = {
  /** Of the video socket; 0 on the browser plane. */
  udpPort: u16,
  /** What is streamed; it may differ from what was asked for. */
  mode: streamMode,
  fecScheme,
  fecPercent: u8,
  /** Of a FEC block, at most. */
  dataShardsMax: u16,
  shardPayloadBytes: u16,
  isEncrypted: flag,
  /** Secret. AES-128 key of the session; random filler when `chaChaKey` is given. */
  key: bytesOf(SEAL_KEY_SIZE_BYTES["aes-128-gcm"]),
  salt: bytesOf(SALT_SIZE_BYTES),
  /** Length of a test stream; 0 has no end. */
  frameCount: u32,
};

const VIDEO = {
  compositor,
  /** "auto" says nothing about which pad the host makes. */
  gamepad: padKind,
  /** 0 is unknown. */
  bitrateKbps: u32,
  bitDepth,
};

const REST_OF_SHORT = {
  chroma,
  audioChannels,
  codec,
  /** HOST_CAPS. */
  hostCaps: u8,
};

const MANAGEMENT = {
  /** TCP port of the management API; 0 tells nothing, and clients take 47990. */
  managementPort: u16,
};

const ACCESS = {
  /** GRANTS. */
  grants: u32,
  /** 0 is for ever. */
  expiresInSeconds: u32,
};

/** A frame is never shorter than a millisecond; Opus writes 0. */
const audioFrameUs: Field<number> = {
  sizeBytes: u16.sizeBytes,
  read(view, offset) {
    const frameUs = u16.read(view, offset);
    return frameUs === 0 ? 0 : Math.max(frameUs, AUDIO_FRAME_US_MIN);
  },
  write: (view, offset, value) => u16.write(view, offset, value),
};

const AUDIO = {
  audioCodec,
  audioRateHz,
  audioBits,
  /** Microseconds of a PCM frame; 0 for Opus. */
  audioFrameUs,
};

const END = {
  /** HOST_CAPS2. */
  hostCaps2: u8,
  /** 0 legacy, 1 standard, 2 uncoupled (7.4). */
  audioLayout: u8,
};

type Tail =
  & Fields<typeof VIDEO>
  & Fields<typeof REST_OF_SHORT>
  & Fields<typeof MANAGEMENT>
  & Fields<typeof ACCESS>
  & Fields<typeof AUDIO>
  & Fields<typeof END>;

export interface Welcome extends Fields<typeof FIXED>, Tail {
  readonly kind: "welcome";
  readonly abiVersion: number;
  readonly colour: Colour;
  /** Secret. Key of ChaCha20-Poly1305, 32 bytes; undefined seals with AES-128-GCM and `key`. */
  readonly chaChaKey: Uint8Array | undefined;
}

/** What a field means that a Welcome does not carry. */
export const WELCOME_DEFAULTS: Omit<Welcome, keyof typeof FIXED> = {
  kind: "welcome",
  abiVersion: ABI_VERSION,
  compositor: "auto",
  gamepad: "auto",
  bitrateKbps: 0,
  bitDepth: 8,
  colour: COLOUR_SDR,
  chroma: "4:2:0",
  audioChannels: 2,
  codec: "hevc",
  hostCaps: 0,
  chaChaKey: undefined,
  managementPort: 0,
  grants: GRANTS_ALL,
  expiresInSeconds: 0,
  audioCodec: "opus",
  audioRateHz: 48_000,
  audioBits: 16,
  audioFrameUs: 0,
  hostCaps2: 0,
  audioLayout: 0,
};

const fixed = structOf(FIXED);
const chaChaKey = bytesOf(SEAL_KEY_SIZE_BYTES["chacha20-poly1305"]);
const FIXED_OFFSET = 8;

/**
 * Decode a Welcome, as a client does. What is not there has its default, and bytes past the last field are ignored. Throws
 * ProtocolError "unsupported" for a cipher nobody knows and "short" for one without its key.
 */
export function decodeWelcome(payload: Uint8Array): Welcome {
  requireHandshake(payload, WELCOME_SIZE_BYTES_MIN, "Welcome");
  const view = viewOf(payload);
  const reader = new FieldReader(payload, WELCOME_SIZE_BYTES_MIN);
  return {
    kind: "welcome",
    abiVersion: view.getUint32(4, true),
    ...fixed.read(view, FIXED_OFFSET),
    ...reader.takeEach(VIDEO, WELCOME_DEFAULTS),
    colour: reader.takeEach(COLOUR_LAYOUT, COLOUR_SDR),
    ...reader.takeEach(REST_OF_SHORT, WELCOME_DEFAULTS),
    chaChaKey: takeChaChaKey(reader),
    ...reader.takeEach(MANAGEMENT, WELCOME_DEFAULTS),
    ...reader.takeEach(ACCESS, WELCOME_DEFAULTS),
    ...reader.takeEach(AUDIO, WELCOME_DEFAULTS),
    ...reader.takeEach(END, WELCOME_DEFAULTS),
  };
}

/**
 * Encode a Welcome without the defaults at its end, byte for byte as known hosts do: 68…121 bytes. Throws RangeError for
 * keys or a salt of another size.
 */
export function encodeWelcome(welcome: Welcome): Uint8Array<ArrayBuffer> {
  const writer = new TailWriter(WRITTEN_SIZE_BYTES_MAX);
  writer.put(u32, HANDSHAKE_MAGIC);
  writer.put(u32, welcome.abiVersion);
  writer.put(fixed, welcome);
  writer.putEach(VIDEO, welcome, WELCOME_DEFAULTS);
  writer.putEach(COLOUR_LAYOUT, welcome.colour, COLOUR_SDR);
  writer.putEach(REST_OF_SHORT, welcome, WELCOME_DEFAULTS);
  if (welcome.chaChaKey === undefined) {
    writer.put(u8, CIPHER_AES, true);
  } else {
    writer.put(u8, CIPHER_CHACHA);
    writer.put(chaChaKey, welcome.chaChaKey);
  }
  writer.putEach(MANAGEMENT, welcome, WELCOME_DEFAULTS);
  writer.putUnit(ACCESS, welcome, WELCOME_DEFAULTS);
  writer.putUnit(AUDIO, welcome, WELCOME_DEFAULTS);
  writer.putEach(END, welcome, WELCOME_DEFAULTS);
  return writer.finish(WRITTEN_SIZE_BYTES_MIN);
}

function takeChaChaKey(reader: FieldReader): Uint8Array | undefined {
  const cipher = reader.take(u8) ?? CIPHER_AES;
  if (cipher === CIPHER_AES) return undefined;
  if (cipher !== CIPHER_CHACHA) {
    throw new ProtocolError("unsupported", `Cannot decode Welcome: cipher ${cipher} is unknown`);
  }
  const key = reader.take(chaChaKey);
  if (key === undefined) {
    throw new ProtocolError("short", "Cannot decode Welcome: the cipher has no whole key");
  }
  return key;
}

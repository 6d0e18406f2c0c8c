/**
 * Start, the client's last word of the handshake (punktfunk/1 specification 2.4). Little-endian; grows at its tail.
 *
 *     offset  size  field
 *     0       4     "PKF1"
 *     4       2     UDP port of the client's video socket, 0 on the browser plane
 *     6       …     EXT block, only when Welcome had HOST_CAPS2.ext
 *
 *     tag  value of the EXT entry
 *     2    client label, UTF-8, at most 96 bytes
 *     3    u8: bit 0 the reason of BitrateChanged is read
 *     4    settings preset: u8 n, id[n] printable ASCII; u8 m, name[m] UTF-8
 *     5    delivery ask: u8 profile, u8: bit 0 facts, bit 1 probes only
 *
 * Values grow at their tails too. An entry that says nothing legal says nothing.
 *
 * @module
 */
import { concatBytes, viewOf } from "../../lib/bytes.ts";
import { type DeliveryProfile, deliveryProfile } from "./enums.ts";
import { decodeExtBlock, encodeExtBlock, type ExtEntries } from "./ext_block.ts";
import { u16, u8 } from "./fields.ts";
import { FieldReader } from "./growing_message.ts";
import { HANDSHAKE_MAGIC, requireHandshake } from "./magic.ts";
import { decodeLabel, decodeUtf8, encodeShortBytes, encodeUtf8, takeShortBytes } from "./text.ts";

export const START_SIZE_BYTES_MIN = 6;
export const CLIENT_LABEL_BYTES_MAX = 96;
export const PRESET_ID_BYTES_MAX = 32;
export const PRESET_NAME_BYTES_MAX = 64;

const TAG_CLIENT_LABEL = 2;
const TAG_ABR_FEATURES = 3;
const TAG_SETTINGS_PRESET = 4;
const TAG_DELIVERY_ASK = 5;

const ABR_READS_REASON = 0x01;
const DELIVERY_FACTS = 0x01;
const DELIVERY_PROBES_ONLY = 0x02;

export interface SettingsPreset {
  /** 1…32 printable ASCII characters. */
  readonly id: string;
  /** At most 64 bytes, and maybe none. Untrusted text. */
  readonly name: string;
}

export interface DeliveryAsk {
  readonly profile: DeliveryProfile;
  /** HostFacts are wanted. */
  readonly wantsFacts: boolean;
  readonly isProbesOnly: boolean;
}

export interface StartExtensions {
  /** Name, version and system of the client's program. Untrusted text. */
  readonly clientLabel: string | undefined;
  /** Whether BitrateChanged may carry its reason. */
  readonly readsBitrateReason: boolean;
  readonly preset: SettingsPreset | undefined;
  readonly deliveryAsk: DeliveryAsk | undefined;
}

export const START_EXTENSIONS_NONE: StartExtensions = {
  clientLabel: undefined,
  readsBitrateReason: false,
  preset: undefined,
  deliveryAsk: undefined,
};

export interface Start {
  readonly kind: "start";
  readonly udpPort: number;
  readonly extensions: StartExtensions;
}

/**
 * Decode a Start. `hasExt`: Welcome had HOST_CAPS2.ext; otherwise everything past the port is ignored. Throws ProtocolError
 * for a malformed EXT block, but none is legal.
 */
export function decodeStart(
  payload: Uint8Array,
  { hasExt }: { readonly hasExt: boolean },
): Start {
  requireHandshake(payload, START_SIZE_BYTES_MIN, "Start");
  const tail = payload.subarray(START_SIZE_BYTES_MIN);
  return {
    kind: "start",
    udpPort: viewOf(payload).getUint16(4, true),
    extensions: hasExt && tail.byteLength > 0
      ? decodeExtensions(decodeExtBlock(tail))
      : START_EXTENSIONS_NONE,
  };
}

/** Encode a Start, with an EXT block when there is anything to say in it. */
export function encodeStart(start: Start): Uint8Array<ArrayBuffer> {
  const head = new Uint8Array(START_SIZE_BYTES_MIN);
  const view = viewOf(head);
  view.setUint32(0, HANDSHAKE_MAGIC, true);
  u16.write(view, 4, start.udpPort);
  const entries = encodeExtensions(start.extensions);
  return entries.size === 0 ? head : concatBytes(head, encodeExtBlock(entries));
}

function decodeExtensions(entries: ExtEntries): StartExtensions {
  const label = entries.get(TAG_CLIENT_LABEL);
  const [abrFeatures = 0] = entries.get(TAG_ABR_FEATURES) ?? [];
  const preset = entries.get(TAG_SETTINGS_PRESET);
  const deliveryAsk = entries.get(TAG_DELIVERY_ASK);
  return {
    clientLabel: label && decodeLabel(label, CLIENT_LABEL_BYTES_MAX),
    readsBitrateReason: (abrFeatures & ABR_READS_REASON) !== 0,
    preset: preset && decodePreset(preset),
    deliveryAsk: deliveryAsk && decodeDeliveryAsk(deliveryAsk),
  };
}

function decodePreset(value: Uint8Array): SettingsPreset | undefined {
  const reader = new FieldReader(value);
  const id = takeShortBytes(reader);
  const name = takeShortBytes(reader);
  if (id === undefined || name === undefined) return undefined;
  const idText = decodeLabel(id, PRESET_ID_BYTES_MAX);
  const nameText = name.byteLength > PRESET_NAME_BYTES_MAX ? undefined : decodeUtf8(name);
  if (idText === undefined || !isPrintableAscii(idText) || nameText === undefined) return undefined;
  return { id: idText, name: nameText };
}

function isPrintableAscii(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}

function decodeDeliveryAsk(value: Uint8Array): DeliveryAsk | undefined {
  const reader = new FieldReader(value);
  const profile = reader.take(deliveryProfile);
  const flags = reader.take(u8);
  if (profile === undefined || flags === undefined) return undefined;
  return {
    profile,
    wantsFacts: (flags & DELIVERY_FACTS) !== 0,
    isProbesOnly: (flags & DELIVERY_PROBES_ONLY) !== 0,
  };
}

function encodeExtensions(extensions: StartExtensions): ExtEntries {
  const { clientLabel, readsBitrateReason, preset, deliveryAsk } = extensions;
  const entries = new Map<number, Uint8Array>();
  if (clientLabel !== undefined) {
    entries.set(TAG_CLIENT_LABEL, encodeUtf8(clientLabel, CLIENT_LABEL_BYTES_MAX));
  }
  if (readsBitrateReason) entries.set(TAG_ABR_FEATURES, Uint8Array.of(ABR_READS_REASON));
  if (preset !== undefined) entries.set(TAG_SETTINGS_PRESET, encodePreset(preset));
  if (deliveryAsk !== undefined) entries.set(TAG_DELIVERY_ASK, encodeDeliveryAsk(deliveryAsk));
  return entries;
}

function encodePreset({ id, name }: SettingsPreset): Uint8Array {
  if (id === "" || id.length > PRESET_ID_BYTES_MAX || !isPrintableAscii(id)) {
    throw new RangeError("Cannot encode a preset: its id is not 1…32 printable characters");
  }
  return concatBytes(
    encodeShortBytes(encodeUtf8(id, PRESET_ID_BYTES_MAX)),
    encodeShortBytes(encodeUtf8(name, PRESET_NAME_BYTES_MAX)),
  );
}

function encodeDeliveryAsk(ask: DeliveryAsk): Uint8Array {
  const bytes = new Uint8Array(2);
  deliveryProfile.write(viewOf(bytes), 0, ask.profile);
  bytes[1] = (ask.wantsFacts ? DELIVERY_FACTS : 0) | (ask.isProbesOnly ? DELIVERY_PROBES_ONLY : 0);
  return bytes;
}

/**
 * Messages about the clipboard (punktfunk/1 specification 6, 8.6). Behind the type, little-endian:
 *
 *     40  clip-control     u8 enabled, u8: bit 0 files
 *     41  clip-state       u8 enabled, u8: bit 0 text, bit 1 files; u8 reason
 *     42  clip-offer       u32 number, u8 count, count × (u8 n, MIME type[n], u64 bytes)
 *     43  clip-fetch       u32 number, u32 file or 0xFFFFFFFF, u8 n, MIME type[n]
 *     44  clip-fetch-hdr   u8 status, u64 bytes
 *
 * The last two live on streams of their own, which begin with "PKFs" 01 outside any frame; after clip-fetch-hdr with status
 * "ok" the content follows without frames.
 *
 * @module
 */
import { concatBytes, viewOf } from "../../lib/bytes.ts";
import { choice, type Field, flag, structOf, u32, u64, u8 } from "./fields.ts";
import { FieldReader } from "./growing_message.ts";
import { fixedMessage, variableMessage } from "./message_codec.ts";
import { decodeUtf8, encodeShortBytes, takeShortBytes } from "./text.ts";

export const CLIP_FORMATS_MAX = 16;
export const CLIP_MIME_BYTES_MAX = 128;

const FILE_NONE = 0xffffffff;
const POLICY_TEXT = 0x01;
const POLICY_FILES = 0x02;

export const CLIP_REASONS = {
  "ok": 0,
  "no-backend": 1,
  /** By another session. */
  "taken-over": 2,
  "policy": 3,
  "no-files": 4,
  "not-permitted": 5,
} as const;
export type ClipReason = keyof typeof CLIP_REASONS;

export const CLIP_FETCH_STATUSES = {
  "ok": 0,
  "stale": 1,
  "unavailable": 2,
  "denied": 3,
} as const;
export type ClipFetchStatus = keyof typeof CLIP_FETCH_STATUSES;

export interface ClipFormat {
  /** At most 128 bytes. Untrusted text. */
  readonly mime: string;
  /** 0 is unknown. */
  readonly sizeBytes: bigint;
}

export interface ClipOffer {
  /** Grows with each offer of one sender. */
  readonly offerNumber: number;
  /** At most 16. */
  readonly formats: readonly ClipFormat[];
}

export interface ClipFetch {
  readonly offerNumber: number;
  /** One file of the list; undefined fetches a format whole, the list itself included. */
  readonly fileIndex: number | undefined;
  readonly mime: string;
}

/** A byte of which only `bit` means anything. */
function bitFlag(bit: number): Field<boolean> {
  return {
    sizeBytes: 1,
    read: (view, offset) => (view.getUint8(offset) & bit) !== 0,
    write: (view, offset, value) => view.setUint8(offset, value ? bit : 0),
  };
}

/** What the host's policy lets through. */
const policy: Field<{ readonly text: boolean; readonly files: boolean }> = {
  sizeBytes: 1,
  read(view, offset) {
    const bits = view.getUint8(offset);
    return { text: (bits & POLICY_TEXT) !== 0, files: (bits & POLICY_FILES) !== 0 };
  },
  write: (view, offset, { text, files }) =>
    view.setUint8(offset, (text ? POLICY_TEXT : 0) | (files ? POLICY_FILES : 0)),
};

export const CLIPBOARD_MESSAGES = {
  "clip-control": fixedMessage(0x40, { isEnabled: flag, wantsFiles: bitFlag(0x01) }),
  "clip-state": fixedMessage(0x41, {
    isEnabled: flag,
    allows: policy,
    /** Unknown ones read as "ok": `isEnabled` is what counts. */
    reason: choice(CLIP_REASONS, "ok"),
  }),
  "clip-offer": variableMessage<ClipOffer>(0x42, { decode: decodeOffer, encode: encodeOffer }),
  "clip-fetch": variableMessage<ClipFetch>(0x43, { decode: decodeFetch, encode: encodeFetch }),
  "clip-fetch-hdr": fixedMessage(0x44, {
    /** Unknown ones read as "unavailable": no content follows. */
    status: choice(CLIP_FETCH_STATUSES, "unavailable"),
    /** 0 is unknown. */
    totalBytes: u64,
  }),
};

const offerHead = structOf({ offerNumber: u32, count: u8 });
const fetchHead = structOf({ offerNumber: u32, fileIndex: u32 });

function decodeOffer(bytes: Uint8Array): ClipOffer | undefined {
  const reader = new FieldReader(bytes);
  const head = reader.take(offerHead);
  if (head === undefined || head.count > CLIP_FORMATS_MAX) return undefined;
  const formats: ClipFormat[] = [];
  while (formats.length < head.count) {
    const mime = takeMime(reader);
    const sizeBytes = reader.take(u64);
    if (mime === undefined || sizeBytes === undefined) return undefined;
    formats.push({ mime, sizeBytes });
  }
  if (reader.remainingBytes > 0) return undefined;
  return { offerNumber: head.offerNumber, formats };
}

function encodeOffer({ offerNumber, formats }: ClipOffer): Uint8Array {
  if (formats.length > CLIP_FORMATS_MAX) {
    throw new RangeError(`Cannot offer ${formats.length} formats: ${CLIP_FORMATS_MAX} at most`);
  }
  const head = new Uint8Array(offerHead.sizeBytes);
  offerHead.write(viewOf(head), 0, { offerNumber, count: formats.length });
  const parts: Uint8Array[] = [head];
  for (const { mime, sizeBytes } of formats) {
    const size = new Uint8Array(u64.sizeBytes);
    u64.write(viewOf(size), 0, sizeBytes);
    parts.push(encodeMime(mime), size);
  }
  return concatBytes(...parts);
}

function decodeFetch(bytes: Uint8Array): ClipFetch | undefined {
  const reader = new FieldReader(bytes);
  const head = reader.take(fetchHead);
  const mime = takeMime(reader);
  if (head === undefined || mime === undefined || reader.remainingBytes > 0) return undefined;
  const { offerNumber, fileIndex } = head;
  return { offerNumber, fileIndex: fileIndex === FILE_NONE ? undefined : fileIndex, mime };
}

function encodeFetch({ offerNumber, fileIndex = FILE_NONE, mime }: ClipFetch): Uint8Array {
  const head = new Uint8Array(fetchHead.sizeBytes);
  fetchHead.write(viewOf(head), 0, { offerNumber, fileIndex });
  return concatBytes(head, encodeMime(mime));
}

function takeMime(reader: FieldReader): string | undefined {
  const bytes = takeShortBytes(reader);
  if (bytes === undefined || bytes.byteLength > CLIP_MIME_BYTES_MAX) return undefined;
  return decodeUtf8(bytes);
}

function encodeMime(mime: string): Uint8Array {
  const bytes = new TextEncoder().encode(mime);
  if (bytes.byteLength > CLIP_MIME_BYTES_MAX) {
    throw new RangeError(`Cannot encode a MIME type of ${bytes.byteLength} bytes`);
  }
  return encodeShortBytes(bytes);
}

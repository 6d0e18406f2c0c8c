/**
 * What a plane's packetiser hands to the wire kernel for one access unit: pure data, no protocol in it.
 *
 *     stream   = prologue ‖ AU, cut into payloads of shardSize − headerSize; the last is zero-padded
 *     datagram = header (headerSize) ‖ payload                                = shardSize bytes
 *     parity   = FEC over bytes [fecOffset, shardSize) of a block's data datagrams, with the header bytes whose
 *                dataHeaderMask is 0 taken as zero; then the header bytes whose parityHeaderMask is 0xff are
 *                overwritten from `headers`, the others keep what FEC made of them
 *     sealed   = prefix ‖ AEAD(datagram) [‖ tag]                               see SealRule
 *
 * @module
 */

export type SealCipher = "aes-128-gcm" | "chacha20-poly1305";

export const SEAL_KEY_SIZE_BYTES: Readonly<Record<SealCipher, number>> = {
  "aes-128-gcm": 16,
  "chacha20-poly1305": 32,
};

/** How every datagram of a stream is sealed. Constant for the life of a key. */
export interface SealRule {
  readonly cipher: SealCipher;
  /** SEAL_KEY_SIZE_BYTES of the cipher. */
  readonly key: Uint8Array;
  /** 12 bytes; the packet counter overwrites eight of them. */
  readonly nonceTemplate: Uint8Array;
  /** Where the 64-bit counter lies in the nonce: 0 or 4. */
  readonly nonceCounterOffset: number;
  readonly isNonceCounterBigEndian: boolean;
  /** Bytes in front of the ciphertext. */
  readonly prefixSizeBytes: number;
  /** Bytes [from, from + length) of the nonce are copied to the start of the prefix. */
  readonly prefixNonceFrom: number;
  readonly prefixNonceLength: number;
  /** Offset of the 16-byte tag in the prefix, or -1 when it follows the ciphertext. */
  readonly tagOffset: number;
  /** Leading bytes of the prefix that are authenticated and not encrypted. */
  readonly aadSizeBytes: number;
}

/** One block: `dataCount` data datagrams, then `parityCount` parity datagrams. */
export interface WireBlock {
  dataCount: number;
  parityCount: number;
}

/** A packetiser reuses one job; it is valid until its next `plan`. */
export interface WireJob {
  /** Size of every plain datagram, header included. */
  shardSizeBytes: number;
  headerSizeBytes: number;
  /** packetCount × headerSizeBytes, in send order. */
  headers: Uint8Array;
  packetCount: number;
  /** Goes in front of the AU, e.g. a frame header. May be empty. */
  prologue: Uint8Array;
  auSizeBytes: number;
  blocks: WireBlock[];
  /** Valid entries of `blocks`. */
  blockCount: number;
  /** GF(2^8) Cauchy code of the GameStream specification 7.5, or GF(2^16) Leopard of punktfunk/1 4.8.1. */
  fieldBits: 8 | 16;
  /** "block": a block's data then its parity. "data-first": all data of the frame, then all parity. */
  order: "block" | "data-first";
  fecOffsetBytes: number;
  /** headerSizeBytes each, bytes are 0x00 or 0xff. */
  dataHeaderMask: Uint8Array;
  parityHeaderMask: Uint8Array;
  /** null sends plain datagrams. */
  seal: SealRule | null;
  /** Counter of the first datagram; each further one takes the next. */
  sealCounter: bigint;
  /** prefixSizeBytes of `seal`: the bytes that neither nonce nor tag overwrite. Empty without seal. */
  sealPrefix: Uint8Array;
}

/** What the packetiser needs to know of an access unit. */
export interface AccessUnitFacts {
  readonly sizeBytes: number;
  readonly kind: AccessUnitKind;
  /** CLOCK_MONOTONIC in microseconds. */
  readonly capturedAtUs: number;
  readonly nowUs: number;
  /** The picture is the one before, encoded again. Absent: it is not. */
  readonly isRepeat?: boolean;
  /** Absent: none. */
  readonly wave?: WaveMark;
}

/** First and last access unit of an intra-refresh wave. */
export type WaveMark = "start" | "close";

/** "p-after-invalidation": predicts only from frames older than the range last invalidated. */
export type AccessUnitKind = "idr" | "p" | "p-after-invalidation";

/** A plane's cut of access units into datagrams. Pure: one instance a stream, no clock of its own. */
export interface Packetiser {
  /** Index that the next planned frame will carry. */
  readonly nextFrameIndex: number;
  /** Throws ProtocolError "limit" when the AU cannot be sent at all; the numbering then does not move. */
  plan(facts: AccessUnitFacts): WireJob;
}

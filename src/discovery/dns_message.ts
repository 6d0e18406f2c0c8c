/**
 * Messages of DNS as multicast DNS carries them (RFC 1035 4.1, RFC 6762 18). Big-endian.
 *
 *     offset  size  field                             question            record
 *     0       2     id                                name                name
 *     2       2     flags, 0x8000 = an answer         2  type             2  type
 *     4       2+2   counts of questions, answers      2  class            2  class, 0x8000 = flush
 *     8       2+2   authorities, additional                               4  time to live, seconds
 *     12      …     questions, then records                               2  n, then n bytes of data
 *
 *     name    u8 n, label[n] … 00; a byte from 0xc0 on begins a pointer of 14 bits to the rest of the name
 *
 * Names are lists of labels: a label may hold dots. Reads what browsing needs: PTR, SRV, TXT and A.
 *
 * @module
 */
import { concatBytes, viewOf } from "../lib/bytes.ts";
import { ProtocolError } from "../lib/errors.ts";

export const DNS_TYPES = { a: 1, ptr: 12, txt: 16, srv: 33 } as const;

const HEADER_BYTES = 12;
const RECORD_HEAD_BYTES = 10;
const SRV_HEAD_BYTES = 6;
const FLAG_ANSWER = 0x8000;
const CLASS_INTERNET = 1;
const CLASS_MASK = 0x7fff;
/** In a question: answer to me alone. */
const CLASS_UNICAST = 0x8000;
const POINTER_MARK = 0xc0;
const LABEL_BYTES_MAX = 63;
const NAME_BYTES_MAX = 255;
const RECORDS_MAX = 256;

export type DnsName = readonly string[];

export type DnsRecord =
  & { readonly name: DnsName }
  & (
    | { readonly type: "ptr"; readonly target: DnsName }
    | { readonly type: "srv"; readonly port: number; readonly target: DnsName }
    /** Entries as they are, "key=value" or "key". */
    | { readonly type: "txt"; readonly entries: readonly string[] }
    | { readonly type: "a"; readonly address: string }
  );

export interface DnsQuestion {
  readonly name: DnsName;
  readonly type: keyof typeof DNS_TYPES;
}

/** Whether both are the same name; upper and lower case are alike. */
export function equalNames(a: DnsName, b: DnsName): boolean {
  return a.length === b.length &&
    a.every((label, index) => label.toLowerCase() === b[index]?.toLowerCase());
}

/** A query that asks to be answered at its sender's port. Throws RangeError for labels that are empty or too long. */
export function encodeDnsQuery(questions: readonly DnsQuestion[]): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(HEADER_BYTES);
  viewOf(header).setUint16(4, questions.length);
  return concatBytes(header, ...questions.flatMap(encodeQuestion));
}

/**
 * The records of an answer, whatever section they are in; none of a query. Other types and classes are passed over.
 * Throws ProtocolError for what is cut, for names that do not end, and past 256 records.
 */
export function decodeDnsAnswer(bytes: Uint8Array): readonly DnsRecord[] {
  if (bytes.byteLength < HEADER_BYTES) throw shortMessage();
  const view = viewOf(bytes);
  if ((view.getUint16(2) & FLAG_ANSWER) === 0) return [];
  const recordCount = view.getUint16(6) + view.getUint16(8) + view.getUint16(10);
  if (recordCount > RECORDS_MAX) {
    throw new ProtocolError("limit", `Cannot read DNS: ${recordCount} records`);
  }
  let offset = HEADER_BYTES;
  for (let left = view.getUint16(4); left > 0; left--) offset = readName(bytes, offset).end + 4;
  const records: DnsRecord[] = [];
  for (let left = recordCount; left > 0; left--) {
    const { record, end } = readRecord(bytes, offset);
    if (record !== undefined) records.push(record);
    offset = end;
  }
  return records;
}

function encodeQuestion({ name, type }: DnsQuestion): Uint8Array[] {
  const tail = new Uint8Array(5);
  viewOf(tail).setUint16(1, DNS_TYPES[type]);
  viewOf(tail).setUint16(3, CLASS_INTERNET | CLASS_UNICAST);
  return [
    ...name.map((label) => {
      const text = new TextEncoder().encode(label);
      if (text.byteLength === 0 || text.byteLength > LABEL_BYTES_MAX) {
        throw new RangeError(`Cannot ask DNS: a label of ${text.byteLength} bytes`);
      }
      return concatBytes(Uint8Array.of(text.byteLength), text);
    }),
    tail,
  ];
}

function readRecord(
  bytes: Uint8Array,
  offset: number,
): { readonly record: DnsRecord | undefined; readonly end: number } {
  const { name, end: head } = readName(bytes, offset);
  const dataAt = head + RECORD_HEAD_BYTES;
  if (dataAt > bytes.byteLength) throw shortMessage();
  const view = viewOf(bytes);
  const type = view.getUint16(head);
  const isInternet = (view.getUint16(head + 2) & CLASS_MASK) === CLASS_INTERNET;
  const end = dataAt + view.getUint16(head + 8);
  if (end > bytes.byteLength) throw shortMessage();
  const record = isInternet ? readData(bytes, { name, type, dataAt, end }) : undefined;
  return { record, end };
}

function readData(
  bytes: Uint8Array,
  { name, type, dataAt, end }: {
    readonly name: DnsName;
    readonly type: number;
    readonly dataAt: number;
    readonly end: number;
  },
): DnsRecord | undefined {
  switch (type) {
    case DNS_TYPES.ptr:
      return { type: "ptr", name, target: readName(bytes.subarray(0, end), dataAt).name };
    case DNS_TYPES.srv: {
      if (end - dataAt < SRV_HEAD_BYTES) throw shortMessage();
      const port = viewOf(bytes).getUint16(dataAt + 4);
      const target = readName(bytes.subarray(0, end), dataAt + SRV_HEAD_BYTES).name;
      return { type: "srv", name, port, target };
    }
    case DNS_TYPES.txt:
      return { type: "txt", name, entries: readTexts(bytes.subarray(dataAt, end)) };
    case DNS_TYPES.a:
      if (end - dataAt !== 4) throw shortMessage();
      return { type: "a", name, address: bytes.subarray(dataAt, end).join(".") };
    default:
      return undefined;
  }
}

function readTexts(data: Uint8Array): string[] {
  const texts: string[] = [];
  for (let offset = 0; offset < data.byteLength;) {
    const from = offset + 1;
    offset = from + (data[offset] ?? 0);
    if (offset > data.byteLength) throw shortMessage();
    if (offset > from) texts.push(decodeText(data.subarray(from, offset)));
  }
  return texts;
}

/** The name at `offset`, and where what follows it begins. */
function readName(
  bytes: Uint8Array,
  offset: number,
): { readonly name: DnsName; readonly end: number } {
  const labels: string[] = [];
  let nameBytes = 0;
  let end: number | undefined;
  for (let at = offset;;) {
    const size = bytes[at];
    if (size === undefined) throw shortMessage();
    if (size === 0) return { name: labels, end: end ?? at + 1 };
    if (size >= POINTER_MARK) {
      const low = bytes[at + 1];
      if (low === undefined) throw shortMessage();
      const target = (size & ~POINTER_MARK) << 8 | low;
      // Pointers lead back. What goes in circles all the same ends at the limit of a name.
      if (target >= at) throw new ProtocolError("malformed", "Cannot read DNS: a name runs ahead");
      end ??= at + 2;
      at = target;
      nameBytes++;
    } else {
      const from = at + 1;
      at = from + size;
      nameBytes += size + 1;
      if (size > LABEL_BYTES_MAX || nameBytes > NAME_BYTES_MAX) {
        throw new ProtocolError("limit", "Cannot read DNS: a name is too long");
      }
      if (at > bytes.byteLength) throw shortMessage();
      labels.push(decodeText(bytes.subarray(from, at)));
    }
  }
}

function decodeText(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function shortMessage(): ProtocolError {
  return new ProtocolError("short", "Cannot read DNS: the message is cut");
}

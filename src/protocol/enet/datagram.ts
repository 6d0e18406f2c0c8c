/**
 * ENet 1.3 datagrams (GameStream specification 5.1, 5.2). All integers big-endian.
 *
 *     datagram  offset  size  field
 *               0       2     bits 0–11 peer id of the receiver, 12–13 session id, 14 compressed, 15 sent-time present
 *               2       2     sender's clock in ms, low 16 bits; only with bit 15
 *               2 or 4  …     commands, back to back
 *
 *     command   0       1     number in bits 0–3; 0x80 asks for an acknowledgement; 0x40 unsequenced
 *               1       1     channel, 0xff for the peer itself
 *               2       2     reliable sequence number
 *               4       …     by number:
 *
 *      1  acknowledge          u16 received sequence, u16 received sent-time
 *      2  connect              as 3, then u32 data
 *      3  verify-connect       u16 outgoing peer id, u8 incoming session, u8 outgoing session, u32 mtu, u32 window,
 *                              u32 channels, u32 incoming and u32 outgoing bandwidth, u32 throttle interval,
 *                              u32 acceleration, u32 deceleration, u8×4 connect id
 *      4  disconnect           u32 data
 *      5  ping
 *      6  reliable             u16 n, n bytes
 *      7  unreliable           u16 unreliable sequence, u16 n, n bytes
 *      8  fragment             u16 start sequence, u16 n, u32 count, u32 number, u32 total, u32 offset, n bytes
 *      9  unsequenced          u16 group, u16 n, n bytes
 *     10  bandwidth-limit      u32 incoming, u32 outgoing
 *     11  throttle-configure   u32 interval, u32 acceleration, u32 deceleration
 *     12  unreliable-fragment  as 8, the start being an unreliable sequence
 *
 * @module
 */
import { viewOf } from "../../lib/bytes.ts";
import { ProtocolError } from "../../lib/errors.ts";

/** Receiver of a CONNECT: the sender does not know its id yet. */
export const PEER_ID_UNKNOWN = 0xfff;
/** Channel of the commands that concern the peer itself. */
export const PEER_CHANNEL = 0xff;

const FLAG_COMPRESSED = 0x4000;
const FLAG_SENT_TIME = 0x8000;
const COMMAND_ACKNOWLEDGE_BIT = 0x80;
const COMMAND_UNSEQUENCED_BIT = 0x40;

export interface DatagramHeader {
  /** 0…0xfff. */
  readonly peerId: number;
  /** 0…3. */
  readonly sessionId: number;
  /** Low 16 bits of the sender's clock in milliseconds, when given. */
  readonly sentTime: number | undefined;
}

/** What every command carries. */
interface CommandHeader {
  readonly channel: number;
  /** 16 bits, of the channel's reliable numbering. */
  readonly sequence: number;
  /** Bit 0x80: an acknowledgement is asked for. */
  readonly isReliable: boolean;
  /** Bit 0x40. */
  readonly isUnsequenced: boolean;
}

/** Common part of CONNECT and VERIFY_CONNECT. */
export interface ConnectFields {
  readonly outgoingPeerId: number;
  readonly incomingSessionId: number;
  readonly outgoingSessionId: number;
  readonly mtuBytes: number;
  readonly windowBytes: number;
  readonly channelCount: number;
  readonly incomingBandwidth: number;
  readonly outgoingBandwidth: number;
  readonly throttleIntervalMs: number;
  readonly throttleAcceleration: number;
  readonly throttleDeceleration: number;
  /** Four opaque bytes, read as one big-endian number. */
  readonly connectId: number;
}

interface FragmentFields {
  readonly startSequence: number;
  readonly fragmentCount: number;
  readonly fragmentNumber: number;
  readonly totalBytes: number;
  readonly offsetBytes: number;
  readonly data: Uint8Array;
}

type CommandBody =
  | {
    readonly kind: "acknowledge";
    readonly receivedSequence: number;
    readonly receivedSentTime: number;
  }
  | { readonly kind: "connect"; readonly fields: ConnectFields; readonly data: number }
  | { readonly kind: "verify-connect"; readonly fields: ConnectFields }
  | { readonly kind: "disconnect"; readonly data: number }
  | { readonly kind: "ping" }
  | { readonly kind: "reliable"; readonly data: Uint8Array }
  | {
    readonly kind: "unreliable";
    readonly unreliableSequence: number;
    readonly data: Uint8Array;
  }
  | { readonly kind: "fragment" } & FragmentFields
  | { readonly kind: "unsequenced"; readonly group: number; readonly data: Uint8Array }
  | { readonly kind: "bandwidth-limit"; readonly incoming: number; readonly outgoing: number }
  | {
    readonly kind: "throttle-configure";
    readonly intervalMs: number;
    readonly acceleration: number;
    readonly deceleration: number;
  }
  | { readonly kind: "unreliable-fragment" } & FragmentFields;

/** One command. `data` of a decoded command is a view into the datagram. */
export type EnetCommand = CommandHeader & CommandBody;
export type FragmentCommand = Extract<
  EnetCommand,
  { kind: "fragment" | "unreliable-fragment" }
>;

/** Number and size without data, by kind. */
const COMMANDS = {
  "acknowledge": { number: 1, sizeBytes: 8 },
  "connect": { number: 2, sizeBytes: 48 },
  "verify-connect": { number: 3, sizeBytes: 44 },
  "disconnect": { number: 4, sizeBytes: 8 },
  "ping": { number: 5, sizeBytes: 4 },
  "reliable": { number: 6, sizeBytes: 6 },
  "unreliable": { number: 7, sizeBytes: 8 },
  "fragment": { number: 8, sizeBytes: 24 },
  "unsequenced": { number: 9, sizeBytes: 8 },
  "bandwidth-limit": { number: 10, sizeBytes: 12 },
  "throttle-configure": { number: 11, sizeBytes: 16 },
  "unreliable-fragment": { number: 12, sizeBytes: 24 },
} as const satisfies Record<EnetCommand["kind"], { number: number; sizeBytes: number }>;

const KIND_OF_NUMBER = new Map(
  (Object.keys(COMMANDS) as EnetCommand["kind"][]).map((kind) => [COMMANDS[kind].number, kind]),
) as ReadonlyMap<number, EnetCommand["kind"]>;

/** Bytes of a fragment without its data. */
export const FRAGMENT_OVERHEAD_BYTES = COMMANDS.fragment.sizeBytes;

/** Size of a header with a sent-time. */
export const HEADER_BYTES_MAX = 4;

/** Decode the header; `offset` is where the first command starts. Throws on a compressed datagram. */
export function decodeHeader(
  bytes: Uint8Array,
): { readonly header: DatagramHeader; readonly offset: number } {
  requireBytes(bytes, 0, 2, "datagram");
  const view = viewOf(bytes);
  const bits = view.getUint16(0);
  if ((bits & FLAG_COMPRESSED) !== 0) {
    throw new ProtocolError("unsupported", "Cannot decode datagram: it is compressed");
  }
  const hasSentTime = (bits & FLAG_SENT_TIME) !== 0;
  if (hasSentTime) requireBytes(bytes, 0, HEADER_BYTES_MAX, "datagram");
  return {
    header: {
      peerId: bits & 0xfff,
      sessionId: (bits >> 12) & 3,
      sentTime: hasSentTime ? view.getUint16(2) : undefined,
    },
    offset: hasSentTime ? 4 : 2,
  };
}

/** Write a header at the start of `target`; return the offset after it. */
export function encodeHeader(header: DatagramHeader, target: Uint8Array): number {
  const view = viewOf(target);
  const hasSentTime = header.sentTime !== undefined;
  view.setUint16(
    0,
    (header.peerId & 0xfff) | ((header.sessionId & 3) << 12) | (hasSentTime ? FLAG_SENT_TIME : 0),
  );
  if (header.sentTime === undefined) return 2;
  view.setUint16(2, header.sentTime);
  return 4;
}

/** Decode the command at `offset`; `nextOffset` is where the following one starts. */
export function decodeCommand(
  bytes: Uint8Array,
  offset: number,
): { readonly command: EnetCommand; readonly nextOffset: number } {
  requireBytes(bytes, offset, 4, "command");
  const view = viewOf(bytes);
  const first = view.getUint8(offset);
  const kind = KIND_OF_NUMBER.get(first & 0x0f);
  if (kind === undefined) {
    throw new ProtocolError("unknown-type", `Cannot decode command: number is ${first & 0x0f}`);
  }
  const bodyOffset = offset + COMMANDS[kind].sizeBytes;
  requireBytes(bytes, offset, COMMANDS[kind].sizeBytes, kind);
  const header: CommandHeader = {
    channel: view.getUint8(offset + 1),
    sequence: view.getUint16(offset + 2),
    isReliable: (first & COMMAND_ACKNOWLEDGE_BIT) !== 0,
    isUnsequenced: (first & COMMAND_UNSEQUENCED_BIT) !== 0,
  };
  const data = (sizeBytes: number) => {
    requireBytes(bytes, bodyOffset, sizeBytes, kind);
    return bytes.subarray(bodyOffset, bodyOffset + sizeBytes);
  };
  const body = decodeBody(view, offset, kind, data);
  return {
    command: { ...header, ...body },
    nextOffset: bodyOffset +
      ("data" in body && typeof body.data !== "number" ? body.data.byteLength : 0),
  };
}

function decodeBody(
  view: DataView,
  offset: number,
  kind: EnetCommand["kind"],
  data: (sizeBytes: number) => Uint8Array,
): CommandBody {
  const u16 = (at: number) => view.getUint16(offset + at);
  const u32 = (at: number) => view.getUint32(offset + at);
  switch (kind) {
    case "acknowledge":
      return { kind, receivedSequence: u16(4), receivedSentTime: u16(6) };
    case "connect":
      return { kind, fields: decodeConnectFields(view, offset), data: u32(44) };
    case "verify-connect":
      return { kind, fields: decodeConnectFields(view, offset) };
    case "disconnect":
      return { kind, data: u32(4) };
    case "ping":
      return { kind };
    case "reliable":
      return { kind, data: data(u16(4)) };
    case "unreliable":
      return { kind, unreliableSequence: u16(4), data: data(u16(6)) };
    case "unsequenced":
      return { kind, group: u16(4), data: data(u16(6)) };
    case "fragment":
    case "unreliable-fragment":
      return {
        kind,
        startSequence: u16(4),
        fragmentCount: u32(8),
        fragmentNumber: u32(12),
        totalBytes: u32(16),
        offsetBytes: u32(20),
        data: data(u16(6)),
      };
    case "bandwidth-limit":
      return { kind, incoming: u32(4), outgoing: u32(8) };
    case "throttle-configure":
      return { kind, intervalMs: u32(4), acceleration: u32(8), deceleration: u32(12) };
  }
}

function decodeConnectFields(view: DataView, offset: number): ConnectFields {
  return {
    outgoingPeerId: view.getUint16(offset + 4),
    incomingSessionId: view.getUint8(offset + 6),
    outgoingSessionId: view.getUint8(offset + 7),
    mtuBytes: view.getUint32(offset + 8),
    windowBytes: view.getUint32(offset + 12),
    channelCount: view.getUint32(offset + 16),
    incomingBandwidth: view.getUint32(offset + 20),
    outgoingBandwidth: view.getUint32(offset + 24),
    throttleIntervalMs: view.getUint32(offset + 28),
    throttleAcceleration: view.getUint32(offset + 32),
    throttleDeceleration: view.getUint32(offset + 36),
    connectId: view.getUint32(offset + 40),
  };
}

/** Bytes that {@link encodeCommand} writes. */
export function commandSizeBytes(command: EnetCommand): number {
  const dataBytes = "data" in command && typeof command.data !== "number"
    ? command.data.byteLength
    : 0;
  return COMMANDS[command.kind].sizeBytes + dataBytes;
}

/** Write `command` into `target` at `offset`; return the offset after it. */
export function encodeCommand(command: EnetCommand, target: Uint8Array, offset: number): number {
  const view = viewOf(target);
  view.setUint8(
    offset,
    COMMANDS[command.kind].number |
      (command.isReliable ? COMMAND_ACKNOWLEDGE_BIT : 0) |
      (command.isUnsequenced ? COMMAND_UNSEQUENCED_BIT : 0),
  );
  view.setUint8(offset + 1, command.channel);
  view.setUint16(offset + 2, command.sequence);
  encodeBody(command, view, offset);
  if ("data" in command && typeof command.data !== "number") {
    target.set(command.data, offset + COMMANDS[command.kind].sizeBytes);
  }
  return offset + commandSizeBytes(command);
}

function encodeBody(command: EnetCommand, view: DataView, offset: number): void {
  const u16 = (at: number, value: number) => view.setUint16(offset + at, value);
  const u32 = (at: number, value: number) => view.setUint32(offset + at, value);
  switch (command.kind) {
    case "acknowledge":
      u16(4, command.receivedSequence);
      u16(6, command.receivedSentTime);
      break;
    case "connect":
      encodeConnectFields(command.fields, view, offset);
      u32(44, command.data);
      break;
    case "verify-connect":
      encodeConnectFields(command.fields, view, offset);
      break;
    case "disconnect":
      u32(4, command.data);
      break;
    case "ping":
      break;
    case "reliable":
      u16(4, command.data.byteLength);
      break;
    case "unreliable":
      u16(4, command.unreliableSequence);
      u16(6, command.data.byteLength);
      break;
    case "unsequenced":
      u16(4, command.group);
      u16(6, command.data.byteLength);
      break;
    case "fragment":
    case "unreliable-fragment":
      u16(4, command.startSequence);
      u16(6, command.data.byteLength);
      u32(8, command.fragmentCount);
      u32(12, command.fragmentNumber);
      u32(16, command.totalBytes);
      u32(20, command.offsetBytes);
      break;
    case "bandwidth-limit":
      u32(4, command.incoming);
      u32(8, command.outgoing);
      break;
    case "throttle-configure":
      u32(4, command.intervalMs);
      u32(8, command.acceleration);
      u32(12, command.deceleration);
      break;
  }
}

function encodeConnectFields(fields: ConnectFields, view: DataView, offset: number): void {
  view.setUint16(offset + 4, fields.outgoingPeerId);
  view.setUint8(offset + 6, fields.incomingSessionId);
  view.setUint8(offset + 7, fields.outgoingSessionId);
  view.setUint32(offset + 8, fields.mtuBytes);
  view.setUint32(offset + 12, fields.windowBytes);
  view.setUint32(offset + 16, fields.channelCount);
  view.setUint32(offset + 20, fields.incomingBandwidth);
  view.setUint32(offset + 24, fields.outgoingBandwidth);
  view.setUint32(offset + 28, fields.throttleIntervalMs);
  view.setUint32(offset + 32, fields.throttleAcceleration);
  view.setUint32(offset + 36, fields.throttleDeceleration);
  view.setUint32(offset + 40, fields.connectId);
}

function requireBytes(bytes: Uint8Array, offset: number, sizeBytes: number, what: string): void {
  if (bytes.byteLength - offset < sizeBytes) {
    throw new ProtocolError(
      "short",
      `Cannot decode ${what}: expected ${sizeBytes} bytes, got ${bytes.byteLength - offset}`,
    );
  }
}

/**
 * Input packets, the payload of control message 0x0206 (GameStream specification 6).
 *
 *     offset  size  field
 *     0       4     bytes after this field, big-endian
 *     4       4     type, little-endian
 *     8       …     body, by type; bytes after it belong to later editions and are not read
 *
 *     0x03, 0x04        key down, up      u8 flags, LE16 key, u8 modifiers, LE16 0
 *     0x05              pointer place     BE16 x, BE16 y, BE16 0, BE16 width − 1, BE16 height − 1
 *     0x07              pointer motion    BE16 dx, BE16 dy, signed
 *     0x08, 0x09        button down, up   u8 button
 *     0x0a, 0x55000001  scroll            BE16 amount, signed; the vertical one has it twice, then LE16 0
 *     0x0d              haptics           nothing to do
 *     0x17              text              UTF-8
 *     0x0c, 0x55000004… pads              see input_pad.ts
 *     0x55000002, …3    touch, pen        see input_contact.ts
 *
 * @module
 */
import { viewOf } from "../../lib/bytes.ts";
import { ProtocolError } from "../../lib/errors.ts";
import {
  type InputEvent,
  KEY_MODIFIER_ALT,
  KEY_MODIFIER_CTRL,
  KEY_MODIFIER_META,
  KEY_MODIFIER_SHIFT,
  type KeyEvent,
  type PadRemovalEvent,
  type PadStateEvent,
  type PointerButton,
  type PointerPositionEvent,
} from "../input_event.ts";
import {
  decodePen,
  decodeTouch,
  encodePen,
  encodeTouch,
  PEN_BODY_BYTES,
  TOUCH_BODY_BYTES,
} from "./input_contact.ts";
import {
  decodePadArrival,
  decodePadBattery,
  decodePadMotion,
  decodePadReport,
  decodePadTouchpad,
  encodePadArrival,
  encodePadBattery,
  encodePadMotion,
  encodePadReport,
  encodePadTouchpad,
  PAD_ARRIVAL_BODY_BYTES,
  PAD_BATTERY_BODY_BYTES,
  PAD_MOTION_BODY_BYTES,
  PAD_STATE_BODY_BYTES,
  PAD_TOUCHPAD_BODY_BYTES,
  type PadReport,
} from "./input_pad.ts";

/** One packet. Pad packets become events by way of `PadTracker`, everything else is an event already. */
export type InputPacket = Exclude<InputEvent, PadStateEvent | PadRemovalEvent> | PadReport;

/** Text of one packet, in bytes of UTF-8. Clients send one code point. */
export const INPUT_TEXT_BYTES_MAX = 256;

const HEADER_BYTES = 8;
const TYPES = {
  keyDown: 0x03,
  keyUp: 0x04,
  pointerPosition: 0x05,
  pointerMotion: 0x07,
  buttonDown: 0x08,
  buttonUp: 0x09,
  scrollVertical: 0x0a,
  padState: 0x0c,
  text: 0x17,
  scrollHorizontal: 0x5500_0001,
  touch: 0x5500_0002,
  pen: 0x5500_0003,
  padArrival: 0x5500_0004,
  padTouchpad: 0x5500_0005,
  padMotion: 0x5500_0006,
  padBattery: 0x5500_0007,
} as const;

/** By their number on the wire, less one. */
const BUTTONS: readonly PointerButton[] = ["left", "middle", "right", "back", "forward"];
const KEY_FLAG_NOT_NORMALISED = 1;
const MODIFIERS_MASK = KEY_MODIFIER_SHIFT | KEY_MODIFIER_CTRL | KEY_MODIFIER_ALT |
  KEY_MODIFIER_META;
const VIRTUAL_KEY_MAX = 254;
/** Set by stock clients in the key's high byte. */
const KEY_HIGH_BYTE = 0x8000;

/**
 * Decode one packet. Undefined for what this edition does not know (types, buttons, phases, sensors): it is to be
 * ignored. Throws ProtocolError for a packet that is too short or holds impossible values.
 */
export function decodeInput(packet: Uint8Array): InputPacket | undefined {
  requireBytes(packet.byteLength, HEADER_BYTES);
  const header = viewOf(packet);
  const sizeBytes = 4 + header.getUint32(0);
  requireBytes(packet.byteLength, sizeBytes);
  requireBytes(sizeBytes, HEADER_BYTES);
  const body = packet.subarray(HEADER_BYTES, sizeBytes);
  const need = (bodyBytes: number) => {
    requireBytes(sizeBytes, HEADER_BYTES + bodyBytes);
    return viewOf(body);
  };
  const type = header.getUint32(4, true);
  switch (type) {
    case TYPES.keyDown:
    case TYPES.keyUp:
      return decodeKey(need(6), type === TYPES.keyDown);
    case TYPES.text:
      return decodeText(body);
    case TYPES.pointerMotion: {
      const view = need(4);
      return { kind: "pointer-motion", dx: view.getInt16(0), dy: view.getInt16(2) };
    }
    case TYPES.pointerPosition:
      return decodePosition(need(10));
    case TYPES.buttonDown:
    case TYPES.buttonUp: {
      const button = BUTTONS[need(1).getUint8(0) - 1];
      if (button === undefined) return undefined;
      return { kind: "pointer-button", button, isDown: type === TYPES.buttonDown };
    }
    case TYPES.scrollVertical:
      return { kind: "scroll", axis: "vertical", amount120: need(6).getInt16(0) };
    case TYPES.scrollHorizontal:
      return { kind: "scroll", axis: "horizontal", amount120: need(2).getInt16(0) };
    case TYPES.touch:
      return decodeTouch(need(TOUCH_BODY_BYTES));
    case TYPES.pen:
      return decodePen(need(PEN_BODY_BYTES));
    case TYPES.padState:
      return decodePadReport(need(PAD_STATE_BODY_BYTES));
    case TYPES.padArrival:
      return decodePadArrival(need(PAD_ARRIVAL_BODY_BYTES));
    case TYPES.padTouchpad:
      return decodePadTouchpad(need(PAD_TOUCHPAD_BODY_BYTES));
    case TYPES.padMotion:
      return decodePadMotion(need(PAD_MOTION_BODY_BYTES));
    case TYPES.padBattery:
      return decodePadBattery(need(PAD_BATTERY_BODY_BYTES));
    default:
      return undefined;
  }
}

/** The picture that absolute positions of a client refer to, in pixels, 2…32768 each. */
export interface ReferenceSize {
  readonly widthPixels: number;
  readonly heightPixels: number;
}

const REFERENCE_DEFAULT: ReferenceSize = { widthPixels: 32_768, heightPixels: 32_768 };

/** Encode one packet as stock clients write it. */
export function encodeInput(
  packet: InputPacket,
  reference: ReferenceSize = REFERENCE_DEFAULT,
): Uint8Array {
  switch (packet.kind) {
    case "key":
      return encodeBody(packet.isDown ? TYPES.keyDown : TYPES.keyUp, 6, (view) => {
        view.setUint8(0, packet.isPositional ? 0 : KEY_FLAG_NOT_NORMALISED);
        view.setUint16(1, KEY_HIGH_BYTE | packet.virtualKey, true);
        view.setUint8(3, packet.modifiers);
      });
    case "text": {
      const text = new TextEncoder().encode(packet.text);
      return encodeBody(TYPES.text, text.byteLength, (_view, body) => body.set(text));
    }
    case "pointer-motion":
      return encodeBody(TYPES.pointerMotion, 4, (view) => {
        view.setInt16(0, packet.dx);
        view.setInt16(2, packet.dy);
      });
    case "pointer-position":
      return encodePosition(packet, reference);
    case "pointer-button":
      return encodeBody(
        packet.isDown ? TYPES.buttonDown : TYPES.buttonUp,
        1,
        (view) => view.setUint8(0, BUTTONS.indexOf(packet.button) + 1),
      );
    case "scroll":
      return encodeScroll(packet.axis, packet.amount120);
    case "touch":
      return encodeBody(TYPES.touch, TOUCH_BODY_BYTES, (view) => encodeTouch(packet, view));
    case "pen":
      return encodeBody(TYPES.pen, PEN_BODY_BYTES, (view) => encodePen(packet, view));
    default:
      return encodePad(packet);
  }
}

type PadPacket = Extract<InputPacket, { kind: `pad-${string}` }>;

function encodePad(packet: PadPacket): Uint8Array {
  switch (packet.kind) {
    case "pad-report":
      return encodeBody(
        TYPES.padState,
        PAD_STATE_BODY_BYTES,
        (view) => encodePadReport(packet, view),
      );
    case "pad-arrival":
      return encodeBody(
        TYPES.padArrival,
        PAD_ARRIVAL_BODY_BYTES,
        (view) => encodePadArrival(packet, view),
      );
    case "pad-touchpad":
      return encodeBody(
        TYPES.padTouchpad,
        PAD_TOUCHPAD_BODY_BYTES,
        (view) => encodePadTouchpad(packet, view),
      );
    case "pad-motion":
      return encodeBody(
        TYPES.padMotion,
        PAD_MOTION_BODY_BYTES,
        (view) => encodePadMotion(packet, view),
      );
    case "pad-battery":
      return encodeBody(
        TYPES.padBattery,
        PAD_BATTERY_BODY_BYTES,
        (view) => encodePadBattery(packet, view),
      );
  }
}

function decodeKey(view: DataView, isDown: boolean): KeyEvent {
  const virtualKey = view.getUint16(1, true) & 0xff;
  if (virtualKey < 1 || virtualKey > VIRTUAL_KEY_MAX) {
    throw new ProtocolError("malformed", "Cannot decode input packet: no such key");
  }
  return {
    kind: "key",
    virtualKey,
    isDown,
    modifiers: view.getUint8(3) & MODIFIERS_MASK,
    isPositional: (view.getUint8(0) & KEY_FLAG_NOT_NORMALISED) === 0,
  };
}

function decodeText(body: Uint8Array): InputPacket {
  requireBytes(body.byteLength, 1);
  if (body.byteLength > INPUT_TEXT_BYTES_MAX) {
    throw new ProtocolError(
      "limit",
      `Cannot decode input packet: ${body.byteLength} bytes of text`,
    );
  }
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    return { kind: "text", text: decoder.decode(body) };
  } catch {
    throw new ProtocolError("malformed", "Cannot decode input packet: the text is not UTF-8");
  }
}

function decodePosition(view: DataView): PointerPositionEvent {
  const xMax = view.getUint16(6);
  const yMax = view.getUint16(8);
  if (xMax === 0 || yMax === 0) {
    throw new ProtocolError("malformed", "Cannot decode input packet: the picture has no size");
  }
  const fraction = (value: number, max: number) => Math.min(Math.max(value / max, 0), 1);
  return {
    kind: "pointer-position",
    x: fraction(view.getInt16(0), xMax),
    y: fraction(view.getInt16(2), yMax),
  };
}

function encodePosition({ x, y }: PointerPositionEvent, reference: ReferenceSize): Uint8Array {
  const xMax = reference.widthPixels - 1;
  const yMax = reference.heightPixels - 1;
  return encodeBody(TYPES.pointerPosition, 10, (view) => {
    view.setInt16(0, Math.round(x * xMax));
    view.setInt16(2, Math.round(y * yMax));
    view.setUint16(6, xMax);
    view.setUint16(8, yMax);
  });
}

function encodeScroll(axis: "vertical" | "horizontal", amount120: number): Uint8Array {
  if (axis === "horizontal") {
    return encodeBody(TYPES.scrollHorizontal, 2, (view) => view.setInt16(0, amount120));
  }
  return encodeBody(TYPES.scrollVertical, 6, (view) => {
    view.setInt16(0, amount120);
    view.setInt16(2, amount120);
  });
}

function encodeBody(
  type: number,
  bodyBytes: number,
  write: (view: DataView, body: Uint8Array) => void,
): Uint8Array {
  const packet = new Uint8Array(HEADER_BYTES + bodyBytes);
  const header = viewOf(packet);
  header.setUint32(0, packet.byteLength - 4);
  header.setUint32(4, type, true);
  const body = packet.subarray(HEADER_BYTES);
  write(viewOf(body), body);
  return packet;
}

function requireBytes(sizeBytes: number, sizeBytesMin: number): void {
  if (sizeBytes < sizeBytesMin) {
    throw new ProtocolError(
      "short",
      `Cannot decode input packet: expected at least ${sizeBytesMin} bytes, got ${sizeBytes}`,
    );
  }
}

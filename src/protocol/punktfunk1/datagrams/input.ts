/**
 * Input events of punktfunk/1, datagram c8 and control message 5c (specification 7.1). The frame is drawn in
 * input_fields.ts.
 *
 *     kind    event              code                 x, y              flags
 *     0, 1    key down, up       virtual_keys.ts
 *     2       pointer motion                          pixels
 *     3       pointer position                        in the surface    width << 16 | height
 *     4, 5    button down, up    1…5
 *     6, 16   scroll             see input_scroll.ts
 *     7 …14   pads               see input_pad.ts
 *     9       touch down         contact              in the surface    width << 16 | height
 *     10      touch move         contact              in the surface    width << 16 | height
 *     11      touch up           contact
 *     15      text               one Unicode scalar
 *
 * Buttons: 1 left, 2 middle, 3 right, 4 back, 5 forward.
 *
 * @module
 */
import type {
  KeyEvent,
  PointerButton,
  PointerButtonEvent,
  PointerMotionEvent,
  PointerPositionEvent,
  ScrollEvent,
  TextEvent,
  TouchEvent,
} from "../../input_event.ts";
import { decodeInputFields, encodeInputFields, INPUT_KINDS } from "./input_fields.ts";
import type { InputFields } from "./input_fields.ts";
import { decodePad, encodePad, type PadInput } from "./input_pad.ts";
import { decodeScroll, decodeScrollSteps, encodeScroll } from "./input_scroll.ts";
import { codeOfVirtualKey, virtualKeyOfCode } from "./virtual_keys.ts";

export { INPUT_SIZE_BYTES } from "./input_fields.ts";

/** A finger on the picture. Of one that goes up the wire tells no place. */
export interface TouchInput {
  readonly kind: "touch";
  readonly phase: "down" | "move" | "up";
  readonly pointerId: number;
  /** Fractions of the picture; 0 with "up". */
  readonly x: number;
  readonly y: number;
}

/** What one event says. Touches and pads become events of the common model by way of `InputMapper`. */
export type WireInput =
  | KeyEvent
  | TextEvent
  | PointerMotionEvent
  | PointerPositionEvent
  | PointerButtonEvent
  | ScrollEvent
  | TouchInput
  | PadInput;

/** The picture that positions of a client refer to, in pixels, 1…65535 each. */
export interface SurfaceSize {
  readonly width: number;
  readonly height: number;
}

const SURFACE_DEFAULT: SurfaceSize = { width: 65_535, height: 65_535 };

/** By their number on the wire, less one. */
const BUTTONS: readonly PointerButton[] = ["left", "middle", "right", "back", "forward"];
const SCALAR_MAX = 0x10ffff;

/** One event at the start of `bytes`. Undefined for what is short, unknown or against a rule: it is to be dropped. */
export function decodeInput(bytes: Uint8Array): WireInput | undefined {
  const fields = decodeInputFields(bytes);
  if (fields === undefined) return undefined;
  const { kind, code } = fields;
  switch (kind) {
    case INPUT_KINDS.keyDown:
    case INPUT_KINDS.keyUp: {
      const virtualKey = virtualKeyOfCode(code);
      if (virtualKey === undefined) return undefined;
      const isDown = kind === INPUT_KINDS.keyDown;
      return { kind: "key", virtualKey, isDown, modifiers: 0, isPositional: true };
    }
    case INPUT_KINDS.pointerMotion:
      return { kind: "pointer-motion", dx: fields.x, dy: fields.y };
    case INPUT_KINDS.pointerPosition: {
      const place = placeOf(fields);
      return place && { kind: "pointer-position", x: place.x, y: place.y };
    }
    case INPUT_KINDS.buttonDown:
    case INPUT_KINDS.buttonUp: {
      const button = BUTTONS[code - 1];
      if (button === undefined) return undefined;
      return { kind: "pointer-button", button, isDown: kind === INPUT_KINDS.buttonDown };
    }
    case INPUT_KINDS.scrollSteps:
      return decodeScrollSteps(fields);
    case INPUT_KINDS.scroll:
      return decodeScroll(fields);
    case INPUT_KINDS.touchDown:
    case INPUT_KINDS.touchMove: {
      const phase = kind === INPUT_KINDS.touchDown ? "down" : "move";
      const place = placeOf(fields);
      return place && { kind: "touch", phase, pointerId: code, x: place.x, y: place.y };
    }
    case INPUT_KINDS.touchUp:
      return { kind: "touch", phase: "up", pointerId: code, x: 0, y: 0 };
    case INPUT_KINDS.text:
      if (code > SCALAR_MAX || isSurrogate(code)) return undefined;
      return { kind: "text", text: String.fromCodePoint(code) };
    default:
      return decodePad(fields);
  }
}

/** One event as a client with all capabilities writes it. Of a text the first character only. */
export function encodeInput(
  input: WireInput,
  surface: SurfaceSize = SURFACE_DEFAULT,
): Uint8Array<ArrayBuffer> {
  switch (input.kind) {
    case "key":
      return encodeInputFields(input.isDown ? INPUT_KINDS.keyDown : INPUT_KINDS.keyUp, {
        code: codeOfVirtualKey(input.virtualKey),
      });
    case "pointer-motion":
      return encodeInputFields(INPUT_KINDS.pointerMotion, { x: input.dx, y: input.dy });
    case "pointer-position":
      return encodeInputFields(INPUT_KINDS.pointerPosition, placeFields(input, surface));
    case "pointer-button":
      return encodeInputFields(input.isDown ? INPUT_KINDS.buttonDown : INPUT_KINDS.buttonUp, {
        code: BUTTONS.indexOf(input.button) + 1,
      });
    case "scroll":
      return encodeScroll(input);
    case "touch":
      return encodeTouch(input, surface);
    case "text":
      return encodeInputFields(INPUT_KINDS.text, { code: input.text.codePointAt(0) ?? 0 });
    default:
      return encodePad(input);
  }
}

function encodeTouch(input: TouchInput, surface: SurfaceSize): Uint8Array<ArrayBuffer> {
  const code = input.pointerId;
  if (input.phase === "up") return encodeInputFields(INPUT_KINDS.touchUp, { code });
  const kind = input.phase === "down" ? INPUT_KINDS.touchDown : INPUT_KINDS.touchMove;
  return encodeInputFields(kind, { code, ...placeFields(input, surface) });
}

type Place = Pick<TouchEvent, "x" | "y">;

/** The first pixel of the surface is 0, its last one 1, and what lies outside is taken to the edge. */
function placeOf({ x, y, flags }: InputFields): Place | undefined {
  const width = flags >>> 16;
  const height = flags & 0xffff;
  if (width === 0 || height === 0) return undefined;
  return { x: fractionOf(x, width), y: fractionOf(y, height) };
}

function fractionOf(position: number, size: number): number {
  return Math.min(Math.max(position / Math.max(size - 1, 1), 0), 1);
}

function placeFields({ x, y }: Place, { width, height }: SurfaceSize): Partial<InputFields> {
  return {
    x: Math.round(x * (width - 1)),
    y: Math.round(y * (height - 1)),
    flags: width << 16 | height,
  };
}

function isSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdfff;
}

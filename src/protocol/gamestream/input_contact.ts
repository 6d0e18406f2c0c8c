/**
 * Touch and pen packets (GameStream specification 6.5). Little-endian; offsets from the start of the body.
 *
 *     touch  0x55000002           pen  0x55000003
 *     0   1  phase                0   1  phase
 *     1   1  0                    1   1  tool: 1 pen, 2 eraser
 *     2   2  rotation             2   1  buttons
 *     4   4  pointer id           3   1  0
 *     8   8  x, y                 4   8  x, y
 *     16  4  pressure, distance   12  4  pressure, distance
 *     20  8  contact              16  2  rotation
 *                                 18  1  tilt
 *                                 19  1  0
 *                                 20  8  contact
 *
 * Fractions are f32 in 0…1; what lies outside is taken to the edge.
 *
 * @module
 */
import { ProtocolError } from "../../lib/errors.ts";
import type { ContactPhase, PenEvent, TouchEvent } from "../input_event.ts";

export const TOUCH_BODY_BYTES = 28;
export const PEN_BODY_BYTES = 28;

/** By their number on the wire. */
const PHASES: readonly ContactPhase[] = [
  "hover",
  "down",
  "up",
  "move",
  "cancel",
  "button-only",
  "hover-leave",
  "cancel-all",
];
const TOOLS = ["unknown", "pen", "eraser"] as const;
const BUTTONS_MASK = 7;
const ROTATION_UNKNOWN = 0xffff;
const TILT_UNKNOWN = 0xff;
const TILT_DEGREES_MAX = 90;

/** Undefined for a phase that is not known. */
export function phaseOf(number: number): ContactPhase | undefined {
  return PHASES[number];
}

export function numberOfPhase(phase: ContactPhase): number {
  return PHASES.indexOf(phase);
}

/** Undefined for a phase that is not known. */
export function decodeTouch(view: DataView): TouchEvent | undefined {
  const phase = phaseOf(view.getUint8(0));
  if (phase === undefined) return undefined;
  return {
    kind: "touch",
    phase,
    pointerId: view.getUint32(4, true),
    ...readPlace(view, phase, { position: 8, contact: 20 }),
    rotationDegrees: readRotation(view, 2),
  };
}

export function encodeTouch(event: TouchEvent, view: DataView): void {
  view.setUint8(0, numberOfPhase(event.phase));
  view.setUint16(2, event.rotationDegrees ?? ROTATION_UNKNOWN, true);
  view.setUint32(4, event.pointerId, true);
  writePlace(event, view, { position: 8, contact: 20 });
}

/** Undefined for a phase that is not known. */
export function decodePen(view: DataView): PenEvent | undefined {
  const phase = phaseOf(view.getUint8(0));
  if (phase === undefined) return undefined;
  const tilt = view.getUint8(18);
  return {
    kind: "pen",
    phase,
    tool: TOOLS[view.getUint8(1)] ?? "unknown",
    buttons: view.getUint8(2) & BUTTONS_MASK,
    ...readPlace(view, phase, { position: 4, contact: 20 }),
    rotationDegrees: readRotation(view, 16),
    tiltDegrees: tilt === TILT_UNKNOWN ? undefined : Math.min(tilt, TILT_DEGREES_MAX),
  };
}

export function encodePen(event: PenEvent, view: DataView): void {
  view.setUint8(0, numberOfPhase(event.phase));
  view.setUint8(1, TOOLS.indexOf(event.tool));
  view.setUint8(2, event.buttons);
  writePlace(event, view, { position: 4, contact: 20 });
  view.setUint16(16, event.rotationDegrees ?? ROTATION_UNKNOWN, true);
  view.setUint8(18, event.tiltDegrees ?? TILT_UNKNOWN);
}

/** A finite f32. Throws ProtocolError for NaN and the infinities. */
export function readFinite(view: DataView, offset: number): number {
  const value = view.getFloat32(offset, true);
  if (!Number.isFinite(value)) {
    throw new ProtocolError("malformed", "Cannot decode input packet: a number is not finite");
  }
  return value;
}

/** A finite f32, taken to 0…1. */
export function readFraction(view: DataView, offset: number): number {
  return Math.min(Math.max(readFinite(view, offset), 0), 1);
}

type Place = Pick<TouchEvent, "x" | "y" | "pressureOrDistance" | "contactMajor" | "contactMinor">;
/** Offsets of x, y, pressure and of the two contact sizes. */
interface PlaceOffsets {
  readonly position: number;
  readonly contact: number;
}

/** Phases for which clients leave position and contact undefined read as zeros. */
function readPlace(view: DataView, phase: ContactPhase, offsets: PlaceOffsets): Place {
  if (phase === "cancel" || phase === "cancel-all" || phase === "button-only") {
    return { x: 0, y: 0, pressureOrDistance: 0, contactMajor: 0, contactMinor: 0 };
  }
  return {
    x: readFraction(view, offsets.position),
    y: readFraction(view, offsets.position + 4),
    pressureOrDistance: readFraction(view, offsets.position + 8),
    contactMajor: readFraction(view, offsets.contact),
    contactMinor: readFraction(view, offsets.contact + 4),
  };
}

function writePlace(place: Place, view: DataView, offsets: PlaceOffsets): void {
  view.setFloat32(offsets.position, place.x, true);
  view.setFloat32(offsets.position + 4, place.y, true);
  view.setFloat32(offsets.position + 8, place.pressureOrDistance, true);
  view.setFloat32(offsets.contact, place.contactMajor, true);
  view.setFloat32(offsets.contact + 4, place.contactMinor, true);
}

function readRotation(view: DataView, offset: number): number | undefined {
  const rotation = view.getUint16(offset, true);
  return rotation === ROTATION_UNKNOWN ? undefined : rotation;
}

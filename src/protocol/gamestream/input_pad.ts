/**
 * Gamepad packets (GameStream specification 6.4). Little-endian; offsets from the start of the body.
 *
 *     state    0x0000000c         arrival  0x55000004          touchpad  0x55000005
 *     0   2  0x001a               0  1  pad                    0   1  pad
 *     2   2  pad                  1  1  type                   1   1  phase
 *     4   2  mask of live pads    2  2  capabilities           2   1  0
 *     6   2  0x0014               4  4  supported buttons      3   1  touchpad
 *     8   2  buttons, low                                      4   4  pointer id
 *     10  2  triggers             motion   0x55000006          8   8  x, y: f32 0…1
 *     12  8  sticks, signed       0  1  pad                    16  4  pressure: f32 0…1
 *     20  2  0x009c               1  1  sensor
 *     22  2  buttons, high        2  2  0                      battery   0x55000007
 *     24  2  0x0055               4  12 x, y, z: f32           0  1 pad, 1 state, 1 percent, 1 0
 *
 * @module
 */
import { ProtocolError } from "../../lib/errors.ts";
import type {
  PadArrivalEvent,
  PadBatteryEvent,
  PadMotionEvent,
  PadStateEvent,
  PadTouchpadEvent,
  PadType,
} from "../input_event.ts";
import { numberOfPhase, phaseOf, readFinite, readFraction } from "./input_contact.ts";

/** Pads of one client, numbered from 0. */
export const PAD_COUNT_MAX = 16;

export const PAD_STATE_BODY_BYTES = 26;
export const PAD_ARRIVAL_BODY_BYTES = 8;
export const PAD_TOUCHPAD_BODY_BYTES = 20;
export const PAD_MOTION_BODY_BYTES = 16;
export const PAD_BATTERY_BODY_BYTES = 4;

/** By their number on the wire. */
const PAD_TYPES: readonly PadType[] = ["unknown", "xbox", "playstation", "nintendo", "steam"];
const BATTERY_STATES: readonly PadBatteryEvent["state"][] = [
  "unknown",
  "absent",
  "discharging",
  "charging",
  "not-charging",
  "full",
];
const SENSOR_ACCELEROMETER = 1;
const SENSOR_GYROSCOPE = 2;
const PERCENT_UNKNOWN = 0xff;

/** A state packet: what a pad does, and which pads the client has. */
export interface PadReport {
  readonly kind: "pad-report";
  /** Bit n: pad n is there. */
  readonly activeMask: number;
  readonly state: PadStateEvent;
}

export function decodePadReport(view: DataView): PadReport {
  return {
    kind: "pad-report",
    activeMask: view.getUint16(4, true),
    state: {
      kind: "pad-state",
      pad: requirePad(view.getUint16(2, true)),
      buttons: (view.getUint16(22, true) << 16 | view.getUint16(8, true)) >>> 0,
      leftTrigger: view.getUint8(10),
      rightTrigger: view.getUint8(11),
      leftX: view.getInt16(12, true),
      leftY: view.getInt16(14, true),
      rightX: view.getInt16(16, true),
      rightY: view.getInt16(18, true),
    },
  };
}

export function encodePadReport({ activeMask, state }: PadReport, view: DataView): void {
  view.setUint16(0, 0x001a, true);
  view.setUint16(2, state.pad, true);
  view.setUint16(4, activeMask, true);
  view.setUint16(6, 0x0014, true);
  view.setUint16(8, state.buttons & 0xffff, true);
  view.setUint8(10, state.leftTrigger);
  view.setUint8(11, state.rightTrigger);
  view.setInt16(12, state.leftX, true);
  view.setInt16(14, state.leftY, true);
  view.setInt16(16, state.rightX, true);
  view.setInt16(18, state.rightY, true);
  view.setUint16(20, 0x009c, true);
  view.setUint16(22, state.buttons >>> 16, true);
  view.setUint16(24, 0x0055, true);
}

export function decodePadArrival(view: DataView): PadArrivalEvent {
  return {
    kind: "pad-arrival",
    pad: requirePad(view.getUint8(0)),
    type: PAD_TYPES[view.getUint8(1)] ?? "unknown",
    capabilities: view.getUint16(2, true),
    supportedButtons: view.getUint32(4, true),
  };
}

export function encodePadArrival(event: PadArrivalEvent, view: DataView): void {
  view.setUint8(0, event.pad);
  view.setUint8(1, PAD_TYPES.indexOf(event.type));
  view.setUint16(2, event.capabilities, true);
  view.setUint32(4, event.supportedButtons, true);
}

/** Undefined for a phase or a touchpad that is not known. */
export function decodePadTouchpad(view: DataView): PadTouchpadEvent | undefined {
  const phase = phaseOf(view.getUint8(1));
  const touchpad = view.getUint8(3);
  if (phase === undefined || touchpad > 1) return undefined;
  return {
    kind: "pad-touchpad",
    pad: requirePad(view.getUint8(0)),
    touchpad,
    phase,
    pointerId: view.getUint32(4, true),
    x: readFraction(view, 8),
    y: readFraction(view, 12),
    pressure: readFraction(view, 16),
  };
}

export function encodePadTouchpad(event: PadTouchpadEvent, view: DataView): void {
  view.setUint8(0, event.pad);
  view.setUint8(1, numberOfPhase(event.phase));
  view.setUint8(3, event.touchpad);
  view.setUint32(4, event.pointerId, true);
  view.setFloat32(8, event.x, true);
  view.setFloat32(12, event.y, true);
  view.setFloat32(16, event.pressure, true);
}

/** Undefined for a sensor that is not known. */
export function decodePadMotion(view: DataView): PadMotionEvent | undefined {
  const sensor = view.getUint8(1);
  if (sensor !== SENSOR_ACCELEROMETER && sensor !== SENSOR_GYROSCOPE) return undefined;
  return {
    kind: "pad-motion",
    pad: requirePad(view.getUint8(0)),
    sensor: sensor === SENSOR_ACCELEROMETER ? "accelerometer" : "gyroscope",
    x: readFinite(view, 4),
    y: readFinite(view, 8),
    z: readFinite(view, 12),
  };
}

export function encodePadMotion(event: PadMotionEvent, view: DataView): void {
  view.setUint8(0, event.pad);
  view.setUint8(1, event.sensor === "accelerometer" ? SENSOR_ACCELEROMETER : SENSOR_GYROSCOPE);
  view.setFloat32(4, event.x, true);
  view.setFloat32(8, event.y, true);
  view.setFloat32(12, event.z, true);
}

export function decodePadBattery(view: DataView): PadBatteryEvent {
  const percent = view.getUint8(2);
  return {
    kind: "pad-battery",
    pad: requirePad(view.getUint8(0)),
    state: BATTERY_STATES[view.getUint8(1)] ?? "unknown",
    percent: percent <= 100 ? percent : undefined,
  };
}

export function encodePadBattery(event: PadBatteryEvent, view: DataView): void {
  view.setUint8(0, event.pad);
  view.setUint8(1, BATTERY_STATES.indexOf(event.state));
  view.setUint8(2, event.percent ?? PERCENT_UNKNOWN);
}

function requirePad(pad: number): number {
  if (pad >= PAD_COUNT_MAX) {
    throw new ProtocolError("limit", `Cannot decode input packet: pad ${pad} of ${PAD_COUNT_MAX}`);
  }
  return pad;
}

/**
 * What the common model is told of a pad of each kind (specification 2.7; capabilities as in GameStream's 6.4).
 *
 * @module
 */
import type { PadArrivalEvent, PadModel, PadType } from "../../input_event.ts";
import { hasMotionSensors, type PadKind } from "../enums.ts";

const CAN = {
  analogueTriggers: 0x001,
  rumble: 0x002,
  triggerRumble: 0x004,
  touchpad: 0x008,
  accelerometer: 0x010,
  gyroscope: 0x020,
  led: 0x080,
  secondTouchpad: 0x100,
} as const;

/** D-pad, start, back, sticks, shoulders, guide, A, B, X, Y. */
const BUTTONS_COMMON = 0xf7ff;
const BUTTONS_PADDLES = 0x0f_0000;
export const BUTTON_TOUCHPAD = 0x10_0000;
const BUTTON_MISC = 0x20_0000;

interface Family {
  readonly type: PadType;
  readonly capabilities: number;
  readonly extraButtons: number;
}

const PLAIN: Family = {
  type: "unknown",
  capabilities: CAN.analogueTriggers | CAN.rumble,
  extraButtons: 0,
};
const XBOX_360: Family = { ...PLAIN, type: "xbox" };
const XBOX_ONE: Family = {
  type: "xbox",
  capabilities: XBOX_360.capabilities | CAN.triggerRumble,
  extraButtons: BUTTON_MISC,
};
const SONY: Family = {
  type: "playstation",
  capabilities: PLAIN.capabilities | CAN.touchpad | CAN.led,
  extraButtons: BUTTON_TOUCHPAD,
};
const STEAM: Family = {
  type: "steam",
  capabilities: PLAIN.capabilities | CAN.touchpad | CAN.secondTouchpad,
  extraButtons: BUTTONS_PADDLES | BUTTON_TOUCHPAD | BUTTON_MISC,
};
const NINTENDO: Family = {
  type: "nintendo",
  capabilities: CAN.rumble,
  extraButtons: BUTTON_MISC,
};
/** Neither of the families' shapes, with buttons behind. */
const EIGHT_BIT_DO: Family = { ...PLAIN, extraButtons: BUTTONS_PADDLES };

const FAMILIES: Readonly<Record<PadModel, Family>> = {
  "xbox-360": XBOX_360,
  "xbox-one": XBOX_ONE,
  "xbox-elite": { ...XBOX_ONE, extraButtons: BUTTONS_PADDLES | BUTTON_MISC },
  "dualsense": { ...SONY, extraButtons: BUTTON_TOUCHPAD | BUTTON_MISC },
  "dualsense-edge": {
    ...SONY,
    extraButtons: BUTTONS_PADDLES | BUTTON_TOUCHPAD | BUTTON_MISC,
  },
  "dualshock-4": SONY,
  "steam-controller": STEAM,
  "steam-controller-2": STEAM,
  "steam-controller-2-puck": STEAM,
  "steam-deck": STEAM,
  "horipad-steam": { ...PLAIN, type: "steam", extraButtons: BUTTONS_PADDLES | BUTTON_MISC },
  "switch-pro": NINTENDO,
  "joycon-pair": { ...NINTENDO, extraButtons: BUTTONS_PADDLES | BUTTON_MISC },
  "switch-2-pro": { ...NINTENDO, extraButtons: BUTTONS_PADDLES | BUTTON_MISC },
  "switch-2-gamecube": {
    ...NINTENDO,
    capabilities: NINTENDO.capabilities | CAN.analogueTriggers,
  },
  "8bitdo-ultimate-2": EIGHT_BIT_DO,
  "8bitdo-pro-2": EIGHT_BIT_DO,
  "8bitdo-pro-3": EIGHT_BIT_DO,
};

/** The arrival of pad number `pad`. Of the kind "auto" nothing is known but what every pad has. */
export function padArrivalOf(pad: number, padKind: PadKind): PadArrivalEvent {
  if (padKind === "auto") return arrivalOf(pad, PLAIN);
  const family = FAMILIES[padKind];
  const capabilities = hasMotionSensors(padKind)
    ? family.capabilities | CAN.accelerometer | CAN.gyroscope
    : family.capabilities;
  return { ...arrivalOf(pad, { ...family, capabilities }), model: padKind };
}

function arrivalOf(pad: number, { type, capabilities, extraButtons }: Family): PadArrivalEvent {
  const supportedButtons = BUTTONS_COMMON | extraButtons;
  return { kind: "pad-arrival", pad, type, capabilities, supportedButtons };
}

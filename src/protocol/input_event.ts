/**
 * The one model of input that every plane decodes to and every sink accepts.
 *
 * Positions are fractions of the shown picture, origin top left, 0…1 inclusive. Pads use Xbox positions for
 * their buttons, up-positive sticks in -32768…32767 and triggers in 0…255. All numbers are finite; a decoder
 * refuses NaN and infinities, so no sink has to.
 *
 * @module
 */

export type PointerButton = "left" | "middle" | "right" | "back" | "forward";

export const KEY_MODIFIER_SHIFT = 1;
export const KEY_MODIFIER_CTRL = 2;
export const KEY_MODIFIER_ALT = 4;
export const KEY_MODIFIER_META = 8;

/** The keypad's Enter. Windows has no number for it; this is one that Windows never assigns. */
export const VIRTUAL_KEY_KEYPAD_ENTER = 0xe8;

export interface KeyEvent {
  readonly kind: "key";
  /** Windows virtual-key number, 1…254. */
  readonly virtualKey: number;
  readonly isDown: boolean;
  /** KEY_MODIFIER_* bits the client believes are held, this key included. */
  readonly modifiers: number;
  /** True: the number names a position on the US layout. False: a key of the client's own layout. */
  readonly isPositional: boolean;
}

export interface TextEvent {
  readonly kind: "text";
  /** Well-formed Unicode, one or more code points. */
  readonly text: string;
}

export interface PointerMotionEvent {
  readonly kind: "pointer-motion";
  /** Host pixels, unscaled. */
  readonly dx: number;
  readonly dy: number;
}

export interface PointerPositionEvent {
  readonly kind: "pointer-position";
  readonly x: number;
  readonly y: number;
}

export interface PointerButtonEvent {
  readonly kind: "pointer-button";
  readonly button: PointerButton;
  readonly isDown: boolean;
}

export interface ScrollEvent {
  readonly kind: "scroll";
  readonly axis: "vertical" | "horizontal";
  /** 120 is one detent; positive is away from the user, or right. */
  readonly amount120: number;
  /** What was measured, of a device without detents; `amount120` is then its nearest for sinks that turn wheels. */
  readonly smooth?: SmoothScroll;
}

export type ScrollSource = "unknown" | "finger" | "continuous" | "touch" | "controller";

export type ScrollPhase =
  | "none"
  | "begin"
  | "update"
  | "end"
  | "cancel"
  | "momentum-begin"
  | "momentum"
  | "momentum-end";

export interface SmoothScroll {
  /** Host pixels, of the sign of `amount120`. 0 with the phases that end a movement. */
  readonly pixels: number;
  readonly source: ScrollSource;
  readonly phase: ScrollPhase;
}

export type ContactPhase =
  | "hover"
  | "down"
  | "up"
  | "move"
  | "cancel"
  | "button-only"
  | "hover-leave"
  | "cancel-all";

export interface TouchEvent {
  readonly kind: "touch";
  readonly phase: ContactPhase;
  readonly pointerId: number;
  readonly x: number;
  readonly y: number;
  /** Pressure 0…1, or distance 0…1 while hovering; 0 is unknown. */
  readonly pressureOrDistance: number;
  /** Fractions of the picture; 0 is unknown. */
  readonly contactMajor: number;
  readonly contactMinor: number;
  /** Degrees clockwise from vertical. */
  readonly rotationDegrees: number | undefined;
}

export interface PenEvent {
  readonly kind: "pen";
  readonly phase: ContactPhase;
  readonly tool: "unknown" | "pen" | "eraser";
  /** Bit 0 primary, 1 secondary, 2 tertiary. */
  readonly buttons: number;
  readonly x: number;
  readonly y: number;
  readonly pressureOrDistance: number;
  readonly contactMajor: number;
  readonly contactMinor: number;
  readonly rotationDegrees: number | undefined;
  readonly tiltDegrees: number | undefined;
}

export type PadType = "unknown" | "xbox" | "playstation" | "nintendo" | "steam";

export type PadModel =
  | "xbox-360"
  | "xbox-one"
  | "xbox-elite"
  | "dualsense"
  | "dualsense-edge"
  | "dualshock-4"
  | "steam-controller"
  | "steam-controller-2"
  | "steam-controller-2-puck"
  | "steam-deck"
  | "horipad-steam"
  | "switch-pro"
  | "joycon-pair"
  | "switch-2-pro"
  | "switch-2-gamecube"
  | "8bitdo-ultimate-2"
  | "8bitdo-pro-2"
  | "8bitdo-pro-3";

export interface PadArrivalEvent {
  readonly kind: "pad-arrival";
  readonly pad: number;
  readonly type: PadType;
  /** Absent when the client tells the family only. */
  readonly model?: PadModel;
  /** Bits as in the specification, section 6.4: analogue triggers 1, rumble 2, … */
  readonly capabilities: number;
  readonly supportedButtons: number;
}

export interface PadRemovalEvent {
  readonly kind: "pad-removal";
  readonly pad: number;
}

export interface PadStateEvent {
  readonly kind: "pad-state";
  readonly pad: number;
  readonly buttons: number;
  readonly leftTrigger: number;
  readonly rightTrigger: number;
  readonly leftX: number;
  readonly leftY: number;
  readonly rightX: number;
  readonly rightY: number;
}

export interface PadTouchpadEvent {
  readonly kind: "pad-touchpad";
  readonly pad: number;
  readonly touchpad: number;
  readonly phase: ContactPhase;
  readonly pointerId: number;
  readonly x: number;
  readonly y: number;
  readonly pressure: number;
}

export interface PadMotionEvent {
  readonly kind: "pad-motion";
  readonly pad: number;
  readonly sensor: "accelerometer" | "gyroscope";
  /** m/s² including gravity, or degrees/s; X right, Y up, Z towards the player. */
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

export interface PadBatteryEvent {
  readonly kind: "pad-battery";
  readonly pad: number;
  readonly state: "unknown" | "absent" | "discharging" | "charging" | "not-charging" | "full";
  readonly percent: number | undefined;
}

export type PadEvent =
  | PadArrivalEvent
  | PadRemovalEvent
  | PadStateEvent
  | PadTouchpadEvent
  | PadMotionEvent
  | PadBatteryEvent;

export type InputEvent =
  | KeyEvent
  | TextEvent
  | PointerMotionEvent
  | PointerPositionEvent
  | PointerButtonEvent
  | ScrollEvent
  | TouchEvent
  | PenEvent
  | PadEvent;

export type MicrophoneLedMode = "off" | "on" | "pulse";

/** What games send back to a pad. */
export type PadFeedback =
  | { readonly kind: "rumble"; readonly pad: number; readonly low: number; readonly high: number }
  | {
    readonly kind: "trigger-rumble";
    readonly pad: number;
    readonly left: number;
    readonly right: number;
  }
  | {
    readonly kind: "motion-rate";
    readonly pad: number;
    readonly sensor: "accelerometer" | "gyroscope";
    readonly rateHz: number;
  }
  | {
    readonly kind: "led";
    readonly pad: number;
    readonly red: number;
    readonly green: number;
    readonly blue: number;
  }
  /** Bit n lights lamp n + 1 of five, from the left. */
  | { readonly kind: "player-leds"; readonly pad: number; readonly bits: number }
  | { readonly kind: "microphone-led"; readonly pad: number; readonly mode: MicrophoneLedMode }
  | {
    readonly kind: "adaptive-triggers";
    readonly pad: number;
    /** 0x04 right valid, 0x08 left valid. */
    readonly flags: number;
    readonly leftType: number;
    readonly rightType: number;
    /** Ten effect bytes each. */
    readonly left: Uint8Array;
    readonly right: Uint8Array;
  };

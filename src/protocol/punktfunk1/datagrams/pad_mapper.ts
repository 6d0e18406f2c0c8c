/**
 * Pads of a punktfunk/1 client as events of the common model (specification 7.1, 7.6). Pure.
 *
 *     wire                          pad absent              pad there
 *     announced                     arrival                 as announced: nothing; else removal, arrival, state
 *     snapshot, button, axis        arrival, state          state, if it changed
 *     removed                       nothing                 removal
 *     touch, surface, motion        nothing                 the event
 *
 * Datagrams overtake each other and get lost. Snapshots and removals of a pad apply only when newer than the last one,
 * also across its removal; a pad that speaks without having been announced arrives as what had its number before it, or
 * as the session's kind.
 *
 * @module
 */
import type { InputEvent, PadStateEvent, PadTouchpadEvent } from "../../input_event.ts";
import type { PadKind } from "../enums.ts";
import type { PadAxisInput, PadButtonInput, PadInput } from "./input_pad.ts";
import { BUTTON_TOUCHPAD, padArrivalOf } from "./pad_arrival.ts";
import type { PadMotionInput, PadSurfaceInput, PadTouchInput } from "./rich_input.ts";
import { isNewerSequence, PAD_COUNT_MAX } from "./tags.ts";

export type PadRichInput = PadTouchInput | PadMotionInput | PadSurfaceInput;

export interface PadMapperOptions {
  /** What a pad is that was never announced, or announced as "auto". */
  readonly defaultKind: PadKind;
  readonly emit: (event: InputEvent) => void;
}

const GYRO_COUNTS_PER_DEGREE = 20;
const ACCELERATION_COUNTS_PER_G = 10_000;
const STANDARD_GRAVITY = 9.80665;
const U16_MAX = 65_535;
const I16_MIN = -32_768;

/** One pad that is there. */
interface LivePad {
  readonly padKind: PadKind;
  /** As the client sent it last, clicks of surfaces left out. */
  state: PadStateEvent;
  /** As it was emitted last. */
  shown: PadStateEvent;
  /** Surfaces that are clicked, a bit each. */
  clicks: number;
  /** Fingers that touch, as touchpad << 8 | finger. */
  readonly fingers: Set<number>;
}

export class PadMapper {
  readonly #options: PadMapperOptions;
  readonly #pads = new Map<number, LivePad>();
  readonly #kinds: PadKind[];
  readonly #lastSequences: (number | undefined)[] = new Array(PAD_COUNT_MAX);

  constructor(options: PadMapperOptions) {
    this.#options = options;
    this.#kinds = new Array(PAD_COUNT_MAX).fill(options.defaultKind);
  }

  apply(input: PadInput): void {
    switch (input.kind) {
      case "pad-announced":
        return this.#announce(input.pad, input.padKind);
      case "pad-snapshot":
        if (this.#isNewer(input.state.pad, input.sequence)) this.#update(input.state);
        return;
      case "pad-removed":
        if (this.#isNewer(input.pad, input.sequence)) this.#remove(input.pad);
        return;
      case "pad-button":
      case "pad-axis":
        return this.#update(changedState(this.#stateOf(input.pad), input));
    }
  }

  applyRich(input: PadRichInput): void {
    const pad = this.#pads.get(input.pad);
    if (pad === undefined) return;
    switch (input.kind) {
      case "pad-motion":
        return this.#move(input);
      case "pad-touch":
        return this.#touch(pad, input, {
          touchpad: 0,
          x: input.x / U16_MAX,
          y: input.y / U16_MAX,
          pressure: input.isTouching ? 1 : 0,
        });
      case "pad-surface":
        this.#touch(pad, input, {
          touchpad: input.surface === "right" ? 1 : 0,
          x: (input.x - I16_MIN) / U16_MAX,
          y: (input.y - I16_MIN) / U16_MAX,
          pressure: input.pressure / U16_MAX,
        });
        return this.#click(pad, input);
    }
  }

  /** Every pad leaves. */
  releaseAll(): void {
    for (const pad of [...this.#pads.keys()]) this.#remove(pad);
  }

  #announce(pad: number, announcedKind: PadKind): void {
    const padKind = announcedKind === "auto" ? this.#options.defaultKind : announcedKind;
    this.#kinds[pad] = padKind;
    const before = this.#pads.get(pad);
    if (before?.padKind === padKind) return;
    if (before !== undefined) this.#remove(pad);
    this.#add(pad);
    if (before !== undefined) this.#update(before.state);
  }

  #add(pad: number): LivePad {
    const padKind = this.#kinds[pad] ?? this.#options.defaultKind;
    const state = neutralState(pad);
    const live = { padKind, state, shown: state, clicks: 0, fingers: new Set<number>() };
    this.#pads.set(pad, live);
    this.#options.emit(padArrivalOf(pad, padKind));
    return live;
  }

  #remove(pad: number): void {
    if (this.#pads.delete(pad)) this.#options.emit({ kind: "pad-removal", pad });
  }

  #update(state: PadStateEvent): void {
    const pad = this.#pads.get(state.pad) ?? this.#add(state.pad);
    pad.state = state;
    this.#show(pad);
  }

  #show(pad: LivePad): void {
    const { state } = pad;
    const shown = pad.clicks === 0 ? state : {
      ...state,
      buttons: (state.buttons | BUTTON_TOUCHPAD) >>> 0,
    };
    if (isSameState(shown, pad.shown)) return;
    pad.shown = shown;
    this.#options.emit(shown);
  }

  #stateOf(pad: number): PadStateEvent {
    return this.#pads.get(pad)?.state ?? neutralState(pad);
  }

  #isNewer(pad: number, sequence: number): boolean {
    const last = this.#lastSequences[pad];
    if (last !== undefined && !isNewerSequence(sequence, last, 8)) return false;
    this.#lastSequences[pad] = sequence;
    return true;
  }

  #touch(
    pad: LivePad,
    input: PadTouchInput | PadSurfaceInput,
    place: Pick<PadTouchpadEvent, "touchpad" | "x" | "y" | "pressure">,
  ): void {
    const finger = place.touchpad << 8 | input.finger;
    const wasTouching = pad.fingers.has(finger);
    if (!wasTouching && !input.isTouching) return;
    if (input.isTouching) pad.fingers.add(finger);
    else pad.fingers.delete(finger);
    this.#options.emit({
      kind: "pad-touchpad",
      pad: input.pad,
      touchpad: place.touchpad,
      phase: !input.isTouching ? "up" : wasTouching ? "move" : "down",
      pointerId: input.finger,
      x: place.x,
      y: place.y,
      pressure: place.pressure,
    });
  }

  #click(pad: LivePad, { surface, isClicked }: PadSurfaceInput): void {
    const bit = surface === "right" ? 2 : 1;
    pad.clicks = isClicked ? pad.clicks | bit : pad.clicks & ~bit;
    this.#show(pad);
  }

  #move({ pad, gyro, acceleration }: PadMotionInput): void {
    const emit = (
      sensor: "gyroscope" | "accelerometer",
      [x, y, z]: PadMotionInput["gyro"],
      unit: number,
    ) =>
      this.#options.emit({
        kind: "pad-motion",
        pad,
        sensor,
        x: x * unit,
        y: y * unit,
        z: z * unit,
      });
    emit("gyroscope", gyro, 1 / GYRO_COUNTS_PER_DEGREE);
    emit("accelerometer", acceleration, STANDARD_GRAVITY / ACCELERATION_COUNTS_PER_G);
  }
}

function neutralState(pad: number): PadStateEvent {
  return {
    kind: "pad-state",
    pad,
    buttons: 0,
    leftTrigger: 0,
    rightTrigger: 0,
    leftX: 0,
    leftY: 0,
    rightX: 0,
    rightY: 0,
  };
}

function changedState(state: PadStateEvent, input: PadButtonInput | PadAxisInput): PadStateEvent {
  if (input.kind === "pad-axis") return { ...state, [input.axis]: input.value };
  const { buttons } = state;
  return {
    ...state,
    buttons: (input.isDown ? buttons | input.buttons : buttons & ~input.buttons) >>> 0,
  };
}

function isSameState(a: PadStateEvent, b: PadStateEvent): boolean {
  return a.buttons === b.buttons && a.leftTrigger === b.leftTrigger &&
    a.rightTrigger === b.rightTrigger && a.leftX === b.leftX && a.leftY === b.leftY &&
    a.rightX === b.rightX && a.rightY === b.rightY;
}

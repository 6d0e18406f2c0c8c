/**
 * From what a punktfunk/1 client sends to the common model of input (specification 7.1, 7.6): one instance a session,
 * fed by datagrams c8 and cc and by control message 5c in the order of their coming.
 *
 * @module
 */
import type { Clock } from "../../../lib/clock.ts";
import type { InputEvent } from "../../input_event.ts";
import type { PadKind } from "../enums.ts";
import type { WireInput } from "./input.ts";
import { PadMapper } from "./pad_mapper.ts";
import { PenMapper } from "./pen_mapper.ts";
import type { RichInput } from "./rich_input.ts";
import { TouchMapper } from "./touch_mapper.ts";

export interface InputMapperOptions {
  readonly clock: Clock;
  /** What the session takes a pad for whose kind the client does not tell. */
  readonly padKind: PadKind;
  readonly emit: (event: InputEvent) => void;
}

export class InputMapper {
  readonly #emit: (event: InputEvent) => void;
  readonly #pads: PadMapper;
  readonly #pen: PenMapper;
  readonly #touches: TouchMapper;

  constructor({ clock, padKind, emit }: InputMapperOptions) {
    this.#emit = emit;
    this.#pads = new PadMapper({ defaultKind: padKind, emit });
    this.#pen = new PenMapper({ clock, emit });
    this.#touches = new TouchMapper(emit);
  }

  apply(input: WireInput): void {
    switch (input.kind) {
      case "touch":
        return this.#touches.apply(input);
      case "pad-button":
      case "pad-axis":
      case "pad-snapshot":
      case "pad-removed":
      case "pad-announced":
        return this.#pads.apply(input);
      default:
        return this.#emit(input);
    }
  }

  /** Raw reports of pads are passed over: no pad that is made here takes them. */
  applyRich(input: RichInput): void {
    switch (input.kind) {
      case "pen":
        return this.#pen.apply(input);
      case "pad-hid-report":
        return;
      default:
        return this.#pads.applyRich(input);
    }
  }

  /**
   * Pads leave, fingers and pen are lifted, no timer is left: at the end of a session, or when grants shrink. Keys and
   * buttons are held by the session and let go there.
   */
  releaseAll(): void {
    this.#touches.releaseAll();
    this.#pen.lift();
    this.#pads.releaseAll();
  }
}

/**
 * Where input events go.
 *
 * A sink takes events in order and injects them at once. It is not told twice what it knows: the session passes
 * only real changes (a key goes down once), keeps the list of what is held, and releases it before `close`. A sink
 * that cannot do a kind of event (pads, touch) ignores it; `can` says so beforehand, for the plane to advertise.
 *
 * @module
 */
import type { InputEvent, PadEvent, PadFeedback } from "../protocol/input_event.ts";

export type InputAbility = "pointer" | "keyboard" | "text" | "touch" | "pen";

export interface InputSink extends AsyncDisposable {
  readonly description: string;
  can(ability: InputAbility): boolean;
  /** Inject one event. Throws OperationError "unavailable" when the compositor is gone. */
  inject(event: Exclude<InputEvent, PadEvent>): void;
  close(): Promise<void>;
}

/** One virtual pad. */
export interface Pad extends Disposable {
  inject(event: Exclude<PadEvent, { kind: "pad-arrival" | "pad-removal" }>): void;
  close(): void;
}

export interface PadFactory {
  /** Whether pads can be made here, with the reason as one sentence. */
  probe(): { readonly isAvailable: boolean; readonly reason: string };
  create(
    arrival: Extract<PadEvent, { kind: "pad-arrival" }>,
    onFeedback: (feedback: PadFeedback) => void,
  ): Pad;
}

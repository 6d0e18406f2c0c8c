/**
 * The virtual pads of one session: made when the client's pads arrive, gone when they leave or the session ends.
 *
 * A pad that speaks before it introduced itself gets the plainest one. Where no pads can be made, or the machine refuses
 * one, events of that pad are dropped: a stream without a pad is better than none.
 *
 * @module
 */
import type { Pad, PadFactory } from "../input/ports.ts";
import type { PadArrivalEvent, PadEvent, PadFeedback } from "../protocol/input_event.ts";

/** As many as the protocols count. */
export const PADS_MAX = 16;

export interface PadGateOptions {
  readonly factory: PadFactory;
  readonly onFeedback: (feedback: PadFeedback) => void;
  /** A pad could not be made, broke, or did not go in peace. */
  readonly onRefused: (pad: number, error: unknown) => void;
}

export class PadGate implements Disposable {
  readonly #options: PadGateOptions;
  /** null: refused, and not asked for again until it arrives anew. */
  readonly #pads = new Map<number, Pad | null>();

  constructor(options: PadGateOptions) {
    this.#options = options;
  }

  handle(event: PadEvent): void {
    const { pad } = event;
    if (!Number.isInteger(pad) || pad < 0 || pad >= PADS_MAX) return;
    if (event.kind === "pad-removal") return this.#remove(pad);
    if (event.kind === "pad-arrival") {
      this.#remove(pad);
      this.#create(event);
      return;
    }
    const target = this.#pads.has(pad) ? this.#pads.get(pad) : this.#create(unknownPad(pad));
    if (target === null || target === undefined) return;
    try {
      target.inject(event);
    } catch (error) {
      this.#refuse(pad, error);
      this.#close(pad, target);
    }
  }

  [Symbol.dispose](): void {
    for (const pad of [...this.#pads.keys()]) this.#remove(pad);
  }

  #create(arrival: PadArrivalEvent): Pad | null {
    try {
      const pad = this.#options.factory.create(arrival, this.#options.onFeedback);
      this.#pads.set(arrival.pad, pad);
      return pad;
    } catch (error) {
      this.#refuse(arrival.pad, error);
      return null;
    }
  }

  #refuse(pad: number, error: unknown): void {
    this.#pads.set(pad, null);
    this.#options.onRefused(pad, error);
  }

  #remove(pad: number): void {
    const target = this.#pads.get(pad);
    this.#pads.delete(pad);
    if (target) this.#close(pad, target);
  }

  /** One that does not go in peace keeps none of the others. */
  #close(pad: number, target: Pad): void {
    try {
      target.close();
    } catch (error) {
      this.#options.onRefused(pad, error);
    }
  }
}

function unknownPad(pad: number): PadArrivalEvent {
  return { kind: "pad-arrival", pad, type: "unknown", capabilities: 0, supportedButtons: 0 };
}

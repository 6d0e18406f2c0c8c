/**
 * Which pads a client has (GameStream specification 6.4). Pure.
 *
 *     packet of pad n           n absent                      n there
 *     arrival                   arrival                       removal, arrival: another device
 *     state, bit n set          default arrival, state        state
 *     state, bit n clear        nothing                       removal
 *     touchpad, motion, …       nothing                       the event
 *
 * Only a pad's own packets decide about it: every pad has a channel of its own, so that the mask in another one's packet
 * may be older than what this one said.
 *
 * @module
 */
import type { InputEvent, PadArrivalEvent } from "../input_event.ts";
import type { InputPacket } from "./input.ts";

/** A pad of a client that does not announce its pads: what every Xbox pad has. */
const DEFAULT_PAD: Omit<PadArrivalEvent, "pad"> = {
  kind: "pad-arrival",
  type: "xbox",
  // Analogue triggers and rumble.
  capabilities: 0x003,
  supportedButtons: 0xf7ff,
};

export class PadTracker {
  #liveMask = 0;

  /** The events that `packet` stands for, in order. */
  apply(packet: InputPacket): InputEvent[] {
    switch (packet.kind) {
      case "pad-arrival": {
        const isReplaced = this.#isLive(packet.pad);
        this.#liveMask |= 1 << packet.pad;
        return isReplaced ? [{ kind: "pad-removal", pad: packet.pad }, packet] : [packet];
      }
      case "pad-report": {
        const { activeMask, state } = packet;
        const bit = 1 << state.pad;
        const wasLive = this.#isLive(state.pad);
        if ((activeMask & bit) === 0) {
          this.#liveMask &= ~bit;
          return wasLive ? [{ kind: "pad-removal", pad: state.pad }] : [];
        }
        this.#liveMask |= bit;
        return wasLive ? [state] : [{ ...DEFAULT_PAD, pad: state.pad }, state];
      }
      case "pad-touchpad":
      case "pad-motion":
      case "pad-battery":
        return this.#isLive(packet.pad) ? [packet] : [];
      default:
        return [packet];
    }
  }

  #isLive(pad: number): boolean {
    return (this.#liveMask & 1 << pad) !== 0;
  }
}

/**
 * Input packets.
 *
 * @module
 */
import { decodeInput } from "../../../src/protocol/gamestream/input.ts";
import { PadTracker } from "../../../src/protocol/gamestream/input_pad_tracker.ts";
import vectors from "../../vectors/gamestream-input.json" with { type: "json" };
import type { FuzzTarget } from "../target.ts";

/** Every number of an event must be finite: sinks rely on it. */
function decode(bytes: Uint8Array): void {
  const packet = decodeInput(bytes);
  if (packet === undefined) return;
  for (const event of new PadTracker().apply(packet)) {
    for (const [name, value] of Object.entries(event)) {
      if (typeof value === "number" && !Number.isFinite(value)) {
        throw new Error(`Cannot inject ${event.kind}: ${name} is ${value}`);
      }
    }
  }
}

export const TARGETS: readonly FuzzTarget[] = [
  {
    name: "input",
    seeds: vectors.packets.map(({ packet }) => Uint8Array.fromHex(packet)),
    run: decode,
  },
];

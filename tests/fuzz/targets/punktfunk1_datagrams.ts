/**
 * QUIC datagrams of the native plane, and what a host makes of a client's.
 *
 * @module
 */
import { FakeClock } from "../../../src/lib/clock.ts";
import { ProtocolError } from "../../../src/lib/errors.ts";
import {
  type Datagram,
  decodeDatagram,
  encodeDatagram,
} from "../../../src/protocol/punktfunk1/datagrams/datagram.ts";
import { InputMapper } from "../../../src/protocol/punktfunk1/datagrams/input_mapper.ts";
import vectors from "../../vectors/punktfunk1-datagrams.json" with { type: "json" };
import type { FuzzTarget } from "../target.ts";

/** Unreadable datagrams are dropped in silence: that is made an error here, as the harness expects one. */
function decode(bytes: Uint8Array): Datagram {
  const datagram = decodeDatagram(bytes);
  if (datagram === undefined) throw new ProtocolError("malformed", "Cannot decode datagram");
  return datagram;
}

/** Every number that reaches a sink must be finite, and the end must leave no timer. */
function map(bytes: Uint8Array): void {
  const datagram = decode(bytes);
  const clock = new FakeClock();
  const mapper = new InputMapper({
    clock,
    padKind: "auto",
    emit(event) {
      for (const [name, value] of Object.entries(event)) {
        if (typeof value === "number" && !Number.isFinite(value)) {
          throw new Error(`Cannot inject ${event.kind}: ${name} is ${value}`);
        }
      }
    },
  });
  if (datagram.type === "input") mapper.apply(datagram.body);
  if (datagram.type === "rich-input") mapper.applyRich(datagram.body);
  mapper.releaseAll();
  if (clock.pendingTimers > 0) throw new Error("Cannot end: a timer is left");
}

function seedsOf(types: readonly string[]): Uint8Array[] {
  return vectors.datagrams.filter(({ type }) => types.includes(type))
    .map(({ hex }) => Uint8Array.fromHex(hex));
}

export const TARGETS: readonly FuzzTarget[] = [
  {
    name: "punktfunk1-datagrams",
    seeds: vectors.datagrams.map(({ hex }) => Uint8Array.fromHex(hex)),
    run(bytes) {
      const { type, body } = decode(bytes);
      encodeDatagram(type, body);
    },
  },
  {
    name: "punktfunk1-input-mapper",
    seeds: seedsOf(["input", "rich-input"]),
    run: map,
  },
];

/**
 * The vectors of tests/vectors/punktfunk1-datagrams.json as the codecs name things.
 *
 * @module
 */
import assert from "node:assert/strict";
import { parseHex } from "../../../../../src/lib/bytes.ts";
import {
  type DatagramBodies,
  encodeDatagram,
} from "../../../../../src/protocol/punktfunk1/datagrams/datagram.ts";
import {
  encodeInput,
  type SurfaceSize,
} from "../../../../../src/protocol/punktfunk1/datagrams/input.ts";
import type { DatagramType } from "../../../../../src/protocol/punktfunk1/datagrams/tags.ts";
import file from "../../../../vectors/punktfunk1-datagrams.json" with { type: "json" };

export interface DatagramVector {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly type: DatagramType;
  readonly body: DatagramBodies[DatagramType];
  readonly surface: SurfaceSize | undefined;
}

const HEX_FIELDS: ReadonlySet<string> = new Set(["payload", "previous", "effect"]);

export function bytesOf(text: string): Uint8Array {
  return parseHex(text) ?? assert.fail(`not hexadecimal: ${text}`);
}

function revive(key: string, value: unknown): unknown {
  if (typeof value !== "string") return value;
  if (key === "ptsNs") return BigInt(value);
  return HEX_FIELDS.has(key) ? bytesOf(value) : value;
}

export const VECTORS: readonly DatagramVector[] = file.datagrams.map((entry) => ({
  name: entry.name,
  bytes: bytesOf(entry.hex),
  type: entry.type as DatagramType,
  body: JSON.parse(JSON.stringify(entry.body), revive),
  surface: entry.surface,
}));

export function encodeVector({ type, body, surface }: DatagramVector): Uint8Array {
  return surface === undefined
    ? encodeDatagram(type, body)
    : encodeInput(body as DatagramBodies["input"], surface);
}

/** `value` without fields that are undefined, for files do not write those. */
export function withoutUndefined<Value>(value: Value): Value {
  if (Array.isArray(value)) return value.map(withoutUndefined) as Value;
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(
    Object.entries(value).filter(([, field]) => field !== undefined)
      .map(([name, field]) => [name, withoutUndefined(field)]),
  ) as Value;
}

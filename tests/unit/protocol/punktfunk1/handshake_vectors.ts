/**
 * The handshake messages of the specification, by name.
 *
 * @module
 */
import assert from "node:assert/strict";
import vectors from "../../../vectors/punktfunk1-handshake.json" with { type: "json" };

/** The payload called `name` in the vectors of one message. */
export function handshakeVector(
  message: "hello" | "welcome" | "start",
  name: string,
): Uint8Array<ArrayBuffer> {
  const found = vectors[message].find((vector) => vector.name === name);
  return Uint8Array.fromHex(found?.hex ?? assert.fail(`no such vector: ${name}`));
}

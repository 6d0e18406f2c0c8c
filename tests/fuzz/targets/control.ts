/**
 * Control frames and the messages inside them.
 *
 * @module
 */
import { equalBytes } from "../../../src/lib/bytes.ts";
import { ControlOpener } from "../../../src/protocol/gamestream/control.ts";
import { decodeHostControl } from "../../../src/protocol/gamestream/control_host_messages.ts";
import {
  decodeClientControl,
  encodeClientControl,
} from "../../../src/protocol/gamestream/control_messages.ts";
import vectors from "../../vectors/gamestream-control.json" with { type: "json" };
import type { FuzzTarget } from "../target.ts";

const KEY = Uint8Array.fromHex(vectors.rikey);

function plaintexts(direction: "client->host" | "host->client"): Uint8Array[] {
  return vectors.v2.filter((vector) => vector.direction === direction)
    .map(({ plaintext }) => Uint8Array.fromHex(plaintext));
}

/** What decodes must encode to something that decodes alike. */
function decodeClient(bytes: Uint8Array): void {
  const message = decodeClientControl(bytes);
  const written = encodeClientControl(message);
  if (!equalBytes(encodeClientControl(decodeClientControl(written)), written)) {
    throw new Error("Cannot read what was written");
  }
}

export const TARGETS: readonly FuzzTarget[] = [
  {
    name: "control-frame",
    seeds: vectors.v2.filter(({ direction }) => direction === "client->host")
      .map(({ message }) => Uint8Array.fromHex(message)),
    run: (bytes) => {
      new ControlOpener({ key: KEY, sender: "client", isV2: true }).open(bytes);
    },
  },
  { name: "control-client", seeds: plaintexts("client->host"), run: decodeClient },
  {
    name: "control-host",
    seeds: plaintexts("host->client"),
    run: (bytes) => void decodeHostControl(bytes),
  },
];

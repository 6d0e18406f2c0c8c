/**
 * The recorded ENet exchanges, as bytes.
 *
 * @module
 */
import vectors from "../../../vectors/gamestream-enet.json" with { type: "json" };
import { parseHex } from "../../../../src/lib/bytes.ts";

type Exchange = Exclude<keyof typeof vectors, "_about">;

export interface RecordedDatagram {
  readonly from: "client" | "host";
  readonly bytes: Uint8Array;
}

export const EXCHANGES = Object.keys(vectors).filter((name) => name !== "_about") as Exchange[];

/** The datagrams of one exchange, in order. */
export function recorded(exchange: Exchange): RecordedDatagram[] {
  return vectors[exchange].map((entry) => ({
    from: entry.from === "client" ? "client" : "host",
    bytes: hex(entry.datagram),
  }));
}

/** Bytes of hexadecimal text that a test wrote, blanks allowed. */
export function hex(text: string): Uint8Array<ArrayBuffer> {
  const bytes = parseHex(text.replaceAll(" ", ""));
  if (bytes === undefined) throw new TypeError(`Cannot read hexadecimal text "${text}"`);
  return bytes;
}

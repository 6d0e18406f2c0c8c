/**
 * The request target of an nvhttp request (GameStream specification 2.1, 2.2).
 *
 *     /path[?name=value&…]     at most 16 KiB, at most 64 parameters, values percent-encoded
 *
 * @module
 */
import { ProtocolError } from "../../lib/errors.ts";

export const REQUEST_TARGET_SIZE_BYTES_MAX = 16 * 1024;
export const REQUEST_PARAMETERS_MAX = 64;
const DEVICE_NAME_CHARACTERS_MAX = 64;
/** Sent by every stock client in place of a name; one of them glues the next parameter to it. */
const DEVICE_NAMES_WITHOUT_MEANING: ReadonlySet<string> = new Set(["roth", "rothupdateState=1"]);

export interface RequestTarget {
  /** As sent, with its leading slash. */
  readonly path: string;
  readonly query: URLSearchParams;
}

/** Split a request target. Throws ProtocolError. */
export function parseRequestTarget(target: string): RequestTarget {
  if (target.length > REQUEST_TARGET_SIZE_BYTES_MAX) {
    throw new ProtocolError(
      "limit",
      `Cannot read request: its target has more than ${REQUEST_TARGET_SIZE_BYTES_MAX} bytes`,
    );
  }
  if (!target.startsWith("/")) {
    throw new ProtocolError("malformed", "Cannot read request: its target is no path");
  }
  const mark = target.indexOf("?");
  const path = mark < 0 ? target : target.slice(0, mark);
  const query = new URLSearchParams(mark < 0 ? "" : target.slice(mark + 1));
  if (query.size > REQUEST_PARAMETERS_MAX) {
    throw new ProtocolError(
      "limit",
      `Cannot read request: it has more than ${REQUEST_PARAMETERS_MAX} parameters`,
    );
  }
  return { path, query };
}

/** `devicename` fit for showing to a person: one line of at most 64 plain characters, or "". */
export function readDeviceName(query: URLSearchParams): string {
  const name = query.get("devicename") ?? "";
  if (DEVICE_NAMES_WITHOUT_MEANING.has(name)) return "";
  const plain = name.toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu, " ")
    .replace(/\s+/g, " ")
    .trim();
  return [...plain].slice(0, DEVICE_NAME_CHARACTERS_MAX).join("").trim();
}

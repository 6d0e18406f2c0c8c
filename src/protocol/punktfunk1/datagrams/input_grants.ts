/**
 * Which grant each kind of input needs (specification 2.7). What is not granted is dropped without notice.
 *
 * @module
 */
import { GRANTS } from "../caps.ts";
import type { WireInput } from "./input.ts";
import type { RichInput } from "./rich_input.ts";

const GRANT_OF: Readonly<Record<(WireInput | RichInput)["kind"], number>> = {
  "key": GRANTS.keyboard,
  "text": GRANTS.keyboard,
  "pointer-motion": GRANTS.pointer,
  "pointer-position": GRANTS.pointer,
  "pointer-button": GRANTS.pointer,
  "scroll": GRANTS.pointer,
  "touch": GRANTS.pointer,
  "pen": GRANTS.pointer,
  "pad-button": GRANTS.gamepad,
  "pad-axis": GRANTS.gamepad,
  "pad-snapshot": GRANTS.gamepad,
  "pad-removed": GRANTS.gamepad,
  "pad-announced": GRANTS.gamepad,
  "pad-touch": GRANTS.gamepad,
  "pad-motion": GRANTS.gamepad,
  "pad-surface": GRANTS.gamepad,
  "pad-hid-report": GRANTS.gamepad,
};

/** The one bit of `GRANTS` that `input` needs. */
export function grantOf(input: WireInput | RichInput): number {
  return GRANT_OF[input.kind];
}

/** Whether a client that holds `grants` may send `input`. */
export function isInputGranted(input: WireInput | RichInput, grants: number): boolean {
  return (grants & grantOf(input)) !== 0;
}

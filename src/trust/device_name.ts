/**
 * Names that devices give themselves. They are shown to an operator who decides by them, so they must not pretend to be
 * anything but one short line (product specification 3.3).
 *
 * @module
 */

export const DEVICE_NAME_CHARACTERS_MAX = 64;
const FINGERPRINT_DIGITS_SHOWN = 8;

/**
 * `name` without control and format characters (those that reorder or hide text are among them), blanks collapsed, at
 * most 64 characters; a name made from `fingerprint` when nothing is left.
 */
export function cleanDeviceName(name: string, fingerprint: string): string {
  const line = name.toWellFormed().replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, " ")
    .replace(/\p{Cf}/gu, "").replace(/\s+/gu, " ").trim();
  const shown = [...line].slice(0, DEVICE_NAME_CHARACTERS_MAX).join("").trimEnd();
  return shown === "" ? `Device ${fingerprint.slice(0, FINGERPRINT_DIGITS_SHOWN)}` : shown;
}

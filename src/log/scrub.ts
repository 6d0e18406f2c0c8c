/**
 * What keeps secrets and tricks out of log lines: the last net, not the plan. Callers do not log secrets.
 *
 * @module
 */

const SECRET_WORDS = new Set([
  "authorization",
  "cookie",
  "key",
  "passphrase",
  "password",
  "pin",
  "rikey",
  "secret",
  "token",
]);

const REDACTED = "[redacted]";
/** Keys, tokens and digests are at least 128 bits long. */
const LONG_HEX = /[0-9a-fA-F]{32,}/g;
// deno-lint-ignore no-control-regex
const TERMINAL_SEQUENCE = /\u001b\[[0-9;?]*[ -/]*[@-~]/g;
// deno-lint-ignore no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g;
const BIDI = /[\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

/** Text on one line, without characters that move the cursor or reorder what follows. */
export function scrubText(text: string): string {
  return text.toWellFormed().replace(TERMINAL_SEQUENCE, "").replace(CONTROL, " ").replace(BIDI, "");
}

/**
 * The loggable form of one field. A field named after a secret is redacted whole, and so is every run of 32 or more
 * hexadecimal digits, except in a field that is named a fingerprint: those are public.
 */
export function scrubField(
  name: string,
  value: string | number | boolean,
): string | number | boolean {
  const words = name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase().split(/[^a-z0-9]+/);
  if (words.some((word) => SECRET_WORDS.has(word))) return REDACTED;
  if (typeof value !== "string") return value;
  const text = scrubText(value);
  return words.includes("fingerprint") ? text : text.replace(LONG_HEX, REDACTED);
}

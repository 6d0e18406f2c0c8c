/**
 * What kinds of value a setting can have: how each is read from text (flag, environment) and from the settings file.
 *
 * @module
 */

/** `isExact` is false when a number had to be brought into its range. */
export interface ParsedText<T> {
  readonly value: T;
  readonly isExact: boolean;
}

export interface SettingKind<T> {
  /** What is allowed, for an error: "must be …". */
  readonly expectation: string;
  /** undefined when the text is not a value of this kind at all. */
  parse(text: string): ParsedText<T> | undefined;
  /** A value as JSON holds it; undefined when it is of another kind or out of range. */
  accept(stored: unknown): T | undefined;
}

const BOOLEAN_WORDS: Readonly<Record<string, boolean>> = {
  "1": true,
  "true": true,
  "on": true,
  "yes": true,
  "0": false,
  "false": false,
  "off": false,
  "no": false,
};

export function booleanKind(): SettingKind<boolean> {
  return {
    expectation: "must be on or off",
    parse(text) {
      const value = BOOLEAN_WORDS[text.toLowerCase()];
      return value === undefined ? undefined : { value, isExact: true };
    },
    accept: (stored) => typeof stored === "boolean" ? stored : undefined,
  };
}

/** A whole number; both ends are allowed. */
export function integerKind(low: number, high: number): SettingKind<number> {
  return {
    expectation: `must be a whole number, ${low} to ${high}`,
    parse(text) {
      if (!/^-?[0-9]{1,15}$/.test(text)) return undefined;
      const number = Number(text);
      const value = Math.min(Math.max(number, low), high);
      return { value, isExact: value === number };
    },
    accept(stored) {
      const isWhole = typeof stored === "number" && Number.isInteger(stored);
      return isWhole && stored >= low && stored <= high ? stored : undefined;
    },
  };
}

/** One of `words`. Text is lower-cased and "-" reads as "_" before `spellings` maps other words to one of them. */
export function wordKind<const Word extends string>(
  words: readonly Word[],
  spellings: Readonly<Record<string, Word>> = {},
): SettingKind<Word> {
  const find = (text: string) => {
    const word = text.toLowerCase().replaceAll("-", "_");
    return words.find((one) => one === (spellings[word] ?? word));
  };
  return {
    expectation: `must be one of ${words.join(", ")}`,
    parse(text) {
      const value = find(text);
      return value === undefined ? undefined : { value, isExact: true };
    },
    accept: (stored) => typeof stored === "string" ? find(stored) : undefined,
  };
}

/** Text of at most `lengthMax` characters. */
export function textKind(lengthMax: number): SettingKind<string> {
  const isShort = (text: string) => [...text].length <= lengthMax;
  return {
    expectation: `must have at most ${lengthMax} characters`,
    parse: (text) => isShort(text) ? { value: text, isExact: true } : undefined,
    accept: (stored) => typeof stored === "string" && isShort(stored) ? stored : undefined,
  };
}

export interface BindAddress {
  readonly address: string;
  readonly port: number;
}

/** "127.0.0.1:47990" or "[::1]:47990". Port 0 lets the system choose. */
export function bindAddressKind(): SettingKind<BindAddress> {
  const find = (text: string): BindAddress | undefined => {
    const match = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):([0-9]{1,5})$/.exec(text);
    const address = match?.[1] ?? match?.[2];
    const port = Number(match?.[3]);
    if (address === undefined || port > 65_535 || !isIpLiteral(address)) return undefined;
    return { address, port };
  };
  return {
    expectation: "must be IP:PORT, for example 127.0.0.1:47990 or [::1]:47990",
    parse(text) {
      const value = find(text);
      return value === undefined ? undefined : { value, isExact: true };
    },
    accept: (stored) => typeof stored === "string" ? find(stored) : undefined,
  };
}

function isIpLiteral(text: string): boolean {
  if (text.includes(":")) return URL.canParse(`http://[${text}]/`);
  const parts = text.split(".");
  return parts.length === 4 && parts.every((part) => /^[0-9]{1,3}$/.test(part) && +part <= 255);
}

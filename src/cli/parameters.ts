/**
 * Shapes of flags and arguments that rows of the table share.
 *
 * @module
 */

export const TEXT = { kind: "parsed", parse: String, optional: true } as const;
export const SWITCH = { kind: "boolean", optional: true, withNegated: false } as const;
export const JSON_FLAG = {
  json: { ...SWITCH, brief: "Print one JSON object instead of text" },
} as const;

export function argument(placeholder: string, brief: string) {
  return { placeholder, brief, parse: String } as const;
}

export function optionalArgument(placeholder: string, brief: string) {
  return { ...argument(placeholder, brief), optional: true } as const;
}

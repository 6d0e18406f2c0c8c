/**
 * What the input sink must know of a keymap that it did not make: which keys are modifiers, for the compositor derives
 * none of a virtual keyboard, and where letters and digits lie. Pure.
 *
 * It reads the text as libxkbcommon writes it: `<AC01> = 38;` in the key codes, `key <AC01> { … [ a, A ] … };` in the
 * symbols. What it does not understand it leaves out.
 *
 * @module
 */
import {
  XKB_CONTROL,
  XKB_LOCK,
  XKB_MOD1,
  XKB_MOD2,
  XKB_MOD3,
  XKB_MOD4,
  XKB_MOD5,
  XKB_SHIFT,
} from "./xkb_keymap.ts";

export interface ModifierKey {
  /** Bits of XKB's real modifiers. */
  readonly mask: number;
  /** True: pressing it turns the modifier on or off. False: it counts while held. */
  readonly isLock: boolean;
}

export interface KeymapFacts {
  /** By evdev key. */
  readonly modifiers: ReadonlyMap<number, ModifierKey>;
  /** Evdev key by the symbol it gives without modifiers, e.g. "a", "5", "udiaeresis". */
  readonly codes: ReadonlyMap<string, number>;
}

const EVDEV_OFFSET = 8;

/** Which modifier a key's symbol stands for, in every layout that ships with XKB. */
const MODIFIER_SYMBOLS: ReadonlyMap<string, ModifierKey> = new Map([
  ...held(XKB_SHIFT, "Shift_L", "Shift_R"),
  ...held(XKB_CONTROL, "Control_L", "Control_R"),
  ...held(XKB_MOD1, "Alt_L", "Alt_R", "Meta_L", "Meta_R"),
  ...held(XKB_MOD4, "Super_L", "Super_R", "Hyper_L", "Hyper_R"),
  ...held(XKB_MOD5, "ISO_Level3_Shift", "Mode_switch"),
  ...held(XKB_MOD3, "ISO_Level5_Shift"),
  ["Caps_Lock", { mask: XKB_LOCK, isLock: true }],
  ["Num_Lock", { mask: XKB_MOD2, isLock: true }],
]);

function held(mask: number, ...symbols: readonly string[]): [string, ModifierKey][] {
  return symbols.map((symbol) => [symbol, { mask, isLock: false }]);
}

/** Read what `keymap` says. Never throws: of a text that is no keymap nothing is known. */
export function readKeymap(keymap: string): KeymapFacts {
  const codeOfName = new Map<string, number>();
  for (
    const [, name = "", number = ""] of keymap.matchAll(/<([^<>\s]{1,16})>\s*=\s*([0-9]{1,4})\s*;/g)
  ) {
    codeOfName.set(name, Number(number) - EVDEV_OFFSET);
  }
  const modifiers = new Map<number, ModifierKey>();
  const codes = new Map<string, number>();
  for (
    const [, name = "", body = ""] of keymap.matchAll(/\bkey\s*<([^<>\s]{1,16})>\s*\{([^}]*)\}/g)
  ) {
    const code = codeOfName.get(name);
    const symbol = firstSymbol(body);
    if (code === undefined || symbol === undefined) continue;
    const modifier = MODIFIER_SYMBOLS.get(symbol);
    if (modifier !== undefined) modifiers.set(code, modifier);
    else if (!codes.has(symbol)) codes.set(symbol, code);
  }
  return { modifiers, codes };
}

/** The first symbol of the first group: `[ a, A ]`, `type= "…", [ a, A ]` or `symbols[Group1]= [ a, A ]`. */
function firstSymbol(body: string): string | undefined {
  // Without the indices the only brackets left hold symbols or actions.
  const plain = body.replace(/(\w)\[[^\]]*\]/g, "$1");
  return /(?:^|,|symbols\s*=)\s*\[\s*([A-Za-z0-9_]+)/.exec(plain)?.[1];
}

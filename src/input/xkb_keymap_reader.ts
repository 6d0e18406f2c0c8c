/**
 * What the input sink must know of a keymap that it did not make: which keys are modifiers, for the compositor derives
 * none of a virtual keyboard, and where letters and digits lie. Pure.
 *
 * It reads the text as libxkbcommon writes it: `<AC01> = 38;` in the key codes, `key <AC01> { … [ a, A ] … };` in the
 * symbols, where newer versions write `[ 0x61, 0x41 ]`. What it does not understand it leaves out.
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
  /** Keys that give any symbol. */
  readonly keyCount: number;
  /** By evdev key. */
  readonly modifiers: ReadonlyMap<number, ModifierKey>;
  /** Evdev key by the ASCII character it gives without modifiers, e.g. "a", "5". */
  readonly codes: ReadonlyMap<string, number>;
}

const EVDEV_OFFSET = 8;

/** Which modifier a key's symbol stands for in every layout that ships with XKB: name, number, bit. */
const MODIFIER_SYMBOLS: readonly (readonly [name: string, number: number, mask: number])[] = [
  ["Shift_L", 0xffe1, XKB_SHIFT],
  ["Shift_R", 0xffe2, XKB_SHIFT],
  ["Control_L", 0xffe3, XKB_CONTROL],
  ["Control_R", 0xffe4, XKB_CONTROL],
  ["Caps_Lock", 0xffe5, XKB_LOCK],
  ["Meta_L", 0xffe7, XKB_MOD1],
  ["Meta_R", 0xffe8, XKB_MOD1],
  ["Alt_L", 0xffe9, XKB_MOD1],
  ["Alt_R", 0xffea, XKB_MOD1],
  ["Super_L", 0xffeb, XKB_MOD4],
  ["Super_R", 0xffec, XKB_MOD4],
  ["Hyper_L", 0xffed, XKB_MOD4],
  ["Hyper_R", 0xffee, XKB_MOD4],
  ["ISO_Level3_Shift", 0xfe03, XKB_MOD5],
  ["ISO_Level5_Shift", 0xfe11, XKB_MOD3],
  ["Mode_switch", 0xff7e, XKB_MOD5],
  ["Num_Lock", 0xff7f, XKB_MOD2],
];

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
  let keyCount = 0;
  for (
    const [, name = "", body = ""] of keymap.matchAll(/\bkey\s*<([^<>\s]{1,16})>\s*\{([^}]*)\}/g)
  ) {
    const code = codeOfName.get(name);
    const symbol = firstSymbol(body);
    if (code === undefined || symbol === undefined) continue;
    keyCount++;
    const modifier = modifierOf(symbol);
    const character = asciiOf(symbol);
    if (modifier !== undefined) modifiers.set(code, modifier);
    else if (character !== undefined && !codes.has(character)) codes.set(character, code);
  }
  return { keyCount, modifiers, codes };
}

/** The first symbol of the first group: `[ a, A ]`, `type= "…", [ a, A ]` or `symbols[1]= [ a, A ]`. */
function firstSymbol(body: string): string | undefined {
  // Without the indices the only brackets left hold symbols or actions.
  const plain = body.replace(/(\w)\[[^\]]*\]/g, "$1");
  return /(?:^|,|symbols\s*=)\s*\[\s*([A-Za-z0-9_]+)/.exec(plain)?.[1];
}

function modifierOf(symbol: string): ModifierKey | undefined {
  const row = MODIFIER_SYMBOLS.find(([name, number]) =>
    symbol === name || Number(symbol) === number
  );
  if (row === undefined) return undefined;
  const mask = row[2];
  return { mask, isLock: mask === XKB_LOCK || mask === XKB_MOD2 };
}

/** A letter or digit by its name, which is itself, or by its number, which is its code. */
function asciiOf(symbol: string): string | undefined {
  if (symbol.length === 1) return symbol;
  const number = symbol.startsWith("0x") ? Number(symbol) : Number.NaN;
  return number > 0x20 && number < 0x7f ? String.fromCharCode(number) : undefined;
}

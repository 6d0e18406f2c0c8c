/**
 * XKB keymaps as text, complete in themselves, so that neither side needs layout files. Pure.
 *
 * - {@link usKeymap}: the US layout, for a seat that has no keyboard of its own.
 * - {@link TextKeymap}: one key for each character of a text, remade as the text asks for more.
 *
 * XKB counts keys from 8: its key code is the evdev key plus 8.
 *
 * @module
 */

/** Names the symbols of every keymap made here, so that one is not taken for a layout of the user's. */
export const KEYMAP_MARK = "punktfunk";

/** XKB's real modifiers as bits. */
export const XKB_SHIFT = 1;
export const XKB_LOCK = 2;
export const XKB_CONTROL = 4;
export const XKB_MOD1 = 8;
export const XKB_MOD2 = 16;
export const XKB_MOD3 = 32;
export const XKB_MOD4 = 64;
export const XKB_MOD5 = 128;

const EVDEV_OFFSET = 8;

/** Printing keys in rows: first evdev key, then for each key its symbols without and with Shift. */
const PRINTING_ROWS: readonly (readonly [first: number, symbols: string])[] = [
  [
    2,
    "1 exclam 2 at 3 numbersign 4 dollar 5 percent 6 asciicircum 7 ampersand 8 asterisk 9 parenleft " +
    "0 parenright minus underscore equal plus",
  ],
  [16, "q Q w W e E r R t T y Y u U i I o O p P bracketleft braceleft bracketright braceright"],
  [30, "a A s S d D f F g G h H j J k K l L semicolon colon apostrophe quotedbl grave asciitilde"],
  [43, "backslash bar z Z x X c C v V b B n N m M comma less period greater slash question"],
  [86, "less greater"],
];

/** Keypad keys: symbols without and with Num Lock. */
const KEYPAD_KEYS: readonly (readonly [code: number, plain: string, locked: string])[] = [
  [71, "KP_Home", "KP_7"],
  [72, "KP_Up", "KP_8"],
  [73, "KP_Prior", "KP_9"],
  [75, "KP_Left", "KP_4"],
  [76, "KP_Begin", "KP_5"],
  [77, "KP_Right", "KP_6"],
  [79, "KP_End", "KP_1"],
  [80, "KP_Down", "KP_2"],
  [81, "KP_Next", "KP_3"],
  [82, "KP_Insert", "KP_0"],
  [83, "KP_Delete", "KP_Decimal"],
];

/** Keys that mean one thing, in runs: first evdev key, then the symbols of it and its followers. */
const PLAIN_RUNS: readonly (readonly [first: number, symbols: string])[] = [
  [1, "Escape"],
  [14, "BackSpace Tab"],
  [28, "Return Control_L"],
  [42, "Shift_L"],
  [
    54,
    "Shift_R KP_Multiply Alt_L space Caps_Lock F1 F2 F3 F4 F5 F6 F7 F8 F9 F10 Num_Lock Scroll_Lock",
  ],
  [74, "KP_Subtract"],
  [78, "KP_Add"],
  [85, "Zenkaku_Hankaku"],
  [87, "F11 F12"],
  [92, "Henkan_Mode Hiragana_Katakana Muhenkan"],
  [96, "KP_Enter Control_R KP_Divide Print Alt_R"],
  [102, "Home Up Prior Left Right End Down Next Insert Delete"],
  [113, "XF86AudioMute XF86AudioLowerVolume XF86AudioRaiseVolume"],
  [119, "Pause"],
  [121, "KP_Separator Hangul Hangul_Hanja"],
  [124, "yen Super_L Super_R Menu Cancel"],
  [132, "SunFront"],
  [134, "SunOpen"],
  [138, "Help"],
  [140, "XF86Calculator"],
  [155, "XF86Mail XF86Favorites XF86MyComputer XF86Back XF86Forward"],
  [163, "XF86AudioNext XF86AudioPlay XF86AudioPrev XF86AudioStop"],
  [172, "XF86HomePage XF86Reload"],
  [183, "F13 F14 F15 F16 F17 F18 F19 F20 F21 F22 F23 F24"],
  [217, "XF86Search"],
  [226, "XF86AudioMedia"],
];

/** Real modifier, the virtual one that applications ask for by name, and the evdev keys that set it. */
const MODIFIERS: readonly (readonly [real: string, virtual: string, codes: readonly number[]])[] = [
  ["Shift", "", [42, 54]],
  ["Lock", "", [58]],
  ["Control", "", [29, 97]],
  ["Mod1", "Alt", [56, 100]],
  ["Mod2", "NumLock", [69]],
  ["Mod4", "Super", [125, 126]],
];

const TYPES = `xkb_types "${KEYMAP_MARK}" {
  virtual_modifiers Alt,NumLock,Super;
  type "ONE_LEVEL" { modifiers= none; level_name[Level1]= "Any"; };
  type "TWO_LEVEL" { modifiers= Shift; map[Shift]= Level2; level_name[Level1]= "Base"; level_name[Level2]= "Shift"; };
  type "ALPHABETIC" { modifiers= Shift+Lock; map[Shift]= Level2; map[Lock]= Level2;
    level_name[Level1]= "Base"; level_name[Level2]= "Caps"; };
  type "KEYPAD" { modifiers= Shift+NumLock; map[NumLock]= Level2; map[Shift]= Level2;
    level_name[Level1]= "Base"; level_name[Level2]= "Number"; };
};`;

const COMPATIBILITY = `xkb_compatibility "${KEYMAP_MARK}" {
  virtual_modifiers Alt,NumLock,Super;
  interpret.useModMapMods= AnyLevel;
  interpret.repeat= False;
  interpret Caps_Lock+AnyOfOrNone(all) { action= LockMods(modifiers=Lock); };
  interpret Num_Lock+AnyOf(all) { virtualModifier= NumLock; action= LockMods(modifiers=NumLock); };
  interpret Alt_L+AnyOf(all) { virtualModifier= Alt; action= SetMods(modifiers=modMapMods,clearLocks); };
  interpret Alt_R+AnyOf(all) { virtualModifier= Alt; action= SetMods(modifiers=modMapMods,clearLocks); };
  interpret Super_L+AnyOf(all) { virtualModifier= Super; action= SetMods(modifiers=modMapMods,clearLocks); };
  interpret Super_R+AnyOf(all) { virtualModifier= Super; action= SetMods(modifiers=modMapMods,clearLocks); };
  interpret Any+AnyOf(all) { action= SetMods(modifiers=modMapMods,clearLocks); };
};`;

interface Key {
  readonly code: number;
  readonly type: string;
  readonly symbols: readonly string[];
}

function usKeys(): Key[] {
  const keys: Key[] = [];
  for (const [first, row] of PRINTING_ROWS) {
    const symbols = row.split(" ");
    for (let index = 0; index + 1 < symbols.length; index += 2) {
      const pair = symbols.slice(index, index + 2);
      const type = /^[a-z]$/.test(pair[0] ?? "") ? "ALPHABETIC" : "TWO_LEVEL";
      keys.push({ code: first + index / 2, type, symbols: pair });
    }
  }
  for (const [code, plain, locked] of KEYPAD_KEYS) {
    keys.push({ code, type: "KEYPAD", symbols: [plain, locked] });
  }
  for (const [first, run] of PLAIN_RUNS) {
    run.split(" ").forEach((symbol, index) =>
      keys.push({ code: first + index, type: "ONE_LEVEL", symbols: [symbol] })
    );
  }
  // The other key with "/" on it, on Brazilian and Japanese keyboards.
  keys.push({ code: 89, type: "TWO_LEVEL", symbols: ["slash", "question"] });
  return keys;
}

function keymapOf(keys: readonly Key[], modifiers: readonly string[]): string {
  const name = ({ code }: Key) => `<I${code + EVDEV_OFFSET}>`;
  return [
    "xkb_keymap {",
    `xkb_keycodes "${KEYMAP_MARK}" {`,
    "  minimum= 8;",
    "  maximum= 255;",
    ...keys.map((key) => `  ${name(key)}= ${key.code + EVDEV_OFFSET};`),
    "};",
    TYPES,
    COMPATIBILITY,
    `xkb_symbols "${KEYMAP_MARK}" {`,
    ...keys.map((key) =>
      `  key ${name(key)} { type= "${key.type}", symbols[Group1]= [ ${key.symbols.join(", ")} ] };`
    ),
    ...modifiers,
    "};",
    "};",
    "",
  ].join("\n");
}

/** The US layout of a keyboard with 105 keys and what keyboards have beyond them. */
export function usKeymap(): string {
  return keymapOf(
    usKeys(),
    MODIFIERS.map(([real, , codes]) =>
      `  modifier_map ${real} { ${codes.map((code) => `<I${code + EVDEV_OFFSET}>`).join(", ")} };`
    ),
  );
}

/**
 * Keys that carry text: places where every keyboard has a printing key. Elsewhere programs act on the place itself, not
 * on the symbol: on Escape's, say.
 */
const TEXT_CODES: readonly number[] = PRINTING_ROWS.flatMap(([first, row]) =>
  Array.from({ length: row.split(" ").length / 2 }, (_, index) => first + index)
);

/** Text for one keyboard: first the keymap when it has changed, then the keys to tap. */
export interface TextBatch {
  readonly keymap: string | undefined;
  /** Evdev keys. */
  readonly codes: readonly number[];
}

/** A keymap that grows with the text it has to write. */
export class TextKeymap {
  readonly #tapsMax: number;
  #symbols: string[] = [];

  /** `tapsMax` is how many keys one batch holds. */
  constructor(tapsMax: number) {
    this.#tapsMax = tapsMax;
  }

  /** What writes `text`. Control characters other than a line's end and Tab have no key and are left out. */
  plan(text: string): readonly TextBatch[] {
    const batches: TextBatch[] = [];
    let codes: number[] = [];
    let hasChanged = false;
    const finish = () => {
      if (codes.length === 0) return;
      batches.push({ keymap: hasChanged ? this.text : undefined, codes });
      codes = [];
      hasChanged = false;
    };
    for (const character of text.replaceAll("\r\n", "\n")) {
      const symbol = symbolOf(character);
      if (symbol === undefined) continue;
      let index = this.#symbols.indexOf(symbol);
      if (index < 0) {
        if (this.#symbols.length === TEXT_CODES.length) {
          finish();
          this.#symbols = [];
        }
        index = this.#symbols.push(symbol) - 1;
        hasChanged = true;
      }
      codes.push(TEXT_CODES[index] ?? 0);
      if (codes.length === this.#tapsMax) finish();
    }
    finish();
    return batches;
  }

  /** The keymap as it stands; never empty, for a keyboard must have one. */
  get text(): string {
    const symbols = this.#symbols.length === 0 ? ["space"] : this.#symbols;
    const keys = symbols.map((symbol, index): Key => ({
      code: TEXT_CODES[index] ?? 0,
      type: "ONE_LEVEL",
      symbols: [symbol],
    }));
    return keymapOf(keys, []);
  }
}

function symbolOf(character: string): string | undefined {
  if (character === "\n" || character === "\r") return "Return";
  if (character === "\t") return "Tab";
  const codePoint = character.codePointAt(0) ?? 0;
  if (codePoint < 0x20 || (codePoint >= 0x7f && codePoint < 0xa0)) return undefined;
  return `U${codePoint.toString(16).toUpperCase().padStart(4, "0")}`;
}

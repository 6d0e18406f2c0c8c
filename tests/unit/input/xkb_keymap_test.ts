import assert from "node:assert/strict";
import fc from "fast-check";
import { evdevKeyOf } from "../../../src/input/keymap.ts";
import { TextKeymap, usKeymap } from "../../../src/input/xkb_keymap.ts";
import { readKeymap } from "../../../src/input/xkb_keymap_reader.ts";

/** Symbols by evdev key, as a keymap made here writes them. */
function symbolsOf(keymap: string): ReadonlyMap<number, string> {
  const pattern =
    /key <I(\d+)> \{ type= "[A-Z_]+", symbols\[Group1\]= \[ ([^,\]]+?)(?:, [^\]]+)? \] \};/g;
  return new Map(
    [...keymap.matchAll(pattern)].map(([, code, symbol]) => [Number(code) - 8, symbol ?? ""]),
  );
}

/** What a keyboard with these batches writes. */
function typed(batches: ReturnType<TextKeymap["plan"]>): string {
  let symbols: ReadonlyMap<number, string> = new Map();
  return batches.flatMap(({ keymap, codes }) => {
    if (keymap !== undefined) symbols = symbolsOf(keymap);
    return codes.map((code) => {
      const symbol = symbols.get(code) ?? "?";
      if (symbol === "Return") return "\n";
      if (symbol === "Tab") return "\t";
      return String.fromCodePoint(Number.parseInt(symbol.slice(1), 16));
    });
  }).join("");
}

Deno.test("usKeymap() has every key that a virtual key stands for, each once", () => {
  const keymap = usKeymap();
  const declared = [...keymap.matchAll(/^ {2}<I(\d+)>= (\d+);$/gm)].map(([, name, code]) => {
    assert.equal(name, code);
    return Number(code) - 8;
  });
  assert.equal(new Set(declared).size, declared.length);
  for (let virtualKey = 0; virtualKey < 256; virtualKey++) {
    const code = evdevKeyOf(virtualKey);
    assert.ok(code === undefined || declared.includes(code), `virtual key ${virtualKey}`);
  }
  assert.equal(symbolsOf(keymap).size, declared.length);
});

Deno.test("readKeymap() reads usKeymap()", () => {
  const facts = readKeymap(usKeymap());
  assert.deepEqual(
    [...facts.modifiers].sort(([a], [b]) => a - b).map((
      [code, { mask, isLock }],
    ) => [code, mask, isLock]),
    [
      [29, 4, false],
      [42, 1, false],
      [54, 1, false],
      [56, 8, false],
      [58, 2, true],
      [69, 16, true],
      [97, 4, false],
      [100, 8, false],
      [125, 64, false],
      [126, 64, false],
    ],
  );
  assert.equal(facts.codes.get("q"), 16);
  assert.equal(facts.codes.get("7"), 8);
  assert.ok(facts.keyCount > 100);
});

Deno.test("readKeymap() reads what each version of libxkbcommon writes", () => {
  const keycodes = "xkb_keycodes { <AD06> = 29; <RALT> = 108; <CAPS> = 66; <LFSH> = 50; };";
  const forms = [
    `key <AD06> { [ z, Z ] };
     key <RALT> { [ ISO_Level3_Shift ] };
     key <CAPS> { [ Control_L ] };
     key <LFSH> { [ Shift_L ] };`,
    `key <AD06> { type= "ALPHABETIC", symbols[Group1]= [ z, Z ] };
     key <RALT> { type[group1]= "ONE_LEVEL", symbols[Group1]= [ ISO_Level3_Shift ], symbols[Group2]= [ Alt_R ] };
     key <CAPS> { repeat= No, type= "ONE_LEVEL", symbols[Group1]= [ Control_L ] };
     key <LFSH> { symbols[Group1]= [ Shift_L ], actions[Group1]= [ SetMods(modifiers=Shift) ] };`,
    `key <AD06> { type= "ALPHABETIC", symbols[1]= [ 0x7a, 0x5a ] };
     key <RALT> { symbols[1]= [ 0xfe03 ] };
     key <CAPS> { symbols[1]= [ 0xffe3 ] };
     key <LFSH> { symbols[1]= [ 0xffe1 ] };`,
  ];
  for (const symbols of forms) {
    const facts = readKeymap(`xkb_keymap { ${keycodes} xkb_symbols "de" { ${symbols} }; };`);
    assert.equal(facts.codes.get("z"), 21);
    assert.deepEqual(facts.modifiers.get(100), { mask: 128, isLock: false });
    assert.deepEqual(facts.modifiers.get(58), { mask: 4, isLock: false });
    assert.deepEqual(facts.modifiers.get(42), { mask: 1, isLock: false });
    assert.equal(facts.keyCount, 4);
  }
});

Deno.test("readKeymap() throws on no text", () => {
  fc.assert(fc.property(fc.string({ maxLength: 200 }), (text) => {
    assert.ok(readKeymap(text).keyCount >= 0);
    assert.ok(readKeymap(`<A> = 9; key <A> {${text}};`).keyCount >= 0);
  }));
});

Deno.test("TextKeymap.plan() writes any text, batch by batch", () => {
  const character = fc.integer({ min: 0x20, max: 0x1fbff }).filter((codePoint) =>
    (codePoint < 0x7f || codePoint >= 0xa0) && (codePoint < 0xd800 || codePoint > 0xdfff)
  ).map((codePoint) => String.fromCodePoint(codePoint));
  const texts = fc.array(fc.string({ unit: character, maxLength: 150 }), { maxLength: 4 });
  fc.assert(fc.property(texts, (parts) => {
    const keyboard = new TextKeymap(16);
    const batches = parts.flatMap((text) => keyboard.plan(text));
    assert.equal(typed(batches), parts.join(""));
    assert.ok(batches.every(({ codes }) => codes.length >= 1 && codes.length <= 16));
  }));
});

Deno.test("TextKeymap.plan() makes no new keymap for characters it has", () => {
  const keyboard = new TextKeymap(1024);
  assert.equal(keyboard.plan("hello").length, 1);
  const [again] = keyboard.plan("hole");
  assert.equal(again?.keymap, undefined);
  assert.notEqual(keyboard.plan("help")[0]?.keymap, undefined);
});

Deno.test("TextKeymap.plan() taps lines' ends and Tab and leaves out what has no key", () => {
  assert.equal(
    typed(new TextKeymap(1024).plan("a\r\nb\rc\n\td\x00\x07\x7f\x9fe")),
    "a\nb\nc\n\tde",
  );
  assert.deepEqual(new TextKeymap(1024).plan("\x00"), []);
  assert.deepEqual(new TextKeymap(1024).plan(""), []);
});

Deno.test("TextKeymap uses only places that have printing keys", () => {
  const alphabet = Array.from({ length: 200 }, (_, index) => String.fromCodePoint(0x4e00 + index));
  const codes = new TextKeymap(1024).plan(alphabet.join("")).flatMap((batch) => batch.codes);
  assert.equal(codes.length, 200);
  const printing = new Set([...readKeymap(usKeymap()).codes.values()]);
  assert.ok(codes.every((code) => printing.has(code) || (code >= 2 && code <= 53) || code === 86));
  // Escape, Backspace, Tab, Enter, Ctrl, Shift.
  for (const code of [1, 14, 15, 28, 29, 42]) assert.ok(!codes.includes(code));
});

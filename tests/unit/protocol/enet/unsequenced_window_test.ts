import assert from "node:assert/strict";
import { UnsequencedWindow } from "../../../../src/protocol/enet/unsequenced_window.ts";

Deno.test("UnsequencedWindow.accept() takes each group once, in any order", () => {
  const window = new UnsequencedWindow();
  assert.deepEqual([3, 1, 2, 3, 1, 1023, 1023].map((group) => window.accept(group)), [
    true,
    true,
    true,
    false,
    false,
    true,
    false,
  ]);
});

Deno.test("UnsequencedWindow.accept() takes groups less than 32 windows ahead and none of the past", () => {
  const window = new UnsequencedWindow();
  assert.equal(window.accept(32 * 1024), false);
  assert.equal(window.accept(32 * 1024 - 1), true);
  assert.equal(window.accept(1), false);
  assert.equal(window.accept(31 * 1024), true);
});

Deno.test("UnsequencedWindow.accept() goes on over the wrap of the group counter", () => {
  const window = new UnsequencedWindow();
  for (let group = 0; group < 0x10000; group += 1000) assert.equal(window.accept(group), true);
  assert.equal(window.accept(0xffff), true);
  assert.equal(window.accept(0), true);
  assert.equal(window.accept(0), false);
  assert.equal(window.accept(0xffff), false);
});
